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
from svhn.geometry import corners

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


class Part(NamedTuple):
    """A part of a photo, pixels: whole ones where it is cut out of it."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, boxes: np.ndarray) -> np.ndarray:
        """Returns which boxes, float [N, 4] (left, top, width, height), lie in it: bool [N]."""
        edges = corners(boxes)
        return ((edges[:, :2] >= self[:2]) & (edges[:, 2:] <= self[2:])).all(axis=1)

    def without_edges(self, cut: float, height: int, width: int) -> "Part":
        """Returns where digits are whole in this part: not where its edge may cut them.

        The photo's own edges cut nothing that the photo shows: beyond them it is endless.

        Args:
            cut: How close to an edge a digit may be cut, pixels of the photo.
            height: Of the photo, pixels.
            width: Likewise.
        """
        return Part(
            self.left + cut if self.left > 0 else -np.inf,
            self.top + cut if self.top > 0 else -np.inf,
            self.right - cut if self.right < width else np.inf,
            self.bottom - cut if self.bottom < height else np.inf,
        )


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
        digit_height = max(float(np.median(number.digits.boxes[:, 3])), 1.0)
        start, size = number.box[:2], number.box[2:]
        room = np.array([BESIDE, ABOVE]) * digit_height
        left, top = np.maximum(np.floor(start - room), 0).astype(int).tolist()
        end = np.minimum(np.ceil(start + size + room), [width, height])
        right, bottom = end.astype(int).tolist()
        longer = max(right - left, bottom - top)
        scale = min(DIGIT_HEIGHT / digit_height, LONGEST_SIDE / longer, largest_enlargement)
        looks.append(CloseLook(Part(left, top, right, bottom), max(round(longer * scale), 1)))
    return looks
