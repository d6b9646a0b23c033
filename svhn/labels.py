"""What a house number is: digits, their count, and the arrays that stand for them.

The paper (arXiv 1312.6082, section 3) models a number as a length L with seven values (0 to 5
and "more than 5") and up to five digits of ten classes each.
"""

from collections.abc import Sequence

import numpy as np

MAX_DIGITS = 5
"""The most digits that the heads can name."""

DIGIT_CLASSES = 10
"""Classes of one digit head: 0 to 9. There is no class for "no digit": the length says it."""

LENGTH_MORE_THAN_FIVE = 6
"""The length class of a number with more than `MAX_DIGITS` digits."""

LENGTH_CLASSES = 7
"""Classes of the length head: 0 to 5, and 6 for "more than five"."""

NO_DIGIT = 10
"""Fills the positions without a digit where an array must be full."""

HEAD_NAMES = ("length", *(f"digit_{position}" for position in range(1, MAX_DIGITS + 1)))
"""Names of the six softmax heads, in the order of a label array."""


def length_name(length: int) -> str:
    """Returns a length in words: "0" to "5", "more than 5"."""
    return str(length) if length < LENGTH_MORE_THAN_FIVE else f"more than {MAX_DIGITS}"


def label_array(digits: Sequence[int]) -> np.ndarray:
    """Returns the label array `[length, digit_1, …, digit_5]` of a number.

    Args:
        digits: The digits from left to right, each 0 to 9; any count.

    Returns:
        int32 array of shape (6,). `[2, 7, 5, 10, 10, 10]` is the number 75. A number with more
        than five digits is `[6, 10, 10, 10, 10, 10]`: its digits train no head.

    Raises:
        ValueError: If a digit is not in 0 to 9.
    """
    bad = [digit for digit in digits if not 0 <= digit < DIGIT_CLASSES]
    if bad:
        raise ValueError(f"A digit must be 0 to 9. Received: {bad[0]} in {list(digits)}")
    array = np.full(1 + MAX_DIGITS, NO_DIGIT, np.int32)
    array[0] = min(len(digits), LENGTH_MORE_THAN_FIVE)
    if len(digits) <= MAX_DIGITS:
        array[1 : 1 + len(digits)] = digits
    return array


def number_text(label: Sequence[int]) -> str:
    """Returns a label array as text: "75"; "" for length 0; "more than 5 digits" for length 6.

    Args:
        label: `[length, digit_1, …, digit_5]`, as `label_array` makes it.
    """
    length = int(label[0])
    if length == LENGTH_MORE_THAN_FIVE:
        return f"more than {MAX_DIGITS} digits"
    return "".join(str(int(digit)) for digit in label[1 : 1 + length])
