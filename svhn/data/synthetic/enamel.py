"""Drawn digits as on French enamel plaques: condensed, fat upright strokes, hairlines, balls.

A large share of SVHN's plaques has them, and hardly any font on a computer does: the ball at the
end of a 2, 3, 5, 6 or 9 is so large that a 2 seems a 9 to a reader that knows only fonts. The
digits are drawn from the middle lines of their strokes; the pen's width depends on its direction,
so that what goes up and down is fat and what goes across is thin.
"""

import dataclasses

import numpy as np
from PIL import Image, ImageDraw

_SUPERSAMPLING = 2
_POINTS = 8
"""Straight pieces of each curve."""

_Curve = tuple[tuple[float, float], ...]
"""Four points of a cubic Bézier curve, (x, y) in the box of the middle lines."""


@dataclasses.dataclass(frozen=True)
class EnamelStyle:
    """How all digits of a number are drawn; lengths are shares of the digits' height.

    Attributes:
        width: Width of an 8.
        stem: Thickness of upright strokes.
        hairline: Thickness of level strokes.
        ball: Radius of the balls at the ends.
        fullness: 0.55 for round bowls, 0.8 for nearly straight sides.
        onset: How soon a stroke that turns upright gets fat; above 1 late.
    """

    width: float
    stem: float
    hairline: float
    ball: float
    fullness: float
    onset: float


def draw_enamel_style(random: np.random.Generator, light_on_dark: bool) -> EnamelStyle:
    """Returns a style drawn at random; light digits look fatter on photos."""
    width = random.uniform(0.44, 0.64)
    stem = width * random.uniform(0.23, 0.34) + (0.01 if light_on_dark else 0.0)
    return EnamelStyle(
        width=width,
        stem=stem,
        hairline=random.uniform(0.03, 0.065),
        ball=stem * random.uniform(0.45, 0.78),
        fullness=random.uniform(0.52, 0.74),
        onset=random.uniform(1.0, 2.2),
    )


def enamel_mask(style: EnamelStyle, digit: str, height: float) -> np.ndarray:
    """Returns the ink of a digit, cut to its edges: uint8 (h, w), 255 where there is ink.

    Args:
        style: How it is drawn.
        digit: "0" to "9".
        height: Pixels, about.
    """
    pen = _Pen(style, height, narrow=digit == "1")
    if digit == "9":  # a 6 upside down
        _DIGITS["6"](pen)
        return pen.ink()[::-1, ::-1]
    _DIGITS[digit](pen)
    return pen.ink()


