"""What the number hangs on: stucco, brick, boards, stone, metal, doors, and edges beside it."""

from collections.abc import Callable

import numpy as np

from svhn.data.synthetic import colours
from svhn.data.synthetic.textures import blend, coverage, smooth_noise


def paint_wall(
    random: np.random.Generator, x: np.ndarray, y: np.ndarray, unit: float
) -> tuple[np.ndarray, np.ndarray]:
    """Paints a wall over the whole canvas.

    Args:
        random: Where the choices come from.
        x: Wall coordinate of each pixel, float32 (H, W); the unit is the height of a digit.
        y: The same downwards.
        unit: Pixels in one unit.

    Returns:
        The picture, float32 (H, W, 3), 0 to 1; and the wall's main colour, float32 (3,).
    """
    material = _MATERIALS[int(np.searchsorted(_MATERIAL_LEVELS, random.random(), "right"))]
    colour = colours.wall_colour(random)
    return material(random, x, y, unit, colour), colour


def paint_edges(
    random: np.random.Generator, picture: np.ndarray, x: np.ndarray, y: np.ndarray, unit: float
) -> np.ndarray:
    """Adds what often stands beside a number: door frames, window edges, pipes, ledges."""
    for _ in range(int(random.integers(1, 4))):
        upright = random.random() < 0.75
        along = x if upright else y
        side = 1 if random.random() < 0.5 else -1
        start = random.uniform(0.9, 2.2) if upright else random.uniform(0.62, 1.1)
        width = random.choice([random.uniform(0.06, 0.3), random.uniform(0.4, 1.2), 30.0])
        distance = np.abs(along * side - np.float32(start + width / 2)) - np.float32(width / 2)
        inside = coverage(distance, 1 / unit)
        colour = colours.wall_colour(random)
        if random.random() < 0.4:
            colour = colour * np.float32(0.45)
        shade = 1 + np.float32(0.05) * smooth_noise(random, x.shape, unit * 0.5)
        picture = blend(picture, colour * shade[..., None], inside)
        # A dark gap or a bright rim where two things meet.
        rim = np.clip(1 - np.abs(distance) * np.float32(random.uniform(12, 30)), 0, 1)
        picture = picture * (1 - np.float32(random.uniform(-0.25, 0.6)) * rim)[..., None]
    return picture


def _shaded(colour: np.ndarray, shade: np.ndarray) -> np.ndarray:
    return colour * shade[..., None]


def _stucco(random, x, y, unit, colour):
    shade = 1 + np.float32(random.uniform(0.01, 0.06)) * smooth_noise(random, x.shape, unit)
    grain = np.float32(random.uniform(0.0, 0.09))
    shade += grain * smooth_noise(random, x.shape, max(1.0, unit * random.uniform(0.02, 0.1)))
    return _shaded(colour, shade)


def _bricks(random, x, y, unit, colour, height=None, length_share=None, contrast=1.0):
    height = height or random.uniform(0.28, 0.8)
    length = height * (length_share or random.uniform(2.4, 3.6))
    joint = height * random.uniform(0.08, 0.18)
    row = np.floor(y / np.float32(height) + np.float32(random.random()))
    row_place = y / np.float32(height) + np.float32(random.random())
    row = np.floor(row_place)
    column_place = x / np.float32(length) + row * np.float32(0.5) + np.float32(random.random())
    column = np.floor(column_place)
    down = np.abs(row_place - row - np.float32(0.5)) * np.float32(height)
    across = np.abs(column_place - column - np.float32(0.5)) * np.float32(length)
    edge = np.maximum(down - np.float32(height / 2), across - np.float32(length / 2))
    mortar = coverage(-(edge + np.float32(joint / 2)), max(1 / unit, joint * 0.3))
    # Each brick has a shade of its own: a hash of its row and column.
    hashed = np.sin(row * np.float32(12.99) + column * np.float32(78.23)) * np.float32(437.58)
    own = hashed - np.floor(hashed) - np.float32(0.5)
    shade = 1 + np.float32(contrast * random.uniform(0.05, 0.35)) * own
    shade += np.float32(0.05) * smooth_noise(random, x.shape, unit * 0.12)
    tone = random.uniform(0.55, 1.7) if contrast == 1.0 else random.uniform(0.55, 1.2)
    mortar_colour = (colour * np.float32(0.5) + np.float32(0.5) * colour.mean()) * np.float32(tone)
    return blend(_shaded(colour, shade), mortar_colour.clip(0, 0.9), mortar)


def _stones(random, x, y, unit, colour):
    grey = colour * np.float32(0.6) + colour.mean() * np.float32(0.4)
    height = random.uniform(0.9, 2.6)
    return _bricks(random, x, y, unit, grey, height, random.uniform(1.2, 2.2), 0.4)


def _boards(random, x, y, unit, colour):
    upright = random.random() < 0.45
    across = x if upright else y
    pitch = random.uniform(0.5, 2.4)
    place = across / np.float32(pitch) + np.float32(random.random())
    board = np.floor(place)
    within = place - board
    grain_cells = (unit * 1.6, max(1.0, unit * 0.05))
    cell, cell_x = grain_cells if upright else grain_cells[::-1]
    grain = smooth_noise(random, x.shape, cell, cell_x)
    shade = 1 + np.float32(random.uniform(0.01, 0.1)) * grain
    hashed = np.sin(board * np.float32(91.7)) * np.float32(437.58)
    shade += np.float32(0.12) * (hashed - np.floor(hashed) - np.float32(0.5))
    shade += np.float32(random.uniform(-0.1, 0.15)) * (within - np.float32(0.5))
    gap = np.minimum(within, 1 - within) * np.float32(pitch)
    line = np.clip(1 - gap * np.float32(random.uniform(10, 40)), 0, 1)
    shade *= 1 - np.float32(random.uniform(0.15, 0.7)) * line
    return _shaded(colour, shade)


def _metal(random, x, y, unit, colour):
    direction = random.uniform(0, np.pi)
    place = x * np.float32(np.cos(direction)) + y * np.float32(np.sin(direction))
    sheen = np.sin(place * np.float32(random.uniform(0.2, 1.2)) + np.float32(random.uniform(0, 6)))
    shade = 1 + np.float32(random.uniform(0.03, 0.22)) * sheen
    return _shaded(colour, shade)


def _foliage(random, x, y, unit, colour):
    green = np.array([0.16, 0.2, 0.12], np.float32) * np.float32(random.uniform(0.6, 1.6))
    wall = _stucco(random, x, y, unit, colour)
    leaves = smooth_noise(random, x.shape, unit * 0.15) * np.float32(0.6)
    amount = smooth_noise(random, x.shape, unit * 1.2) + np.abs(x) * np.float32(0.5) - 1
    shade = (1 + np.float32(0.5) * leaves).clip(0.2, 2)
    return blend(wall, _shaded(green, shade), np.clip(amount * 3 + leaves, 0, 1))


_Material = Callable[..., np.ndarray]
_MATERIAL_WEIGHTS: list[tuple[_Material, float]] = [
    (_stucco, 0.42),
    (_bricks, 0.2),
    (_boards, 0.14),
    (_stones, 0.07),
    (_metal, 0.12),
    (_foliage, 0.05),
]
_MATERIALS = [material for material, _ in _MATERIAL_WEIGHTS]
_MATERIAL_LEVELS = np.cumsum([weight for _, weight in _MATERIAL_WEIGHTS])[:-1]
