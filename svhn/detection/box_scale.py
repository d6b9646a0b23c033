"""How much larger than it finds them a detector's boxes should be, measured once it is trained.

Labels by hand leave room round a digit, some more and some less, those of rendered photos less. A
detector that was trained on both finds boxes a few per cent smaller than SVHN's labels. How much,
labelled photos tell; it is kept with the weights.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from svhn.detection.average_precision import LabelledDigits, average_precision
from svhn.detection.decoding import DetectedDigits
from svhn.geometry import resized_boxes

CANDIDATES = (1.0, 1.03, 1.06, 1.09, 1.12, 1.15)
"""Factors that are tried, for widths and for heights."""

THRESHOLDS = 5
"""Of the intersections over unions at which the average precision is measured, 0.5 to 0.7 count:
at 0.5 alone a few digits decide, and hardly any label is exact to 0.75."""

STATE_NAME = "box_scale"
"""Under which files of released weights keep it."""


class BoxScale(NamedTuple):
    """By what the sides of boxes are multiplied; their centres stay."""

    width: float = 1.0
    height: float = 1.0

    def applied(self, digits: DetectedDigits) -> DetectedDigits:
        """Returns digits with boxes of the right size."""
        new_size = digits.boxes[:, 2:] * np.array(self, np.float32)
        boxes = resized_boxes(digits.boxes, new_size).astype(np.float32)
        return dataclasses.replace(digits, boxes=boxes)

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "BoxScale":
        """Returns what is kept with a network; of one that was never measured, that of 1."""
        return cls(*state.get(STATE_NAME, ()))


def fit_box_scale(
    detected: Sequence[DetectedDigits], labelled: Sequence[LabelledDigits]
) -> BoxScale:
    """Returns the scale at which the average precision is best (`THRESHOLDS`); the smallest such.

    Args:
        detected: What was found in each photo, at scale 1.
        labelled: What each of the same photos shows.
    """

    def precision(scale: BoxScale) -> float:
        found = average_precision([scale.applied(digits) for digits in detected], labelled)
        return float(np.nanmean(found.by_class[:THRESHOLDS]))

    scales = itertools.starmap(BoxScale, itertools.product(CANDIDATES, repeat=2))
    return max(sorted(scales, key=lambda scale: scale.width * scale.height), key=precision)
