"""Photos with the digits that a detector found in them, for people."""

import dataclasses

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from svhn.detection.average_precision import LabelledDigits, intersections_over_unions
from svhn.detection.decoding import DetectedDigits
from svhn.drawing import contact_sheet
from svhn.evaluation.mistakes import COLUMNS

DRAWN_FROM = 0.3
"""Digits with a lower score are not drawn."""

RIGHT_COLOUR, WRONG_COLOUR, MISSED_COLOUR = "#63d471", "#ff6b6b", "#ffb000"

_TILE_SIZE = 192
_LEAST_OVERLAP = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class SamplePhoto:
    """A photo as the detector sees it."""

    picture: np.ndarray
    """uint8 [H, W, 3], without padding."""

    scale: np.ndarray
    """float32 [2]: pixels of the picture for a pixel of the photo, along x and y."""


def detections_sheet(
    samples: list[SamplePhoto],
    detected: list[DetectedDigits],
    labelled: list[LabelledDigits],
) -> Image.Image:
    """Returns the photos with the digits that were found, and below what they are from the left.

    A found digit is green where it is right, else red; a labelled one that was not found is amber.

    Args:
        samples: At least one.
        detected: For each photo, in its pixels.
        labelled: The truth, likewise.
    """
    pictures, captions, colours = [], [], []
    for sample, found, truth in zip(samples, detected, labelled, strict=True):
        drawn = found.scores >= DRAWN_FROM
        labels, boxes = found.labels[drawn], found.boxes[drawn]
        pictures.append(_drawn(sample, labels, boxes, truth))
        read, shown = _from_the_left(labels, boxes), _from_the_left(truth.labels, truth.boxes)
        captions.append(read or "none" if read == shown else f"{read or 'none'}, not {shown}")
        colours.append(RIGHT_COLOUR if read == shown else WRONG_COLOUR)
    return contact_sheet(pictures, captions, COLUMNS, _TILE_SIZE, colours)


def _drawn(
    sample: SamplePhoto, labels: np.ndarray, boxes: np.ndarray, truth: LabelledDigits
) -> np.ndarray:
    """The photo in the size of its tile, with boxes."""
    height, width = sample.picture.shape[:2]
    factor = _TILE_SIZE / max(height, width)
    size = tuple(max(1, round(side * factor)) for side in (width, height))
    image = Image.fromarray(sample.picture).resize(size, Image.Resampling.BICUBIC)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(12)
    overlaps = intersections_over_unions(boxes, truth.boxes)
    agree = (overlaps >= _LEAST_OVERLAP) & (labels[:, np.newaxis] == truth.labels)
    is_right, is_found = agree.any(axis=1), agree.any(axis=0)
    to_tile = np.tile(sample.scale * factor, 2)

    def draw(box: np.ndarray, label: int, colour: str) -> None:
        left, top, box_width, box_height = (float(value) for value in box * to_tile)
        pen.rectangle((left, top, left + box_width, top + box_height), outline=colour, width=2)
        pen.text((left + 3, top + 1), str(label), fill=colour, font=font)

    for box, label in zip(truth.boxes[~is_found], truth.labels[~is_found], strict=True):
        draw(box, label, MISSED_COLOUR)
    for box, label, right in zip(boxes, labels, is_right, strict=True):
        draw(box, label, RIGHT_COLOUR if right else WRONG_COLOUR)
    return np.asarray(image)


def _from_the_left(labels: np.ndarray, boxes: np.ndarray) -> str:
    order = np.argsort(boxes[:, 0] + boxes[:, 2] / 2, kind="stable")
    return "".join(str(label) for label in labels[order])
