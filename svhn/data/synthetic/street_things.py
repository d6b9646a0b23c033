"""Things on and before houses that digits are taken for: rings and lamps (0), scrolls of wrought
iron (3, 6, 8, 9), handles and hooks (1, 7), bells, letter boxes, bins, vents, round signs.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from svhn.data.synthetic import colours
from svhn.data.synthetic.ink import paint_ink_locally
from svhn.data.synthetic.projection import Projection
from svhn.data.synthetic.structures import metal_colour
from svhn.data.synthetic.textures import (
    blurred,
    coloured,
    coverage,
    ellipse,
    lay_over,
    rectangle,
    rounded_rectangle,
    shifted,
)

Light = tuple[float, float]

_SUPERSAMPLING = 2


def paint_ring(
    random: np.random.Generator, picture: np.ndarray, place: Projection, light: Light
) -> None:
    """Paints a knocker, a round lamp, a porthole, a mirror or a round sign; about as wide as high:
    a digit 0 is narrower.
    """
    radius = np.exp(random.uniform(np.log(0.15), np.log(0.8)))
    covered = place.part_around(picture, radius, radius, 0.5 * radius + 0.1)
    if covered is None:
        return
    (part, x, y), pixel = covered, 1 / place.unit
    distance = ellipse(x, y, radius * random.uniform(0.92, 1.1), radius)
    kind = random.random()
    thickness = np.float32(radius * random.uniform(0.06, 0.2))
    rim = coverage(np.abs(distance) - thickness, pixel)
    disc = coverage(distance, pixel)
    if kind < 0.35:  # a ring through which the wall is seen, at its top what it hangs on
        block = rounded_rectangle(x, y + np.float32(radius), radius * 0.45, radius * 0.35, 0.02)
        above = np.maximum(rim, coverage(block, pixel))
    elif kind < 0.65:  # a lamp that is on or off
        glow = np.float32(random.uniform(0.3, 1.0)) * np.array([1.0, 0.96, 0.85], np.float32)
        lay_over(part, coloured(glow, 1 - np.float32(0.3) * (1 + distance / radius)), disc)
        above = rim * np.float32(random.choice([0.0, 1.0, 1.0]))
    elif kind < 0.82:  # a porthole, a mirror, a dark opening
        lay_over(part, np.full(3, random.uniform(0.03, 0.4), np.float32), disc)
        above = rim
        if random.random() < 0.4:
            cross = np.minimum(np.abs(x), np.abs(y)) - thickness * np.float32(0.5)
            above = np.maximum(above, coverage(cross, pixel) * disc)
    else:  # a traffic sign
        ground, colour = colours.plaque_colours(random)
        lay_over(part, ground, disc)
        angle = random.uniform(0, np.pi)
        bar = np.abs(x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)))
        mark = coverage(bar - thickness, pixel) * disc
        inner = coverage(np.abs(distance + np.float32(0.15 * radius)) - thickness, pixel)
        lay_over(part, colour, np.maximum(mark, inner))
        return
    _lay_solid(random, part, metal_colour(random), above, place.unit, light)


def paint_scrollwork(
    random: np.random.Generator, picture: np.ndarray, place: Projection, light: Light
) -> None:
    """Paints wrought iron: a row of the same S or C, its ends rolled up, upright bars between."""
    height = np.exp(random.uniform(np.log(0.5), np.log(2.2)))
    pitch = height * random.uniform(0.55, 1.1)
    count = int(random.integers(2, 6))
    thickness = height * random.uniform(0.03, 0.08)
    turns = random.uniform(1.2, 2.0)
    curl = _scroll(turns, is_s=bool(random.random() < 0.5), height=height)
    strokes = []
    for number in range(count):
        mirrored = curl * (-1 if number % 2 else 1, 1)
        strokes.append(_moved(mirrored, (number - (count - 1) / 2) * pitch, 0))
    if random.random() < 0.6:
        for number in range(count + 1):
            across = (number - count / 2) * pitch
            strokes.append(np.array([(across, -0.7 * height), (across, 0.7 * height)]))
        for level in (-0.6, 0.6):
            reach = count / 2 * pitch
            strokes.append(np.array([(-reach, level * height), (reach, level * height)]))
    _paint_strokes(random, picture, place, strokes, thickness, light)


def paint_hardware(
    random: np.random.Generator, picture: np.ndarray, place: Projection, light: Light
) -> None:
    """Paints a handle, a hook, hinges, a chain or a bracket of a lamp or a flower pot."""
    size = np.exp(random.uniform(np.log(0.2), np.log(0.9)))
    kind = random.integers(4)
    if kind == 0:  # a bar on two feet
        strokes = [(-0.1, -1), (0.25, -1), (0.25, 1), (-0.1, 1)]
        strokes = [np.array(strokes) * size]
    elif kind == 1:  # a pair of hinges far apart
        arm = np.array([(-1.0, 0), (1.0, 0), (1.25, 0.12), (1.0, 0.24), (0.9, 0.05)]) * size
        strokes = [_moved(arm, 0, -1.5 * size), _moved(arm, 0, 1.5 * size)]
    elif kind == 2:  # a chain
        around = np.linspace(0, 2 * np.pi, 20)
        link = np.stack([0.18 * np.cos(around), 0.28 * np.sin(around)], axis=1) * size
        strokes = [_moved(link, 0.02 * size * (-1) ** n, 0.42 * size * n) for n in range(-4, 5)]
    else:  # a bracket: an arm, a wall plate, a brace
        bow = np.linspace(0, np.pi / 2, 12)
        strokes = [
            np.array([(0, -1.2), (0, 1.2)]) * size,
            np.array([(0, -0.9), (2.2, -0.9)]) * size,
            np.stack([2 * np.sin(bow), 0.9 - 1.8 * np.sin(bow) ** 2], axis=1) * size,
        ]
    mirror = (random.choice([-1, 1]), 1)
    strokes = [stroke * mirror for stroke in strokes]
    _paint_strokes(random, picture, place, strokes, size * random.uniform(0.05, 0.14), light)


def paint_letter_box(
    random: np.random.Generator, picture: np.ndarray, place: Projection, light: Light
) -> None:
    """Paints a letter box or a meter's cover: a case, a flap or slot, a lock, a blank label."""
    half_width = random.uniform(0.4, 1.3)
    half_height = half_width * random.uniform(0.5, 1.4)
    covered = place.part_around(picture, half_width, half_height, 0.3)
    if covered is None:
        return
    (part, x, y), pixel = covered, 1 / place.unit
    colour = metal_colour(random) if random.random() < 0.6 else colours.wall_colour(random)
    case = rounded_rectangle(x, y, half_width, half_height, 0.05)
    _lay_solid(random, part, colour, coverage(case, pixel), place.unit, light)
    top = half_height * random.uniform(-0.8, -0.4)
    slot = rounded_rectangle(x, y - np.float32(top), half_width * 0.75, half_height * 0.08, 0.01)
    lay_over(part, colour * np.float32(0.3), coverage(slot, pixel))
    if random.random() < 0.6:
        flap = np.abs(rounded_rectangle(x, y, half_width * 0.85, half_height * 0.6, 0.03))
        edge = coverage(flap - np.float32(0.015), pixel)
        lay_over(part, colour * np.float32(random.choice([0.5, 1.4])), edge)
    if random.random() < 0.6:
        lock = np.hypot(x, y - np.float32(half_height * random.uniform(0.2, 0.7)))
        lay_over(part, metal_colour(random), coverage(lock - np.float32(0.07), pixel))
    if random.random() < 0.5:
        low = np.float32(half_height * random.uniform(0.1, 0.6))
        label = rounded_rectangle(x, y - low, half_width * 0.5, half_height * 0.12, 0.01)
        lay_over(part, np.full(3, random.uniform(0.6, 0.9), np.float32), coverage(label, pixel))


