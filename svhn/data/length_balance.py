"""How often photos are shown in an epoch, so that rare lengths of numbers come more often."""

import math
from collections.abc import Sequence
from fractions import Fraction

MOST_COPIES = 10
"""No photo comes more often in an epoch: beyond that a network learns the photo by heart."""


def balanced_examples(photos: Sequence[int], balance: float) -> list[int]:
    """Returns how many examples of each length an epoch has.

    A photo of a length that has the share s of all photos weighs s^(-balance); where that would
    show it more than `MOST_COPIES` times, the other lengths get what is over, in their ratio.

    Args:
        photos: How many photos there are of each length.
        balance: 0 (each photo once) to 1 (each length equally often, as far as its photos go).

    Returns:
        For each length a whole number, 0 to `MOST_COPIES` · photos; their sum is that of
        `photos`. Each is less than one from the exact figure.
    """
    total = sum(photos)
    # The powers are rounded; all that follows from them is exact.
    weights = [Fraction((count / total) ** -balance) if count else Fraction(0) for count in photos]
    capped: set[int] = set()
    while True:
        free = [length for length in range(len(photos)) if length not in capped]
        left = total - MOST_COPIES * sum(photos[length] for length in capped)
        scale = left / sum(photos[length] * weights[length] for length in free)
        over = {length for length in free if scale * weights[length] > MOST_COPIES}
        if not over:
            break
        capped |= over
    exact = [
        count * (MOST_COPIES if length in capped else scale * weights[length])
        for length, count in enumerate(photos)
    ]
    return _rounded(exact)


def _rounded(numbers: Sequence[Fraction]) -> list[int]:
    """Returns whole numbers with the same sum: those that lose most are rounded up."""
    rounded = [math.floor(number) for number in numbers]
    missing = int(sum(numbers)) - sum(rounded)
    by_loss = sorted(range(len(numbers)), key=lambda place: rounded[place] - numbers[place])
    for place in by_loss[:missing]:
        rounded[place] += 1
    return rounded
