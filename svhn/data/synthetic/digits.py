"""Digits as masks: drawn from a font, made bolder or thinner, cut as a stencil, put on the wall."""

import dataclasses

import numpy as np
from PIL import Image, ImageFilter

from svhn.data.synthetic.fonts import Typeface, ink_share, is_italic, text_mask
from svhn.data.synthetic.projection import Projection, apply, region_of


@dataclasses.dataclass(frozen=True)
class Lettering:
    """How all digits of one number are shaped.

    Attributes:
        typeface: The font.
        weight: Bolder above 0, thinner below; about -0.2 to 0.2.
        slant: How much the digits lean, x per y.
        stencil: Whether bridges cut the strokes.
        hollow: Whether only the contours of the strokes are there.
        rounding: Radius that rounds corners (cast and worn digits), share of the height.
    """

    typeface: Typeface
    weight: float = 0.0
    slant: float = 0.0
    stencil: bool = False
    hollow: bool = False
    rounding: float = 0.02


def draw_lettering(random: np.random.Generator, typefaces: tuple[Typeface, ...]) -> Lettering:
    """Returns a lettering drawn at random from the fonts."""
    typeface = typefaces[int(random.integers(len(typefaces)))]
    for _ in range(2):  # few house numbers are in italics
        if is_italic(typeface) and random.random() < 0.7:
            typeface = typefaces[int(random.integers(len(typefaces)))]
    # House numbers are bold: thin fonts are thickened, bold ones are not.
    thickening = np.clip((0.5 - ink_share(typeface)) * 0.8, -0.05, 0.16)
    weight = float(np.clip(random.normal(thickening, 0.08), -0.15, 0.25))
    return Lettering(
        typeface=typeface,
        weight=weight,
        slant=float(random.normal(0, 0.12)) if random.random() < 0.2 else 0.0,
        stencil=bool(random.random() < 0.06),
        hollow=bool(random.random() < 0.025),
        rounding=max(random.uniform(0.012, 0.035), 0.2 * abs(weight)),
    )


def digit_mask(lettering: Lettering, text: str, height: float) -> np.ndarray:
    """Returns the ink of a digit (or of other short text), cut to its edges.

    Args:
        lettering: How it is shaped.
        text: A digit.
        height: About how high it should be, pixels.

    Returns:
        float32 array (h, w), 0 to 1; h is near `height`.
    """
    size = int(np.clip(np.ceil(height / 0.72 / 8) * 8, 16, 200))
    mask = text_mask(lettering.typeface, text, size)
    rounding = 0.04 if lettering.hollow else lettering.rounding
    radius = max(0.8, rounding * mask.shape[0])
    border = int(np.ceil(2 * radius)) + 1
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
    # A blurred mask falls off evenly across an edge, so its level lines are bolder and thinner
    # digits with rounded corners.
    field = np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255
    level = 0.5 - lettering.weight
    ink = np.clip((field - np.float32(level)) * np.float32(1.6 * radius) + np.float32(0.5), 0, 1)
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
