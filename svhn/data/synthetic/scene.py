"""One photo of a house number, from the choice of the number to its pixels and boxes."""

import dataclasses

import numpy as np

from svhn.data.synthetic import colours
from svhn.data.synthetic.digits import Lettering, digit_mask, draw_lettering, put_on_wall
from svhn.data.synthetic.fonts import Typeface
from svhn.data.synthetic.layout import Layout, draw_layout
from svhn.data.synthetic.lighting import light_wall
from svhn.data.synthetic.photography import draw_camera, take_photo
from svhn.data.synthetic.plaques import draw_plaque, paint_plaque
from svhn.data.synthetic.projection import view
from svhn.data.synthetic.textures import blend, blurred, shifted
from svhn.data.synthetic.walls import paint_edges, paint_wall

_MAX_CANVAS_PIXELS = 36_000
_MAX_SUPERSAMPLING = 2.0
_INK_HEIGHT = 0.93
"""Height of the ink over the height of its box: SVHN's boxes are slightly loose."""


@dataclasses.dataclass(frozen=True, eq=False)
class RenderedPhoto:
    """A photo and its labels.

    Attributes:
        pixels: uint8 (H, W, 3).
        digits: 0 to 9, in reading order.
        boxes: float32 (N, 4): left, top, width, height in whole pixels.
        ink_boxes: float32 (N, 4): the same, tight around the digits' ink.
    """

    pixels: np.ndarray
    digits: tuple[int, ...]
    boxes: np.ndarray
    ink_boxes: np.ndarray


def render_photo(random: np.random.Generator, typefaces: tuple[Typeface, ...]) -> RenderedPhoto:
    """Returns a photo of a house number; everything in it comes from `random`.

    Args:
        random: The photo's own generator.
        typefaces: The fonts to choose from, at least one.
    """
    layout = draw_layout(random)
    lettering = draw_lettering(random, typefaces)
    area = layout.photo_width * layout.photo_height
    scale = min(_MAX_SUPERSAMPLING, np.sqrt(_MAX_CANVAS_PIXELS / area))
    canvas_size = (round(layout.photo_width * scale), round(layout.photo_height * scale))
    unit = layout.digit_height * scale
    projection = view(
        centre=(layout.centre[0] * scale, layout.centre[1] * scale),
        unit=unit,
        turn=random.normal(0, 0.035) if random.random() < 0.85 else random.normal(0, 0.12),
        shear=random.normal(0, 0.05),
        slant_x=random.normal(0, 0.035),
        slant_y=random.normal(0, 0.02),
    )
    x, y = projection.wall_coordinates(canvas_size[1], canvas_size[0])
    picture, wall = paint_wall(random, x, y, unit)
    if random.random() < 0.55:
        picture = paint_edges(random, picture, x, y, unit)

    masks, places = arrange_digits(random, layout, lettering, unit)
    light = random.choice([-1, 1]) * random.uniform(0.2, 0.8), random.uniform(0.4, 1.0)
    if random.random() < 0.66:
        extent = _extent(places)
        plaque = draw_plaque(random, extent[2] / 2, extent[3] / 2)
        picture = paint_plaque(random, picture, plaque, x, y, unit, light)
        ink_colour = plaque.ink
    else:
        ink_colour = colours.digit_colour_on(random, wall)

    ink = np.zeros(canvas_size[::-1], np.float32)
    edges = np.stack(
        [
            put_on_wall(ink, mask, place, projection)
            for mask, place in zip(masks, places, strict=True)
        ]
    )
    picture = paint_ink(random, picture, ink, ink_colour, unit, light)
    picture = light_wall(random, picture, x, y, unit)
    camera = draw_camera(random, layout.digit_height)
    size = (layout.photo_width, layout.photo_height)
    pixels = take_photo(random, picture, camera, layout.digit_height, size)
    to_photo = np.array([size[0] / canvas_size[0], size[1] / canvas_size[1]] * 2)
    ink_edges = edges * to_photo
    boxes = annotate(random, ink_edges)
    ink_boxes = np.concatenate([ink_edges[:, :2], ink_edges[:, 2:] - ink_edges[:, :2]], axis=1)
    return RenderedPhoto(pixels, layout.digits, boxes, ink_boxes.astype(np.float32))


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
    masks = [digit_mask(lettering, str(digit), unit * _INK_HEIGHT) for digit in layout.digits]
    natural = np.array([mask.shape[1] / mask.shape[0] for mask in masks])
    # The font is stretched as a whole; its 1 stays narrower than its 8.
    typical = max(digit_mask(lettering, "8", 24).shape[1] / 24, 0.2)
    stretch = np.clip((layout.digit_aspect - 0.07) / typical, 0.5, 1.8)
    widths = natural * stretch * _INK_HEIGHT
    gap = max(layout.gap + 0.09, 0.02 if lettering.slant == 0 else -0.1)
    count = len(masks)
    places = np.zeros((count, 4))
    if layout.vertical:
        places[:, 0] = -widths / 2
        places[:, 1] = (np.arange(count) - (count - 1) / 2) * (1 + max(gap, 0)) - _INK_HEIGHT / 2
    else:
        lefts = np.concatenate([[0], np.cumsum(widths[:-1] + gap)])
        places[:, 0] = lefts - (lefts[-1] + widths[-1]) / 2
        steps = (np.arange(count) - (count - 1) / 2) * layout.step
        places[:, 1] = steps - _INK_HEIGHT / 2 + random.normal(0, 0.012, count)
    places[:, 2] = widths
    places[:, 3] = _INK_HEIGHT
    return masks, places


