"""Plaques and tiles under the digits: enamel, painted, metal or wooden plates and their rims."""

import dataclasses

import numpy as np

from svhn.data.synthetic import colours
from svhn.data.synthetic.textures import (
    blend,
    blurred,
    coverage,
    ellipse,
    rounded_rectangle,
    shifted,
    smooth_noise,
)


@dataclasses.dataclass(frozen=True)
class Plaque:
    """A plate on the wall.

    Attributes:
        half_width: Half its width, wall units (heights of a digit).
        half_height: Half its height.
        centre: Its centre on the wall.
        plate: Colour, float32 (3,).
        ink: Colour of what is written on it.
        round_shape: An ellipse instead of a rectangle.
        corner: Radius of the corners, wall units.
        line: Distance of a painted line from the edge, wall units; 0 for none.
        relief: How strongly the rim catches light, -1 to 1.
        wear: Strength of dirt and rust, 0 to 1.
    """

    half_width: float
    half_height: float
    centre: tuple[float, float]
    plate: np.ndarray
    ink: np.ndarray
    round_shape: bool
    corner: float
    line: float
    relief: float
    wear: float


def draw_plaque(random: np.random.Generator, half_width: float, half_height: float) -> Plaque:
    """Returns a plaque around a number of the given half width and half height, wall units."""
    plate, ink = colours.plaque_colours(random)
    across = random.uniform(0.08, 0.32) if random.random() < 0.75 else random.uniform(0.3, 0.9)
    down = random.uniform(0.08, 0.28) if random.random() < 0.8 else random.uniform(0.25, 0.8)
    round_shape = random.random() < 0.08
    if round_shape:
        across, down = across + 0.42 * half_width, down + 0.28
    half_width, half_height = half_width + across, half_height + down
    return Plaque(
        half_width=half_width,
        half_height=half_height,
        centre=(random.normal(0, 0.03), random.normal(0, 0.03)),
        plate=plate,
        ink=ink,
        round_shape=round_shape,
        corner=random.choice([0.01, 0.06, 0.16, 0.3]) * min(1.0, half_height),
        line=random.uniform(0.035, 0.09) if random.random() < 0.4 else 0.0,
        relief=random.normal(0, 0.22),
        wear=abs(random.normal(0, 0.35)),
    )


def paint_plaque(
    random: np.random.Generator,
    picture: np.ndarray,
    plaque: Plaque,
    x: np.ndarray,
    y: np.ndarray,
    unit: float,
    light: tuple[float, float],
) -> np.ndarray:
    """Returns the picture with a plaque and its shadow painted on it.

    Args:
        random: Where dirt comes from.
        picture: float32 (H, W, 3).
        plaque: What to paint.
        x: Wall coordinates of the pixels, float32 (H, W).
        y: The same downwards.
        unit: Pixels in one wall unit.
        light: Direction in which shadows fall, canvas (x, y), length 1.
    """
    across, down = x - np.float32(plaque.centre[0]), y - np.float32(plaque.centre[1])
    if plaque.round_shape:
        distance = ellipse(across, down, plaque.half_width, plaque.half_height)
    else:
        distance = rounded_rectangle(
            across, down, plaque.half_width, plaque.half_height, plaque.corner
        )
    pixel = 1 / unit
    inside = coverage(distance, pixel)
    depth = random.uniform(0.0, 0.12) * unit
    shadow = blurred(shifted(inside, light[0] * depth, light[1] * depth), max(0.6, depth * 0.6))
    picture = picture * (1 - np.float32(random.uniform(0.1, 0.6)) * shadow)[..., None]

    shade = 1 + np.float32(0.03) * smooth_noise(random, x.shape, unit * 0.8)
    sheen = across * np.float32(random.normal(0, 0.05)) + down * np.float32(random.normal(0, 0.08))
    plate = plaque.plate * (shade + sheen)[..., None]
    if plaque.line:
        ring = coverage(np.abs(distance + np.float32(plaque.line)) - np.float32(0.018), pixel)
        plate = blend(plate, plaque.ink, ring * np.float32(0.9))
    rim = np.clip(1 + distance * np.float32(14), 0, 1)
    facing = np.sign(across) * light[0] + np.sign(down) * light[1]
    plate = plate * (1 - np.float32(plaque.relief) * rim * facing.astype(np.float32))[..., None]
    if plaque.wear > 0.25:
        blotches = smooth_noise(random, x.shape, unit * 0.14) + rim - np.float32(1.9)
        dirt = np.clip(blotches * 2, 0, 1) * np.float32(min(plaque.wear, 0.9))
        brown = np.array([0.26, 0.2, 0.16], np.float32)
        plate = blend(plate, brown, dirt)
    return blend(picture, plate, inside)
