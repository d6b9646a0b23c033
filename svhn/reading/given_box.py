"""Reads photos of which it is known where the number is: a box that was given, or all of it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from svhn.errors import PictureError
from svhn.reading.boxes import BoxFinder, whole_photo
from svhn.reading.long_numbers import LONG_LENGTHS, Strip, looked_closer, strip_of
from svhn.reading.reader import Reader, whole_photo_box
from svhn.reading.results import Box, Reading


class BoxedCrop(NamedTuple):
    """What the network sees of a photo."""

    picture: np.ndarray
    box: Box | None
    strip: Strip | None
    """For a closer look, if the number may be long."""


class GivenBoxReader:
    """One number for each photo."""

    def __init__(self, reader: Reader, find_box: BoxFinder = whole_photo):
        """Wraps a reader.

        Args:
            reader: The network.
            find_box: Says where in each photo the number is; by default it is the whole photo.
        """
        self.batch_size = reader.batch_size
        self._reader = reader
        self._find_box = find_box

    def prepare(self, photo: np.ndarray, path: Path) -> list[BoxedCrop]:
        """Returns the crop of a photo, as `svhn.reading.photos.PhotoReader` says.

        Raises:
            PictureError: If there is no box for it, or one that lies outside of it.
        """
        box = self._find_box(path)
        _check_box(box, photo, path)
        given = None if box is None else tuple(map(float, box))
        seen = whole_photo_box(*photo.shape[:2]) if box is None else box
        return [BoxedCrop(self._reader.prepare(photo, box), given, strip_of(photo, seen))]

    def read_prepared(self, prepared: Sequence[Sequence[BoxedCrop]]) -> list[tuple[Reading, ...]]:
        """Returns what is read in the crops of each photo."""
        crops = [crop for [crop] in prepared]
        readings = self._reader.read([crop.picture for crop in crops])
        long = [
            place
            for place, (reading, crop) in enumerate(zip(readings, crops, strict=True))
            if crop.strip and reading.label[0] in LONG_LENGTHS
        ]
        whole = self._reader.distributions([crops[place].picture for place in long])
        closer = looked_closer(self._reader, whole, [crops[place].strip for place in long])
        for place, distribution in zip(long, closer, strict=True):
            readings[place] = self._reader.reading(distribution)
        return [
            (replace(reading, box=crop.box),) for reading, crop in zip(readings, crops, strict=True)
        ]


def _check_box(box: Sequence[float] | None, photo: np.ndarray, path: Path) -> None:
    if box is None:
        return
    height, width = photo.shape[:2]
    left, top, box_width, box_height = box
    if left >= width or top >= height or left + box_width <= 0 or top + box_height <= 0:
        raise PictureError(
            f"{path}: the box {','.join(f'{value:g}' for value in box)} (left, top, width, height) "
            f"lies outside of the photo of {width} × {height} pixels. Give a --box within it, "
            "correct its label, or let the number be found with --boxes=auto"
        )