def paint_bin(
    random: np.random.Generator, picture: np.ndarray, place: Projection, light: Light
) -> None:
    """Paints a rubbish bin: narrower below, lid, ribs, wheels."""
    half_width = random.uniform(0.6, 1.6)
    half_height = half_width * random.uniform(1.1, 1.7)
    covered = place.part_around(picture, half_width * 1.1, half_height * 1.2, 0.2)
    if covered is None:
        return
    (part, x, y), pixel = covered, 1 / place.unit
    colour = metal_colour(random) if random.random() < 0.5 else colours.plaque_colours(random)[0]
    narrowing = np.float32(random.uniform(0.02, 0.14))
    side = np.abs(x) - np.float32(half_width) + narrowing * (y + np.float32(half_height))
    body = np.maximum(side, np.abs(y) - np.float32(half_height))
    _lay_solid(random, part, colour, coverage(body, pixel), place.unit, light)
    ribs = int(random.integers(0, 6))
    for rib in range(1, ribs):
        middle = np.float32(half_width * (2 * rib / ribs - 1) * 0.85)
        line = np.maximum(np.abs(x - middle) - np.float32(0.03), body + np.float32(0.15))
        lay_over(part, colour * np.float32(0.7), coverage(line, pixel))
    lid_place = y + np.float32(half_height * 1.02)
    lid = rounded_rectangle(x, lid_place, half_width * 1.08, half_height * 0.1, 0.05)
    _lay_solid(random, part, colour * np.float32(0.8), coverage(lid, pixel), place.unit, light)
    for across in (-0.6, 0.6):
        wheel = np.hypot(x - np.float32(across * half_width), y - np.float32(half_height))
        lay_over(part, np.full(3, 0.1, np.float32), coverage(wheel - half_width * 0.17, pixel))
        lay_over(part, np.full(3, 0.4, np.float32), coverage(wheel - half_width * 0.07, pixel))


