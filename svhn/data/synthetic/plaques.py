"""Plaques and tiles under the digits: enamel, painted, metal or wooden plates and their rims."""

import dataclasses

import numpy as np

from svhn.data.synthetic.projection import Projection
from svhn.data.synthetic.textures import (
    blurred,
    coloured,
    coverage,
    ellipse,
    lay_over,
    rounded_rectangle,
    shifted,
    smooth_noise,
)


@dataclasses.dataclass(frozen=True, eq=False)
class Plaque:
    """A plate on the wall, centred at the origin of its projection.

    Attributes:
        half_width: Half its width, wall units (heights of a digit).
        half_height: Half its height.
        plate: Colour, float32 (3,).
        ink: Colour of what is written on it.
        round_shape: An ellipse instead of a rectangle.
        corner: Radius of the corners, wall units.
        line: Distance of a painted line from the edge, wall units; 0 for none.
        relief: How strongly the rim catches light, -1 to 1.
        wear: Strength of dirt and rust, 0 to 1.
        screws: Whether screws show in its corners.
        cut_corners: Whether the corners are cut out in small arcs.
    """

    half_width: float
    half_height: float
    plate: np.ndarray
    ink: np.ndarray
    round_shape: bool
    corner: float
    line: float
    relief: float
    wear: float
    screws: bool
    cut_corners: bool = False


def draw_plaque(
    random: np.random.Generator,
    half_width: float,
    half_height: float,
    plate: np.ndarray,
    ink: np.ndarray,
) -> Plaque:
    """Returns a plaque around a number.

    Args:
        random: Where the choices come from.
        half_width: Half the number's width, wall units.
        half_height: Half its height.
        plate: The plaque's colour, float32 (3,).
        ink: The digits' colour, float32 (3,).
    """
    across = random.uniform(0.06, 0.28) if random.random() < 0.75 else random.uniform(0.3, 0.9)
    down = random.uniform(0.08, 0.26) if random.random() < 0.8 else random.uniform(0.25, 0.8)
    round_shape = random.random() < 0.08
    if round_shape:
        across, down = across + 0.42 * half_width, down + 0.28
    half_width, half_height = half_width + across, half_height + down
    return Plaque(
        half_width=half_width,
        half_height=half_height,
        plate=plate,
        ink=ink,
        round_shape=round_shape,
        corner=random.choice([0.01, 0.06, 0.16, 0.3]) * min(1.0, half_height),
        line=random.uniform(0.035, 0.09) if random.random() < 0.45 else 0.0,
        relief=random.normal(0, 0.22),
        wear=abs(random.normal(0, 0.35)),
        screws=bool(random.random() < 0.12),
        cut_corners=bool(random.random() < 0.16),
    )


def paint_plaque(
    random: np.random.Generator,
    picture: np.ndarray,
    plaque: Plaque,
    projection: Projection,
    light: tuple[float, float],
) -> None:
    """Paints a plaque and its shadow.

    Args:
        random: Where dirt and sheen come from.
        picture: float32 (3, H, W); changed.
        plaque: What to paint.
        projection: From the plaque's own coordinates to the canvas.
        light: Direction in which shadows fall, canvas (x, y), length about 1.
    """
    covered = projection.part_around(picture, plaque.half_width, plaque.half_height, 0.3)
    if covered is None:
        return
    part, x, y = covered
    unit = projection.unit
    if plaque.round_shape:
        distance = ellipse(x, y, plaque.half_width, plaque.half_height)
    else:
        distance = rounded_rectangle(x, y, plaque.half_width, plaque.half_height, plaque.corner)
        if plaque.cut_corners:
            across, down = np.abs(x) - plaque.half_width, np.abs(y) - plaque.half_height
            bite = np.float32(0.16) - np.hypot(across, down)
            distance = np.maximum(distance, bite.astype(np.float32))
    if plaque.wear > 0.5:  # bent and chipped edges
        distance = distance + np.float32(0.006) * smooth_noise(random, x.shape, unit * 0.25)
    inside = coverage(distance, 1 / unit)
    depth = random.uniform(0.0, 0.1) * unit
    shadow = blurred(shifted(inside, light[0] * depth, light[1] * depth), max(0.6, depth * 0.6))
    part *= 1 - np.float32(random.uniform(0.1, 0.6)) * shadow

    shade = 1 + np.float32(0.035) * smooth_noise(random, x.shape, unit * 0.8)
    shade += x * np.float32(random.normal(0, 0.05)) + y * np.float32(random.normal(0, 0.08))
    rim = np.clip(1 + distance * np.float32(14), 0, 1)
    facing = np.sign(x) * np.float32(light[0]) + np.sign(y) * np.float32(light[1])
    shade *= 1 - np.float32(plaque.relief) * rim * facing
    plate = coloured(plaque.plate, shade)
    if plaque.line:
        thickness = np.float32(random.uniform(0.01, 0.032))
        ring = coverage(np.abs(distance + np.float32(plaque.line)) - thickness, 1 / unit)
        lay_over(plate, plaque.ink, ring * np.float32(0.9))
    if plaque.wear > 0.25:
        blotches = smooth_noise(random, x.shape, max(1.0, unit * 0.14)) + rim - np.float32(1.9)
        dirt = np.clip(blotches * 2, 0, 1) * np.float32(min(plaque.wear, 0.9))
        lay_over(plate, np.array([0.27, 0.22, 0.18], np.float32), dirt)
    if plaque.screws and not plaque.round_shape:
        across = np.abs(np.abs(x) - np.float32(plaque.half_width - 0.07))
        down = np.abs(y if plaque.corner > 0.1 else np.abs(y) - plaque.half_height + 0.07)
        screw = coverage(np.hypot(across, down).astype(np.float32) - np.float32(0.035), 1 / unit)
        lay_over(plate, np.float32(random.uniform(0.15, 0.7)) * np.ones(3, np.float32), screw)
    lay_over(part, plate, inside)
