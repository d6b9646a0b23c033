"""What walls have, and digits are taken for: railings and fences (1, 11), windows, doors with
panels, shutters, foliage, wires.
"""

import numpy as np
from PIL import Image, ImageDraw

from svhn.data.synthetic import colours
from svhn.data.synthetic.projection import Projection
from svhn.data.synthetic.textures import (
    coloured,
    coverage,
    lay_over,
    rectangle,
    shifted,
    smooth_noise,
)

_METALS = np.array(
    [[32, 32, 34], [44, 46, 50], [60, 44, 36], [30, 48, 40], [205, 205, 200], [120, 122, 125]],
    np.float32,
) / np.float32(255)  # iron, steel, rust, green paint, white paint, zinc
_LEAVES = np.array(
    [[58, 74, 40], [72, 92, 48], [46, 60, 38], [96, 104, 60], [110, 70, 48]], np.float32
)


def metal_colour(random: np.random.Generator) -> np.ndarray:
    """Returns the colour of iron, painted or rusty, float32 (3,)."""
    colour = _METALS[int(random.integers(len(_METALS)))]
    return (colour * np.float32(np.exp(random.normal(0, 0.2)))).clip(0.02, 0.95)


def paint_railing(
    random: np.random.Generator, picture: np.ndarray, x: np.ndarray, y: np.ndarray, unit: float
) -> None:
    """Paints bars or pickets in a row, with rails across them; balls, points or rings on some.

    Args:
        random: Where the choices come from.
        picture: float32 (3, H, W); changed.
        x: Wall coordinate of each pixel, float32 (H, W).
        y: The same downwards.
        unit: Pixels in one wall unit.
    """
    across, along = (x, y) if random.random() < 0.85 else (y, x)
    pitch = np.float32(np.exp(random.uniform(np.log(0.18), np.log(1.4))))
    half = pitch * np.float32(random.uniform(0.07, 0.2 if random.random() < 0.6 else 0.42))
    top = np.float32(random.uniform(-4, 0.8))
    bottom = top + np.float32(random.uniform(1.2, 7))
    place = across / pitch + np.float32(random.random())
    from_bar = np.abs(place - np.floor(place) - np.float32(0.5)) * pitch
    distance = np.maximum(from_bar - half, np.maximum(top - along, along - bottom))
    ending = random.random()
    if ending < 0.2:  # balls
        ball = np.hypot(from_bar, along - top) - half * np.float32(random.uniform(1.3, 2.2))
        distance = np.minimum(distance, ball)
    elif ending < 0.45:  # points
        steep = np.float32(random.uniform(0.25, 0.8))
        point = from_bar - half + (top - along) * steep
        distance = np.minimum(distance, np.maximum(point, along - top))
    for rail in (top + random.uniform(0.0, 0.5), bottom - random.uniform(0.0, 0.5)):
        if random.random() < 0.8:
            thickness = half * np.float32(random.uniform(0.6, 1.6))
            distance = np.minimum(distance, np.abs(along - np.float32(rail)) - thickness)
    if random.random() < 0.2:  # rings between the bars
        from_gap = np.abs(place - np.round(place)) * pitch
        row = top + np.float32(random.uniform(0.1, 1.0)) * (pitch + half)
        radius = pitch * np.float32(0.5) - half
        ring = np.abs(np.hypot(from_gap, along - row) - radius * np.float32(0.8))
        distance = np.minimum(distance, ring - half * np.float32(0.7))
    inside = coverage(distance, 1 / unit)
    _shade_behind(random, picture, inside, unit)
    roundness = np.float32(random.uniform(0, 0.5))
    shade = 1 - roundness * np.minimum(from_bar / half, 1)
    lay_over(picture, coloured(metal_colour(random), shade), inside)


