"""Writes a synthetic data set: worker processes render, one process puts the folders in place."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from svhn.data import photo_folder
from svhn.data.digit_struct import LabelledPhoto
from svhn.data.length_weights import length_weights
from svhn.data.photo_folder import (
    check_place,
    make_folder,
    telling_why_not_written,
)
from svhn.data.synthetic.config import EMPTY, SPLITS, SyntheticConfig
from svhn.data.synthetic.fonts import Typeface, find_typefaces
from svhn.data.synthetic.layout import LENGTH_FREQUENCIES
from svhn.data.synthetic.scene import RenderedPhoto, render_photo
from svhn.data.synthetic.without_number import render_photo_without_number
from svhn.errors import UserError

SETTINGS_NAME = "synthetic.json"
"""Lies in each finished folder: what it was made from. Only such folders are ever replaced."""

_PHOTOS_A_TASK = 16


def render_data_set(config: SyntheticConfig) -> dict[str, int]:
    """Renders the splits of a data set into folders like SVHN's.

    Each split is rendered in a folder beside its place (`train.unfinished-PID`), its
    `digitStruct.mat` is written last, and the folder is renamed when it is whole; so a run that
    is killed leaves nothing that looks whole, and the next run begins that split again.

    Args:
        config: What to render and where.

    Returns:
        How many photos each split has; splits of 0 photos are left out.

    Raises:
        UserError: If there is nothing to render, a split is there already, the folder can't be
            written, `fonts_dir` has no usable font, or the weights of the lengths make no sense.
    """
    counts = {split: getattr(config, split) for split in SPLITS if getattr(config, split)}
    if not counts:
        raise UserError(
            "--train=0 --test=0 --extra=0 --empty=0: nothing to render; ask for at least one photo"
        )
    length_frequencies = _length_frequencies(config.lengths)
    out = Path(config.out)
    with telling_why_not_written(f"--out={config.out}", "(about 20 kB a photo)"):
        out.mkdir(parents=True, exist_ok=True)
        for split in counts:
            check_place(out / split, SETTINGS_NAME, config.overwrite)
        typefaces = find_typefaces(config.fonts_dir)
        for split, count in counts.items():
            render_split(config, split, count, typefaces, length_frequencies)
    return counts


def photo_generator(seed: int, split: str, index: int) -> np.random.Generator:
    """Returns the random generator of one photo, whoever renders it and when."""
    return np.random.default_rng([seed, SPLITS.index(split), index])


@dataclasses.dataclass(frozen=True)
class _Task:
    """A row of photos for one worker."""

    seed: int
    split: str
    first: int
    last: int
    folder: str
    typefaces: tuple[Typeface, ...]
    length_frequencies: Mapping[int, float]
    spaced: float


def render_split(
    config: SyntheticConfig,
    split: str,
    count: int,
    typefaces: tuple[Typeface, ...],
    length_frequencies: Mapping[int, float] = LENGTH_FREQUENCIES,
) -> None:
    """Renders one split into its folder, replacing what is there.

    Args:
        config: What to render and where; its counts and `lengths` are not looked at.
        split: The folder's name.
        count: How many photos.
        typefaces: The fonts to choose from.
        length_frequencies: How often numbers of each length come, as `config.lengths` says it.
    """
    settings = {
        "program": "svhn.data.synthetic",
        "seed": config.seed,
        "split": split,
        "photos": count,
        "lengths": config.lengths,
        "spaced": config.spaced,
        "fonts": len(typefaces),
        "fonts_digest": fonts_digest(typefaces),
    }

    def tasks(folder: str) -> list[_Task]:
        return [
            _Task(
                config.seed,
                split,
                first,
                min(first + _PHOTOS_A_TASK, count),
                folder,
                typefaces,
                length_frequencies,
                config.spaced,
            )
            for first in range(0, count, _PHOTOS_A_TASK)
        ]

    make_folder(
        Path(config.out, split),
        _render_task,
        tasks,
        count,
        config.workers,
        SETTINGS_NAME,
        settings,
        f"Rendering {split}",
    )


def _length_frequencies(lengths: list[str]) -> Mapping[int, float]:
    if not lengths:
        return LENGTH_FREQUENCIES
    return dict(enumerate(length_weights(lengths), start=1))


def fonts_digest(typefaces: Sequence[Typeface]) -> str:
    """Returns a short text that differs where the fonts' file names differ."""
    names = "\n".join(Path(typeface.path).name for typeface in typefaces)
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def _render_task(task: _Task) -> list[LabelledPhoto]:
    labels = []
    for index in range(task.first, task.last):
        random = photo_generator(task.seed, task.split, index)
        name = f"{index + 1}.png"
        if task.split == EMPTY:
            pixels, digits = render_photo_without_number(random, task.typefaces), ()
            boxes = np.zeros((0, 4), np.float32)
        else:
            photo = render_photo(random, task.typefaces, task.length_frequencies, task.spaced)
            pixels, digits, boxes = photo.pixels, photo.digits, photo.boxes
        Path(task.folder, name).write_bytes(photo_folder.png_bytes(pixels))
        labels.append(LabelledPhoto(name, digits, boxes))
    return labels


def png_bytes(photo: RenderedPhoto) -> bytes:
    """Returns the photo's pixels as a PNG file: 8-bit RGB."""
    return photo_folder.png_bytes(photo.pixels)
