"""Measures of the digits' strokes in a photo, real or rendered: thickness, looseness, slant.

The ink is separated from its ground by a threshold on the luminance (Otsu 1979), so these
measures exist only where the digits stand out well; blurred and faint numbers have none.
"""

import numpy as np
from PIL import Image

from svhn.geometry import union_box

_DIGIT_PIXELS = 40
"""Height to which a digit is scaled before it is measured."""

_SMALLEST_DIGIT = 16
_CLEAR_SEPARATION = 0.72

STROKE_MEASURES = (
    "light digits on dark",
    "ink share of a box",
    "upright strokes/height",
    "level strokes/height",
    "stroke contrast",
    "space beside the ink/height",
    "space above and below/height",
    "tilt of uprights",
    "tilt of levels",
)
"""The names of the measures, in order."""


def measure_strokes(luminance: np.ndarray, boxes: np.ndarray) -> dict[str, float]:
    """Returns the measures of one number; all NaN where its digits don't stand out.

    - "light digits on dark": 1 or 0.
    - "ink share of a box": mean over the digits' boxes.
    - "upright strokes/height": median length of the runs of ink along rows over the height of the
      digits' boxes, "level strokes/height" the same along columns; "stroke contrast": the first
      over the second, above 1 for faces such as Bodoni's.
    - "space beside the ink/height": how much wider the boxes are than their ink; "space above and
      below/height": how much higher.
    - "tilt of uprights", "tilt of levels": mean angle of the edges that are within 30° of upright
      (level), degrees; clockwise is positive.

    Args:
        luminance: float (H, W), 0 to 1.
        boxes: float (N, 4), the digits' boxes.
    """
    nothing = dict.fromkeys(STROKE_MEASURES, float("nan"))
    left, top, width, height = union_box(boxes)
    digit_height = float(boxes[:, 3].mean())
    if digit_height < _SMALLEST_DIGIT:
        return nothing
    # A little of the ground around the number, to see which of the two is the ground.
    rim = 0.1 * digit_height
    edges = (left - rim, top - rim, left + width + rim, top + height + rim)
    edges = np.clip(edges, 0, (*luminance.shape[::-1], *luminance.shape[::-1]))
    scale = _DIGIT_PIXELS / digit_height
    size = tuple(max(1, round(float(side) * scale)) for side in edges[2:] - edges[:2])
    picture = Image.fromarray(luminance.astype(np.float32))
    part = np.asarray(picture.resize(size, Image.Resampling.BICUBIC, box=tuple(edges)))
    threshold, separation = otsu(part)
    if separation < _CLEAR_SEPARATION or min(size) < 12:
        return nothing
    bright = part > threshold
    frame = np.concatenate([bright[:2].ravel(), bright[-2:].ravel(), bright[:, 0], bright[:, -1]])
    light_on_dark = frame.mean() < 0.5
    ink = bright if light_on_dark else ~bright
    shares, rows, columns, beside, above = [], [], [], [], []
    for box in boxes:
        x, y = ((box[:2] - edges[:2]) * scale).round().astype(int)
        w, h = (box[2:] * scale).round().astype(int)
        digit = ink[max(y, 0) : y + h, max(x, 0) : x + w]
        if digit.size < 40 or not 0.08 < digit.mean() < 0.75:
            continue
        shares.append(digit.mean())
        rows += _runs(digit)
        columns += _runs(digit.T)
        across, down = np.flatnonzero(digit.any(axis=0)), np.flatnonzero(digit.any(axis=1))
        beside.append((w - (across[-1] - across[0] + 1)) / _DIGIT_PIXELS)
        above.append((h - (down[-1] - down[0] + 1)) / _DIGIT_PIXELS)
    if not rows or not columns:
        return nothing
    upright, level = (np.median(runs) / _DIGIT_PIXELS for runs in (rows, columns))
    uprights, levels = _tilts(part)
    values = (
        float(light_on_dark),
        float(np.mean(shares)),
        float(upright),
        float(level),
        float(upright / level),
        float(np.mean(beside)),
        float(np.mean(above)),
        uprights,
        levels,
    )
    return dict(zip(STROKE_MEASURES, values, strict=True))


def otsu(values: np.ndarray) -> tuple[float, float]:
    """Returns the threshold that separates two classes best, and how well it does.

    The second value is the share of the variance that lies between the classes, 0 to 1.
    """
    counts, bounds = np.histogram(values, 64)
    middles = (bounds[:-1] + bounds[1:]) / 2
    shares = counts / counts.sum()
    below = np.cumsum(shares)
    moment = np.cumsum(shares * middles)
    between = (moment[-1] * below - moment) ** 2 / np.maximum(below * (1 - below), 1e-9)
    best = int(between[:-1].argmax())
    return float(bounds[best + 1]), float(between[best] / (values.var() + 1e-9))


def _runs(ink: np.ndarray) -> list[int]:
    """The lengths of all runs of ink along the rows."""
    padded = np.zeros((ink.shape[0], ink.shape[1] + 2), np.int8)
    padded[:, 1:-1] = ink
    steps = np.diff(padded, axis=1).ravel()
    return list(np.flatnonzero(steps == -1) - np.flatnonzero(steps == 1))


def _tilts(part: np.ndarray) -> tuple[float, float]:
    """Mean angle of nearly upright and of nearly level edges, degrees, strong ones count more."""
    across = part[1:-1, 2:] - part[1:-1, :-2]
    down = part[2:, 1:-1] - part[:-2, 1:-1]
    weight = across**2 + down**2
    tilts = []
    for along, other in ((across, down), (down, -across)):
        angle = np.degrees(np.arctan2(other * np.sign(along), np.abs(along) + 1e-9))
        near = np.abs(angle) < 30
        total = (weight * near).sum()
        tilts.append(float((weight * near * angle).sum() / total) if total > 0 else float("nan"))
    return tilts[0], tilts[1]
