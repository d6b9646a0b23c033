"""Which number stands where in the photo, and how large: the statistics of SVHN's labels.

The tables hold quantiles and frequencies of the 33,402 official train labels.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

QUANTILE_LEVELS = np.array([0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1])
"""The levels at which the tables below give values."""

LENGTH_FREQUENCIES = {1: 5137, 2: 18130, 3: 8691, 4: 1434, 5: 30, 6: 6}
"""Numbers by length. Five and six digits (9 and 1 in SVHN) are somewhat more frequent here."""

# Per length and position: how often each digit 0 to 9 stands there, in thousandths.
_DIGIT_FREQUENCIES = {
    1: [[11, 132, 133, 112, 121, 117, 103, 91, 93, 88]],
    2: [
        [1, 217, 171, 151, 125, 96, 74, 65, 52, 48],
        [111, 113, 104, 102, 97, 102, 91, 99, 92, 90],
    ],
    3: [
        [1, 450, 230, 109, 67, 54, 32, 25, 17, 14],
        [138, 133, 120, 107, 101, 98, 84, 84, 73, 62],
        [129, 109, 96, 102, 100, 101, 96, 93, 93, 81],
    ],
    4: [
        [0, 499, 380, 59, 31, 14, 8, 4, 6, 0],
        [112, 93, 138, 130, 126, 116, 75, 89, 53, 70],
        [109, 127, 103, 118, 76, 114, 85, 107, 90, 72],
        [151, 109, 103, 84, 112, 93, 89, 80, 97, 83],
    ],
}

# Height of a digit's box in pixels.
_DIGIT_PIXELS = {
    1: [8, 11, 14, 16, 21, 29, 42, 58, 73, 120, 240],
    2: [8, 12, 15, 17, 22, 30, 43, 59, 72, 108, 240],
    3: [8, 12, 15, 18, 22.5, 30, 41, 53, 63, 83, 160],
    4: [8, 11, 12, 13, 15, 21, 31, 44, 54, 79, 140],
}

# The same over the height of the photo; about independent of it.
_DIGIT_SHARE = {
    1: [0.25, 0.375, 0.484, 0.537, 0.621, 0.707, 0.778, 0.842, 0.880, 0.944, 0.98],
    2: [0.18, 0.272, 0.422, 0.491, 0.594, 0.691, 0.769, 0.833, 0.875, 0.941, 0.98],
    3: [0.12, 0.182, 0.268, 0.337, 0.446, 0.583, 0.706, 0.792, 0.842, 0.923, 0.97],
    4: [0.14, 0.196, 0.296, 0.362, 0.500, 0.654, 0.763, 0.846, 0.900, 0.936, 0.97],
}

# log(photo width / height) = 0.253 log(number's width / height)
#                             + 0.061 log(number's height / photo height) + 0.854 + remainder:
# a least-squares fit; the photos were cut around their numbers. Quantiles of the remainder:
_PHOTO_ASPECT = [-0.55, -0.367, -0.135, -0.098, -0.057, -0.011, 0.046, 0.126, 0.194, 0.365, 0.7]

# Centre of the number over the photo's width and height.
_CENTRE_X = [0.25, 0.345, 0.455, 0.472, 0.487, 0.5, 0.510, 0.525, 0.545, 0.67, 0.75]
_CENTRE_Y = [0.32, 0.385, 0.430, 0.445, 0.468, 0.490, 0.512, 0.535, 0.555, 0.62, 0.7]

# Mean width of the boxes of one number over their height; the digit 1 counts with its share.
_DIGIT_ASPECT = [0.22, 0.28, 0.335, 0.370, 0.435, 0.515, 0.597, 0.680, 0.730, 0.860, 1.0]

# From one digit's centre to the next, downwards, over the height: how much a number climbs.
_STEP = [-0.8, -0.33, -0.14, -0.085, -0.035, 0, 0.025, 0.06, 0.09, 0.2, 0.5]

# Space between two boxes over their height.
_GAP = [-0.3, -0.2, -0.12, -0.085, -0.04, 0, 0.048, 0.098, 0.14, 0.32, 0.7]

_WIDE_GAPS = (0.4, 1.3)
"""The same of digits that stand far apart, each by itself on a wall or a door, as some are mounted;
SVHN shows hardly any."""

_SMALLEST_DIGIT = 7.5
"""Pixels; fewer than one in a thousand of SVHN's digits are lower."""

_CUT_SHARE = 0.02
"""Numbers that stand wherever they fall, so that the photo's edge may cut them."""

_STAIRCASE_SHARE = 0.15
"""Of the numbers that climb or fall: upright digits in steps. The others climb because the wall is
seen from the side or the number is turned (then wide boxes and overlaps come with the steps)."""

