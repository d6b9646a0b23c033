"""What a number that was found may be: all of its digits, or all but a doubtful one at an end.

The most frequent mistake of the finder is a digit too many at an end: a door frame, a screw, a
neighbour's number. Which digits belong to the number is decided when the reader has looked at each
choice as a whole (`svhn.reading.agreement`). Only ends are left out: without a digit in between,
the reader would see the same crop. In NumPy.
"""

import numpy as np

from svhn.detection.numbers import FoundNumber, made_of

SURE_SCORE = 0.9
"""A digit with this score is part of its number."""


def candidates(found: FoundNumber) -> list[FoundNumber]:
    """Returns the number as it was found, and without either doubtful end, and without both.

    Args:
        found: Of any length.
    """
    scores = found.digits.scores
    count = len(scores)
    first_is_doubtful, last_is_doubtful = scores[0] < SURE_SCORE, scores[-1] < SURE_SCORE
    starts = [0, 1] if first_is_doubtful else [0]
    ends = [count, count - 1] if last_is_doubtful else [count]
    shorter = [
        made_of(found.digits.chosen(np.arange(start, end)))
        for start in starts
        for end in ends
        if 0 < end - start < count
    ]
    return [found, *shorter]
