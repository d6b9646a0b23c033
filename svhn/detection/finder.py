"""The number finder: the detector, applied to whole photos of any size."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from svhn.detection.box_scale import BoxScale
from svhn.detection.close_look import close_looks
from svhn.detection.decoding import DetectedDigits, find_digits, find_regions
from svhn.detection.merging import joined, merged
from svhn.detection.numbers import FoundNumber
from svhn.detection.outline import Outline
from svhn.detection.part import Part
from svhn.detection.regions import with_regions
from svhn.detection.search_levels import (
    LARGEST_ENLARGEMENT,
    canvas_for,
    level_sides,
    tiles_of,
)
from svhn.detector_input import PADDING_LEVEL, detector_input
from svhn.geometry import clip_boxes
from svhn.loaded_model import LoadedModel
from svhn.models.inference import for_inference

__all__ = ["FoundNumber", "NumberFinder"]

NUMBER_SCORE = 0.3
"""Numbers below are taken for none. Low, as the reader has a word in it, too
(`svhn.reading.whole_photo`)."""

_CUT = 3.0
"""Pixels. A digit that comes closer to the edge between two tiles, or of a close look, may go on
beyond it."""


class _Look(NamedTuple):
    """What one look at a photo has seen; see `svhn.detection.merging.merged`."""

    digits: DetectedDigits
    regions: DetectedDigits
    scale: float
    part: Part | None = None


class Seen(NamedTuple):
    """All that may be there in a photo, in its pixels, the surest first."""

    digits: DetectedDigits
    regions: DetectedDigits
    """Places of whole numbers (`svhn.detection.decoding.find_regions`)."""


class NumberFinder:
    """Finds numbers in photos. Its methods may be called from several threads."""

    def __init__(
        self,
        model: keras.Model,
        number_score: float = NUMBER_SCORE,
        box_scale: BoxScale = BoxScale(),  # noqa: B008 - immutable
        outline: Outline = Outline(),  # noqa: B008 - immutable
    ):
        """Wraps a trained detector.

        Args:
            model: As `svhn.models.detector.build` returns it, for pictures of any size. What is
                applied is `svhn.models.inference.for_inference` of it.
            number_score: Found numbers have at least this score, 0 to 1.
            box_scale: What is kept with the network about its boxes.
            outline: Likewise; how boxes that were found are told.
        """
        self.outline = outline
        self._number_score = number_score
        self._box_scale = box_scale
        # One graph each for all sizes: tracing takes far longer than finding.
        self._picture = tf.function(
            detector_input,
            input_signature=[
                tf.TensorSpec([None, None, 3], tf.uint8),
                tf.TensorSpec([], tf.float64),
            ],
        )
        network = for_inference(model)

        @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.float32)])
        def detect(pictures: tf.Tensor) -> dict[str, tf.Tensor]:
            return network(pictures, training=False)

        self._detect = detect

    @classmethod
    def of(cls, loaded: LoadedModel, number_score: float = NUMBER_SCORE) -> "NumberFinder":
        """Returns a finder with a detector and what is kept with it.

        Args:
            loaded: A detector.
            number_score: As above.
        """
        return cls(loaded.model, number_score, BoxScale.of(loaded.state), Outline.of(loaded.state))

    def find(self, photo: np.ndarray) -> list[FoundNumber]:
        """Returns the numbers in a photo, the best first; none where there is none.

        Args:
            photo: uint8 [H, W, 3], RGB, each side 16 to 8,000 pixels.
        """
        return self.numbers(self.see(photo))

    def numbers(self, seen: Seen) -> list[FoundNumber]:
        """Returns the numbers that digits and regions of a photo make, the best first.

        Args:
            seen: As `see` returns it.
        """
        numbers = with_regions(*seen)
        return [found for found in numbers if found.surety >= self._number_score]

    def see(self, photo: np.ndarray) -> Seen:
        """Returns all that may be a digit of a photo, and all that may be a number.

        Args:
            photo: As in `find`.
        """
        height, width = photo.shape[:2]
        sides = level_sides(height, width)
        reduced, reduction = _reduced(photo, sides[-1])
        looks = [self._look(reduced, side, reduction) for side in sides]
        seen = self._together(photo, looks)
        numbers = with_regions(*seen)
        close = close_looks(numbers, height, width, LARGEST_ENLARGEMENT)
        if not close:
            return seen
        return self._together(photo, looks + [self._close_look(photo, *look) for look in close])

    def _together(self, photo: np.ndarray, looks: Sequence["_Look"]) -> Seen:
        """Returns the digits and regions of all looks at a photo, each once."""
        digits, regions, scales, parts = zip(*looks, strict=True)
        height, width = photo.shape[:2]
        return Seen(
            *(
                dataclasses.replace(found, boxes=clip_boxes(found.boxes, width, height))
                for found in (
                    self._box_scale.applied(merged(digits, scales, parts)),
                    merged(regions, scales, parts, by_height=True),
                )
            )
        )

    def _close_look(self, photo: np.ndarray, part: Part, longer_side: int) -> "_Look":
        left, top, right, bottom = part
        reduced, reduction = _reduced(photo[top:bottom, left:right], longer_side)
        look = self._look(reduced, longer_side, reduction)
        # It neither speaks for what its edge cuts nor against it.
        inside = part.without_edges(_CUT / look.scale, *photo.shape[:2])
        digits, regions = (
            _whole(found, found.boxes + np.array([left, top, 0, 0], np.float32), inside)
            for found in (look.digits, look.regions)
        )
        return _Look(digits, regions, look.scale, inside)

    def _look(self, photo: np.ndarray, side: int, reduction: int) -> "_Look":
        """Returns what is seen of a photo, in pixels of the one that was reduced to it.

        Args:
            photo: uint8 [H, W, 3].
            side: The longer side of the picture that the detector sees, pixels.
            reduction: How many pixels wide the squares were that became one.
        """
        picture, scale = self._picture(photo, np.float64(side))
        scale = scale.numpy()
        used = np.round(np.array(photo.shape[:2]) * scale[::-1]).astype(int)
        height, width = (length * reduction for length in photo.shape[:2])
        in_photo = []
        for found in self._search(picture.numpy(), *used):
            found = found.in_photo(scale / reduction, (width, height))
            # What lies in the padding has no part in the photo.
            in_photo.append(found.chosen(np.flatnonzero(found.boxes[:, 2:].all(axis=1))))
        return _Look(*in_photo, float(scale.max()) / reduction)

    def _search(self, picture: np.ndarray, height: int, width: int) -> tuple[DetectedDigits, ...]:
        """Returns digits and regions of a picture, tile by tile, in its pixels.

        Args:
            picture: float32 [height and more, width and more, 3].
            height: Of the photo in it, pixels.
            width: Likewise.
        """
        canvas = canvas_for(height, width)
        parts = []
        for tile in tiles_of(height, width, canvas):
            top, left = tile.top, tile.left
            piece = np.full((1, *canvas, 3), PADDING_LEVEL, np.float32)
            piece[0, : tile.height, : tile.width] = picture[
                top : top + tile.height, left : left + tile.width
            ]
            outputs = self._detect(piece)
            part = Part(left, top, left + tile.width, top + tile.height)
            inside = part.without_edges(_CUT, height, width)
            found = []
            for find in (find_digits, find_regions):
                [pieces] = find(outputs, *canvas)
                boxes = pieces.boxes + np.array([left, top, 0, 0], np.float32)
                found.append(_whole(pieces, boxes, inside))
            parts.append(found)
        return tuple(map(joined, zip(*parts, strict=True)))


def _reduced(photo: np.ndarray, longer_side: int) -> tuple[np.ndarray, int]:
    """Returns the photo with whole squares of pixels averaged, and how many pixels they are wide.

    Args:
        photo: uint8 [H, W, 3].
        longer_side: What it is to be resized to at most. No less is left.
    """
    factor = max(photo.shape[:2]) // longer_side
    if factor < 2:
        return photo, 1
    return np.asarray(Image.fromarray(photo).reduce(factor)), factor


def _whole(digits: DetectedDigits, boxes: np.ndarray, part: Part) -> DetectedDigits:
    """Returns the digits that lie in a part, with boxes in the pixels that it is told in."""
    digits = dataclasses.replace(digits, boxes=boxes)
    return digits.chosen(np.flatnonzero(part.holds(boxes)))