_VERTICAL_SHARE = 0.004
"""Numbers whose digits stand below each other."""


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where a number stands in its photo.

    Attributes:
        digits: Digits 0 to 9, in reading order.
        photo_width: Pixels.
        photo_height: Pixels.
        digit_height: Height of a digit's box, pixels.
        digit_aspect: Width over height of the box of a digit of average width.
        gap: Space between two boxes, as a share of the digit's height.
        staircase: How much lower each upright digit stands than the one before, as a share of
            its height.
        slope: How much lower the wall's levels get to the right, y per x.
        centre: (x, y) of the number's centre, pixels.
        vertical: Whether the digits stand below each other.
    """

    digits: tuple[int, ...]
    photo_width: int
    photo_height: int
    digit_height: float
    digit_aspect: float
    gap: float
    staircase: float
    slope: float
    centre: tuple[float, float]
    vertical: bool


def draw_layout(
    random: np.random.Generator,
    length_frequencies: Mapping[int, float] = LENGTH_FREQUENCIES,
    spaced: float = 0.0,
) -> Layout:
    """Returns a layout drawn from the statistics of SVHN's labels.

    Args:
        random: The photo's own generator.
        length_frequencies: How often numbers of each length come.
        spaced: The share of numbers whose digits stand far apart.
    """
    digits = draw_number(random, length_frequencies)
    table = min(len(digits), 4)
    vertical = len(digits) in (2, 3) and random.random() < _VERTICAL_SHARE
    digit_height = _from_quantiles(random, _DIGIT_PIXELS[table])
    photo_height = digit_height / _from_quantiles(random, _DIGIT_SHARE[table])
    digit_aspect = _from_quantiles(random, _DIGIT_ASPECT)
    gap = _from_quantiles(random, _GAP)
    if spaced and random.random() < spaced:
        gap = random.uniform(*_WIDE_GAPS)
    step = _from_quantiles(random, _STEP)
    pitch = max(digit_aspect + gap, 0.3)
    upright = vertical or random.random() < _STAIRCASE_SHARE
    staircase, slope = (step, 0.0) if upright else (0.0, float(np.clip(step / pitch, -0.6, 0.6)))
    # The number's width and height in heights of a digit; a 1 is narrower than the others.
    across = digit_aspect * (len(digits) - 0.28 * digits.count(1)) + gap * (len(digits) - 1)
    down = 1 + abs(step) * (len(digits) - 1)
    if vertical:
        across, down = digit_aspect, len(digits) * 1.08
    across = max(across, 0.2)
    log_aspect = 0.253 * np.log(across / down) + 0.854 + _from_quantiles(random, _PHOTO_ASPECT)
    log_aspect += 0.061 * np.log(min(down * digit_height / photo_height, 1.0))
    photo_width = photo_height * float(np.exp(log_aspect))
    # A number that would not fit is drawn smaller; the photo keeps its size.
    digit_height = min(digit_height, 0.94 * photo_width / across, 0.96 * photo_height / down)
    if digit_height < _SMALLEST_DIGIT:
        enlarged = _SMALLEST_DIGIT / digit_height
        photo_width, photo_height = photo_width * enlarged, photo_height * enlarged
        digit_height = _SMALLEST_DIGIT
    centre = [
        photo_width * _from_quantiles(random, _CENTRE_X),
        photo_height * _from_quantiles(random, _CENTRE_Y),
    ]
    if random.random() > _CUT_SHARE:
        half_width, half_height = across * digit_height / 2 + 1, down * digit_height / 2 + 1
        centre[0] = min(max(centre[0], half_width), max(photo_width - half_width, half_width))
        centre[1] = min(max(centre[1], half_height), max(photo_height - half_height, half_height))
    return Layout(
        digits=digits,
        photo_width=max(round(photo_width), 16),
        photo_height=max(round(photo_height), 10),
        digit_height=digit_height,
        digit_aspect=digit_aspect,
        gap=gap,
        staircase=staircase,
        slope=slope,
        centre=tuple(centre),
        vertical=vertical,
    )


def draw_number(
    random: np.random.Generator, length_frequencies: Mapping[int, float] = LENGTH_FREQUENCIES
) -> tuple[int, ...]:
    """Returns the digits of a house number, of each length distributed as in SVHN's train labels.

    Args:
        random: Draws them.
        length_frequencies: How often numbers of each length come.
    """
    lengths = list(length_frequencies)
    length = int(_choice(random, lengths, list(length_frequencies.values())))
    tables = _DIGIT_FREQUENCIES[min(length, 4)]
    tables = tables + tables[-1:] * (length - len(tables))
    return tuple(int(_choice(random, range(10), table)) for table in tables)


def _from_quantiles(random: np.random.Generator, quantiles: list[float]) -> float:
    return float(np.interp(random.random(), QUANTILE_LEVELS, quantiles))


def _choice(random: np.random.Generator, values, weights) -> int:
    cumulative = np.cumsum(weights, dtype=np.float64)
    return values[int(np.searchsorted(cumulative, random.random() * cumulative[-1], "right"))]
