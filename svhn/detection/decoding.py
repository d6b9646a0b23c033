"""From the detector's cells to digits: label, score and box."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops

from svhn.detection.cells import Cells, cells_of
from svhn.detection.non_maximum_suppression import IOU_THRESHOLD, suppress
from svhn.geometry import clip_boxes

SCORE_THRESHOLD = 0.05
"""Cells below are no digits. Low, as the precision of sure digits doesn't depend on unsure ones."""

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


def decode_cells(outputs: Mapping[str, Any], cells: Cells) -> tuple[Any, Any]:
    """Returns the boxes and class scores of all cells.

    Args:
        outputs: "class_logits" and "box_distances", as the detector gives them.
        cells: Those of the picture's size.

    Returns:
        float32 [B, cells, 4]: left, top, width, height, pixels of the picture, sides not negative;
        and float32 [B, cells, 10], 0 to 1.
    """
    distances = ops.cast(outputs["box_distances"], "float32")
    size = ops.maximum(distances[..., :2] + distances[..., 2:], 0.0)
    boxes = ops.concatenate([cells.centres - distances[..., :2], size], axis=-1)
    return boxes, ops.sigmoid(ops.cast(outputs["class_logits"], "float32"))


def find_digits(
    outputs: Mapping[str, Any],
    height: int,
    width: int,
    score_threshold: float = SCORE_THRESHOLD,
    iou_threshold: float = IOU_THRESHOLD,
    most: int = 100,
) -> list[DetectedDigits]:
    """Returns the digits of each picture of a batch, in pixels of the picture.

    Args:
        outputs: "class_logits" and "box_distances", as the detector gives them.
        height: Of the pictures, pixels, multiples of 32.
        width: Likewise.
        score_threshold: Digits have at least this score.
        iou_threshold: See `svhn.detection.non_maximum_suppression.suppress`.
        most: Digits of a picture, at most.
    """
    cells = cells_of(height, width)
    all_logits = np.asarray(ops.convert_to_numpy(outputs["class_logits"]), np.float32)
    all_distances = np.asarray(ops.convert_to_numpy(outputs["box_distances"]), np.float32)
    least = np.log(score_threshold / (1 - score_threshold)) if score_threshold > 0 else -np.inf
    found = []
    for logits, distances in zip(all_logits, all_distances, strict=True):
        best = logits.max(axis=1)
        # Few cells see anything: only those are decoded.
        candidates = np.flatnonzero(best >= least)
        candidates = candidates[np.argsort(-best[candidates], kind="stable")[:_CANDIDATES]]
        chosen = Cells(*(part[candidates] for part in (cells.centres, cells.strides, cells.levels)))
        boxes, class_scores = decode_cells(
            {
                "class_logits": logits[candidates][None],
                "box_distances": distances[candidates][None],
            },
            chosen,
        )
        boxes, class_scores = np.asarray(boxes)[0], np.asarray(class_scores)[0]
        kept = suppress(boxes, class_scores.max(axis=1), iou_threshold, most)
        found.append(
            DetectedDigits(
                class_scores[kept].argmax(axis=1).astype(np.int32),
                class_scores[kept].max(axis=1),
                boxes[kept],
                class_scores[kept],
            )
        )
    return found
