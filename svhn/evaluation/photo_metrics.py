"""Exact figures of whole photos: what is read, which boxes are found, how digits are detected."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from svhn.detection.average_precision import (
    AveragePrecision,
    average_precision,
    intersections_over_unions,
)
from svhn.evaluation.metrics import (
    COVERAGE_ACCURACIES,
    Proportion,
    SplitMetrics,
    compute_metrics,
)
from svhn.evaluation.photos import PhotoPredictions

LEAST_OVERLAP = 0.5
"""Intersection over union from which on a box counts as found."""


@dataclasses.dataclass(frozen=True)
class PhotoMetrics:
    """The figures of the photos of a split."""

    read: SplitMetrics
    """Of the best number of each photo; a photo in which none was found is read wrong."""

    read_in_true_boxes: SplitMetrics
    """Of the same reader, where it is told the place."""

    box_found: Proportion
    """Numbers with a found box that overlaps the tight box around their digits enough."""

    box_found_by_length: dict[int, Proportion]
    """`box_found` for the photos of each true length class that occurs, in ascending order."""

    best_box: Proportion
    """`box_found`, if only the number counts that the finder is surest of."""

    without: Proportion
    """Photos in which no number was found."""

    with_several: Proportion
    """Photos in which more than one was found."""

    digits: AveragePrecision
    """Of the digits by themselves."""


def measure_photos(
    predictions: PhotoPredictions,
    coverage_accuracies: Sequence[float] = COVERAGE_ACCURACIES,
) -> PhotoMetrics:
    """Returns the figures of a split.

    Args:
        predictions: Of the split.
        coverage_accuracies: See `svhn.evaluation.metrics.compute_metrics`.
    """
    found = np.array([len(numbers) for numbers in predictions.numbers], int)
    overlaps = [
        intersections_over_unions(
            np.array([number.box for number in numbers], np.float32), truth[None]
        )[:, 0]
        for numbers, truth in zip(predictions.numbers, predictions.true_boxes, strict=True)
    ]
    box_found = np.array([(each >= LEAST_OVERLAP).any() for each in overlaps], bool)
    lengths = predictions.labels[:, 0]
    return PhotoMetrics(
        read=compute_metrics(
            predictions.labels,
            predictions.predicted,
            predictions.confidence,
            coverage_accuracies,
        ),
        read_in_true_boxes=compute_metrics(
            predictions.labels,
            predictions.predicted_in_true_boxes,
            predictions.confidence_in_true_boxes,
            coverage_accuracies,
        ),
        box_found=_proportion(box_found),
        box_found_by_length={
            int(length): _proportion(box_found[lengths == length]) for length in np.unique(lengths)
        },
        best_box=_proportion([(each[:1] >= LEAST_OVERLAP).any() for each in overlaps]),
        without=_proportion(found == 0),
        with_several=_proportion(found > 1),
        digits=average_precision(predictions.digits, predictions.labelled),
    )


def _proportion(values: Sequence[bool] | np.ndarray) -> Proportion:
    return Proportion(int(np.sum(values)), len(values))
