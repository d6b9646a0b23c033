"""Writes the folder of composed photos."""

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from svhn.data.converter import drawn_for_val
from svhn.data.digit_struct import DIGIT_STRUCT_NAME, LabelledPhoto, read_digit_struct
from svhn.data.length_weights import length_weights
from svhn.data.photo_folder import (
    check_place,
    make_folder,
    png_bytes,
    telling_why_not_written,
)
from svhn.data.recombined.composition import compose
from svhn.data.recombined.config import RecombinedConfig
from svhn.data.recombined.donors import DonorIndex
from svhn.data.recombined.sources import Source, examine
from svhn.errors import PictureError, UserError
from svhn.images import load_picture
from svhn.progress import progress
from svhn.worker_processes import in_order

SETTINGS_NAME = "recombined.json"
"""Lies in the finished folder: what it was made from. Only such a folder is ever replaced."""

_PHOTOS_A_TASK = 16
_BYTES_IN_MEMORY = 256 * 2**20
"""Of the photos that a process keeps: all of SVHN's train, some hundred of a phone's."""
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
    data_dir, out = Path(config.data_dir), Path(config.out)
    writing = functools.partial(
        telling_why_not_written, f"--out={config.out}", "(about 25 kB a photo)"
    )
    with writing():
        out.mkdir(parents=True, exist_ok=True)
        check_place(out / _SPLIT, SETTINGS_NAME, config.overwrite)
    # Apart: what keeps photos from being read is no fault of --out.
    sources = find_sources(data_dir, config.folders, config.val_fraction_train, config.workers)
    with writing():
        settings = {
            "program": "svhn.data.recombined",
            "seed": config.seed,
            "photos": config.photos,
            "folders": config.folders,
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
            (data_dir, sources, config.seed, weights, config.exchanged),
        )
    return len(sources)


def find_sources(
    data_dir: Path, folders: Sequence[str], val_fraction: float, workers: int = 1
) -> list[Source]:
    """Returns the photos whose digits can be cut out, folder by folder, in the lists' order.

    Args:
        data_dir: The folder that holds SVHN's train/.
        folders: "train", and what else is there in its format, such as "pseudo".
        val_fraction: The converter's --val_fraction_train: what it draws for val is left out.
        workers: Processes; 0 for one a core.

    Raises:
        UserError: If a folder has no list, or none of them a usable photo.
    """
    photos = []
    for folder in folders:
        if not (data_dir / folder / DIGIT_STRUCT_NAME).is_file():
            raise UserError(
                f"--data_dir={data_dir}: there is no {folder}/{DIGIT_STRUCT_NAME}; give the"
                " folder that holds SVHN's train/, and in --folders what it holds"
            )
        fraction = val_fraction if folder == "train" else 0.0
        photos += [
            dataclasses.replace(photo, file_name=f"{folder}/{photo.file_name}")
            for photo in read_digit_struct(data_dir / folder / DIGIT_STRUCT_NAME)
            if not drawn_for_val(folder, photo.file_name, fraction)
        ]
    examined = in_order(_examine_file, [(data_dir, photo) for photo in photos], workers)
    bar = progress(examined, total=len(photos), description="Looking at photos")
    sources = [source for source in bar if source is not None]
    if not sources:
        raise UserError(
            f"--data_dir={data_dir}: none of its {len(photos)} photos in {', '.join(folders)}"
            " outside val has digits that can be cut out; give more photos, or a smaller"
            " --val_fraction_train"
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


class _Photos:
    """Photos from the disk, those that came first from memory: all are asked for equally often."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, np.ndarray] = {}
        self._room = _BYTES_IN_MEMORY

    def load(self, file_name: str) -> np.ndarray:
        if file_name in self._kept:
            return self._kept[file_name]
        photo = load_picture(self._folder / file_name)
        if photo.nbytes <= self._room:
            self._kept[file_name] = photo
            self._room -= photo.nbytes
        return photo


@dataclasses.dataclass(frozen=True, eq=False)
class _Worker:
    """What a process needs for all its tasks."""

    photos: _Photos
    donors: DonorIndex
    seed: int
    weights: list[float]
    exchanged: float


_worker: _Worker | None = None


def _prepare(data_dir, sources, seed, weights, exchanged) -> None:
    global _worker
    _worker = _Worker(_Photos(data_dir), DonorIndex(sources), seed, weights, exchanged)


def _examine_file(task: tuple[Path, LabelledPhoto]) -> Source | None:
    data_dir, photo = task
    try:
        pixels = load_picture(data_dir / photo.file_name)
    except PictureError:  # the converter names it
        return None
    return examine(pixels, photo)


def _compose_task(task: _Task) -> list[LabelledPhoto]:
    labels = []
    for index in range(task.first, task.last):
        pixels, digits, boxes = compose(
            photo_generator(_worker.seed, index),
            _worker.donors,
            _worker.photos.load,
            _worker.weights,
            _worker.exchanged,
        )
        name = f"{index + 1}.png"
        Path(task.folder, name).write_bytes(png_bytes(pixels))
        labels.append(LabelledPhoto(name, digits, boxes))
    return labels
