"""Photos that show no number, to count what is found in them all the same.

Half of them are parts of real photos, cut away from every labelled digit; the other half are
rendered. (Some real photos show more digits than their labels say: a false number among them is
worth a look before it is believed.)
"""

from collections.abc import Iterable, Sequence

import numpy as np

from svhn.data.records import ConvertedPhoto
from svhn.data.synthetic.empty_scene import render_empty_scene
from svhn.data.synthetic.fonts import Typeface
from svhn.geometry import union_box
from svhn.images import load_picture

SHORTEST_SIDE = 24
"""Pixels. Narrower parts of photos show too little to be a photo."""

MARGIN = 0.15
"""How far the parts stay away from the number, as a fraction of the digits' mean height."""


SHOW_DIGITS_BESIDE = frozenset(f"train/{number}.png" for number in (643, 717, 1011, 1729, 1958))
"""Photos of SVHN that show digits beside the labelled ones, looked at: of those of its first 2,000
train photos (a fifth of them, by the converter's default seed) in which networks found any."""


def parts_without_digits(photos: Iterable[ConvertedPhoto], count: int) -> list[np.ndarray]:
    """Returns parts of photos, uint8 [H, W, 3] each, one of a photo.

    Args:
        photos: Taken in their order, without `SHOW_DIGITS_BESIDE`.
        count: How many parts, at most: those of the first photos that have one.
    """
    parts: list[np.ndarray] = []
    for photo in photos:
        if len(parts) == count:
            break
        if f"{photo.folder}/{photo.file_name}" in SHOW_DIGITS_BESIDE:
            continue
        part = part_beside_number(load_picture(photo.encoded, photo.file_name), photo.boxes)
        if part is not None:
            parts.append(part)
    return parts


def part_beside_number(photo: np.ndarray, boxes: np.ndarray) -> np.ndarray | None:
    """Returns the largest part of a photo left of, above, right of or below all its digits.

    Args:
        photo: uint8 [H, W, 3].
        boxes: float [N, 4], N ≥ 1: left, top, width, height of each digit, pixels.

    Returns:
        The part; None if none is wide and high enough.
    """
    left, top, width, height = union_box(boxes)
    margin = float(np.mean(boxes[:, 3])) * MARGIN
    right, bottom = int(np.ceil(left + width + margin)), int(np.ceil(top + height + margin))
    left, top = max(int(left - margin), 0), max(int(top - margin), 0)
    parts = [photo[:, :left], photo[:top], photo[:, right:], photo[bottom:]]
    parts = [part for part in parts if min(part.shape[:2]) >= SHORTEST_SIDE]
    return max(parts, key=lambda part: part.shape[0] * part.shape[1], default=None)


def rendered_scenes(count: int, seed: int, typefaces: Sequence[Typeface]) -> list[np.ndarray]:
    """Returns rendered photos without any digit, uint8 [H, W, 3] each.

    Args:
        count: How many.
        seed: Decides all.
        typefaces: Of the words in them.
    """
    return [
        render_empty_scene(np.random.default_rng([seed, index]), tuple(typefaces))
        for index in range(count)
    ]
