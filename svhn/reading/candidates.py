"""What a number that was found may be: as it was found, or with a digit less or more at its ends.

The finder's mistakes are at the ends of a number. A digit too many: a door frame, a screw, a
neighbour's number. Or one too few: half in the shade, or a thin 1, which the detector saw weakly or
not at all. Which digits belong to the number is decided when the reader has looked at each choice
as a whole (`svhn.reading.agreement`): a crop that is cut to just these digits is what it was
trained on. Only ends differ: without a digit in between, the reader would see the same crop. In
NumPy.
"""

import dataclasses

import numpy as np

from svhn.detection.decoding import DetectedDigits, all_of
from svhn.detection.numbers import FoundNumber, made_of
from svhn.geometry import clip_boxes, union_box

SURE_SCORE = 0.9
"""A digit with this score is part of its number."""

LEAST_ROOM = 0.5
"""Of a digit that nobody saw, this share of the width lies in the photo, at least."""


def candidates(found: FoundNumber, photo_height: int, photo_width: int) -> list[FoundNumber]:
    """Returns the number as it was found, and what it may be as well, seven at most.

    These are: without either doubtful end, and without both; then with a digit more before the
    first one, and with one more after the last one. That is the weak digit that the detector saw
    there; or else only the box grows, by as much as a digit takes, for the reader to look.

    Args:
        found: Of any length.
        photo_height: Pixels.
        photo_width: Pixels.
    """
    return [found, *_shorter(found), *_longer(found, photo_height, photo_width)]


def _shorter(found: FoundNumber) -> list[FoundNumber]:
    scores = found.digits.scores
    count = len(scores)
    first_is_doubtful, last_is_doubtful = scores[0] < SURE_SCORE, scores[-1] < SURE_SCORE
    starts = [0, 1] if first_is_doubtful else [0]
    ends = [count, count - 1] if last_is_doubtful else [count]
    return [
        made_of(found.digits.chosen(np.arange(start, end)))
        for start in starts
        for end in ends
        if 0 < end - start < count
    ]


def _longer(found: FoundNumber, photo_height: int, photo_width: int) -> list[FoundNumber]:
    before, after = _rooms(found.digits)
    ways = []
    for weak, room, parts in (
        (found.before, before, [found.before, found.digits]),
        (found.after, after, [found.digits, found.after]),
    ):
        if weak is not None:
            ways.append(made_of(all_of(parts)))
            continue
        [seen] = clip_boxes(room[None], photo_width, photo_height)
        if room[2] and seen[2] >= LEAST_ROOM * room[2]:
            box = union_box(np.stack([found.box, seen]))
            ways.append(dataclasses.replace(found, box=box))
    return ways


def _rooms(digits: DetectedDigits) -> tuple[np.ndarray, np.ndarray]:
    """Returns where a digit before and one after some digits would be, float [4] each: as large as
    the one at that end, as far from it as they are from each other; without a width beside digits
    in a column.
    """
    boxes = np.asarray(digits.boxes, np.float64)
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    if len(boxes) == 1:
        step = np.array([boxes[0, 2], 0.0])
    else:
        step = (centres[-1] - centres[0]) / (len(boxes) - 1)
        if abs(step[1]) > abs(step[0]):
            return np.zeros(4), np.zeros(4)
    shift = np.array([*step, 0.0, 0.0])
    return boxes[0] - shift, boxes[-1] + shift
