"""Things around a number that are not it: bells, slots, lamps, twigs in front, letters, numbers."""

import numpy as np

from svhn.data.synthetic import colours
from svhn.data.synthetic.digits import Lettering, digit_mask, put_on_wall
from svhn.data.synthetic.projection import Projection
from svhn.data.synthetic.textures import (
    blurred,
    coverage,
    ellipse,
    lay_over,
    rounded_rectangle,
    shifted,
)

_LETTERS = "abcdefABCDEFGHKLMNPRSTU"


def paint_fitting(
    random: np.random.Generator,
    picture: np.ndarray,
    projection: Projection,
    number_extent: tuple[float, float],
    light: tuple[float, float],
) -> None:
    """Paints a bell, a letter slot, a lamp or a box beside, over or under the number.

    Args:
        random: Where the choices come from.
        picture: float32 (3, H, W); changed.
        projection: From wall to canvas.
        number_extent: Half the width and half the height of the number, wall units.
        light: Direction in which shadows fall.
    """
    slot = random.random() < 0.3
    half_width = random.uniform(0.5, 1.2) if slot else random.uniform(0.08, 0.4)
    half_height = half_width * (random.uniform(0.12, 0.3) if slot else random.uniform(0.7, 1.8))
    space = random.uniform(0.45, 1.0)
    side = random.choice([-1.0, 1.0])
    if random.random() < 0.6:
        across = side * (number_extent[0] + space + half_width)
        down = random.normal(0, 0.4)
    else:
        across = random.normal(0, 0.8)
        down = side * (number_extent[1] + space * 0.6 + half_height)
    place = projection.moved(across, down)
    covered = place.part_around(picture, half_width, half_height, 0.2)
    if covered is None:
        return
    part, x, y = covered
    if random.random() < 0.4 and not slot:
        distance = ellipse(x, y, half_width, half_height)
    else:
        distance = rounded_rectangle(x, y, half_width, half_height, 0.02)
    inside = coverage(distance, 1 / projection.unit)
    depth = 0.08 * projection.unit
    part *= 1 - np.float32(0.4) * blurred(shifted(inside, light[0] * depth, light[1] * depth), 1.5)
    colour = colours.wall_colour(random) * np.float32(random.choice([0.4, 0.7, 1.3]))
    lay_over(part, colour.clip(0, 0.9), inside)
    heart = coverage(distance + np.float32(0.4 * min(half_width, half_height)), 1 / projection.unit)
    lay_over(part, colours.varied(random, colour, 0.6), heart)


def paint_twig(
    random: np.random.Generator, picture: np.ndarray, x: np.ndarray, y: np.ndarray, unit: float
) -> None:
    """Paints a twig, a wire or a bar in front of the number: it hides a little of it."""
    direction = random.uniform(0, np.pi)
    bend = random.normal(0, 0.15)
    across = x * np.float32(np.sin(direction)) - y * np.float32(np.cos(direction))
    across += np.float32(bend) * x * x - np.float32(random.normal(0, 0.3))
    distance = np.abs(across) - np.float32(random.uniform(0.012, 0.06))
    colour = np.float32(random.uniform(0.6, 1.4)) * np.array([0.2, 0.18, 0.16], np.float32)
    lay_over(picture, colour, coverage(distance, 1 / unit) * np.float32(random.uniform(0.6, 1.0)))


def write_neighbours(
    random: np.random.Generator,
    ink: np.ndarray,
    lettering: Lettering,
    projection: Projection,
    number_extent: tuple[float, float],
) -> None:
    """Writes what stands near some numbers and is not labelled.

    "3-", "bis", names, other numbers, dots beside the number, a line under it.

    Args:
        random: Where the choices come from.
        ink: The digits' ink so far, float32 (H, W); changed.
        lettering: The number's.
        projection: From wall to canvas.
        number_extent: Half the width and half the height of the number, wall units.
    """
    kind = random.random()
    if kind < 0.12:
        _write_dots(random, ink, projection, number_extent)
        return
    if kind < 0.2:
        _underline(random, ink, projection, number_extent)
        return
    if kind < 0.42:  # another number, often cut off by the photo's edge
        text = "".join(str(digit) for digit in random.integers(0, 10, random.integers(1, 4)))
        height, space, down = 0.93, random.uniform(0.6, 1.2), random.normal(0, 0.05)
    elif kind < 0.56:  # the dash of a range
        text, height, space, down = "–", 0.1, random.uniform(0.2, 0.35), 0.0
    elif kind < 0.78:  # a letter after the number
        text = _LETTERS[int(random.integers(len(_LETTERS)))]
        height, space = random.uniform(0.4, 0.75), random.uniform(0.16, 0.5)
        down = random.choice([-0.5, 0.5]) * (0.93 - height)
    else:  # a name or a street in small letters, over or under the number
        text = "".join(
            _LETTERS[int(index)]
            for index in random.integers(0, len(_LETTERS), random.integers(4, 10))
        )
        height = random.uniform(0.12, 0.26)
        space, down = None, random.choice([-1, 1]) * (number_extent[1] + height + 0.12)
    mask = digit_mask(lettering, text, height * projection.unit)
    if not mask.size:
        return
    width = height * mask.shape[1] / mask.shape[0] * 0.85
    if space is None:
        left = -width / 2
    elif random.random() < 0.5 and kind < 0.56:
        left = -number_extent[0] - space - width
    else:
        left = number_extent[0] + space
    put_on_wall(ink, mask, (left, down - height / 2, width, height), projection)


def _write_dots(random, ink, projection, number_extent) -> None:
    """A dot on each side, as on oval plaques."""
    side = np.linspace(-1, 1, 9, dtype=np.float32)
    dot = np.clip((1 - np.hypot(side, side[:, None])) * 4, 0, 1)
    radius, space = random.uniform(0.04, 0.09), random.uniform(0.08, 0.2)
    down = random.choice([0.0, random.uniform(-0.3, 0.3)])
    for direction in (-1, 1):
        across = direction * (number_extent[0] + space + radius)
        box = (across - radius, down - radius, 2 * radius, 2 * radius)
        put_on_wall(ink, dot, box, projection)


def _underline(random, ink, projection, number_extent) -> None:
    half_width = number_extent[0] * random.uniform(0.5, 1.2)
    thickness, space = random.uniform(0.03, 0.1), random.uniform(0.06, 0.2)
    top = number_extent[1] + space
    line = np.ones((5, 40), np.float32)
    put_on_wall(ink, line, (-half_width, top, 2 * half_width, thickness), projection)
