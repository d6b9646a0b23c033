"""Whether a doubtful digit at an end of a number is part of it: both networks are asked.

The most frequent mistake of the finder is a digit too many at an end: a door frame, a screw, a
neighbour's number. The reader sees the number as a whole, and says by its lengths whether there is
room for so many digits. (Only ends are asked about: without a digit in between, the box would be
the same.) In NumPy.
"""

import math

import numpy as np

from svhn.detection.numbers import FoundNumber, made_of
from svhn.labels import MAX_DIGITS
from svhn.reading.distribution import NumberDistribution

SURE_SCORE = 0.75
"""A digit with this score is part of its number, whatever the reader says."""

READER_SAY = 0.2
"""What the logarithm of the reader's odds counts beside that of the detector's. Low, as it sees the
crop that the detector chose, and is often very sure."""

LEAST_LOG_ODDS = 0.2
"""Together they are at least as much where the digit stays. On `val`, where the number is read best
(a box with too few digits is read better than one with too many)."""

_MOST_SURE = 12.0  # logarithmic odds of the reader: beyond, differences say nothing any more


def without_doubtful_end(found: FoundNumber) -> FoundNumber | None:
    """Returns the number less its less sure end; None where that is sure, or all there is.

    Args:
        found: Of any length.
    """
    scores = found.digits.scores
    if not 2 <= len(scores) <= MAX_DIGITS or min(scores[0], scores[-1]) >= SURE_SCORE:
        return None
    places = np.arange(len(scores))
    return made_of(found.digits.chosen(places[1:] if scores[0] < scores[-1] else places[:-1]))


def end_stays(found: FoundNumber, distribution: NumberDistribution) -> bool:
    """Returns whether the less sure end of a number is part of it.

    Args:
        found: A number of which `without_doubtful_end` gives a shorter one.
        distribution: What the reader says of the whole number's crop.
    """
    scores = found.digits.scores
    score = min(max(float(min(scores[0], scores[-1])), 1e-6), 1 - 1e-6)
    length = len(scores)
    reader = float(distribution.lengths[length] - distribution.lengths[length - 1])
    reader = min(max(reader, -_MOST_SURE), _MOST_SURE)
    return math.log(score / (1 - score)) + READER_SAY * reader >= LEAST_LOG_ODDS
