"""Average precision as COCO defines it (Lin et al. 2014; pycocotools is the referee of the tests).

For each digit 0 to 9, detections of all photos are ranked by score. One is right if its
intersection over union with a digit of that class, which no better one of the same photo has taken,
reaches a threshold. The average precision is the mean, over recalls of 0, 0.01, … 1, of the best
precision at that recall or a higher one; then the mean over the classes that occur.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from svhn.detection.decoding import SCORE_THRESHOLD, DetectedDigits
from svhn.labels import DIGIT_CLASSES

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)

MOST_DETECTIONS = 100
"""Of a class in a photo: COCO's limit."""


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledDigits:
    """The digits that a photo shows."""

    labels: np.ndarray
    """int [N], 0 to 9."""

    boxes: np.ndarray
    """float [N, 4]: left, top, width, height, pixels."""


@dataclasses.dataclass(frozen=True, eq=False)
class AveragePrecision:
    """How well digits were detected."""

    by_class: np.ndarray
    """float64 [10 thresholds, 10 digits]; NaN where a digit never occurs."""

    @property
    def at_half(self) -> float:
        """At an intersection over union of 0.5; 0 to 1, NaN without any digit."""
        return _mean(self.by_class[0])

    @property
    def mean(self) -> float:
        """Over the thresholds 0.5, 0.55, … 0.95; 0 to 1, NaN without any digit."""
        return _mean(self.by_class)


def average_precision(
    detected: Sequence[DetectedDigits], labelled: Sequence[LabelledDigits]
) -> AveragePrecision:
    """Returns the average precision over all photos.

    As dense detectors are evaluated on COCO (Lin et al. 2017, arXiv 1708.02002, section 4.1), what
    was found counts for each class for which it has a score of at least `SCORE_THRESHOLD`: what
    is likely a 1, but may be a 7, is a 1 with a high score and a 7 with a low one.

    Args:
        detected: What was found in each photo; their `class_scores` and `boxes` count.
        labelled: What each of the same photos shows, in pixels of the same size.

    Raises:
        ValueError: If there are not as many of the one as of the other.
    """
    by_class = np.full((len(IOU_THRESHOLDS), DIGIT_CLASSES), np.nan)
    for digit in range(DIGIT_CLASSES):
        total, scores, are_right = 0, [], []
        for found, truth in zip(detected, labelled, strict=True):
            true_boxes = truth.boxes[truth.labels == digit]
            total += len(true_boxes)
            of_class = found.class_scores[:, digit]
            ranks = np.argsort(-of_class, kind="stable")[:MOST_DETECTIONS]
            ranks = ranks[of_class[ranks] >= SCORE_THRESHOLD]
            scores.append(of_class[ranks])
            are_right.append(_match(found.boxes[ranks], true_boxes))
        if total:
            ranks = np.argsort(-np.concatenate(scores), kind="stable")
            right = np.concatenate(are_right, axis=1)[:, ranks]
            by_class[:, digit] = [_mean_precision(row, total) for row in right]
    return AveragePrecision(by_class)


def intersections_over_unions(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns how much each box overlaps each other one, float64 [N, M], 0 to 1.

    Args:
        boxes: float [N, 4]: left, top, width, height.
        others: float [M, 4], likewise.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 1, 4)
    others = np.asarray(others, np.float64).reshape(1, -1, 4)
    start = np.maximum(boxes[..., :2], others[..., :2])
    end = np.minimum(boxes[..., :2] + boxes[..., 2:], others[..., :2] + others[..., 2:])
    common = np.prod(np.maximum(end - start, 0.0), axis=-1)
    union = np.prod(boxes[..., 2:], axis=-1) + np.prod(others[..., 2:], axis=-1) - common
    return common / np.maximum(union, np.finfo(np.float64).tiny)


def _match(boxes: np.ndarray, true_boxes: np.ndarray) -> np.ndarray:
    """Returns at each threshold which boxes, the best first, are right: bool [thresholds, N]."""
    overlaps = intersections_over_unions(boxes, true_boxes)
    right = np.zeros((len(IOU_THRESHOLDS), len(boxes)), bool)
    for row, threshold in zip(right, IOU_THRESHOLDS, strict=True):
        free = np.ones(len(true_boxes), bool)
        for place, overlap in enumerate(overlaps):
            candidates = np.where(free, overlap, -1.0)
            # Of equal ones COCO takes the last.
            best = len(candidates) - 1 - np.argmax(candidates[::-1]) if len(candidates) else -1
            if best >= 0 and candidates[best] >= min(threshold, 1 - 1e-10):
                row[place], free[best] = True, False
    return right


def _mean_precision(right: np.ndarray, total: int) -> float:
    """Returns the mean precision over `RECALLS`, given which of the ranked detections are right."""
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(hits / total, RECALLS, side="left")
    return float(np.append(best_from_here, 0.0)[places].mean())


def _mean(values: np.ndarray) -> float:
    occurring = values[~np.isnan(values)]
    return float(occurring.mean()) if occurring.size else float("nan")
