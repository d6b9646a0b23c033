"""Which parts of a photo are looked at once more: where numbers were found, at the size that the
detector sees best.

The looks at the whole photo have a few fixed sizes, so a number is often a little small in one and
a little large in the next. Round a number that was found, a part of the photo is looked at again
with its digits as large as they should be; with room beside, as the digit that was missed is most
often one at an end.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from svhn.detection.numbers import FoundNumber
from svhn.detection.part import Part

MOST = 2
"""Numbers that are looked at closely, the best."""

DIGIT_HEIGHT = 40.0
"""Of digits in a close look, pixels."""

LONGEST_SIDE = 256
"""Of a close look, pixels: the digits of long numbers are shown smaller."""

BESIDE = 1.6
"""Room at the left and the right of a number, in digit heights."""

ABOVE = 0.8
"""And above and below."""


class CloseLook(NamedTuple):
    """What to look at, and how large."""

    part: Part
    longer_side: int
    """Of the picture of that part, pixels."""


def close_looks(
    numbers: Sequence[FoundNumber], height: int, width: int, largest_enlargement: float
) -> list[CloseLook]:
    """Returns where and how to look closely, the best number first.

    Args:
        numbers: That were found in a photo, the best first.
        height: Of the photo, pixels.
        width: Likewise.
        largest_enlargement: Pixels of a look for a pixel of the photo, at most.
    """
    looks = []
    for number in numbers[:MOST]:
        heights = number.digits.boxes[:, 3] if len(number.digits.boxes) else number.box[3:]
        digit_height = max(float(np.median(heights)), 1.0)
        start, size = number.box[:2], number.box[2:]
        room = np.array([BESIDE, ABOVE]) * digit_height
        left, top = np.maximum(np.floor(start - room), 0).astype(int).tolist()
        end = np.minimum(np.ceil(start + size + room), [width, height])
        right, bottom = end.astype(int).tolist()
        longer = max(right - left, bottom - top)
        scale = min(DIGIT_HEIGHT / digit_height, LONGEST_SIDE / longer, largest_enlargement)
        looks.append(CloseLook(Part(left, top, right, bottom), max(round(longer * scale), 1)))
    return looks
