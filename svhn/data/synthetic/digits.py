"""Digits as masks: drawn from a font, made bolder or thinner, cut as a stencil, put on the wall."""

import dataclasses

import numpy as np
from PIL import Image, ImageFilter

from svhn.data.synthetic.enamel import EnamelStyle, draw_enamel_style, enamel_mask
from svhn.data.synthetic.fonts import (
    Typeface,
    ink_share,
    is_italic,
    stroke_contrast,
    text_mask,
    typical_aspect,
)
from svhn.data.synthetic.projection import Projection, apply, region_of

_ENAMEL_ON_PLAQUES, _ENAMEL_ON_WALLS = 0.36, 0.1
"""Shares of the numbers that are written as on French enamel plaques."""

_DIGITS = tuple("0123456789")

_TRIES = 5
"""Fonts that are looked at before one is taken that house numbers seldom have."""


@dataclasses.dataclass(frozen=True, eq=False)
class Lettering:
    """How all digits of one number are shaped.

    Attributes:
        typeface: The font.
        weight: Bolder above 0, thinner below; about -0.2 to 0.2.
        slant: How much the digits lean, x per y.
        stencil: Whether bridges cut the strokes.
        hollow: Whether only the contours of the strokes are there.
        rounding: Radius that rounds corners (cast and worn digits), share of the height.
        warp: float (3, 3, 2): how far (right, down) the corners, the middles of the edges and the
            centre of every digit are drawn from their places, shares of the height: no two
            founders and sign painters make the same digits. None for none.
        enamel: If given, the digits are drawn like this instead of with the font.
    """

    typeface: Typeface
    weight: float = 0.0
    slant: float = 0.0
    stencil: bool = False
    hollow: bool = False
    rounding: float = 0.02
    warp: np.ndarray | None = None
    enamel: EnamelStyle | None = None

    @property
    def aspect(self) -> float:
        """Width over height of an 8."""
        return self.enamel.width if self.enamel else typical_aspect(self.typeface)


def draw_lettering(
    random: np.random.Generator,
    typefaces: tuple[Typeface, ...],
    light_on_dark: bool,
    on_plaque: bool,
) -> Lettering:
    """Returns a lettering drawn at random from the fonts.

    Args:
        random: Where the choices come from.
        typefaces: The fonts to choose from.
        light_on_dark: Whether the digits are brighter than their ground: they look thicker on
            photos then.
        on_plaque: Whether they are on a plaque, where drawn enamel digits are frequent.
    """
    typeface = typefaces[int(random.integers(len(typefaces)))]
    for _ in range(_TRIES):
        if random.random() < _frequency(typeface):
            break
        typeface = typefaces[int(random.integers(len(typefaces)))]
    enamel = None
    if random.random() < (_ENAMEL_ON_PLAQUES if on_plaque else _ENAMEL_ON_WALLS):
        enamel = draw_enamel_style(random, light_on_dark)
    # House numbers are bold: thin fonts are thickened, bold ones are not.
    thickening = np.clip((0.46 - ink_share(typeface)) * 0.8, -0.07, 0.14)
    thickening += 0.07 if light_on_dark else 0.0
    if enamel:
        thickening = 0.0
    weight = float(np.clip(random.normal(thickening, 0.08), -0.15, 0.25))
    return Lettering(
        typeface=typeface,
        weight=weight,
        slant=float(random.normal(0, 0.12)) if random.random() < 0.2 else 0.0,
        stencil=bool(random.random() < 0.06),
        hollow=bool(random.random() < 0.025),
        rounding=max(random.uniform(0.012, 0.035), 0.2 * abs(weight)),
        warp=random.normal(0, random.uniform(0.01, 0.05), (3, 3, 2)),
        enamel=enamel,
    )


def _frequency(typeface: Typeface) -> float:
    """How often house numbers are in such a face, 1 for the most frequent ones.

    Measured by finding the fonts that are most like the clear digits of real photos, and doing
    the same with rendered ones: real digits are bolder, often condensed or with thin level
    strokes (French enamel), and seldom in italics.
    """
    bold = float(np.interp(ink_share(typeface), [0.4, 0.6], [0.4, 1.0]))
    fat_face = 1.0 if stroke_contrast(typeface) > 2.4 and ink_share(typeface) > 0.45 else 0.65
    return bold * fat_face * (0.4 if is_italic(typeface) else 1.0)