def paint_window(
    random: np.random.Generator,
    picture: np.ndarray,
    place: Projection,
    half_width: float,
    half_height: float,
) -> None:
    """Paints a window: frame, bars that divide it into panes, and glass that mirrors the sky."""
    covered = place.part_around(picture, half_width, half_height, 0.2)
    if covered is None:
        return
    (part, x, y), pixel = covered, 1 / place.unit
    frame = random.uniform(0.04, 0.16) * min(half_width, half_height)
    outside = rectangle(x, y, half_width, half_height)
    dark = np.float32(random.uniform(0.05, 0.3)) * np.array([0.95, 1.0, 1.1], np.float32)
    sky = np.clip(smooth_noise(random, x.shape, place.unit * random.uniform(0.4, 2)), -1, 1)
    glass = coloured(dark, 1 + np.float32(random.uniform(0, 0.8)) * sky)
    if random.random() < 0.3:  # a curtain in folds
        folds = np.sin(x * np.float32(random.uniform(6, 25)) + np.float32(random.uniform(0, 6)))
        glass += np.float32(random.uniform(0.1, 0.4)) * (1 + np.float32(0.3) * folds)
    wood = colours.wall_colour(random)
    if random.random() < 0.6:
        wood = wood * np.float32(0.25) + np.float32(random.uniform(0.5, 0.7))
    bars = -outside - np.float32(frame)
    columns, rows = (int(random.choice([1, 2, 2, 3, 4])) for _ in range(2))
    for coordinate, half, panes in ((x, half_width, columns), (y, half_height, rows)):
        thickness = np.float32(frame * random.uniform(0.25, 0.6))
        for pane in range(1, panes):
            middle = np.float32(half * (2 * pane / panes - 1))
            bars = np.minimum(bars, np.abs(coordinate - middle) - thickness)
    lay_over(glass, wood, coverage(bars, pixel))
    inside = coverage(outside, pixel)
    lay_over(part, glass, inside)
    sill = np.maximum(
        np.abs(y - np.float32(half_height + 0.05)) - np.float32(0.05), np.abs(x) - half_width - 0.1
    )
    lay_over(part, wood * np.float32(random.uniform(0.6, 1.2)), coverage(sill, pixel))


def paint_door(
    random: np.random.Generator,
    picture: np.ndarray,
    place: Projection,
    half_width: float,
    half_height: float,
) -> None:
    """Paints a door with sunk panels, or a shutter, a garage door or a gate with slats."""
    covered = place.part_around(picture, half_width, half_height, 0.2)
    if covered is None:
        return
    (part, x, y), pixel = covered, 1 / place.unit
    outside = rectangle(x, y, half_width, half_height)
    shade = 1 + np.float32(0.03) * smooth_noise(random, x.shape, place.unit)
    if random.random() < 0.5:
        pitch = np.float32(np.exp(random.uniform(np.log(0.08), np.log(0.5))))
        slat = (y if random.random() < 0.75 else x) / pitch
        within = slat - np.floor(slat)
        depth = np.float32(random.uniform(0.15, 0.7))
        shade *= 1 - depth * np.clip(within * 2 - 1, 0, 1) ** 2
        shade += np.float32(random.uniform(0, 0.25)) * np.clip(0.25 - within, 0, 1)
    else:
        columns, rows = int(random.integers(1, 4)), int(random.integers(1, 4))
        cell = half_width * 2 / columns, half_height * 2 / rows
        across = np.abs((x / cell[0] + columns / 2) % 1 - 0.5) * cell[0]
        down = np.abs((y / cell[1] + rows / 2) % 1 - 0.5) * cell[1]
        margin = random.uniform(0.1, 0.3) * min(cell)
        panel = np.maximum(across - cell[0] / 2, down - cell[1] / 2) + np.float32(margin)
        edge = np.clip(1 - np.abs(panel) * np.float32(1 / (margin * 0.35)), 0, 1)
        shade *= 1 - np.float32(random.uniform(-0.25, 0.6)) * edge
    frame = np.clip(1 + outside * np.float32(12), 0, 1)
    shade *= 1 - np.float32(random.uniform(0, 0.5)) * frame
    colour = colours.wall_colour(random)
    lay_over(part, coloured(colour, shade.astype(np.float32)), coverage(outside, pixel))