class _Pen:
    """Draws strokes along middle lines, in a box from (0, 0) to (1, 1)."""

    def __init__(self, style: EnamelStyle, height: float, narrow: bool):
        self._style = style
        self._scale = max(height, 12) * _SUPERSAMPLING
        width = style.width * (0.62 if narrow else 1.0)
        margin = 2
        self._origin = np.array([style.stem / 2, style.hairline / 2]) * self._scale + margin
        box = (max(width - style.stem, 0.1), 1 - style.hairline)
        self._box = np.array(box) * self._scale
        size = tuple(int(side * self._scale) + 2 * margin + 1 for side in (width, 1.0))
        self._picture = Image.new("L", size)
        self._draw = ImageDraw.Draw(self._picture)

    @property
    def fullness(self) -> float:
        return self._style.fullness

    def curves(self, *curves: _Curve, weight: float = 1.0, end: float | None = None) -> None:
        """Strokes whose thickness depends on their direction.

        Upright parts are `weight` stems thick, at the end of each curve `end` stems.
        """
        for curve in curves:
            points = self._origin + _points(curve) * self._box
            steps = np.diff(points, axis=0)
            lengths = np.hypot(*steps.T) + 1e-6
            upright = np.abs(steps[:, 1]) / lengths
            style = self._style
            fat = style.stem * np.linspace(weight, weight if end is None else end, len(upright))
            thickness = style.hairline + (fat - style.hairline) * upright**style.onset
            half = np.concatenate([thickness[:1], (thickness[1:] + thickness[:-1]) / 2])
            half = np.append(half, thickness[-1]) * self._scale / 2
            across = np.stack([-steps[:, 1], steps[:, 0]], axis=1) / lengths[:, None]
            for number, normal in enumerate(across):
                a, b = points[number], points[number + 1]
                n, m = normal * half[number], normal * half[number + 1]
                self._draw.polygon([*a + n, *b + m, *b - m, *a - n], 255)
                self._disc(b, half[number + 1])

    def ball(self, x: float, y: float, side: int) -> None:
        """A ball whose outer edge is where a stroke ends; `side` 1: it lies to the right."""
        radius = self._style.ball * self._scale
        centre = self._origin + np.array([x, y]) * self._box
        shift = radius - self._style.hairline * self._scale / 2
        self._disc(centre + np.array([side * shift * 0.8, 0]), radius)

    def slab(self, first: tuple, last: tuple, thickness: float) -> None:
        """A fat level bar, as a share of the stems."""
        hairlines = max(thickness * self._style.stem / self._style.hairline, 1.5)
        self.bar(first, last, hairlines)

    def bar(self, first: tuple, last: tuple, thickness: float, last_thickness: float | None = None):
        """A straight stroke, hairlines thick, from one thickness to another."""
        a, b = (self._origin + np.array(point) * self._box for point in (first, last))
        step = b - a
        normal = np.array([-step[1], step[0]]) / (np.hypot(*step) + 1e-6)
        unit = self._style.hairline * self._scale / 2
        n = normal * unit * thickness
        m = normal * unit * (thickness if last_thickness is None else last_thickness)
        self._draw.polygon([*a + n, *b + m, *b - m, *a - n], 255)

    def stem(self, x: float) -> None:
        """An upright stroke from top to bottom."""
        self.curves(_line((x, 0), (x, 1)))

    def ink(self) -> np.ndarray:
        size = tuple(max(1, side // _SUPERSAMPLING) for side in self._picture.size)
        small = self._picture.resize(size, Image.Resampling.BOX)
        return np.asarray(small.crop(small.getbbox()))

    def _disc(self, centre: np.ndarray, radius: float) -> None:
        self._draw.ellipse([*centre - radius, *centre + radius], 255)


def _points(curve: _Curve) -> np.ndarray:
    t = np.linspace(0, 1, _POINTS + 1)[:, None]
    a, b, c, d = (np.array(point) for point in curve)
    return (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d


def _line(first: tuple[float, float], last: tuple[float, float]) -> _Curve:
    return (first, first, last, last)


def _turn(start: tuple, end: tuple, fullness: float, level_first: bool) -> _Curve:
    """A quarter of an oval, from a level to an upright direction or the other way."""
    across, down = (end[0] - start[0]) * fullness, (end[1] - start[1]) * fullness
    if level_first:
        return (start, (start[0] + across, start[1]), (end[0], end[1] - down), end)
    return (start, (start[0], start[1] + down), (end[0] - across, end[1]), end)


def _oval(pen: _Pen, left: float, top: float, right: float, bottom: float, weight=1.0) -> None:
    x, y, k = (left + right) / 2, (top + bottom) / 2, pen.fullness
    pen.curves(
        _turn((x, top), (right, y), k, True),
        _turn((right, y), (x, bottom), k, False),
        _turn((x, bottom), (left, y), k, True),
        _turn((left, y), (x, top), k, False),
        weight=weight,
    )


def _zero(pen: _Pen) -> None:
    _oval(pen, 0, 0, 1, 1)


def _one(pen: _Pen) -> None:
    pen.stem(0.55)
    pen.bar((-0.25, 0.17), (0.55, 0.0), 1.0, 3.0)
    pen.bar((-0.45, 1), (1.55, 1), 1.2)


def _two(pen: _Pen) -> None:
    k = pen.fullness
    pen.curves(
        _turn((0.02, 0.25), (0.47, 0), k, False),
        _turn((0.47, 0), (0.95, 0.27), k, True),
    )
    pen.curves(((0.95, 0.27), (0.95, 0.5), (0.15, 0.6), (-0.06, 0.93)), weight=1.0, end=0.3)
    pen.ball(0.02, 0.25, 1)
    pen.slab((-0.1, 0.95), (1.05, 0.95), 0.75)
    pen.bar((1.06, 1.0), (1.12, 0.76), 3.0, 1.0)


def _three(pen: _Pen) -> None:
    k = pen.fullness
    pen.curves(
        _turn((0.03, 0.21), (0.47, 0), k, False),
        _turn((0.47, 0), (0.92, 0.23), k, True),
        _turn((0.92, 0.23), (0.4, 0.46), k, False),
        weight=0.9,
    )
    pen.curves(
        _turn((0.4, 0.46), (1, 0.73), k, True),
        _turn((1, 0.73), (0.48, 1), k, False),
        _turn((0.48, 1), (0, 0.77), k, True),
    )
    pen.ball(0.03, 0.21, 1)
    pen.ball(0, 0.77, 1)


def _four(pen: _Pen) -> None:
    pen.stem(0.68)
    pen.bar((0.6, 0.0), (-0.12, 0.7), 1.8)
    pen.bar((-0.15, 0.71), (1.2, 0.71), 1.3)
    pen.bar((0.3, 1), (1.15, 1), 1.2)


def _five(pen: _Pen) -> None:
    k = pen.fullness
    pen.slab((0.02, 0.04), (1.0, 0.04), 0.6)
    pen.bar((0.05, 0), (0.05, 0.47), 1.3)
    pen.curves(
        ((0.05, 0.46), (0.15, 0.37), (0.32, 0.34), (0.47, 0.34)),
        _turn((0.47, 0.34), (1, 0.67), k, True),
        _turn((1, 0.67), (0.47, 1), k, False),
        _turn((0.47, 1), (0, 0.77), k, True),
    )
    pen.ball(0, 0.77, 1)


def _six(pen: _Pen) -> None:
    k = pen.fullness
    pen.curves(
        _turn((0.96, 0.2), (0.55, 0), k, False),
        _turn((0.55, 0), (0, 0.55), k, True),
        _turn((0, 0.55), (0.5, 1), k, False),
        _turn((0.5, 1), (1, 0.7), k, True),
        _turn((1, 0.7), (0.53, 0.42), k, False),
        _turn((0.53, 0.42), (0.04, 0.66), k, True),
    )
    pen.ball(0.96, 0.2, -1)


def _seven(pen: _Pen) -> None:
    pen.slab((-0.1, 0.05), (1.15, 0.05), 0.65)
    pen.bar((-0.12, 0), (-0.12, 0.24), 2.4, 0.8)
    pen.curves(((1.08, 0.06), (0.85, 0.4), (0.4, 0.55), (0.4, 1)))


def _eight(pen: _Pen) -> None:
    _oval(pen, 0.07, 0, 0.93, 0.46, 0.85)
    _oval(pen, 0, 0.46, 1, 1)


_DIGITS = {
    "0": _zero,
    "1": _one,
    "2": _two,
    "3": _three,
    "4": _four,
    "5": _five,
    "6": _six,
    "7": _seven,
    "8": _eight,
}
