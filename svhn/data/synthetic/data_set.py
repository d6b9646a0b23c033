"""Writes a synthetic data set: worker processes render, one process puts the folders in place."""

import dataclasses
import hashlib
import io
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from svhn.data.digit_struct import DIGIT_STRUCT_NAME, LabelledPhoto, write_digit_struct
from svhn.data.synthetic.config import SPLITS, SyntheticConfig
from svhn.data.synthetic.fonts import Typeface, find_typefaces
from svhn.data.synthetic.scene import RenderedPhoto, render_photo
from svhn.errors import UserError
from svhn.progress import progress

SETTINGS_NAME = "synthetic.json"
"""Lies in each finished folder: what it was made from. Only such folders are ever replaced."""

_ZLIB_RLE = 3
_UNFINISHED = ".unfinished"
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
            written, or `fonts_dir` has no usable font.
    """
    counts = {split: getattr(config, split) for split in SPLITS if getattr(config, split)}
    if not counts:
        raise UserError(
            "--train=0 --test=0 --extra=0: nothing to render; ask for at least one photo"
        )
    out = Path(config.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for split in counts:
            _check_place(out / split, config.overwrite)
        typefaces = find_typefaces(config.fonts_dir)
        for split, count in counts.items():
            render_split(config, split, count, typefaces)
    except OSError as error:
        raise UserError(
            f"--out={config.out}: {error.strerror or error}"
            f" ({error.filename or 'while writing'}); give a folder that can be written, with"
            " enough free space (about 20 kB a photo)"
        ) from error
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


def _check_place(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not (folder / SETTINGS_NAME).is_file():
        raise UserError(
            f"{folder} exists and was not made by this program, so it is left alone; give another"
            " --out or move it away"
        )
    if not overwrite:
        raise UserError(
            f"{folder} already holds a whole synthetic split; add --overwrite to replace it, or"
            " give another --out"
        )


def render_split(
    config: SyntheticConfig, split: str, count: int, typefaces: tuple[Typeface, ...]
) -> None:
    """Renders one split into its folder, replacing what is there.

    Args:
        config: What to render and where; its counts are not looked at.
        split: The folder's name.
        count: How many photos.
        typefaces: The fonts to choose from.
    """
    place = Path(config.out, split)
    for left_over in place.parent.glob(f"{split}{_UNFINISHED}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    # A name of its own: workers of a killed run can't write into this run's folder.
    unfinished = place.with_name(f"{split}{_UNFINISHED}-{os.getpid()}")
    unfinished.mkdir()
    tasks = [
        _Task(
            config.seed,
            split,
            first,
            min(first + _PHOTOS_A_TASK, count),
            str(unfinished),
            typefaces,
        )
        for first in range(0, count, _PHOTOS_A_TASK)
    ]
    try:
        photos: list[LabelledPhoto] = []
        with progress(total=count, description=f"Rendering {split}") as bar:
            for labels in _in_order(tasks, config.workers or os.cpu_count() or 1):
                photos += labels
                bar.update(len(labels))
        settings = {
            "program": "svhn.data.synthetic",
            "seed": config.seed,
            "split": split,
            "photos": count,
            "fonts": len(typefaces),
            "fonts_digest": fonts_digest(typefaces),
        }
        (unfinished / SETTINGS_NAME).write_text(json.dumps(settings, indent=2) + "\n")
        write_digit_struct(unfinished / DIGIT_STRUCT_NAME, photos)
        _put_in_place(unfinished, place)
    finally:  # after an error or Ctrl-C; once it is in place there is nothing to remove
        shutil.rmtree(unfinished, ignore_errors=True)


def _put_in_place(unfinished: Path, place: Path) -> None:
    if not place.exists():
        unfinished.rename(place)
        return
    replaced = place.with_name(place.name + ".replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    place.rename(replaced)
    unfinished.rename(place)
    shutil.rmtree(replaced)


def fonts_digest(typefaces: Sequence[Typeface]) -> str:
    """Returns a short text that differs where the fonts' file names differ."""
    names = "\n".join(Path(typeface.path).name for typeface in typefaces)
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def _in_order(tasks: Sequence[_Task], workers: int) -> Iterator[list[LabelledPhoto]]:
    """Yields each task's labels in the order of the tasks."""
    workers = min(workers, len(tasks))
    if workers == 1:
        yield from map(_render_task, tasks)
        return
    # Fresh processes: a fork of a process that has TensorFlow's threads may hang.
    with multiprocessing.get_context("spawn").Pool(workers, _leave_ctrl_c_to_parent) as pool:
        yield from pool.imap(_render_task, tasks)


def _leave_ctrl_c_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _render_task(task: _Task) -> list[LabelledPhoto]:
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        raise SystemExit(1)  # nobody waits for these photos
    labels = []
    for index in range(task.first, task.last):
        photo = render_photo(photo_generator(task.seed, task.split, index), task.typefaces)
        name = f"{index + 1}.png"
        Path(task.folder, name).write_bytes(png_bytes(photo))
        labels.append(LabelledPhoto(name, photo.digits, photo.boxes))
    return labels


def png_bytes(photo: RenderedPhoto) -> bytes:
    """Returns the photo's pixels as a PNG file: 8-bit RGB."""
    file = io.BytesIO()
    # Run-length coding alone: noise has no longer patterns to look for.
    Image.fromarray(photo.pixels).save(file, "PNG", compress_level=1, compress_type=_ZLIB_RLE)
    return file.getvalue()
