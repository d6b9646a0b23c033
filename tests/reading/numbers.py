"""Hand-made words of the two networks."""

import numpy as np

from svhn.reading.distribution import NumberDistribution


def says(*numbers: tuple[str, float]) -> NumberDistribution:
    """A reader that gives numbers of different lengths these probabilities, the rest to length 0.

    Each digit is almost certain, given the length; numbers must agree in the digits they share.
    """
    lengths, digits = np.full(7, 1e-9), np.full((5, 10), 1e-6)
    for number, probability in numbers:
        lengths[min(len(number), 6)] = max(1e-9, probability)
        if len(number) <= 5:
            digits[np.arange(len(number)), list(map(int, number))] = 1.0
    lengths[0] = max(1e-9, 1 - lengths[1:].sum())
    return NumberDistribution(np.log(lengths), np.log(digits / digits.sum(axis=1, keepdims=True)))


def doubts(distribution: NumberDistribution, position: int, **digits: float) -> NumberDistribution:
    """The same reader, with these probabilities of the digits at a position: `_1=0.6, _7=0.4`."""
    changed = distribution.digits.copy()
    row = np.full(10, 1e-6)
    for name, probability in digits.items():
        row[int(name[1:])] = probability
    changed[position] = np.log(row / row.sum())
    return NumberDistribution(distribution.lengths, changed)


def scores(*places: dict[int, float]) -> np.ndarray:
    """The detector's class scores, [N, 10]: 0.01 but for those given."""
    found = np.full((len(places), 10), 0.01)
    for row, place in zip(found, places, strict=True):
        for digit, score in place.items():
            row[digit] = score
    return found