def digit_mask(lettering: Lettering, text: str, height: float, stretch: float = 1.0) -> np.ndarray:
    """Returns the ink of a digit (or of other short text), cut to its edges.

    Args:
        lettering: How it is shaped.
        text: A digit.
        height: About how high it should be, pixels.
        stretch: How much wider than the font's it will be made: the upright strokes of condensed
            digits are bolder, those of wide ones thinner, than a stretched font's.

    Returns:
        float32 array (h, w), 0 to 1; h is near `height`.
    """
    size = int(np.clip(np.ceil(height / 0.72 / 8) * 8, 16, 200))
    if lettering.enamel and text in _DIGITS:
        mask = enamel_mask(lettering.enamel, text, 0.72 * size)
    else:
        mask = text_mask(lettering.typeface, text, size)
    rounding = 0.04 if lettering.hollow else lettering.rounding
    radius = max(0.8, rounding * mask.shape[0])
    reach = 2 * radius
    if lettering.warp is not None:
        reach += float(np.abs(lettering.warp).max()) * mask.shape[0]
    border = int(np.ceil(reach)) + 1
    picture = Image.fromarray(_bordered(mask, border))
    if lettering.slant:
        shift = abs(lettering.slant) * picture.height
        width = picture.width + int(np.ceil(shift))
        start = -shift if lettering.slant < 0 else 0.0
        picture = picture.transform(
            (width, picture.height),
            Image.Transform.AFFINE,
            (1, lettering.slant, start - (0 if lettering.slant < 0 else shift), 0, 1, 0),
            Image.Resampling.BILINEAR,
        )
    if lettering.warp is not None and len(text) == 1:
        picture = _warped(picture, lettering.warp)
    # A blurred mask falls off evenly across an edge, so its level lines are bolder and thinner
    # digits with rounded corners.
    field = np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255
    level = 0.5 - lettering.weight
    ink = np.clip((field - np.float32(level)) * np.float32(1.6 * radius) + np.float32(0.5), 0, 1)
    if abs(stretch - 1) > 0.08:
        ink = _with_uprights_scaled(ink, stretch**-_UPRIGHTS_KEEP)
    if lettering.hollow:
        core = (field - np.float32(min(level + 0.4, 0.95))) * np.float32(1.6 * radius)
        ink = ink - np.clip(core + np.float32(0.5), 0, 0.9)
    if lettering.stencil and text not in "147":
        ink = _bridged(ink)
    rows = np.flatnonzero(ink.max(axis=1) > 0.3)
    columns = np.flatnonzero(ink.max(axis=0) > 0.3)
    if not len(rows) or not len(columns):
        return mask.astype(np.float32) / 255  # so thin a font that nothing was left
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


_UPRIGHTS_KEEP = 0.45
"""0: upright strokes are stretched with the digits; 1: they keep their thickness."""

_UPRIGHT_STROKE = 0.17
"""Typical thickness of a font's upright strokes, share of the height."""


def _with_uprights_scaled(ink: np.ndarray, factor: float) -> np.ndarray:
    """Makes upright strokes thicker or thinner by a factor near 1; level ones stay as they are."""
    radius = 0.06 * ink.shape[0]
    growth = (factor - 1) * _UPRIGHT_STROKE * ink.shape[0] / 2  # on each side
    picture = Image.fromarray((ink * np.float32(255)).astype(np.uint8))
    field = np.asarray(picture.filter(ImageFilter.GaussianBlur((radius, 0))), np.float32) / 255
    level = np.float32(np.clip(0.5 - 0.38 * growth / radius, 0.2, 0.75))
    # A stroke's edge keeps about the sharpness that it had.
    return np.clip((field - level) * np.float32(1.6 * radius) + np.float32(0.5), 0, 1)


