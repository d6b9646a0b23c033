"""Writes the folder of composed photos."""

import dataclasses
import functools
from pathlib import Path

import numpy as np

from svhn.data.converter import drawn_for_val
from svhn.data.digit_struct import DIGIT_STRUCT_NAME, LabelledPhoto, read_digit_struct
from svhn.data.photo_folder import check_place, in_order, make_folder, png_bytes, stop_if_orphaned
from svhn.data.recombined.composition import compose
from svhn.data.recombined.config import RecombinedConfig
from svhn.data.recombined.donors import DonorIndex
from svhn.data.recombined.sources import Source, examine
from svhn.errors import PictureError, UserError
from svhn.images import load_picture
from svhn.progress import progress

SETTINGS_NAME = "recombined.json"
"""Lies in the finished folder: what it was made from. Only such a folder is ever replaced."""

LONGEST = 5
_PHOTOS_A_TASK = 16
_SPLIT = "extra"


def recombine(config: RecombinedConfig) -> int:
    """Composes photos of new numbers into OUT/extra, a folder like SVHN's.

    Args:
        config: What to compose of what, and where.

    Returns:
        How many photos can give digits.

    Raises:
        UserError: If there are no usable photos, the folder is there already or can't be written,
            or the weights of the lengths make no sense.
    """
    weights = length_weights(config.lengths)
    train = Path(config.data_dir, "train")
    out = Path(config.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        check_place(out / _SPLIT, SETTINGS_NAME, config.overwrite)
        sources = find_sources(train, config.val_fraction_train, config.workers)
        settings = {
            "program": "svhn.data.recombined",
            "seed": config.seed,
            "photos": config.photos,
            "sources": len(sources),
            "val_fraction_train": config.val_fraction_train,
            "lengths": weights,
            "exchanged": config.exchanged,
        }

        def tasks(folder: str) -> list[_Task]:
            return [
                _Task(first, min(first + _PHOTOS_A_TASK, config.photos), folder)
                for first in range(0, config.photos, _PHOTOS_A_TASK)
            ]

        make_folder(
            out / _SPLIT,
            _compose_task,
            tasks,
            config.photos,
            config.workers,
            SETTINGS_NAME,
            settings,
            "Composing",
            _prepare,
            (train, sources, config.seed, weights, config.exchanged),
        )
    except OSError as error:
        raise UserError(
            f"--out={config.out}: {error.strerror or error}"
            f" ({error.filename or 'while writing'}); give a folder that can be written, with"
            " enough free space (about 25 kB a photo)"
        ) from error
    return len(sources)


def length_weights(texts: list[str]) -> list[float]:
    """Returns the weights of the lengths 1 to 5 that a flag gives.

    Raises:
        UserError: If they aren't five numbers, none below 0 and one above.
    """
    try:
        weights = [float(text) for text in texts]
    except ValueError:
        weights = []
    if len(weights) != LONGEST or not min(weights) >= 0 or not 0 < sum(weights) < float("inf"):
        raise UserError(
            f"--lengths={','.join(texts)}: give five weights, for numbers of 1 to 5 digits, none"
            " below 0, such as 5,25,30,25,15"
        )
    return weights


def find_sources(train: Path, val_fraction: float, workers: int = 1) -> list[Source]:
    """Returns the photos of the split `train` whose digits can be cut out, in the list's order.

    Args:
        train: SVHN's folder train/.
        val_fraction: The converter's --val_fraction_train: what it draws for val is left out.
        workers: Processes; 0 for one a core.

    Raises:
        UserError: If the folder has no list, or no usable photo.
    """
    if not (train / DIGIT_STRUCT_NAME).is_file():
        raise UserError(
            f"--data_dir={train.parent}: there is no {train.name}/{DIGIT_STRUCT_NAME}; give the"
            " folder that holds SVHN's train/"
        )
    photos = [
        photo
        for photo in read_digit_struct(train / DIGIT_STRUCT_NAME)
        if not drawn_for_val(train.name, photo.file_name, val_fraction)
    ]
    examined = in_order(_examine_file, [(train, photo) for photo in photos], workers)
    bar = progress(examined, total=len(photos), description="Looking at photos")
    sources = [source for source in bar if source is not None]
    if not sources:
        raise UserError(
            f"{train}: none of its {len(photos)} photos outside val has digits that can be cut"
            " out; give more photos, or a smaller --val_fraction_train"
        )
    return sources


def photo_generator(seed: int, index: int) -> np.random.Generator:
    """Returns the random generator of one photo, whoever composes it and when."""
    return np.random.default_rng([seed, 1000, index])


@dataclasses.dataclass(frozen=True)
class _Task:
    """A row of photos for one worker."""

    first: int
    last: int
    folder: str


@dataclasses.dataclass(frozen=True, eq=False)
class _Worker:
    """What a process needs for all its tasks."""

    train: Path
    donors: DonorIndex
    seed: int
    weights: list[float]
    exchanged: float


_worker: _Worker | None = None


def _prepare(train, sources, seed, weights, exchanged) -> None:
    global _worker
    _worker = _Worker(train, DonorIndex(sources), seed, weights, exchanged)


@functools.lru_cache(maxsize=4096)
def _load(path: Path) -> np.ndarray:
    return load_picture(path)


def _examine_file(task: tuple[Path, LabelledPhoto]) -> Source | None:
    train, photo = task
    try:
        pixels = load_picture(train / photo.file_name)
    except PictureError:  # the converter names it
        return None
    return examine(pixels, photo)


def _compose_task(task: _Task) -> list[LabelledPhoto]:
    stop_if_orphaned()
    labels = []
    for index in range(task.first, task.last):
        pixels, digits, boxes = compose(
            photo_generator(_worker.seed, index),
            _worker.donors,
            lambda file_name: _load(_worker.train / file_name),
            _worker.weights,
            _worker.exchanged,
        )
        name = f"{index + 1}.png"
        Path(task.folder, name).write_bytes(png_bytes(pixels))
        labels.append(LabelledPhoto(name, digits, boxes))
    return labels
