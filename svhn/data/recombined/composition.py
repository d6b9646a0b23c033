"""What a composed photo shows: which digits, from where."""

from collections.abc import Callable, Sequence

import numpy as np

from svhn.data.recombined.donors import DonorIndex
from svhn.data.recombined.sources import Source
from svhn.data.recombined.strips import Strip, cut, cuts, join, with_donor

_EXCHANGED_AGAIN = 0.7
"""Of the digits that a photo would show a second time, in photos that get others' digits."""

LoadPixels = Callable[[str], np.ndarray]
"""From a file name to the photo's pixels, uint8 (H, W, 3)."""


def compose(
    random: np.random.Generator,
    donors: DonorIndex,
    load: LoadPixels,
    length_weights: Sequence[float],
    exchanged: float,
) -> tuple[np.ndarray, tuple[int, ...], np.ndarray]:
    """Returns a photo of a new number: uint8 (H, W, 3), its digits, and boxes float32 (N, 4).

    Args:
        random: The photo's own generator.
        donors: All photos that digits may come from.
        load: Gives a photo's pixels.
        length_weights: How often numbers of 1, 2, … digits are made.
        exchanged: Share of the digits that come from other photos.
    """
    base = donors.sources[int(random.integers(len(donors.sources)))]
    weights = np.cumsum(length_weights, dtype=np.float64)
    length = int(np.searchsorted(weights, random.random() * weights[-1], "right")) + 1
    pixels = load(base.file_name).astype(np.float32)
    columns = cuts(base, pixels.shape[1])
    overlap = max(1, round(0.04 * base.height))
    left = cut(pixels, 0, int(columns[0]), overlap)
    right = cut(pixels, int(columns[-1]), pixels.shape[1], overlap)
    cells = []
    # Some photos keep their own digits, some get only others'.
    share = random.choice([0.0, exchanged, min(1.0, 2 * exchanged)])
    for place, position in enumerate(_draw_positions(random, base, length)):
        strip = _digit_strip(base, pixels, columns, overlap, position)
        again = place >= len(base.digits) and exchanged > 0
        if random.random() < (max(share, _EXCHANGED_AGAIN) if again else share):
            strip = _exchanged(random, strip, base, donors, load, place == 0 and length > 1)
        cells.append(strip)
    canvas, digits, boxes = join([left, *cells, right], base.slope)
    return canvas, tuple(digits), _kept_inside(boxes, canvas.shape)


def _draw_positions(random: np.random.Generator, base: Source, length: int) -> list[int]:
    """Which digits of a photo stand where in a new number: each once before any comes again."""
    positions: list[int] = []
    while len(positions) < length:
        positions += random.permutation(len(base.digits)).tolist()
    positions = positions[:length]
    if length > 1 and base.digits[positions[0]] == 0:  # numbers seldom begin with 0
        for place, position in enumerate(positions):
            if base.digits[position] != 0:
                positions[0], positions[place] = positions[place], positions[0]
                break
    return positions


def _digit_strip(base: Source, pixels, columns, overlap: int, position: int) -> Strip:
    first, last = int(columns[position]), int(columns[position + 1])
    strip = cut(pixels, first, last, overlap)
    strip.box = base.boxes[position] - np.array([first, 0, 0, 0], np.float32)
    strip.digit = base.digits[position]
    return strip


def _exchanged(random, strip: Strip, base: Source, donors, load, leading: bool) -> Strip:
    digit = int(random.integers(1 if leading else 0, 10))
    found = donors.draw(random, base, digit)
    if found is None:
        return strip
    donor, position = found
    return with_donor(strip, base, load(donor.file_name).astype(np.float32), donor, position)


def _kept_inside(boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Boxes in whole pixels that end where the photo ends."""
    first = np.maximum(np.round(boxes[:, :2]), 0)
    last = np.minimum(np.round(boxes[:, :2] + boxes[:, 2:]), (shape[1], shape[0]))
    return np.concatenate([first, np.maximum(last - first, 1)], axis=1).astype(np.float32)
