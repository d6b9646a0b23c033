"""One photo of a house number, from the choice of the number to its pixels and boxes."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from svhn.data.synthetic import colours
from svhn.data.synthetic.annotation import draw_boxes
from svhn.data.synthetic.digits import Lettering, digit_mask, draw_lettering, put_on_wall
from svhn.data.synthetic.fittings import paint_fitting, paint_twig, write_neighbours
from svhn.data.synthetic.fonts import Typeface
from svhn.data.synthetic.ink import paint_ink
from svhn.data.synthetic.layout import LENGTH_FREQUENCIES, Layout, draw_layout
from svhn.data.synthetic.lighting import light_wall
from svhn.data.synthetic.photography import draw_camera, take_photo
from svhn.data.synthetic.plaques import draw_plaque, paint_plaque
from svhn.data.synthetic.projection import Projection, view
from svhn.data.synthetic.walls import paint_edges, paint_wall
from svhn.geometry import clip_boxes

_MAX_CANVAS_PIXELS = 22_000
_MAX_SUPERSAMPLING = 1.4
_PLAQUE_SHARE = 0.62
_TILES_SHARE = 0.05
"""Numbers on one plaque, and with a tile under each digit; the others are right on the wall."""

_LEAST_SEEN = 0.3
"""The share of each digit's box that must lie in the photo."""

_INK_HEIGHT = 0.93
"""Height of the ink over the height of its box: SVHN's boxes are slightly loose."""


@dataclasses.dataclass(frozen=True, eq=False)
class RenderedPhoto:
    """A photo and its labels.

    Attributes:
        pixels: uint8 (H, W, 3).
        digits: 0 to 9, in reading order.
        boxes: float32 (N, 4): left, top, width, height in whole pixels, as an annotator draws
            them.
        ink_boxes: float32 (N, 4): the same, tight around the digits' ink.
    """

    pixels: np.ndarray
    digits: tuple[int, ...]
    boxes: np.ndarray
    ink_boxes: np.ndarray


def render_photo(
    random: np.random.Generator,
    typefaces: tuple[Typeface, ...],
    length_frequencies: Mapping[int, float] = LENGTH_FREQUENCIES,
    spaced: float = 0.0,
) -> RenderedPhoto:
    """Returns a photo of a house number; everything in it comes from `random`.

    Args:
        random: The photo's own generator.
        typefaces: The fonts to choose from, at least one.
        length_frequencies: How often numbers of each length come.
        spaced: The share of numbers whose digits stand far apart.
    """
    while True:
        photo = _render(random, typefaces, length_frequencies, spaced)
        height, width = photo.pixels.shape[:2]
        seen = clip_boxes(photo.boxes, width, height)[:, 2:].prod(axis=1)
        # Steep numbers at a photo's edge can leave it; nobody would label what isn't there.
        if (seen >= _LEAST_SEEN * photo.boxes[:, 2:].prod(axis=1)).all():
            return photo


def _render(
    random: np.random.Generator,
    typefaces: tuple[Typeface, ...],
    length_frequencies: Mapping[int, float],
    spaced: float,
) -> RenderedPhoto:
    layout = draw_layout(random, length_frequencies, spaced)
    size = (layout.photo_width, layout.photo_height)
    scale = min(_MAX_SUPERSAMPLING, (_MAX_CANVAS_PIXELS / (size[0] * size[1])) ** 0.5)
    width, height = round(size[0] * scale), round(size[1] * scale)
    wall_view = _draw_view(random, layout, scale)
    unit = wall_view.unit
    light = float(random.choice([-1, 1]) * random.uniform(0.2, 0.8)), random.uniform(0.4, 1.0)

    x, y = wall_view.wall_coordinates((slice(0, height), slice(0, width)))
    picture, ground = paint_wall(random, x, y, unit)
    if random.random() < 0.85:
        paint_edges(random, picture, x, y, unit)

    ground_kind = random.random()
    on_plate = ground_kind < _PLAQUE_SHARE + _TILES_SHARE
    if on_plate:
        ground, colour = colours.plaque_colours(random)
    else:
        colour = colours.digit_colour_on(random, ground)
    lettering = draw_lettering(
        random, typefaces, colours.is_light_on_dark(colour, ground), on_plate
    )
    masks, places = arrange_digits(random, layout, lettering, unit)
    extent = float(np.abs(places[:, 0]).max()), float(np.abs(places[:, 1]).max())
    if random.random() < 0.18:
        paint_fitting(random, picture, wall_view, extent, light)
    sign_view = wall_view.moved(0, 0, random.normal(0, 0.02))
    if ground_kind < _PLAQUE_SHARE:
        plaque = draw_plaque(random, *extent, ground, colour)
        shift = random.normal(0, 0.02, 2)
        paint_plaque(random, picture, plaque, sign_view.moved(*shift), light)
    elif on_plate:
        _paint_tiles(random, picture, places, sign_view, light, ground, colour)

    ink = np.zeros((height, width), np.float32)
    turns = random.normal(0, 0.05 if random.random() < 0.2 else 0.01, len(masks))
    edges = np.stack(
        [
            _put_digit(ink, mask, place, sign_view, turn)
            for mask, place, turn in zip(masks, places, turns, strict=True)
        ]
    )
    if random.random() < 0.16:
        write_neighbours(random, ink, lettering, sign_view, extent)
    paint_ink(random, picture, ink, colour, unit, light)
    if random.random() < 0.03:
        paint_twig(random, picture, x, y, unit)
    light_wall(random, picture, x, y, unit)

    edges *= np.array([size[0] / width, size[1] / height] * 2)
    camera = draw_camera(random, layout.digit_height)
    number_edges = np.concatenate([edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)])
    pixels = take_photo(random, picture, camera, number_edges, size)
    ink_boxes = np.concatenate([edges[:, :2], edges[:, 2:] - edges[:, :2]], axis=1)
    return RenderedPhoto(
        pixels, layout.digits, draw_boxes(random, edges, size), ink_boxes.astype(np.float32)
    )


