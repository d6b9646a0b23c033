"""Noise, shapes and compositing, from which walls, plaques and shadows are made.

Pictures are planar here, float32 (3, H, W), 0 to 1: NumPy is several times as fast on long rows
as on pixels of three values. Masks are float32 (H, W), 0 to 1.
"""

import numpy as np
from PIL import Image, ImageFilter


def smooth_noise(
    random: np.random.Generator, shape: tuple[int, int], cell: float, cell_x: float | None = None
) -> np.ndarray:
    """Returns soft blotches, float32 `shape`: mean 0, standard deviation about 1.

    Args:
        random: Where the blotches come from.
        shape: (height, width) of the result.
        cell: Height of a blotch in pixels.
        cell_x: Its width, where it differs.
    """
    rows = int(np.clip(shape[0] / cell, 1, shape[0])) + 2
    columns = int(np.clip(shape[1] / (cell_x or cell), 1, shape[1])) + 2
    coarse = random.standard_normal((rows, columns), np.float32)
    soft = Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BILINEAR)
    return np.asarray(soft) * np.float32(1.35)


def colour_noise_picture(
    random: np.random.Generator,
    size: tuple[int, int],
    cell: float,
    strength: float,
    grey: float = 0.0,
) -> Image.Image:
    """Returns soft coloured blotches about 128, to be added to a picture.

    Green varies half as much as red and blue do, as on a camera's sensor.

    Args:
        random: Where the blotches come from.
        size: (width, height) of the result.
        cell: Width and height of a blotch in pixels.
        strength: Standard deviation, of 255.
        grey: Strength of grey blotches that are added, as a share of the coloured ones'.
    """
    columns, rows = (int(min(max(side / cell, 1), side)) + 2 for side in size)
    coarse = random.standard_normal((rows, columns, 3), np.float32)
    coarse *= np.array([1.35, 0.68, 1.75], np.float32) * np.float32(strength)
    if grey:
        grain = random.standard_normal((rows, columns, 1), np.float32)
        coarse += np.float32(1.35 * grey * strength) * grain
    coarse += np.float32(128.5)
    bytes_ = Image.fromarray(coarse.clip(0, 255).astype(np.uint8))
    return bytes_.resize(size, Image.Resampling.BILINEAR)


def rectangle(x: np.ndarray, y: np.ndarray, half_width: float, half_height: float) -> np.ndarray:
    """Returns each point's distance to the sides of a rectangle about the origin; inside < 0."""
    return np.maximum(np.abs(x) - np.float32(half_width), np.abs(y) - np.float32(half_height))


def rounded_rectangle(
    x: np.ndarray, y: np.ndarray, half_width: float, half_height: float, radius: float
) -> np.ndarray:
    """Returns the signed distance of each point to a rectangle about the origin; inside < 0."""
    across = np.abs(x) - np.float32(half_width - radius)
    down = np.abs(y) - np.float32(half_height - radius)
    outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
    return outside + np.minimum(np.maximum(across, down), 0) - np.float32(radius)


def ellipse(x: np.ndarray, y: np.ndarray, half_width: float, half_height: float) -> np.ndarray:
    """Returns about the signed distance of each point to an ellipse about the origin."""
    radius = np.hypot(x / np.float32(half_width), y / np.float32(half_height))
    return (radius - 1) * np.float32(min(half_width, half_height))


def coverage(distance: np.ndarray, pixel: float) -> np.ndarray:
    """Returns how much of each pixel lies inside, 0 to 1, from signed distances.

    Args:
        distance: Signed distances, inside < 0.
        pixel: Width of a pixel in the unit of the distances.
    """
    return np.clip(np.float32(0.5) - distance * np.float32(1 / pixel), 0, 1)


def coloured(colour: np.ndarray, shade: np.ndarray) -> np.ndarray:
    """Returns a surface of one colour (3,) with a brightness (H, W) at each place, (3, H, W)."""
    return colour[:, None, None] * shade


def lay_over(picture: np.ndarray, above: np.ndarray, amount: np.ndarray) -> None:
    """Lays a colour (3,) or a picture (3, H, W) over a picture (3, H, W), in place.

    Args:
        picture: What lies below; changed.
        above: What is laid over it.
        amount: (H, W), 0 to 1.
    """
    if above.ndim == 1:
        above = above[:, None, None]
    picture += (above - picture) * amount


def blurred(mask: np.ndarray, radius: float) -> np.ndarray:
    """Returns a mask (H, W), 0 to 1, softened by a Gaussian of `radius` pixels."""
    bytes_ = Image.fromarray((np.clip(mask, 0, 1) * np.float32(255)).astype(np.uint8))
    soft = bytes_.filter(ImageFilter.GaussianBlur(float(radius)))
    return np.asarray(soft) * np.float32(1 / 255)


def shifted(mask: np.ndarray, right: float, down: float) -> np.ndarray:
    """Returns the mask (H, W) moved by whole pixels; what comes in from outside is 0."""
    right, down = round(right), round(down)
    result = np.zeros_like(mask)
    height, width = mask.shape
    if abs(right) >= width or abs(down) >= height:
        return result
    result[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = mask[
        max(-down, 0) : height + min(-down, 0), max(-right, 0) : width + min(-right, 0)
    ]
    return result