def paint_foliage(random: np.random.Generator, picture: np.ndarray, unit: float) -> None:
    """Paints leaves that hang or grow into the photo from one of its sides."""
    height, width = picture.shape[1:]
    leaves, cover = Image.new("RGB", (width, height)), Image.new("L", (width, height))
    pens = ImageDraw.Draw(leaves), ImageDraw.Draw(cover)
    size = max(1.5, unit * np.exp(random.uniform(np.log(0.06), np.log(0.45))))
    count = int(min(500, random.uniform(0.2, 1.2) * width * height / size**2))
    middle = random.uniform(0, 1, 2) * (width, height)
    if random.random() < 0.6:
        axis = int(random.integers(2))
        middle[axis] = random.choice([0.0, 1.0]) * (width, height)[axis]
    spread = random.uniform(0.12, 0.4) * np.array([width, height]) * random.uniform(0.6, 2, 2)
    middles = random.normal(middle, spread, (count, 2))
    angles = random.normal(random.uniform(0, np.pi), random.uniform(0.3, 1.5), count)
    slender = random.uniform(0.25, 0.7)
    colour = _LEAVES[int(random.integers(len(_LEAVES)))]
    shades = np.exp(random.normal(0, 0.35, count))
    sizes = size * np.exp(random.normal(0, 0.25, count))
    outline = np.array([(-1, 0), (-0.4, slender), (0.4, slender), (1, 0), (0.4, -slender),
                        (-0.4, -slender)])  # fmt: skip
    for (across, down), angle, shade, half in zip(middles, angles, shades, sizes, strict=True):
        cosine, sine = np.cos(angle) * half, np.sin(angle) * half
        points = outline @ np.array([[cosine, sine], [-sine, cosine]]) + (across, down)
        corners = [tuple(point) for point in points]
        pens[0].polygon(corners, fill=tuple(int(level) for level in (colour * shade).clip(5, 250)))
        pens[1].polygon(corners, fill=255)
    above = np.moveaxis(np.asarray(leaves, np.float32), 2, 0) * np.float32(1 / 255)
    lay_over(picture, above, np.asarray(cover, np.float32) * np.float32(1 / 255))


def paint_wires(
    random: np.random.Generator, picture: np.ndarray, x: np.ndarray, y: np.ndarray, unit: float
) -> None:
    """Paints wires, ropes or pipes that run through the photo, some sagging, some side by side."""
    along, across = (x, y) if random.random() < 0.6 else (y, x)
    slope, sag = random.normal(0, 0.25), random.normal(0, 0.04)
    course = across - np.float32(slope) * along - np.float32(sag) * along * along
    start, pitch = random.normal(0, 1.5), random.uniform(0.1, 0.8)
    half = np.float32(np.exp(random.uniform(np.log(0.012), np.log(0.12))))
    colour = metal_colour(random)
    for number in range(int(random.integers(1, 5))):
        distance = np.abs(course - np.float32(start + number * pitch))
        inside = coverage(distance - half, 1 / unit)
        _shade_behind(random, picture, inside, unit)
        shade = 1 + np.float32(0.3) * (1 - np.minimum(distance / half, 1))
        lay_over(picture, coloured(colour, shade), inside)


def _shade_behind(
    random: np.random.Generator, picture: np.ndarray, inside: np.ndarray, unit: float
) -> None:
    """Darkens what lies in the shadow of something before it, more often than not."""
    if random.random() < 0.6:
        right, down = random.uniform(-0.12, 0.12, 2) * unit
        picture *= 1 - np.float32(random.uniform(0.1, 0.5)) * shifted(inside, right, down)
