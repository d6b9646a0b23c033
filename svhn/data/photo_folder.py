"""Folders of made photos in SVHN's format, written by worker processes, whole or not at all."""

import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from svhn.data.digit_struct import DIGIT_STRUCT_NAME, LabelledPhoto, write_digit_struct
from svhn.errors import UserError
from svhn.files import locked
from svhn.progress import progress
from svhn.worker_processes import in_order

_ZLIB_RLE = 3
_UNFINISHED = ".unfinished"

Item = TypeVar("Item")


def check_place(folder: Path, settings_name: str, overwrite: bool, flag: str = "--out") -> None:
    """Refuses to replace a folder that isn't this program's, or that it isn't asked to replace.

    Args:
        folder: Where photos shall be.
        settings_name: The file that lies in each finished folder of the program.
        overwrite: Whether such a finished folder may be replaced.
        flag: The flag that says where, for the message.

    Raises:
        UserError: If the folder must be left alone.
    """
    if not folder.exists():
        return
    if not (folder / settings_name).is_file():
        raise UserError(
            f"{folder} exists and was not made by this program, so it is left alone; give another"
            f" {flag} or move it away"
        )
    if not overwrite:
        raise UserError(
            f"{folder} already holds what this program made; add --overwrite to replace it, or"
            f" give another {flag}"
        )


@contextmanager
def telling_why_not_written(flag: str, space: str = "") -> Iterator[None]:
    """Turns what the system says about a folder that can't be written into one line.

    Args:
        flag: That says where, with its value: "--out=DIR".
        space: How much room is needed, if that is known: "(about 20 kB a photo)".

    Raises:
        UserError: In place of an `OSError` inside.
    """
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{flag}: {error.strerror or error} ({error.filename or 'while writing'}); give a "
            f"folder that can be written, with enough free space{space and ' ' + space}"
        ) from error


def in_rows(items: Sequence[Item], length: int) -> list[Sequence[Item]]:
    """Returns the items in rows of a length, one a task; the last row holds what is left."""
    return [items[start : start + length] for start in range(0, len(items), length)]


def make_folder(
    place: Path,
    make_photos: Callable[[Any], list[LabelledPhoto]],
    make_tasks: Callable[[str], Sequence[Any]],
    count: int,
    workers: int,
    settings_name: str,
    settings: dict[str, Any],
    description: str,
    initializer: Callable[..., None] | None = None,
    initial_arguments: tuple = (),
) -> None:
    """Makes a folder of photos, replacing what is there.

    The photos are written in a folder beside the place (`train.unfinished-PID`), then the settings
    and `digitStruct.mat`, and the folder is renamed when it is whole; so a run that is killed
    leaves nothing that looks whole.

    Args:
        place: The folder.
        make_photos: Makes and writes the photos of one task and returns their labels; a function
            that worker processes can import.
        make_tasks: The tasks, in the order of the photos, given the folder to write to.
        count: How many photos there are in all.
        workers: Processes; 0 for one a core.
        settings_name: The file that gets the settings.
        settings: What the folder was made from.
        description: The words before the progress bar.
        initializer: Called first in each process with `initial_arguments`.
        initial_arguments: What all tasks need.
    """
    _remove_left_overs(place)
    # A name of its own: workers of a killed run can't write into this run's folder.
    unfinished = place.with_name(f"{place.name}{_UNFINISHED}-{os.getpid()}")
    unfinished.mkdir()
    try:
        photos: list[LabelledPhoto] = []
        tasks = make_tasks(str(unfinished))
        with locked(unfinished), progress(total=count, description=description) as bar:
            for labels in in_order(make_photos, tasks, workers, initializer, initial_arguments):
                photos += labels
                bar.update(len(labels))
        (unfinished / settings_name).write_text(json.dumps(settings, indent=2) + "\n")
        write_digit_struct(unfinished / DIGIT_STRUCT_NAME, photos)
        _put_in_place(unfinished, place)
    finally:  # after an error or Ctrl-C; once it is in place there is nothing to remove
        shutil.rmtree(unfinished, ignore_errors=True)


def png_bytes(pixels: np.ndarray) -> bytes:
    """Returns pixels, uint8 (H, W, 3), as a PNG file: 8-bit RGB."""
    file = io.BytesIO()
    # Run-length coding alone: noise has no longer patterns to look for.
    Image.fromarray(pixels).save(file, "PNG", compress_level=1, compress_type=_ZLIB_RLE)
    return file.getvalue()


def _remove_left_overs(place: Path) -> None:
    """What killed runs have left; not what another run is making at this moment."""
    for left_over in place.parent.glob(f"{place.name}{_UNFINISHED}*"):
        with locked(left_over) as is_left_over:
            if is_left_over:
                shutil.rmtree(left_over, ignore_errors=True)


def _put_in_place(unfinished: Path, place: Path) -> None:
    replaced = place.with_name(place.name + ".replaced")
    if place.exists():
        shutil.rmtree(replaced, ignore_errors=True)
        place.rename(replaced)
    unfinished.rename(place)
    shutil.rmtree(replaced, ignore_errors=True)  # a run that was killed may have left it, too
