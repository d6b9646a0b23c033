"""Reads the numbers of files, thousands of them in the memory of a few.

Some threads load photos, and crop the numbers out of them, ahead of the network. A photo is let go
as soon as that is done.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from svhn.drawing import preview
from svhn.errors import PictureError
from svhn.images import load_picture
from svhn.reading.results import PhotoResult, Reading
from svhn.worker_processes import usable_cores

MAX_THREADS = 4
"""Threads that load photos; each may hold one photo of `svhn.images.MAX_PIXELS`."""

MAX_PREVIEWS = 128
"""Photos that wait for the network, at most, where their previews wait with them: each takes up to
3 MiB (`svhn.drawing.MAX_SIDE`), so more are not kept however many numbers are read at a time."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class PhotoReader(Protocol):
    """What reads photos: `svhn.reading.whole_photo` finds the numbers, `svhn.reading.given_box` is
    told where they are.
    """

    batch_size: int
    """Crops that the network sees at a time."""

    def prepare(self, photo: np.ndarray, path: Path) -> Sequence[Any]:
        """Returns the crops of a photo, one for each number. Called by several threads.

        Args:
            photo: uint8 array of shape (height, width, 3), RGB.
            path: Its file.

        Raises:
            PictureError: If the photo can't be read.
        """

    def read_prepared(self, prepared: Sequence[Sequence[Any]]) -> list[tuple[Reading, ...]]:
        """Returns the numbers of each photo, best first, given the crops of each."""


def read_photos(
    photo_reader: PhotoReader,
    paths: Iterable[Path],
    *,
    with_previews: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[PhotoResult]:
    """Yields what is read in each photo, in order; photos that can't be read come with the reason.

    Args:
        photo_reader: Finds and reads the numbers.
        paths: The files.
        with_previews: Whether the results carry the photos, scaled down for drawing.
        stopped: Asked after each photo. Once it says so, the photos whose crops wait for the
            network are read, and no more.
    """

    def prepare(path: Path) -> tuple[PhotoResult, Sequence[Any]]:
        try:
            photo = load_picture(path)
            crops = photo_reader.prepare(photo, path)
        except PictureError as error:
            return PhotoResult(path, error=str(error)), ()
        result = PhotoResult(path)
        if with_previews:
            shown = preview(photo)
            scale = max(shown.shape[:2]) / max(photo.shape[:2])
            result = replace(result, preview=shown, preview_scale=scale)
        return result, crops

    threads = min(MAX_THREADS, usable_cores())
    batch_size = photo_reader.batch_size
    if with_previews:
        batch_size = min(batch_size, MAX_PREVIEWS)
    waiting: list[tuple[PhotoResult, Sequence[Any]]] = []
    count = 0  # crops that wait
    with ThreadPoolExecutor(threads, thread_name_prefix="photos") as pool:
        for result, crops in _map_ahead(pool, prepare, paths, batch_size + threads):
            if count and count + len(crops) > batch_size:
                yield from _with_readings(photo_reader, waiting)
                waiting, count = [], 0
            waiting.append((result, crops))
            count += len(crops)
            # Photos without a number fill no batch, and must not pile up either.
            if count >= batch_size or not count or len(waiting) >= batch_size:
                yield from _with_readings(photo_reader, waiting)
                waiting, count = [], 0
            if stopped():
                break
        yield from _with_readings(photo_reader, waiting)


def _with_readings(
    photo_reader: PhotoReader, waiting: list[tuple[PhotoResult, Sequence[Any]]]
) -> Iterator[PhotoResult]:
    readings = iter(
        photo_reader.read_prepared([crops for result, crops in waiting if not result.error])
    )
    for result, _ in waiting:
        yield result if result.error else replace(result, readings=next(readings))


def _map_ahead(
    pool: Executor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Like `pool.map`, but no more than `ahead` results wait to be fetched."""
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
