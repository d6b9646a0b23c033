"""What the number hangs on: stucco, brick, boards, stone, metal, doors, and edges beside it."""

from collections.abc import Callable

import numpy as np

from svhn.data.synthetic import colours
from svhn.data.synthetic.textures import coloured, coverage, lay_over, smooth_noise


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
        The picture, float32 (3, H, W), 0 to 1; and the wall's main colour, float32 (3,).
    """
    material = _MATERIALS[int(np.searchsorted(_MATERIAL_LEVELS, random.random(), "right"))]
    colour = colours.wall_colour(random)
    return material(random, x, y, unit, colour), colour


def paint_edges(
    random: np.random.Generator, picture: np.ndarray, x: np.ndarray, y: np.ndarray, unit: float
) -> None:
    """Adds what often stands beside a number: door frames, window edges, pipes, ledges.

    Args:
        random: Where the choices come from.
        picture: float32 (3, H, W); changed.
        x: Wall coordinate of each pixel, float32 (H, W).
        y: The same downwards.
        unit: Pixels in one wall unit.
    """
    for _ in range(int(random.integers(1, 4))):
        upright = random.random() < 0.72
        along = x if upright else y
        side = 1 if random.random() < 0.5 else -1
        nearest, farthest = (0.75, 1.9) if upright else (0.62, 1.0)
        start = random.uniform(nearest, farthest) + (0.15 if upright else 0.0)
        width = random.choice([random.uniform(0.06, 0.3), random.uniform(0.4, 1.2), 30.0, 30.0])
        distance = np.abs(along * np.float32(side) - np.float32(start + width / 2))
        distance -= np.float32(width / 2)
        inside = coverage(distance, 1 / unit)
        if not inside.any():
            continue
        colour = colours.wall_colour(random)
        extreme = random.random()
        if extreme < 0.5:  # an opening, a window at night
            colour = colour * np.float32(random.uniform(0.15, 0.5))
        elif extreme < 0.72:  # a white frame, the sky
            colour = colour * np.float32(0.3) + np.float32(random.uniform(0.45, 0.68))
        shade = 1 + np.float32(0.06) * smooth_noise(random, x.shape, unit * 0.5)
        lay_over(picture, coloured(colour, shade), inside)
        # A dark gap or a bright rim where two things meet.
        rim = np.clip(1 - np.abs(distance) * np.float32(random.uniform(8, 30)), 0, 1)
        picture *= 1 - np.float32(random.uniform(-0.25, 0.6)) * rim


def _stucco(random, x, y, unit, colour):
    shade = 1 + np.float32(random.uniform(0.01, 0.05)) * smooth_noise(random, x.shape, unit)
    grain = np.float32(abs(random.normal(0, 0.035)))
    shade += grain * smooth_noise(random, x.shape, max(1.0, unit * random.uniform(0.03, 0.12)))
    return coloured(colour, shade)


def _bricks(random, x, y, unit, colour, height=None, length_share=None, contrast=1.0):
    height = height or random.uniform(0.28, 0.8)
    length = height * (length_share or random.uniform(2.4, 3.6))
    joint = height * random.uniform(0.08, 0.18)
    row_place = y * np.float32(1 / height) + np.float32(random.random())
    row = np.floor(row_place)
    column_place = x * np.float32(1 / length) + (
        row * np.float32(0.5) + np.float32(random.random())
    )
    column = np.floor(column_place)
    down = np.abs(row_place - row - np.float32(0.5)) * np.float32(height) - np.float32(height / 2)
    across = np.abs(column_place - column - np.float32(0.5)) * np.float32(length)
    across -= np.float32(length / 2)
    edge = np.maximum(down, across) + np.float32(joint / 2)
    mortar = coverage(-edge, max(1 / unit, joint * 0.4))
    # Each brick has a shade of its own: a hash of its row and column.
    hashed = np.sin(row * np.float32(12.99) + column * np.float32(78.23)) * np.float32(437.58)
    own = hashed - np.floor(hashed) - np.float32(0.5)
    shade = 1 + np.float32(contrast * random.uniform(0.05, 0.35)) * own
    shade += np.float32(0.04) * smooth_noise(random, x.shape, unit * 0.15)
    tone = random.uniform(0.6, 1.6) if contrast == 1.0 else random.uniform(0.55, 1.15)
    mortar_colour = (colour * np.float32(0.5) + np.float32(0.5) * colour.mean()) * np.float32(tone)
    picture = coloured(colour, shade)
    lay_over(picture, mortar_colour.clip(0, 0.85), mortar)
    return picture


def _stones(random, x, y, unit, colour):
    grey = colour * np.float32(0.6) + colour.mean() * np.float32(0.4)
    height = random.uniform(0.9, 2.6)
    return _bricks(random, x, y, unit, grey, height, random.uniform(1.2, 2.2), 0.4)


def _boards(random, x, y, unit, colour):
    upright = random.random() < 0.5
    across = x if upright else y
    pitch = random.uniform(0.5, 2.4)
    place = across * np.float32(1 / pitch) + np.float32(random.random())
    board = np.floor(place)
    within = place - board
    grain_cells = (unit * 1.6, max(1.0, unit * 0.06))
    cell, cell_x = grain_cells if upright else grain_cells[::-1]
    grain = smooth_noise(random, x.shape, cell, cell_x)
    shade = 1 + np.float32(abs(random.normal(0, 0.045))) * grain
    hashed = np.sin(board * np.float32(91.7)) * np.float32(437.58)
    shade += np.float32(0.1) * (hashed - np.floor(hashed) - np.float32(0.5))
    shade += np.float32(random.uniform(-0.1, 0.15)) * (within - np.float32(0.5))
    gap = np.minimum(within, 1 - within) * np.float32(pitch)
    line = np.clip(1 - gap * np.float32(random.uniform(10, 40)), 0, 1)
    shade *= 1 - np.float32(random.uniform(0.15, 0.7)) * line
    return coloured(colour, shade)


def _smooth(random, x, y, unit, colour):
    """Painted metal, glass, a door: no grain, a broad sheen."""
    direction = random.uniform(0, np.pi)
    place = x * np.float32(np.cos(direction)) + y * np.float32(np.sin(direction))
    sheen = np.sin(place * np.float32(random.uniform(0.2, 1.0)) + np.float32(random.uniform(0, 6)))
    return coloured(colour, 1 + np.float32(random.uniform(0.02, 0.16)) * sheen)


def _bars(random, x, y, unit, colour):
    """A fence or a grille before something dark."""
    behind = _stucco(random, x, y, unit, colour * np.float32(random.uniform(0.25, 0.6)))
    pitch = random.uniform(0.25, 1.2)
    for across in (x, y) if random.random() < 0.3 else (x,):
        place = across * np.float32(1 / pitch) + np.float32(random.random())
        middle = np.abs(place - np.floor(place) - np.float32(0.5)) * np.float32(pitch)
        bar = coverage(middle - np.float32(pitch * random.uniform(0.06, 0.25)), 1 / unit)
        lay_over(behind, colour * np.float32(random.uniform(0.6, 1.3)), bar)
    return behind


def _foliage(random, x, y, unit, colour):
    green = np.array([0.16, 0.19, 0.13], np.float32) * np.float32(random.uniform(0.6, 1.6))
    picture = _stucco(random, x, y, unit, colour)
    leaves = smooth_noise(random, x.shape, max(1.0, unit * 0.15)) * np.float32(0.6)
    amount = smooth_noise(random, x.shape, unit * 1.2) + np.abs(x) * np.float32(0.5) - 1
    shade = (1 + np.float32(0.5) * leaves).clip(0.2, 2)
    lay_over(picture, coloured(green, shade), np.clip(amount * 3 + leaves, 0, 1))
    return picture


_Material = Callable[..., np.ndarray]
_MATERIAL_WEIGHTS: list[tuple[_Material, float]] = [
    (_stucco, 0.39),
    (_bars, 0.03),
    (_bricks, 0.18),
    (_boards, 0.12),
    (_stones, 0.06),
    (_smooth, 0.17),
    (_foliage, 0.05),
]
_MATERIALS = [material for material, _ in _MATERIAL_WEIGHTS]
_MATERIAL_LEVELS = np.cumsum([weight for _, weight in _MATERIAL_WEIGHTS])[:-1]
