"""From the detector's cells to digits: label, score and box; and to the places of whole numbers."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops

from svhn.detection.cells import Cells, cells_of, number_cells_of
from svhn.detection.non_maximum_suppression import suppress
from svhn.geometry import clip_boxes

SCORE_THRESHOLD = 0.05
"""Cells below are no digits, and a digit with less of a class is not counted for it. Low, as the
precision of sure digits doesn't depend on unsure ones."""

_CANDIDATES = 500
"""Cells of a picture that compete, at most."""


@dataclasses.dataclass(frozen=True, eq=False)
class DetectedDigits:
    """The digits of one picture or photo, the surest first unless it says otherwise."""

    labels: np.ndarray
    """int32 [N], 0 to 9."""

    scores: np.ndarray
    """float32 [N], 0 to 1."""

    boxes: np.ndarray
    """float32 [N, 4]: left, top, width, height, pixels."""

    class_scores: np.ndarray
    """float32 [N, 10]: the score of each digit at that place; they need not sum to 1."""

    def chosen(self, places: np.ndarray) -> "DetectedDigits":
        """Returns the digits at some places, int [M], in that order."""
        return DetectedDigits(
            self.labels[places], self.scores[places], self.boxes[places], self.class_scores[places]
        )

    def in_photo(self, scale: np.ndarray, photo_size: tuple[int, int]) -> "DetectedDigits":
        """Returns the digits with boxes in the photo's pixels, cut off at its edges.

        Args:
            scale: float [2]: pixels of the picture for a pixel of the photo, along x and y, as
                `svhn.detector_input` gives them.
            photo_size: Width and height of the photo, pixels.
        """
        boxes = self.boxes / np.tile(np.asarray(scale, np.float32), 2)
        return dataclasses.replace(self, boxes=clip_boxes(boxes, *photo_size))


def decode_cells(outputs: Mapping[str, Any], cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Returns the boxes and class scores of cells.

    Args:
        outputs: "class_logits" and "box_distances" of these cells, as the detector gives them.
        cells: Where they are.

    Returns:
        float32 [..., cells, 4]: left, top, width, height, pixels of the picture, sides not
        negative; and float32 [..., cells, 10], 0 to 1.
    """
    logits, distances = _as_arrays(outputs)
    size = np.maximum(distances[..., :2] + distances[..., 2:], 0)
    boxes = np.concatenate([cells.centres - distances[..., :2], size], axis=-1)
    # With the absolute value nothing overflows.
    ratios = np.exp(-np.abs(logits))
    return boxes, np.where(logits >= 0, 1, ratios) / (1 + ratios)


def find_digits(
    outputs: Mapping[str, Any],
    height: int,
    width: int,
    score_threshold: float = SCORE_THRESHOLD,
    most: int = 100,
) -> list[DetectedDigits]:
    """Returns the digits of each picture of a batch, in pixels of the picture.

    Args:
        outputs: "class_logits" and "box_distances", as the detector gives them.
        height: Of the pictures, pixels, multiples of 32.
        width: Likewise.
        score_threshold: Digits have at least this score.
        most: Digits of a picture, at most.
    """
    return _found(*_as_arrays(outputs), cells_of(height, width), score_threshold, most)


def find_regions(
    outputs: Mapping[str, Any],
    height: int,
    width: int,
    score_threshold: float = SCORE_THRESHOLD,
    most: int = 20,
) -> list[DetectedDigits]:
    """Returns where each picture of a batch seems to show a whole number: its regions.

    Args:
        outputs: "number_logits" and "number_distances", as the detector gives them.
        height: As for `find_digits`.
        width: Likewise.
        score_threshold: Regions have at least this score.
        most: Regions of a picture, at most.

    Returns:
        As `find_digits`, but of a single class: labels are 0, `class_scores` float32 [N, 1].
    """
    renamed = {
        "class_logits": outputs["number_logits"],
        "box_distances": outputs["number_distances"],
    }
    return _found(*_as_arrays(renamed), number_cells_of(height, width), score_threshold, most)


def _found(
    all_logits: np.ndarray,
    all_distances: np.ndarray,
    cells: Cells,
    score_threshold: float,
    most: int,
) -> list[DetectedDigits]:
    least = math.log(score_threshold / (1 - score_threshold)) if score_threshold > 0 else -math.inf
    found = []
    for logits, distances in zip(all_logits, all_distances, strict=True):
        # Few cells see anything: only those are decoded. Of all, ten a cell, it takes least time to
        # look for those first, and then for what is best in each.
        candidates = np.unique(np.flatnonzero(logits >= least) // logits.shape[1])
        best = logits[candidates].max(axis=1)
        candidates = candidates[np.argsort(-best, kind="stable")[:_CANDIDATES]]
        chosen = Cells(*(part[candidates] for part in (cells.centres, cells.strides, cells.levels)))
        boxes, class_scores = decode_cells(
            {"class_logits": logits[candidates], "box_distances": distances[candidates]}, chosen
        )
        kept = suppress(boxes, class_scores.max(axis=1), most=most)
        found.append(
            DetectedDigits(
                class_scores[kept].argmax(axis=1).astype(np.int32),
                class_scores[kept].max(axis=1),
                boxes[kept],
                class_scores[kept],
            )
        )
    return found


def _as_arrays(outputs: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the class logits and the box distances, float32."""
    return tuple(
        np.asarray(ops.convert_to_numpy(outputs[name]), np.float32)
        for name in ("class_logits", "box_distances")
    )
