"""Signs with words, in many faces: on plaques, right on the wall, in several lines, letter under
letter.
"""

import functools

import numpy as np

from svhn.data.synthetic import colours
from svhn.data.synthetic.digits import Lettering, digit_mask, draw_lettering, put_on_wall
from svhn.data.synthetic.fonts import Typeface, text_mask
from svhn.data.synthetic.ink import paint_ink_locally
from svhn.data.synthetic.plaques import draw_plaque, paint_plaque
from svhn.data.synthetic.projection import Projection
from svhn.data.synthetic.words import LOOK_ALIKES, draw_words

_LINE_SPACING = 1.35
_PROBE_SIZE = 24
_NO_CHARACTER = "\U0010fffe"


@functools.lru_cache(maxsize=8)
def typefaces_with_letters(typefaces: tuple[Typeface, ...]) -> tuple[Typeface, ...]:
    """Returns those of the fonts that have Latin letters; all if none has."""
    return tuple(filter(_has_letters, typefaces)) or typefaces


def _has_letters(typeface: Typeface) -> bool:
    masks = [text_mask(typeface, text, _PROBE_SIZE) for text in (_NO_CHARACTER, "R", "W", "e", "k")]
    shown = {(mask.shape, mask.tobytes()) for mask in masks}
    return len(shown) == len(masks) and all(mask.size for mask in masks[1:])


def paint_sign(
    random: np.random.Generator,
    picture: np.ndarray,
    typefaces: tuple[Typeface, ...],
    place: Projection,
    ground: np.ndarray,
    light: tuple[float, float],
    largest: tuple[float, float],
    words: tuple[str, ...] | None = None,
) -> None:
    """Paints words, on a plaque or right on the wall.

    Args:
        random: Where the choices come from.
        picture: float32 (3, H, W); changed.
        typefaces: Fonts with letters.
        place: Where the middle of the sign hangs.
        ground: The wall's colour, float32 (3,).
        light: Direction in which shadows fall.
        largest: Height of a letter and half the width of the sign, at most; wall units.
        words: The lines; drawn where they are not given.
    """
    on_plaque = random.random() < 0.7
    if on_plaque:
        ground, colour = colours.plaque_colours(random)
    else:
        colour = colours.digit_colour_on(random, ground)
    light_on_dark = colours.is_light_on_dark(colour, ground)
    lettering = draw_lettering(random, typefaces, light_on_dark, on_plaque)
    lines = words or draw_words(random)
    # Letter under letter: each stands alone then, so none may look like a digit.
    is_upright = len(lines) == 1 and LOOK_ALIKES.isdisjoint(lines[0]) and random.random() < 0.2
    if is_upright:
        lines = tuple(lines[0])
    placed = _arranged(random, lettering, lines, place.unit, largest, is_upright)
    if placed is None:
        return
    masks, boxes = placed
    if on_plaque:
        half_width = float(np.abs(boxes[:, 0]).max())
        half_height = float(np.abs(boxes[:, 1]).max())
        plaque = draw_plaque(random, half_width, half_height, ground, colour)
        paint_plaque(random, picture, plaque, place, light)
    ink = np.zeros(picture.shape[1:], np.float32)
    for mask, box in zip(masks, boxes, strict=True):
        put_on_wall(ink, mask, tuple(box), place)
    paint_ink_locally(random, picture, ink, colour, boxes[0, 3] * place.unit, light)


def _arranged(
    random: np.random.Generator,
    lettering: Lettering,
    lines: tuple[str, ...],
    unit: float,
    largest: tuple[float, float],
    is_upright: bool,
) -> tuple[list[np.ndarray], np.ndarray] | None:
    """Returns the lines' masks and where they stand: left, top, width, height, wall units."""
    height = largest[0] * float(np.exp(random.uniform(np.log(0.3), 0)))
    masks = [digit_mask(lettering, line, height * unit) for line in lines]
    if not all(mask.size for mask in masks):
        return None
    stretch = random.uniform(0.75, 1.25)
    widths = np.array([height * stretch * mask.shape[1] / mask.shape[0] for mask in masks])
    if not is_upright and random.random() < 0.3:  # all lines equally wide, as engravers do it
        widths = np.minimum(widths * 1.8, widths.max())
    shrink = min(1.0, 2 * largest[1] / widths.max())
    widths *= shrink
    height *= shrink
    spacing = height * (1.1 if is_upright else _LINE_SPACING)
    tops = (np.arange(len(lines)) - (len(lines) - 1) / 2) * spacing - height / 2
    heights = np.full(len(lines), height)
    if is_upright:  # small letters stay smaller than capitals
        heights *= np.minimum(1, [mask.shape[0] / (height / shrink * unit) for mask in masks])
    return masks, np.stack([-widths / 2, tops, widths, heights], axis=1)
