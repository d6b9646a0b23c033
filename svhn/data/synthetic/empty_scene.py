"""Photos without any number: walls, frames, bells, plaques with words or nothing on them.

False numbers are counted on them (`svhn.evaluation.photos_without_numbers`), so none is trained on;
training has those of `svhn.data.synthetic.without_number`.
"""

import numpy as np

from svhn.data.synthetic import colours
from svhn.data.synthetic.digits import digit_mask, draw_lettering, put_on_wall
from svhn.data.synthetic.fittings import paint_fitting, paint_twig
from svhn.data.synthetic.fonts import Typeface
from svhn.data.synthetic.ink import paint_ink
from svhn.data.synthetic.lighting import light_wall
from svhn.data.synthetic.photography import draw_camera, take_photo
from svhn.data.synthetic.plaques import draw_plaque, paint_plaque
from svhn.data.synthetic.projection import Projection, view
from svhn.data.synthetic.signs import typefaces_with_letters
from svhn.data.synthetic.walls import paint_edges, paint_wall

SMALLEST_SIDE, LARGEST_SIDE = 64, 640
"""Of the longer side of a photo, pixels."""

_LETTERS = "ACEFHKMNPRTUVWXYadekmnprtuvwxy"
"""Those that no digit looks like."""


def render_empty_scene(random: np.random.Generator, typefaces: tuple[Typeface, ...]) -> np.ndarray:
    """Returns a photo of a house on which there is no digit.

    Args:
        random: The photo's own generator; everything comes from it.
        typefaces: Of the words; at least one.

    Returns:
        uint8 [H, W, 3].
    """
    longer = np.exp(random.uniform(np.log(SMALLEST_SIDE), np.log(LARGEST_SIDE)))
    shorter = longer * random.uniform(0.4, 1.0)
    width, height = (round(side) for side in (longer, shorter))
    if random.random() < 0.3:
        width, height = height, width
    unit = height * np.exp(random.uniform(np.log(0.06), np.log(0.4)))
    wall = view(
        centre=(width * random.uniform(0.2, 0.8), height * random.uniform(0.2, 0.8)),
        unit=unit,
        turn=random.normal(0, 0.05),
        shear=random.normal(0, 0.05),
        slant_x=random.normal(0, 0.01),
        slant_y=random.normal(0, 0.01),
    )
    x, y = wall.wall_coordinates((slice(0, height), slice(0, width)))
    light = float(random.choice([-1, 1]) * random.uniform(0.2, 0.8)), random.uniform(0.4, 1.0)
    picture, ground = paint_wall(random, x, y, unit)
    for _ in range(int(random.integers(0, 3))):
        paint_edges(random, picture, x, y, unit)
    for _ in range(int(random.integers(0, 4))):
        place = wall.moved(*random.normal(0, 1.5, 2))
        paint_fitting(random, picture, place, (0.2, 0.2), light)
    if random.random() < 0.5:
        _paint_sign(random, picture, typefaces, wall, ground, light)
    if random.random() < 0.15:
        paint_twig(random, picture, x, y, unit)
    light_wall(random, picture, x, y, unit)
    middle = np.array([width * 0.3, height * 0.3, width * 0.7, height * 0.7])
    camera = draw_camera(random, min(unit, 60.0))
    return take_photo(random, picture, camera, middle, (width, height))


def _paint_sign(
    random: np.random.Generator,
    picture: np.ndarray,
    typefaces: tuple[Typeface, ...],
    wall: Projection,
    ground: np.ndarray,
    light: tuple[float, float],
) -> None:
    """Paints a word, perhaps on a plaque, or an empty plaque."""
    kind = random.random()
    on_plaque = kind < 0.7
    if on_plaque:
        ground, colour = colours.plaque_colours(random)
    else:
        colour = colours.digit_colour_on(random, ground)
    place = wall.moved(*random.normal(0, 1.0, 2), random.normal(0, 0.03))
    word = "".join(
        _LETTERS[int(letter)] for letter in random.integers(0, len(_LETTERS), random.integers(1, 9))
    )
    lettering = draw_lettering(
        random,
        typefaces_with_letters(typefaces),  # others write rows of boxes, which a 0 looks like
        colours.is_light_on_dark(colour, ground),
        on_plaque,
    )
    height = random.uniform(0.3, 1.0)
    mask = digit_mask(lettering, word, height * wall.unit)
    is_blank = kind < 0.2 or not mask.size
    half_width = 0.7 if is_blank else height * mask.shape[1] / max(mask.shape[0], 1) / 2
    if on_plaque:
        plaque = draw_plaque(random, half_width, height / 2, ground, colour)
        paint_plaque(random, picture, plaque, place, light)
    if not is_blank:
        ink = np.zeros(picture.shape[1:], np.float32)
        put_on_wall(ink, mask, (-half_width, -height / 2, 2 * half_width, height), place)
        paint_ink(random, picture, ink, colour, wall.unit, light)