def paint_ink(
    random: np.random.Generator,
    picture: np.ndarray,
    ink: np.ndarray,
    colour: np.ndarray,
    unit: float,
    light: tuple[float, float],
) -> np.ndarray:
    """Returns the picture with the digits' ink on it: flat, raised with a shadow, or outlined."""
    style = random.random()
    if style < 0.3:  # raised: casts a shadow and has lit edges
        depth = random.uniform(0.02, 0.1) * unit
        shadow = blurred(shifted(ink, light[0] * depth, light[1] * depth), max(0.5, depth * 0.4))
        picture = picture * (1 - np.float32(random.uniform(0.2, 0.7)) * shadow)[..., None]
        soft = blurred(ink, max(0.5, 0.025 * unit))
        relief = shifted(soft, light[0] * 1.5, light[1] * 1.5) - soft
        face = colour * (1 + np.float32(random.uniform(0, 1.2)) * relief)[..., None]
        return blend(picture, face, ink)
    if style < 0.38:  # a contour of another brightness
        ring = np.clip(blurred(ink, max(0.5, 0.04 * unit)) * 3, 0, 1) - ink
        rim = colours.varied(random, colour, 0.8)
        picture = blend(picture, rim, np.clip(ring, 0, 1) * np.float32(random.uniform(0.3, 0.9)))
    return blend(picture, colour, ink * np.float32(random.uniform(0.8, 1.0)))


def annotate(random: np.random.Generator, edges: np.ndarray) -> np.ndarray:
    """Returns boxes as SVHN's annotators draw them: one height for all digits, a little loose.

    Args:
        random: The annotator's hand.
        edges: float (N, 4): left, top, right, bottom edge of each digit's ink, photo pixels.

    Returns:
        float32 (N, 4): left, top, width, height in whole pixels.
    """
    ink_height = edges[:, 3] - edges[:, 1]
    height = ink_height.max() * (1 + abs(random.normal(0.03, 0.05)))
    middle = (edges[:, 1] + edges[:, 3]) / 2 + random.normal(0, 0.012, len(edges)) * height
    space = 0.07 * height
    left = edges[:, 0] - np.abs(random.normal(0.6, 0.5, len(edges))) * space
    right = edges[:, 2] + np.abs(random.normal(0.6, 0.5, len(edges))) * space
    left, right = np.floor(left + 0.3), np.ceil(right - 0.3)
    top = np.round(middle - height / 2)
    rows = [left, top, right - left, np.full(len(edges), max(round(height), 1))]
    return np.stack(rows, axis=1).astype(np.float32)


def _extent(places: np.ndarray) -> tuple[float, float, float, float]:
    left, top = places[:, 0].min(), places[:, 1].min()
    right = (places[:, 0] + places[:, 2]).max()
    bottom = (places[:, 1] + places[:, 3]).max()
    return left, top, right - left, bottom - top
