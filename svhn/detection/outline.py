"""The boxes that are told and measured: found ones, drawn as people draw them who label photos.

Labels by hand leave room round a digit. SVHN's leave the more, the smaller the digits are in their
photo: whoever drew the boxes saw whole photos, and was a few pixels of the screen off, not of the
photo. A detector sees windows, not how large the photo is that they are of. So sides become

    factor · (side + room · height of the photo)

as labelled photos tell; these numbers are kept with the weights. They are for people, and for
comparisons with labels: the reader is shown boxes without that room, whatever the photo's size.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from svhn.detection.average_precision import LabelledDigits, intersections_over_unions
from svhn.detection.decoding import DetectedDigits
from svhn.detection.numbers import FoundNumber, Region
from svhn.geometry import clip_boxes, corners, resized_boxes, union_box

LEAST_SHARE = 0.1
"""Of the photo's height. Smaller digits get the room of digits that have this share, as SVHN shows
hardly any: in a photo of thousands of pixels their boxes would become several times as large."""

ROOMS = tuple(round(0.0025 * step, 4) for step in range(41))
"""Shares of the photo's height that are tried, the least first."""

GROWTHS = tuple(round(1 + 0.01 * step, 2) for step in range(11))
"""Factors of both sides that are tried in the end, the least first."""

ENOUGH_OVERLAP = 0.5
"""Intersection over union from which on a digit counts as found."""

LEAST_SCORE = 0.3
"""Digits that are less sure tell nothing."""

LEAST_OVERLAP = 0.3
"""Intersection over union from which on a box is that of a labelled digit, whatever its size."""

STATE_NAME = "outline"
"""Under which files of released weights keep it."""

_DECIMALS = 4


class Outline(NamedTuple):
    """How boxes are drawn; their centres stay, but for what lies outside the photo."""

    width: float = 1.0
    """Factor of widths."""

    height: float = 1.0
    """Factor of heights."""

    width_room: float = 0.0
    """What widths gain before that, as a share of the photo's height."""

    height_room: float = 0.0
    """What heights gain before that."""

    def digits(
        self, found: DetectedDigits, photo_height: float, photo_width: float
    ) -> DetectedDigits:
        """Returns digits with boxes as they are told.

        Args:
            found: With boxes in pixels of the photo.
            photo_height: Pixels.
            photo_width: Pixels.
        """
        boxes = self._drawn(found.boxes, photo_height, photo_width)
        return dataclasses.replace(found, boxes=boxes)

    def number(self, found: FoundNumber, photo_height: float, photo_width: float) -> FoundNumber:
        """Returns a number with boxes as they are told: its own, its digits' and its regions'.

        Args:
            found: Its box may be larger than its digits', which stays so.
            photo_height: Pixels.
            photo_width: Pixels.
        """
        found = dataclasses.replace(found, regions=self._regions(found, photo_height, photo_width))
        if not len(found.digits.boxes):
            [box] = self._drawn(found.box[np.newaxis], photo_height, photo_width)
            return dataclasses.replace(found, box=box)
        digits = self.digits(found.digits, photo_height, photo_width)
        tight, told, box = corners(
            np.stack([union_box(found.digits.boxes), union_box(digits.boxes), found.box])
        )
        start, end = np.split(box + (told - tight), 2)
        [box] = clip_boxes(np.concatenate([start, end - start]), photo_width, photo_height)
        return dataclasses.replace(found, box=box, digits=digits)

    def _regions(
        self, found: FoundNumber, photo_height: float, photo_width: float
    ) -> tuple[Region, ...]:
        if not found.regions:
            return ()
        boxes = np.stack([region.box for region in found.regions])
        drawn = self._drawn(boxes, photo_height, photo_width)
        return tuple(
            region._replace(box=box) for region, box in zip(found.regions, drawn, strict=True)
        )

    def grown(self, boxes: np.ndarray, photo_height: float) -> np.ndarray:
        """Returns boxes of digits as they are told, but for what lies outside the photo.

        Args:
            boxes: Float array of shape (N, 4), pixels.
            photo_height: Pixels.
        """
        size = boxes[:, 2:]
        room = _seen_heights(size, photo_height)[:, np.newaxis] * self[2:]
        return resized_boxes(boxes, (size + room) * self[:2])

    def _drawn(self, boxes: np.ndarray, photo_height: float, photo_width: float) -> np.ndarray:
        return clip_boxes(self.grown(boxes, photo_height), photo_width, photo_height)

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Outline":
        """Returns what is kept with a network; boxes as they are found if that is nothing."""
        return cls(*state.get(STATE_NAME, ()))


