"""Photos of houses without any number, to train a detector on what is none.

Not the photos of `svhn.data.synthetic.empty_scene`, on which false numbers are counted; both are
painted with the same walls, plaques, fonts and cameras.
"""

import dataclasses

import numpy as np

from svhn.data.synthetic import street_things, structures
from svhn.data.synthetic.fittings import paint_fitting
from svhn.data.synthetic.fonts import Typeface
from svhn.data.synthetic.lighting import light_wall
from svhn.data.synthetic.photography import draw_camera, take_photo
from svhn.data.synthetic.plaques import draw_plaque, paint_plaque
from svhn.data.synthetic.projection import Projection, view
from svhn.data.synthetic.signs import paint_sign, typefaces_with_letters
from svhn.data.synthetic.walls import paint_edges, paint_wall

SMALLEST_SIDE, USUAL_SIDE, LARGEST_SIDE = 96, 360, 1000
"""Of the longer side of a photo, pixels: from the first to the second, and of a tenth of the
photos from there to the third."""

_LARGE_SHARE = 0.1
_MAX_CANVAS_PIXELS = 50_000
_LETTER_PIXELS = 60.0
"""As high as the letters for which the camera is drawn: softer ones would show nothing."""

_THINGS = (
    (street_things.paint_ring, 4),
    (street_things.paint_scrollwork, 3),
    (street_things.paint_hardware, 3),
    (street_things.paint_letter_box, 2),
    (street_things.paint_bin, 1),
    (street_things.paint_bells, 2),
)
_THING_WEIGHTS = np.array([weight for _, weight in _THINGS]) / sum(weight for _, weight in _THINGS)


def render_photo_without_number(
    random: np.random.Generator, typefaces: tuple[Typeface, ...]
) -> np.ndarray:
    """Returns a photo on which there is no digit, uint8 [H, W, 3].

    Args:
        random: The photo's own generator; everything comes from it.
        typefaces: Of the words; at least one.
    """
    size = _draw_size(random)
    scale = min(1.0, (_MAX_CANVAS_PIXELS / (size[0] * size[1])) ** 0.5)
    width, height = (round(side * scale) for side in size)
    shorter = min(width, height)
    unit = shorter * np.exp(random.uniform(np.log(0.14), np.log(0.5)))
    wall = view(
        centre=(width / 2, height / 2),
        unit=unit,
        turn=random.normal(0, 0.05),
        shear=random.normal(0, 0.06),
        slant_x=random.normal(0, 0.015),
        slant_y=random.normal(0, 0.01),
    )
    x, y = wall.wall_coordinates((slice(0, height), slice(0, width)))
    light = float(random.choice([-1, 1]) * random.uniform(0.2, 0.8)), random.uniform(0.4, 1.0)
    picture, ground = paint_wall(random, x, y, unit)
    reach = width / unit / 2, height / unit / 2
    _paint_structures(random, picture, wall, reach)
    if random.random() < 0.35:
        structures.paint_railing(random, picture, x, y, unit)
    if random.random() < 0.4:
        paint_edges(random, picture, x, y, unit)
    for _ in range(int(random.choice([0, 1, 2, 2, 3, 4]))):
        paint = _THINGS[int(random.choice(len(_THINGS), p=_THING_WEIGHTS))][0]
        paint(random, picture, _somewhere(random, wall, reach), light)
    if random.random() < 0.3:
        paint_fitting(random, picture, _somewhere(random, wall, reach), (0.2, 0.2), light)
    if random.random() < 0.65:
        letters = typefaces_with_letters(typefaces)
        for _ in range(int(random.choice([1, 1, 1, 2, 3]))):
            half_width = random.uniform(0.3, 0.9) * reach[0]
            # All of it in the photo: of a word that is cut off, an O alone may be left.
            place = _somewhere(random, wall, (reach[0] - half_width, 0.7 * reach[1]), 1.0)
            largest = 0.4 * shorter / unit, half_width
            paint_sign(random, picture, letters, place, ground, light, largest)
    if random.random() < 0.12:
        structures.paint_wires(random, picture, x, y, unit)
    if random.random() < 0.2:
        structures.paint_foliage(random, picture, unit)
    light_wall(random, picture, x, y, unit)
    camera = draw_camera(random, min(unit / scale, _LETTER_PIXELS))
    # What is painted smaller than the photo is a coarse sensor's picture.
    camera = dataclasses.replace(camera, sensor_scale=min(camera.sensor_scale, scale))
    middle = np.array([size[0] * 0.3, size[1] * 0.3, size[0] * 0.7, size[1] * 0.7])
    return take_photo(random, picture, camera, middle, size)


def _draw_size(random: np.random.Generator) -> tuple[int, int]:
    """Returns the width and height of a photo, pixels."""
    sides = (USUAL_SIDE, LARGEST_SIDE) if random.random() < _LARGE_SHARE else (
        SMALLEST_SIDE, USUAL_SIDE,
    )  # fmt: skip
    longer = np.exp(random.uniform(*np.log(sides)))
    shorter = longer * random.uniform(0.5, 1.0)
    width, height = round(longer), round(shorter)
    return (height, width) if random.random() < 0.3 else (width, height)


def _paint_structures(
    random: np.random.Generator,
    picture: np.ndarray,
    wall: Projection,
    reach: tuple[float, float],
) -> None:
    """Paints windows and doors; a plate with nothing on it, too."""
    for _ in range(int(random.choice([0, 0, 1, 1, 2]))):
        half_width = random.uniform(0.4, 1.2) * min(reach) * 0.7
        half_height = half_width * random.uniform(0.8, 2.0)
        paint = structures.paint_window if random.random() < 0.55 else structures.paint_door
        paint(random, picture, _somewhere(random, wall, reach), half_width, half_height)
    if random.random() < 0.12:
        ground = np.full(3, random.uniform(0.1, 0.85), np.float32)
        blank = draw_plaque(random, random.uniform(0.3, 1.0), 0.4, ground, 1 - ground)
        paint_plaque(random, picture, blank, _somewhere(random, wall, reach), (0.5, 0.7))


def _somewhere(
    random: np.random.Generator,
    wall: Projection,
    reach: tuple[float, float],
    share: float = 0.75,
) -> Projection:
    """Returns where a thing hangs, seldom beyond the photo's edge."""
    across, down = (half * random.uniform(-share, share) for half in reach)
    return wall.moved(across, down, random.normal(0, 0.03))
