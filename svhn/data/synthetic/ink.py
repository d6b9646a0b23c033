"""How digits lie on their ground: painted flat, raised with a shadow, outlined, worn, hollow."""

import numpy as np

from svhn.data.synthetic import colours
from svhn.data.synthetic.textures import blurred, coloured, lay_over, shifted, smooth_noise


def paint_ink(
    random: np.random.Generator,
    picture: np.ndarray,
    ink: np.ndarray,
    colour: np.ndarray,
    unit: float,
    light: tuple[float, float],
) -> None:
    """Paints digits.

    Args:
        random: Where the choices come from.
        picture: float32 (3, H, W); changed.
        ink: Where the digits are, float32 (H, W), 0 to 1.
        colour: Their colour, float32 (3,).
        unit: Pixels in one wall unit.
        light: Direction in which shadows fall, canvas (x, y), length about 1.
    """
    style = random.random()
    opacity = np.float32(random.uniform(0.82, 1.0))
    if style < 0.3:
        _paint_raised(random, picture, ink, colour, unit, light)
    elif style < 0.38:  # a contour of another brightness
        ring = np.clip(blurred(ink, max(0.5, 0.04 * unit)) * 3, 0, 1) - ink
        rim = colours.varied(random, colour, 0.8)
        lay_over(picture, rim, np.clip(ring, 0, 1) * np.float32(random.uniform(0.3, 0.9)))
        lay_over(picture, colour, ink * opacity)
    elif style < 0.5:  # worn paint
        wear = smooth_noise(random, ink.shape, max(1.0, unit * random.uniform(0.06, 0.25)))
        kept = np.clip(wear + np.float32(random.uniform(1.2, 2.4)), 0.4, 1)
        lay_over(picture, colour, ink * kept)
    else:
        lay_over(picture, colour, ink * opacity)


def paint_ink_locally(
    random: np.random.Generator,
    picture: np.ndarray,
    ink: np.ndarray,
    colour: np.ndarray,
    unit: float,
    light: tuple[float, float],
) -> None:
    """Paints as `paint_ink` does, but looks only at the part of the canvas that has ink: faster."""
    rows, columns = (np.flatnonzero(ink.max(axis=axis) > 0) for axis in (1, 0))
    if not len(rows):
        return
    margin = round(0.3 * unit) + 2  # shadows fall beside the ink
    part = (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + 1 + margin),
    )
    paint_ink(random, picture[:, *part], ink[part], colour, unit, light)


def _paint_raised(random, picture, ink, colour, unit, light) -> None:
    """Metal or wooden digits, some with a distance from the wall: shadow, lit edges, sheen."""
    depth = random.uniform(0.02, 0.11) * unit
    soft_shadow = blurred(
        shifted(ink, light[0] * depth, light[1] * depth), max(0.5, depth * random.uniform(0.2, 0.8))
    )
    picture *= 1 - np.float32(random.uniform(0.2, 0.7)) * soft_shadow
    soft = blurred(ink, max(0.5, 0.03 * unit))
    step = max(1.0, 0.03 * unit)
    relief = shifted(soft, light[0] * step, light[1] * step) - soft
    face = 1 + np.float32(random.uniform(-0.4, 1.3)) * relief
    sheen = np.linspace(-1, 1, ink.shape[0], dtype=np.float32)[:, None]
    face += np.float32(random.normal(0, 0.15)) * sheen
    lay_over(picture, coloured(colour, face), ink)