def fit_outline(
    detected: Sequence[DetectedDigits],
    labelled: Sequence[LabelledDigits],
    photo_heights: Sequence[float],
) -> Outline:
    """Returns the outline that brings the boxes' sides closest to the labelled ones.

    "Closest" is the least mean of |log(side / labelled side)|: a few labels that are far off don't
    count more than others. That leaves as many boxes too small as too large; but labels that are
    far off are loose rather than tight, so all grow by as much as lets most of them overlap with
    their labels by `ENOUGH_OVERLAP`.

    Args:
        detected: What was found in each photo.
        labelled: What each of the same photos shows.
        photo_heights: Of these, pixels.
    """
    places = []
    for digits, truth, photo_height in zip(detected, labelled, photo_heights, strict=True):
        rows, columns = matches(digits, truth)
        places.append((digits.boxes[rows], truth.boxes[columns], photo_height))
    if not sum(len(boxes) for boxes, _, _ in places):
        return Outline()
    found = np.concatenate([boxes[:, 2:] for boxes, _, _ in places]).astype(np.float64)
    true = np.concatenate([true_boxes[:, 2:] for _, true_boxes, _ in places])
    photo_heights = np.repeat(photo_heights, [len(boxes) for boxes, _, _ in places])
    seen_heights = _seen_heights(found, photo_heights)
    (width, width_room), (height, height_room) = (
        _fit_side(found[:, side], true[:, side], seen_heights) for side in range(2)
    )
    outlines = [
        Outline(
            round(width * growth, _DECIMALS),
            round(height * growth, _DECIMALS),
            width_room,
            height_room,
        )
        for growth in GROWTHS
    ]
    return max(outlines, key=lambda outline: _overlapping(outline, places))


def _overlapping(outline: Outline, places: Sequence[tuple[np.ndarray, np.ndarray, float]]) -> int:
    """How many boxes overlap enough with the labelled ones, as an outline draws them."""
    overlaps = (
        intersections_over_unions(outline.grown(boxes, photo_height), true_boxes).diagonal()
        for boxes, true_boxes, photo_height in places
    )
    return sum(int((of_photo >= ENOUGH_OVERLAP).sum()) for of_photo in overlaps)


def matches(detected: DetectedDigits, labelled: LabelledDigits) -> tuple[np.ndarray, np.ndarray]:
    """Returns which found digits are which labelled ones: places in both, int [M] each.

    They are of one class and overlap by `LEAST_OVERLAP`; each labelled digit has the surest such,
    at most one.

    Args:
        detected: Of a photo, the surest first.
        labelled: Of the same photo.
    """
    overlaps = intersections_over_unions(detected.boxes, labelled.boxes)
    rows, columns = np.nonzero(
        (overlaps >= LEAST_OVERLAP)
        & (detected.labels[:, np.newaxis] == labelled.labels)
        & (detected.scores >= LEAST_SCORE)[:, np.newaxis]
    )
    _, firsts = np.unique(columns, return_index=True)
    return rows[firsts], columns[firsts]


def _seen_heights(size: np.ndarray, photo_height: float) -> np.ndarray:
    """Returns the photo's height, or less where a digit is very small in it, [N]."""
    return np.minimum(photo_height, size[:, 1] / LEAST_SHARE)


def _fit_side(found: np.ndarray, true: np.ndarray, seen_heights: np.ndarray) -> tuple[float, float]:
    """Returns factor and room of one side, from what was found and what is labelled, [N] each."""

    def ratios(room: float) -> np.ndarray:
        return np.log(true / (found + room * seen_heights))

    def distance(room: float) -> float:
        left = ratios(room)
        return float(np.abs(left - np.median(left)).mean())

    room = min(ROOMS, key=distance)
    return round(float(np.exp(np.median(ratios(room)))), _DECIMALS), room
