"""Photos and boxes as a less careful user has them: boxes beside the number, turned, dim, blurred.

Each function takes a photo, uint8 [H, W, 3], with its digits' boxes, float [N, 4] (left, top,
width, height, pixels), or the tight box around them all, and gives what the shared crop
(`svhn.preprocessing.crop`) is then called with. None of them standardises, resizes or crops.
"""

import io
import math

import numpy as np
from PIL import Image, ImageFilter

from svhn.geometry import grow_box, union_box
from svhn.preprocessing import MARGIN

SHOT_NOISE = 0.05
"""Variance of a grey level per grey level: that of a sensor which holds 5,000 electrons at 255."""

READ_NOISE = 1.0
"""Grey levels: deviation of the noise of a pixel that gets no light."""


def jittered_box(box: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Returns the box moved and resized at random, as a detector's boxes are off.

    Each of the four edges moves by up to `share` of the width (left, right) or the height (top,
    bottom), to either side, all equally likely.

    Args:
        box: float [4].
        share: Of the box's own size, 0 to less than 0.5.
        random: Four numbers are drawn from it.

    Returns:
        float32 [4].
    """
    left, top, width, height = np.asarray(box, np.float64)
    moves = random.uniform(-share, share, 4) * (width, height, width, height)
    edges = np.array([left, top, left + width, top + height]) + moves
    return np.concatenate([edges[:2], edges[2:] - edges[:2]]).astype(np.float32)


def box_with_margin(box: np.ndarray, margin: float) -> np.ndarray:
    """Returns the box that makes the crop show `margin` instead of its own `MARGIN`.

    Args:
        box: float [4], the tight box.
        margin: How much wider and higher than the tight box the crop shall be, as a fraction.

    Returns:
        float32 [4].
    """
    return grow_box(box, (1 + margin) / (1 + MARGIN) - 1)


def turned(photo: np.ndarray, boxes: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns the photo turned about the number's centre, and the tight box of the turned number.

    The turned photo is as large as before; its edges are repeated where it shows what was outside.
    A digit is taken for the ellipse that its box encloses: the corners of a turned box are empty.

    Args:
        photo: uint8 [H, W, 3].
        boxes: float [N, 4], N ≥ 1, the digits' boxes.
        degrees: Anticlockwise as seen.

    Returns:
        uint8 [H, W, 3]; float32 [4].
    """
    boxes = np.asarray(boxes, np.float64)
    tight = union_box(boxes).astype(np.float64)
    pivot = tight[:2] + tight[2:] / 2
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = np.array([[cosine, sine], [-sine, cosine]])  # the y axis points downwards
    centres = (boxes[:, :2] + boxes[:, 2:] / 2 - pivot) @ turn.T + pivot
    half_sizes = np.sqrt((boxes[:, 2:] / 2) ** 2 @ (turn**2).T)
    box = union_box(np.concatenate([centres - half_sizes, 2 * half_sizes], axis=1))

    height, width = photo.shape[:2]
    # As far outside as the corner that is farthest from the pivot moves.
    farthest = np.maximum(pivot, (width, height) - pivot)
    rim = math.ceil(2 * abs(math.sin(math.radians(degrees) / 2)) * math.hypot(*farthest)) + 2
    padded = Image.fromarray(np.pad(photo, [(rim, rim), (rim, rim), (0, 0)], mode="edge"))
    back = turn.T  # from the turned photo to the photo, about the pivot
    start = pivot - back @ pivot + rim
    coefficients = (*back[0], start[0], *back[1], start[1])
    picture = padded.transform(
        (width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC
    )
    return np.asarray(picture), box


def blurred(photo: np.ndarray, deviation: float) -> np.ndarray:
    """Returns the photo out of focus.

    Args:
        photo: uint8 [H, W, 3].
        deviation: Of the Gaussian, pixels of the photo; 0 changes nothing.
    """
    return np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(deviation)))


def darkened(photo: np.ndarray, light: float, random: np.random.Generator) -> np.ndarray:
    """Returns the photo as a camera takes it in less light and doesn't brighten it.

    The levels become `light` times as large, with a sensor's shot noise (`SHOT_NOISE`) and read
    noise (`READ_NOISE`), in whole grey levels. The network's own standardisation brightens the
    picture again, and with it noise and steps.

    Args:
        photo: uint8 [H, W, 3].
        light: The share of the light that is left, above 0 to 1.
        random: As many numbers are drawn as the photo has values.
    """
    levels = photo.astype(np.float32) * np.float32(light)
    noise = random.standard_normal(photo.shape, np.float32)
    noisy = levels + noise * np.sqrt(READ_NOISE**2 + SHOT_NOISE * levels, dtype=np.float32)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def compressed(photo: np.ndarray, quality: int) -> np.ndarray:
    """Returns the photo as it is after JPEG, colours at half the resolution.

    Args:
        photo: uint8 [H, W, 3].
        quality: 1 to 95, as libjpeg has it.
    """
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file).convert("RGB"))


def without_colour(photo: np.ndarray) -> np.ndarray:
    """Returns the photo in greys: three equal channels (luminance of ITU-R 601)."""
    return np.asarray(Image.fromarray(photo).convert("L").convert("RGB"))
