"""A closer look at long numbers: their parts, each as large as a short number is shown.

The network sees every number in a picture of the same size, so five digits are each shown two
fifths as wide as one of two, about ten pixels. What was read as four or five digits is therefore
looked at again without one and without two of them, so that the others have more room. The length
is that of the whole; of each digit's probabilities all looks that show it are averaged.

Digits are taken to be equally wide. Where they are not, a part cuts one of its neighbours, and may
show a digit more or less. So what the reader sees in a part counts as much as it believes that the
part has so many digits.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from svhn.preprocessing import MARGIN, PATCH_SHARE
from svhn.reading.distribution import NumberDistribution, at_temperature, average
from svhn.reading.looks import crop_boxes
from svhn.reading.reader import Reader

LONG_LENGTHS = (4, 5)
"""Lengths that are looked at closely; more than five digits are not read."""

LEFT_OUT = (1, 2)
"""Digits that parts leave out."""

LOOKS = 5
"""At the whole and at each part."""

TEMPERATURE = 0.75
"""Of all looks together: their mean is less sure than it is right, the more so the more there are.
With about this one, composed and rendered numbers of four and five digits are likeliest."""

NARROWEST = 0.7
"""Width for a height of 1, from which on a box may show so many digits."""

_ROOM = 0.5
"""Of the box's height, kept around it: as far as a crop reaches beyond its box, and more."""

_HIGHEST = 128
"""Pixels that a strip keeps of its number's height, or up to twice as many: more tell no more."""


class Strip(NamedTuple):
    """The part of a photo that shows a number, kept for a closer look."""

    pixels: np.ndarray
    """uint8 [h, w, 3], RGB."""

    box: np.ndarray
    """float32 [4]: the number's: left, top, width, height, in these pixels."""


def strip_of(photo: np.ndarray, box: Sequence[float]) -> Strip | None:
    """Returns what a closer look at a number needs of a photo; None for what can't be long.

    Args:
        photo: uint8 [H, W, 3], RGB.
        box: The tight box around all digits: left, top, width, height, pixels. It meets the photo.
    """
    box = np.asarray(box, np.float32)
    start, size = box[:2].astype(np.float64), box[2:].astype(np.float64)
    if size[0] < NARROWEST * size[1]:
        return None
    room = _ROOM * size[1]
    left, top = np.maximum(np.floor(start - room), 0).astype(int).tolist()
    right, bottom = np.ceil(start + size + room).astype(int).tolist()
    pixels = photo[top:bottom, left:right]
    place = np.array([left, top, 0, 0], np.float32)
    factor = int(size[1] // _HIGHEST)
    if factor < 2:
        return Strip(pixels.copy(), box - place)  # a view would keep the whole photo
    return Strip(np.asarray(Image.fromarray(pixels).reduce(factor)), (box - place) / factor)


class Part(NamedTuple):
    """Some neighbouring digits of a number."""

    start: int
    """The position of the first, from 0."""

    count: int
    """How many there are."""

    @property
    def end(self) -> int:
        """The position after the last."""
        return self.start + self.count


def parts_of(length: int) -> list[Part]:
    """Returns the parts of a number that are looked at, the largest first, from left to right.

    Args:
        length: How many digits it has; more than are left out.
    """
    return [
        Part(start, length - left_out) for left_out in LEFT_OUT for start in range(left_out + 1)
    ]


def part_boxes(box: Sequence[float], length: int) -> np.ndarray:
    """Returns the boxes of `parts_of` a number: float32 [parts, 4].

    The network sees more than the box it is given (`svhn.preprocessing.crop`); so the boxes are as
    much narrower than the parts, lest a digit beside be seen in part.

    Args:
        box: The tight box around all digits: left, top, width, height.
        length: Of the number.
    """
    left, top, width, height = np.asarray(box, np.float64)
    starts, counts = np.transpose(parts_of(length))
    widths = width * counts / length / ((1 + MARGIN) * PATCH_SHARE)
    boxes = np.empty((len(starts), 4), np.float32)
    boxes[:, 0] = left + width * (starts + counts / 2) / length - widths / 2
    boxes[:, 1], boxes[:, 2], boxes[:, 3] = top, widths, height
    return boxes


def looked_closer(
    reader: Reader,
    distributions: Sequence[NumberDistribution],
    strips: Sequence[Strip | None],
) -> list[NumberDistribution]:
    """Returns what the reader thinks once it has looked closer at what seems long.

    Args:
        reader: Gave the distributions.
        distributions: Of each number.
        strips: Of the same numbers; without one there is no closer look.
    """
    looked = list(distributions)
    long = _long_places(looked, strips)
    wholes = _looks(reader, [(strips[place], strips[place].box[None]) for place in long])
    for place, [looks] in zip(long, wholes, strict=True):
        looked[place] = average(looks)
    long = _long_places(looked, strips)  # some are not, from a little beside
    lengths = [looked[place].best()[0] for place in long]
    parts = _looks(
        reader,
        [
            (strips[place], part_boxes(strips[place].box, length))
            for place, length in zip(long, lengths, strict=True)
        ],
    )
    for place, length, looks_at_parts in zip(long, lengths, parts, strict=True):
        looked[place] = joined(looked[place], length, looks_at_parts)
    return looked


def _long_places(
    distributions: Sequence[NumberDistribution], strips: Sequence[Strip | None]
) -> list[int]:
    return [
        place
        for place, (distribution, strip) in enumerate(zip(distributions, strips, strict=True))
        if strip and distribution.best()[0] in LONG_LENGTHS
    ]


def _looks(
    reader: Reader, shown: Sequence[tuple[Strip, np.ndarray]]
) -> list[list[list[NumberDistribution]]]:
    """What the reader sees in some boxes of strips: of each strip, of each box, in each look."""
    pictures = [
        picture
        for strip, boxes in shown
        for picture in reader.prepare_all(
            strip.pixels, np.concatenate([crop_boxes(box, LOOKS) for box in boxes])
        )
    ]
    distributions = iter(reader.distributions(pictures))
    return [[[next(distributions) for _ in range(LOOKS)] for _ in boxes] for _, boxes in shown]


def joined(
    whole: NumberDistribution, length: int, looks_at_parts: Sequence[Sequence[NumberDistribution]]
) -> NumberDistribution:
    """Returns the distribution of all looks at a number, at `TEMPERATURE`.

    Args:
        whole: Of the whole number, which may have been seen several times.
        length: How many digits it seems to have.
        looks_at_parts: The looks at each of `parts_of(length)`, in their order.
    """
    probabilities = np.exp(whole.digits)
    weights = np.ones((len(probabilities), 1))
    for part, looks in zip(parts_of(length), looks_at_parts, strict=True):
        place = slice(part.start, part.end)
        for look in looks:
            weight = np.exp(look.lengths[part.count]) / len(looks)
            probabilities[place] += weight * np.exp(look.digits[: part.count])
            weights[place] += weight
    digits = np.log(np.maximum(probabilities / weights, np.finfo(np.float64).tiny))
    digits = np.where(weights > 1, digits, whole.digits)
    return at_temperature(NumberDistribution(whole.lengths, digits), TEMPERATURE)
