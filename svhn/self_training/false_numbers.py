"""The whole of `python -m svhn.false_numbers`: photos without a number in, parts of them out.

Each part has what was found in its middle half: there a reader looks in photos without digits
(`svhn.data.input_pipeline`).
"""

import dataclasses
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from svhn.command_line import warn
from svhn.data.digit_struct import LabelledPhoto
from svhn.data.photo_folder import (
    check_place,
    in_rows,
    make_folder,
    png_bytes,
    telling_why_not_written,
)
from svhn.errors import PictureError, UserError
from svhn.images import load_picture
from svhn.progress import progress
from svhn.self_training.false_numbers_config import FalseNumbersConfig
from svhn.self_training.judgement import FindNumbers
from svhn.self_training.networks import load_finder
from svhn.self_training.photos import photos_outside

SETTINGS_NAME = "false_numbers.json"
"""Lies in the finished folder: how it was made. Only such a folder is ever replaced."""

SHORTEST_SIDE = 4.0
"""Pixels. What is found and smaller shows nothing."""

_PHOTOS_A_TASK = 64
_WHERE = ("out", "overwrite")


def cut_false_numbers(config: FalseNumbersConfig) -> int:
    """Searches the photos and writes the folder of what was found.

    Returns:
        The exit status, 0.

    Raises:
        UserError: If there are no photos, the detector can't be loaded, there is nothing to write,
            or the folder is there already or can't be written.
    """
    out = Path(config.out)
    check_place(out, SETTINGS_NAME, config.overwrite)
    paths = photos_outside(config.photos, out)
    find = load_finder(config.detector, config.min_score)
    searched: list[Path] = []
    parts: list[np.ndarray] = []
    for path, photo in readable(progress(paths, total=len(paths), description="Searching")):
        searched.append(path)
        parts.extend(false_numbers(photo, find, config.most_per_photo))
    if not searched:
        raise UserError(
            f"--photos={config.photos}: none of the {len(paths)} photos can be read, see the "
            "warnings above"
        )
    sources: list[Path | np.ndarray] = [*(searched if config.keep_photos else ()), *parts]
    if not sources:
        raise UserError(
            f"Nothing was found in the {len(searched)} photos of --photos={config.photos}, as it "
            "should be: there is nothing to learn from them. For more, lower "
            f"--min_score={config.min_score:g}"
        )

    def tasks(folder: str) -> list[Sequence[_Copy]]:
        copies = [
            _Copy(source, Path(folder, f"{number}{_suffix(source)}"))
            for number, source in enumerate(sources, start=1)
        ]
        return in_rows(copies, _PHOTOS_A_TASK)

    settings: dict[str, Any] = {
        "program": "svhn.false_numbers",
        **{name: value for name, value in dataclasses.asdict(config).items() if name not in _WHERE},
        "searched": len(searched),
        "parts": len(parts),
    }
    with telling_why_not_written(f"--out={config.out}"):
        out.parent.mkdir(parents=True, exist_ok=True)
        make_folder(out, _write, tasks, len(sources), 1, SETTINGS_NAME, settings, "Writing")
    print(f"{len(parts):,} parts of {len(searched):,} photos → {out}")
    return 0


def readable(paths: Iterable[Path]) -> Iterator[tuple[Path, np.ndarray]]:
    """Yields photos with their paths, uint8 [H, W, 3]; warns of one that can't be read."""
    for path in paths:
        try:
            photo = load_picture(path)
        except PictureError as error:
            warn(f"left out: {error}")
        else:
            yield path, photo


def false_numbers(
    photo: np.ndarray, find: FindNumbers, most_per_photo: int
) -> Iterator[np.ndarray]:
    """Yields what is taken for a number, uint8 [H, W, 3] each, in its middle half.

    Args:
        photo: uint8 [H, W, 3], without any number.
        find: Finds numbers in a photo, best first.
        most_per_photo: So many parts, at most.
    """
    for found in find(photo)[:most_per_photo]:
        if min(found.box[2:]) >= SHORTEST_SIDE:
            yield part_around(photo, found.box)


def part_around(photo: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns the part of a photo whose middle half, in height and width, is a box.

    Args:
        photo: uint8 [H, W, 3]. Beyond it its edge is repeated.
        box: float [4]: left, top, width, height, pixels.
    """
    left, top, width, height = (float(value) for value in box)
    rows = np.arange(round(top - height / 2), round(top + height * 1.5))
    columns = np.arange(round(left - width / 2), round(left + width * 1.5))
    rows = np.clip(rows, 0, photo.shape[0] - 1)
    columns = np.clip(columns, 0, photo.shape[1] - 1)
    return photo[rows[:, np.newaxis], columns]


@dataclasses.dataclass(frozen=True, eq=False)
class _Copy:
    """A photo or a part of one on its way into the folder."""

    source: Path | np.ndarray
    target: Path


def _suffix(source: Path | np.ndarray) -> str:
    return source.suffix.lower() if isinstance(source, Path) else ".png"


def _write(copies: Sequence[_Copy]) -> list[LabelledPhoto]:
    for copy in copies:
        if isinstance(copy.source, Path):
            shutil.copyfile(copy.source, copy.target)
        else:
            copy.target.write_bytes(png_bytes(copy.source))
    return [LabelledPhoto(copy.target.name, (), np.zeros((0, 4), np.float32)) for copy in copies]
