"""At which scales, and in which pieces, a photo of any size is searched for digits.

The detector knows digits of about 8 to 120 pixels. So the whole photo is looked at as a small
picture for large digits, and at up to `FINEST_AREA` pixels, in overlapping tiles, for small ones:
time and memory have a bound whatever the photo's size. Tiles have one of a few sizes, as every new
size costs the network time to get ready for.
"""

import math
from typing import NamedTuple

from svhn.detector_input import SIZE_MULTIPLE

SIDES = (112, 160, 256, 640, 1600)
"""Longer sides of the pictures at the levels, pixels. Every photo is looked at with the first
`ENLARGED`, small ones enlarged, as several looks at the same digits are worth their time; the
others are for what is too small there. Steps are small enough for every digit from 14 pixels on to
have 14 to 70 in one of the pictures, the sizes that the detector knows best."""

ENLARGED = 3
"""See `SIDES`."""

SMALLEST_SIDE = SIZE_MULTIPLE
"""Shorter side of the first picture, at least: long strips are looked at in a larger one."""

LONGEST_SIDE = 16_000
"""Longer side of any picture, pixels: that of a strip of 16×8,000 at twice its size. What is longer
still is no photo of a number, and would take all the memory there is."""

LARGEST_ENLARGEMENT = 4.0
"""As in training: there is nothing to see in a photo that is enlarged more."""

FINEST_AREA = 1_920_000
"""Pixels of the picture at the last level, at most: 1,600×1,200."""

SMALLEST_STEP = 1.3
"""To the last level. One that is finer by less is not worth its time."""

SMALLEST_ENLARGED_STEP = 1.1
"""Likewise, where a photo is too small to be enlarged as far as `SIDES` says."""

OVERLAP = 112
"""Of neighbouring tiles, pixels: digits up to this size are whole in one of them."""

CANVASES = (
    *[(64, 128), (96, 128), (128, 128)],
    *[(96, 160), (128, 160), (160, 160)],
    *[(128, 256), (192, 256), (256, 256)],
    *[(480, 640), (640, 480)],
)
"""Heights and widths of what the detector is shown, multiples of 32, no later one smaller."""

_FLAT, _NARROW = (128, 256), (256, 256)  # into which long strips are cut


class Tile(NamedTuple):
    """A piece of a level's picture, pixels."""

    top: int
    left: int
    height: int
    width: int


def level_sides(height: int, width: int) -> list[int]:
    """Returns the longer sides of the pictures that a photo is searched at, pixels, ascending.

    Args:
        height: Of the photo, pixels.
        width: Likewise.
    """
    longer, shorter = max(height, width), min(height, width)
    longest = LONGEST_SIDE / longer
    coarsest = min(max(SIDES[0] / longer, SMALLEST_SIDE / shorter), longest)
    finest = min(math.sqrt(FINEST_AREA / (longer * shorter)), 1.0, longest)
    scales = [min(coarsest, LARGEST_ENLARGEMENT)]
    for place, side in enumerate(SIDES[1:], start=1):
        scale = min(coarsest * side / SIDES[0], LARGEST_ENLARGEMENT)
        if place < ENLARGED:
            is_wanted = scale >= scales[-1] * SMALLEST_ENLARGED_STEP and scale * longer <= SIDES[-1]
        else:
            is_wanted = scale <= finest
        if is_wanted:
            scales.append(scale)
    if scales[-1] * SMALLEST_STEP <= finest:
        scales.append(finest)
    return [max(round(scale * longer), 1) for scale in scales]


def canvas_for(height: int, width: int) -> tuple[int, int]:
    """Returns the size of canvas for a picture, one of `CANVASES`: the smallest that holds it.

    A picture that fits into none is cut into tiles.
    """
    for canvas in CANVASES:
        if height <= canvas[0] and width <= canvas[1]:
            return canvas
    if height <= _FLAT[0]:
        return _FLAT
    if width <= _NARROW[1]:
        return _NARROW
    return CANVASES[-2] if width >= height else CANVASES[-1]


def tiles_of(height: int, width: int, canvas: tuple[int, int]) -> list[Tile]:
    """Returns pieces that cover a picture, each within a canvas, row by row.

    Neighbours overlap by at least `OVERLAP` pixels.
    """
    rows, columns = _starts(height, canvas[0]), _starts(width, canvas[1])
    return [
        Tile(top, left, min(height, canvas[0]), min(width, canvas[1]))
        for top in rows
        for left in columns
    ]


def _starts(length: int, size: int) -> list[int]:
    """Returns where tiles of a size start along a side, evenly spread."""
    if length <= size:
        return [0]
    count = math.ceil((length - OVERLAP) / (size - OVERLAP))
    return [round(place * (length - size) / (count - 1)) for place in range(count)]
