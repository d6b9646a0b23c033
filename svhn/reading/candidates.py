"""What a number that was found may be: as it was found, or with a digit less or more at its ends.

The finder's mistakes are at the ends of a number. A digit too many: a door frame, a screw, a
neighbour's number. Or one too few: half in the shade, or a thin 1. Which digits belong to the
number is decided when the reader has looked at each choice as a whole (`svhn.reading.agreement`).
It has learnt pictures that go on beyond an end (`svhn.augmentation_config`), and so tells a further
digit from a wall. Only ends differ: without a digit in between, the reader would see the same crop.
In NumPy.
"""

import dataclasses

import numpy as np

from svhn.detection.numbers import FoundNumber, made_of
from svhn.geometry import clip_boxes, union_box

SURE_SCORE = 0.9
"""A digit with this score is part of its number."""

LEAST_ROOM = 0.5
"""Of the room for a further digit, this share of the width lies in the photo, at least."""


def candidates(found: FoundNumber, photo_height: int, photo_width: int) -> list[FoundNumber]:
    """Returns the number as it was found, and what it may be as well.

    These are: without either doubtful end, and without both; with room for one more digit before
    the first one, and after the last one; and its alternatives (`FoundNumber.alternatives`).

    Args:
        found: Of any length.
        photo_height: Pixels.
        photo_width: Pixels.
    """
    ways = [found]
    if not found.is_region:
        ways += [*_shorter(found), *_with_room(found, photo_height, photo_width)]
    return ways + list(found.alternatives)


def _shorter(found: FoundNumber) -> list[FoundNumber]:
    scores = found.digits.scores
    count = len(scores)
    first_is_doubtful, last_is_doubtful = scores[0] < SURE_SCORE, scores[-1] < SURE_SCORE
    starts = [0, 1] if first_is_doubtful else [0]
    ends = [count, count - 1] if last_is_doubtful else [count]
    return [
        dataclasses.replace(
            made_of(found.digits.chosen(np.arange(start, end))), regions=found.regions
        )
        for start in starts
        for end in ends
        if 0 < end - start < count
    ]


def _with_room(found: FoundNumber, photo_height: int, photo_width: int) -> list[FoundNumber]:
    """The same digits in boxes that are longer at one end, as far as the photo goes."""
    ways = []
    for room in _rooms(found.digits.boxes):
        [seen] = clip_boxes(room[np.newaxis], photo_width, photo_height)
        if room[2] and seen[2] >= LEAST_ROOM * room[2]:
            ways.append(dataclasses.replace(found, box=union_box(np.stack([found.box, seen]))))
    return ways


def _rooms(digit_boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns where a digit before and one after some digits would be, float64 [4] each.

    As large as the digit at that end, as far from it as the digits are from each other; without a
    width beside digits in a column.

    Args:
        digit_boxes: float [N, 4] in reading order, N ≥ 1: left, top, width, height.
    """
    boxes = np.asarray(digit_boxes, np.float64)
    if len(boxes) == 1:
        step = np.array([boxes[0, 2], 0.0])
    else:
        centres = boxes[:, :2] + boxes[:, 2:] / 2
        step = (centres[-1] - centres[0]) / (len(boxes) - 1)
        if abs(step[1]) > abs(step[0]):
            return np.zeros(4), np.zeros(4)
    shift = np.array([*step, 0.0, 0.0])
    return boxes[0] - shift, boxes[-1] + shift
