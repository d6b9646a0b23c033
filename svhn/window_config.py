"""How the detector's training windows are cut, and how their digits are marked. Free of TensorFlow,
so that flags can hold it.
"""

import dataclasses

MOST_DIGITS = 12
"""Places for digits of a window; those beyond are left out."""

NUMBER = 0
"""The label of a whole number: numbers are a class of their own."""

NO_LABEL = -1
"""Where a place holds no digit."""

IGNORED = -2
"""The label of what may or may not be seen as a digit: cut in part, or too small."""


@dataclasses.dataclass(frozen=True)
class WindowConfig:
    """Which parts of photos the detector is trained on, and at which scales."""

    size: int = 256
    """Height and width of a window, pixels; a multiple of 32."""

    photos: int = 2
    """Photos in a window, at most: further ones show where the first leaves room. One more gives
    the background."""

    grey_backgrounds: float = 0.3
    """The share of windows that are grey where no photo is."""

    smallest_digit: float = 10.0
    """Height to which digits are scaled, pixels, from here …"""

    largest_digit: float = 200.0
    """… to here, those halfway (in octaves) most often: what a photo shows larger or smaller, the
    finder sees halfway at another of its scales."""

    largest_enlargement: float = 4.0
    """No photo is enlarged more than this: there is nothing to see in it any more."""

    negatives: float = 0.15
    """The share of windows from the parts of photos beside their number, where there is room."""

    tight: float = 0.25
    """The share of windows from photos that are first cut close round their number: in a user's
    picture it may go from edge to edge."""

    tight_margin: float = 0.5
    """These are cut at random between the digits and so far from them, in digit heights."""

    overhang: float = 0.1
    """By this share of the room that is left, a window may cut a number that would fit."""

    rotation: float = 10.0
    """Degrees to either side."""

    shear: float = 0.15
    """Slant: the sideways step for each step down."""

    aspect: float = 0.7
    """Wider or higher, natural logarithm of the ratio: SVHN's digits are about half as wide as
    high, those of other doors may be as wide as high."""