def arrange_digits(
    random: np.random.Generator, layout: Layout, lettering: Lettering, unit: float
) -> tuple[list[np.ndarray], np.ndarray]:
    """Returns the digits' masks and where their ink stands on the wall.

    Args:
        random: Where small irregularities come from.
        layout: The number and its measures.
        lettering: How the digits are shaped.
        unit: Canvas pixels in one wall unit.

    Returns:
        Masks, float32 (h, w) each, and an array (N, 4) of left, top, width, height in wall units.
    """
    # The font is stretched as a whole; its 1 stays narrower than its 8.
    stretch = (layout.digit_aspect - 0.085) / lettering.aspect
    stretch = float(np.clip(stretch, 0.4, 1.8))
    masks = [
        digit_mask(lettering, str(digit), unit * _INK_HEIGHT, stretch) for digit in layout.digits
    ]
    natural = np.array([mask.shape[1] / mask.shape[0] for mask in masks])
    widths = natural * stretch * _INK_HEIGHT
    gap = max(layout.gap + 0.09, -0.015 if lettering.slant == 0 else -0.1)
    count = len(masks)
    places = np.zeros((count, 4))
    if layout.vertical:
        places[:, 0] = -widths / 2
        places[:, 1] = (np.arange(count) - (count - 1) / 2) * (1 + max(gap, 0)) - _INK_HEIGHT / 2
    else:
        lefts = np.concatenate([[0], np.cumsum(widths[:-1] + gap)])
        places[:, 0] = lefts - (lefts[-1] + widths[-1]) / 2
        steps = (np.arange(count) - (count - 1) / 2) * layout.staircase
        places[:, 1] = steps - _INK_HEIGHT / 2 + random.normal(0, 0.012, count)
    places[:, 2] = widths
    places[:, 3] = _INK_HEIGHT
    return masks, places


def _put_digit(ink, mask, place, sign_view, turn) -> np.ndarray:
    left, top, width, height = place
    about_centre = sign_view.moved(left + width / 2, top + height / 2, turn)
    return put_on_wall(ink, mask, (-width / 2, -height / 2, width, height), about_centre)


def _draw_view(random: np.random.Generator, layout: Layout, scale: float) -> Projection:
    """Most walls are seen nearly straight, some from the side, a few from a tilted camera."""
    oblique = random.random() < 0.2
    # The wall's levels climb by `slope`: where it is seen from the side its uprights stay
    # upright; where the camera or the number is turned they lean as well.
    turned = random.uniform(0.5, 1.1) if random.random() < 0.4 else random.uniform(0, 0.3)
    slope = layout.slope
    return view(
        centre=(layout.centre[0] * scale, layout.centre[1] * scale),
        unit=layout.digit_height * scale,
        turn=float(np.arctan(slope * turned)) + random.normal(0, 0.012),
        shear=slope * (1 - turned) + random.normal(0, 0.012),
        slant_x=random.normal(0, 0.06 if oblique else 0.02),
        slant_y=random.normal(0, 0.02),
    )


def _paint_tiles(random, picture, places, sign_view, light, plate, ink_colour) -> None:
    """Paints a tile under each digit."""
    half_height = places[0, 3] / 2
    first = draw_plaque(random, places[:, 2].max() / 2, half_height, plate, ink_colour)
    tile = dataclasses.replace(
        first,
        half_width=places[:, 2].max() / 2 + random.uniform(0.02, 0.08),
        half_height=half_height + random.uniform(0.04, 0.2),
        round_shape=False,
        line=0.0,
        corner=0.02,
    )
    for left, top, width, height in places:
        middle = sign_view.moved(left + width / 2, top + height / 2, random.normal(0, 0.015))
        paint_plaque(random, picture, tile, middle, light)