def paint_bells(
    random: np.random.Generator, picture: np.ndarray, place: Projection, light: Light
) -> None:
    """Paints an intercom or a vent: a plate with rows of buttons, labels, slots or holes."""
    half_width = random.uniform(0.25, 0.8)
    half_height = half_width * random.uniform(0.8, 2.2)
    covered = place.part_around(picture, half_width, half_height, 0.3)
    if covered is None:
        return
    (part, x, y), pixel = covered, 1 / place.unit
    plate = coverage(rounded_rectangle(x, y, half_width, half_height, 0.03), pixel)
    colour = metal_colour(random)
    _lay_solid(random, part, colour, plate, place.unit, light)
    mark = np.float32(random.choice([0.3, 0.5, 1.7]))
    columns, rows = int(random.integers(1, 5)), int(random.integers(1, 7))
    cell = 1.7 * half_width / columns, 1.7 * half_height / rows
    across = (x / np.float32(cell[0]) + columns / 2) % 1 - 0.5
    down = (y / np.float32(cell[1]) + rows / 2) % 1 - 0.5
    if random.random() < 0.5:
        shape = np.hypot(across * cell[0], down * cell[1]) - min(cell) * random.uniform(0.2, 0.4)
    else:
        shape = rectangle(across, down, 0.4, random.uniform(0.1, 0.35)) * cell[1]
    in_field = rectangle(x, y, 0.85 * half_width, 0.85 * half_height)
    buttons = coverage(np.maximum(shape, in_field).astype(np.float32), pixel)
    lay_over(part, (colour * mark).clip(0.02, 0.95), buttons)


def _moved(points: np.ndarray, right: float, down: float) -> np.ndarray:
    return points + np.array([right, down])


def _scroll(turns: float, is_s: bool, height: float) -> np.ndarray:
    """Returns the points of an S or a C whose ends are rolled up, (N, 2), about the origin."""
    angle = np.linspace(0, 2 * np.pi * turns, 40)
    radius = height * 0.25 * (1 - 0.75 * angle / angle[-1])
    # From the middle, where both halves meet, upwards and inwards.
    upper = np.stack([radius * np.cos(angle), -radius * np.sin(angle)], axis=1)
    upper += (-radius[0], -height * 0.08)
    lower = -upper if is_s else upper * (1, -1)
    return np.concatenate([upper[::-1], lower])


def _paint_strokes(
    random: np.random.Generator,
    picture: np.ndarray,
    place: Projection,
    strokes: Sequence[np.ndarray],
    thickness: float,
    light: Light,
) -> None:
    """Paints lines of iron, given as wall points."""
    height, width = picture.shape[1:]
    mask = Image.new("L", (width * _SUPERSAMPLING, height * _SUPERSAMPLING))
    pen = ImageDraw.Draw(mask)
    pixels = max(2, round(thickness * place.unit * _SUPERSAMPLING))
    for stroke in strokes:
        points = [tuple(point) for point in place.to_canvas(stroke) * _SUPERSAMPLING]
        pen.line(points, fill=255, width=pixels, joint="curve")
    small = mask.resize((width, height), Image.Resampling.BOX)
    ink = np.asarray(small, np.float32) * np.float32(1 / 255)
    paint_ink_locally(random, picture, ink, metal_colour(random), place.unit, light)


def _lay_solid(
    random: np.random.Generator,
    part: np.ndarray,
    colour: np.ndarray,
    inside: np.ndarray,
    unit: float,
    light: Light,
) -> None:
    """Lays a colour over a part of a picture, with a shadow and lit edges."""
    depth = random.uniform(0.02, 0.12) * unit
    shadow = blurred(shifted(inside, light[0] * depth, light[1] * depth), max(0.6, depth * 0.5))
    part *= 1 - np.float32(random.uniform(0.15, 0.6)) * shadow
    soft = blurred(inside, max(0.6, 0.03 * unit))
    step = max(1.0, 0.02 * unit)
    relief = shifted(soft, light[0] * step, light[1] * step) - soft
    face = 1 + np.float32(random.uniform(-0.5, 0.8)) * relief
    lay_over(part, coloured(colour.clip(0.02, 0.95), face), inside)
