"""Which real photos can give digits, and what they look like."""

import dataclasses

import numpy as np

from svhn.data.digit_struct import LabelledPhoto
from svhn.data.synthetic.stroke_measures import otsu
from svhn.geometry import union_box
from svhn.images import LUMINANCE

_LOWEST_DIGIT = 9.0
_STEEPEST = 0.45
_LARGEST_OVERLAP = 0.14
_LEAST_CONTRAST = 14.0
_LEAST_SEPARATION = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """A real photo whose digits can be cut out.

    Attributes:
        file_name: Its folder and name: "train/12.png".
        digits: 0 to 9, from left to right.
        boxes: float32 (N, 4), their boxes: left, top, width, height, pixels.
        height: Mean height of the boxes, pixels.
        slope: How much lower the digits stand to the right, y per x.
        ground: Colour of the ground, float32 (3,), 0 to 255.
        ink: Colour of the digits, float32 (3,).
        softness: Width of the digits' edges over their height, in a logarithm.
    """

    file_name: str
    digits: tuple[int, ...]
    boxes: np.ndarray
    height: float
    slope: float
    ground: np.ndarray
    ink: np.ndarray
    softness: float

    def looks(self) -> np.ndarray:
        """Returns what should be alike where digits are exchanged, float32 (7,), scaled alike."""
        contrast = float((self.ink - self.ground) @ LUMINANCE)
        aspect = float((self.boxes[:, 2] / self.boxes[:, 3]).mean())
        ground = self.ground - self.ground.mean()
        values = (
            np.log(self.height) / 0.35,
            np.log(aspect) / 0.25,
            self.softness / 0.25,
            self.slope / 0.1,
            contrast / 35,
            ground[0] / 25,
            ground[2] / 25,
        )
        return np.array(values, np.float32)


def examine(pixels: np.ndarray, photo: LabelledPhoto) -> Source | None:
    """Returns a photo as a source of digits; None if they can't be cut out cleanly.

    Digits must lie inside the photo, from left to right, at most a little over each other, on a
    line that is not too steep, and stand out from their ground.

    Args:
        pixels: uint8 (H, W, 3).
        photo: Its labels.
    """
    boxes = np.asarray(photo.boxes, np.float32)
    if not 1 <= len(boxes) <= 5 or boxes[:, 2].min() < 2:
        return None
    right, bottom = boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]
    height = float(boxes[:, 3].mean())
    inside = boxes[:, :2].min() >= 0 and right.max() <= pixels.shape[1]
    inside = inside and bottom.max() <= pixels.shape[0]
    if not inside or height < _LOWEST_DIGIT or np.ptp(boxes[:, 3]) > 0.25 * height:
        return None
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    slope = 0.0
    if len(boxes) > 1:
        gaps = boxes[1:, 0] - right[:-1]
        if gaps.min() < -_LARGEST_OVERLAP * height or np.diff(centres[:, 0]).min() <= 2:
            return None
        if gaps.max() > 1.5 * height:
            return None
        slope = float((centres[-1, 1] - centres[0, 1]) / (centres[-1, 0] - centres[0, 0]))
    if abs(slope) > _STEEPEST:
        return None
    left, top, width, tall = (float(value) for value in union_box(boxes))
    rim = max(1, round(0.08 * height))
    first, last = max(0, int(left) - rim), int(left + width) + rim
    part = pixels[max(0, int(top) - rim) : int(top + tall) + rim, first:last].astype(np.float32)
    luminance = part @ LUMINANCE
    threshold, separation = otsu(luminance)
    bright = luminance > threshold
    frame = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
    inked = bright if frame.mean() < 0.5 else ~bright
    if separation < _LEAST_SEPARATION or not 0.08 < inked.mean() < 0.75:
        return None
    ground, ink = np.median(part[~inked], axis=0), np.median(part[inked], axis=0)
    contrast = abs(float((ink - ground) @ LUMINANCE))
    if contrast < _LEAST_CONTRAST:
        return None
    steepest = float(np.percentile(np.abs(np.diff(luminance, axis=1)), 95)) + 0.5
    return Source(
        photo.file_name,
        photo.digits,
        boxes,
        height,
        slope,
        ground.astype(np.float32),
        ink.astype(np.float32),
        float(np.log(contrast / steepest / height)),
    )
