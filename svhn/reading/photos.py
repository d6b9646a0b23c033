"""Reads the numbers of files, thousands of them in the memory of a few.

Some threads load and crop photos ahead of the network. A photo is let go as soon as it is cropped.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from svhn.drawing import preview
from svhn.errors import PictureError
from svhn.images import load_picture
from svhn.reading.boxes import BoxFinder, whole_photo
from svhn.reading.reader import Reader
from svhn.reading.results import PhotoResult

MAX_THREADS = 4
"""Threads that load photos; each may hold one photo of `svhn.images.MAX_PIXELS`."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def read_photos(
    reader: Reader,
    paths: Iterable[Path],
    *,
    find_box: BoxFinder = whole_photo,
    with_previews: bool = False,
) -> Iterator[PhotoResult]:
    """Yields what is read in each photo, in order; photos that can't be read come with the reason.

    Args:
        reader: The network.
        paths: The files.
        find_box: Says where in each photo the number is; by default it is the whole photo.
        with_previews: Whether the results carry the photos, scaled down for drawing.
    """

    def prepare(path: Path) -> tuple[PhotoResult, np.ndarray | None]:
        try:
            photo, box = load_picture(path), find_box(path)
            _check_box(box, photo, path)
        except PictureError as error:
            return PhotoResult(path, None, str(error)), None
        result = PhotoResult(path, None, box=None if box is None else tuple(map(float, box)))
        if with_previews:
            shown = preview(photo)
            scale = shown.shape[1] / photo.shape[1]
            scaled_box = None if box is None else tuple(scale * float(value) for value in box)
            result = replace(result, preview=shown, preview_box=scaled_box)
        return result, reader.prepare(photo, box)

    threads = min(MAX_THREADS, os.cpu_count() or 1)
    waiting: list[PhotoResult] = []
    pictures: list[np.ndarray] = []
    with ThreadPoolExecutor(threads, thread_name_prefix="photos") as pool:
        for result, picture in _map_ahead(pool, prepare, paths, reader.batch_size + threads):
            waiting.append(result)
            if picture is not None:
                pictures.append(picture)
            if len(pictures) == reader.batch_size or not pictures:
                yield from _with_readings(reader, waiting, pictures)
                waiting, pictures = [], []
        yield from _with_readings(reader, waiting, pictures)


def _with_readings(
    reader: Reader, results: list[PhotoResult], pictures: list[np.ndarray]
) -> Iterator[PhotoResult]:
    readings = iter(reader.read(pictures))
    for result in results:
        yield result if result.error else replace(result, reading=next(readings))


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


def _check_box(box: Sequence[float] | None, photo: np.ndarray, path: Path) -> None:
    if box is None:
        return
    height, width = photo.shape[:2]
    left, top, box_width, box_height = box
    if left >= width or top >= height or left + box_width <= 0 or top + box_height <= 0:
        raise PictureError(
            f"{path}: the box {','.join(f'{value:g}' for value in box)} (left, top, width, height) "
            f"lies outside of the photo of {width} × {height} pixels. Give a --box within it"
        )