def _warped(picture: Image.Image, warp: np.ndarray) -> Image.Image:
    """Draws nine points of a mask (corners, middles, centre) from their places."""
    x = np.array([0, picture.width // 2, picture.width])
    y = np.array([0, picture.height // 2, picture.height])
    from_x = x[None, :] - warp[..., 0] * picture.height
    from_y = y[:, None] - warp[..., 1] * picture.height
    corners = ((0, 0), (1, 0), (1, 1), (0, 1))  # row and column: the order that Pillow wants
    mesh = []
    for row in (0, 1):
        for column in (0, 1):
            source = []
            for down, right in corners:
                place = row + down, column + right
                source += [from_x[place], from_y[place]]
            mesh.append(((x[column], y[row], x[column + 1], y[row + 1]), source))
    return picture.transform(picture.size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def _bridged(ink: np.ndarray) -> np.ndarray:
    """A vertical bridge in the middle, as stencils have it."""
    centre, half = ink.shape[1] * 0.52, max(0.7, ink.shape[0] * 0.03)
    distance = np.abs(np.arange(ink.shape[1], dtype=np.float32) + 0.5 - centre)
    return ink * np.clip(distance - np.float32(half) + 0.5, 0, 1)


def put_on_wall(
    canvas: np.ndarray,
    mask: np.ndarray,
    box: tuple[float, float, float, float],
    projection: Projection,
) -> np.ndarray:
    """Adds a digit to the ink on a wall.

    Args:
        canvas: The ink so far, float32 (H, W), 0 to 1; changed in place.
        mask: The digit, float32 (h, w), 0 to 1.
        box: (left, top, width, height) of the digit on the wall, in wall units.
        projection: From wall to canvas.

    Returns:
        float64 array (4,): left, top, right and bottom edge of its ink on the canvas, pixels;
        the canvas may end before them.
    """
    height, width = mask.shape
    left, top, box_width, box_height = box
    to_wall = np.array([[box_width / width, 0, left], [0, box_height / height, top], [0, 0, 1]])
    to_canvas = projection.matrix @ to_wall
    outline = apply(to_canvas, _outline(mask))
    edges = np.concatenate([outline.min(axis=0), outline.max(axis=0)])
    region = region_of(edges[:2] - 1, edges[2:] + 1, canvas.shape)
    if region is None:
        return edges
    rows, columns = region
    # Pillow asks for the way back: from the pixels of this part of the canvas to those of the
    # mask, which gets a border of one pixel.
    to_part = np.array([[1, 0, columns.start], [0, 1, rows.start], [0, 0, 1.0]])
    border = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1.0]])
    back = border @ np.linalg.inv(to_canvas) @ to_part
    back /= back[2, 2]
    source = Image.fromarray(_bordered((mask * np.float32(255)).astype(np.uint8), 1))
    seen = source.transform(
        (columns.stop - columns.start, rows.stop - rows.start),
        Image.Transform.PERSPECTIVE,
        tuple(back.ravel()[:8]),
        Image.Resampling.BILINEAR,
    )
    part = canvas[region]
    np.maximum(part, np.asarray(seen) * np.float32(1 / 255), out=part)
    return edges


def _bordered(mask: np.ndarray, border: int) -> np.ndarray:
    """A mask with zeros around it; several times as fast as `np.pad`."""
    height, width = mask.shape
    result = np.zeros((height + 2 * border, width + 2 * border), mask.dtype)
    result[border : border + height, border : border + width] = mask
    return result


def _outline(mask: np.ndarray) -> np.ndarray:
    """Corner points of the ink's outermost pixels in each row, shape (N, 2), mask pixels."""
    inked = mask > 0.5
    rows = np.flatnonzero(inked.any(axis=1))
    if not len(rows):
        return np.array([[0, 0], mask.shape[::-1]], np.float64)
    first = inked[rows].argmax(axis=1)
    last = mask.shape[1] - inked[rows, ::-1].argmax(axis=1)
    x = np.concatenate([first, first, last, last])
    y = np.concatenate([rows, rows + 1, rows, rows + 1])
    return np.stack([x, y], axis=1).astype(np.float64)
