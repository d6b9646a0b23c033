"""The muted colours of real house fronts, plaques and digits; red, green, blue from 0 to 1."""

import numpy as np

# Colours as street-view photos show them, not as paint tins do: (colour 0-255, weight).
_WALLS = [
    ((118, 110, 102), 5),  # grey stucco
    ((146, 136, 122), 5),  # beige stucco
    ((170, 165, 158), 5),  # light grey
    ((196, 192, 186), 4),  # off-white
    ((92, 84, 76), 4),  # grey-brown
    ((70, 62, 56), 4),  # dark brown
    ((44, 42, 42), 4),  # nearly black
    ((112, 70, 56), 5),  # brick red
    ((134, 96, 76), 4),  # pale brick
    ((82, 48, 42), 3),  # dark brick
    ((150, 128, 88), 2),  # ochre
    ((96, 104, 108), 3),  # slate
    ((60, 72, 62), 2),  # dark green paint
    ((110, 124, 138), 2),  # blue-grey paint
    ((56, 62, 84), 1),  # dark blue paint
    ((124, 52, 46), 1),  # red door
]

# (plate, digits, weight)
_PLAQUES = [
    ((34, 52, 122), (206, 212, 222), 14),  # blue enamel
    ((28, 40, 88), (186, 192, 204), 12),  # dark blue enamel
    ((30, 34, 56), (160, 166, 176), 8),  # navy, worn
    ((52, 92, 168), (220, 226, 232), 5),  # bright blue
    ((186, 192, 204), (52, 66, 128), 10),  # pale enamel, faded blue digits
    ((206, 208, 212), (34, 44, 104), 34),  # white enamel, blue digits
    ((200, 198, 194), (36, 36, 40), 32),  # white, black digits
    ((172, 168, 158), (48, 44, 42), 26),  # dirty white, dark digits
    ((212, 206, 196), (120, 36, 34), 3),  # white, red digits
    ((34, 33, 34), (176, 174, 170), 8),  # black, pale digits
    ((40, 36, 32), (182, 156, 100), 4),  # black, brass digits
    ((30, 56, 46), (190, 194, 186), 3),  # green enamel
    ((110, 34, 32), (206, 200, 192), 2),  # red enamel
    ((96, 74, 52), (212, 202, 180), 2),  # wood, pale digits
    ((150, 124, 90), (46, 36, 30), 10),  # wood or clay, dark digits
    ((168, 144, 86), (42, 36, 30), 2),  # brass plate
    ((142, 144, 146), (52, 54, 58), 10),  # steel plate
    ((104, 104, 104), (34, 34, 36), 2),  # dull metal
]

# (digits, weight)
_DARK_DIGITS = [
    ((30, 29, 30), 10),  # black iron
    ((48, 40, 36), 4),  # rusty iron
    ((66, 60, 54), 3),  # bronze
    ((34, 42, 84), 4),  # blue paint
    ((96, 40, 36), 2),  # red paint
    ((40, 60, 52), 1),  # green paint
]
_PALE_DIGITS = [
    ((212, 212, 210), 9),  # white paint
    ((186, 188, 190), 6),  # aluminium
    ((188, 164, 108), 6),  # brass
    ((166, 148, 118), 3),  # dull brass
]


def wall_colour(random: np.random.Generator) -> np.ndarray:
    """Returns the colour of a wall, float32 (3,): often greyed by dust and shade."""
    colour = _varied(random, _pick(random, _WALLS)[0], 0.25, 0.016)
    grey = np.float32(random.uniform(0.0, 0.7))
    return colour + (colour.mean() - colour) * grey


def plaque_colours(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns the colours of a plaque and of the digits on it, each float32 (3,)."""
    plate, digits, _ = _pick(random, _PLAQUES)
    return _varied(random, plate, 0.15, 0.02), _varied(random, digits, 0.12, 0.018)


def digit_colour_on(random: np.random.Generator, wall: np.ndarray) -> np.ndarray:
    """Returns a colour for digits that are fixed right on a wall, float32 (3,).

    People mostly choose digits that can be read: dark ones on a pale wall and the reverse.
    """
    brightness = float(wall.mean())
    dark_share = np.clip((brightness - 0.14) / 0.2, 0.12, 0.95)
    for _ in range(4):
        choices = _DARK_DIGITS if random.random() < dark_share else _PALE_DIGITS
        colour = _varied(random, _pick(random, choices)[0], 0.18, 0.02)
        if abs(float(colour.mean()) - brightness) > 0.16:
            return colour
    return colour


def is_light_on_dark(ink: np.ndarray, ground: np.ndarray) -> bool:
    """Returns whether digits of colour `ink` (3,) are brighter than their `ground` (3,)."""
    return float(ink.mean()) > float(ground.mean())


def varied(random: np.random.Generator, colour: np.ndarray, brightness: float) -> np.ndarray:
    """Returns a colour of the same hue, brighter or darker by about the share `brightness`."""
    return (colour * np.float32(np.exp(brightness * random.standard_normal()))).clip(0.02, 0.97)


def _varied(random, colour: tuple[int, int, int], brightness: float, tint: float) -> np.ndarray:
    base = np.array(colour, np.float32) / 255
    base = base * np.exp(brightness * random.standard_normal(dtype=np.float32))
    return (base + tint * random.standard_normal(3, np.float32)).clip(0.02, 0.97)


def _pick(random: np.random.Generator, choices: list) -> tuple:
    weights = np.cumsum([choice[-1] for choice in choices], dtype=np.float64)
    return choices[int(np.searchsorted(weights, random.random() * weights[-1], "right"))]
