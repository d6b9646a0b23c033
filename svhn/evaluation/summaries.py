"""Figures and pictures of an evaluation for TensorBoard, the same in training and in `eval.py`.

TensorBoard groups charts by the words before the slash and sorts the groups by name: first
`accuracy_and_loss`, then `accuracy_by_length`, `confidence` and `pictures`; training adds its own.

Of `eval.py`, each split is a run of its own (`EVAL_LOGDIR/val`, `EVAL_LOGDIR/test` …) with the
same tags, so that TensorBoard draws their curves over one another. Each step has one events file,
named so that TensorBoard reads the files in the order of the steps: evaluating a checkpoint again
replaces its points instead of doubling them, and evaluating an older checkpoint later does not
hide the points of newer ones, as TensorBoard does with steps that go back within a run.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from svhn.evaluation.charts import (
    calibration_chart,
    confidence_chart,
    confusion_chart,
    risk_coverage_chart,
)
from svhn.evaluation.confusion import count_digit_confusions
from svhn.evaluation.metrics import SplitMetrics
from svhn.evaluation.predict import SplitPredictions
from svhn.files import write_whole
from svhn.labels import length_name

LOSS, SEQUENCE_ACCURACY = "accuracy_and_loss/loss", "accuracy_and_loss/sequence_accuracy"
"""The tags that training has, too, so that its curves lie on the same charts."""

CALIBRATION, HISTOGRAM = "confidence/calibration", "confidence/histogram"
RISK_COVERAGE = "confidence/risk_coverage"
CONFUSION, MISTAKES = "pictures/confusion_of_digits", "pictures/most_confident_mistakes"

_DESCRIPTIONS = {
    CALIBRATION: "How many were read right, by confidence, with 95 % intervals; on the dashed line "
    "the confidence is honest",
    HISTOGRAM: "How many photos have which confidence",
    RISK_COVERAGE: "How many of the kept photos are read wrong, by how many are kept, the most "
    "confident first",
    CONFUSION: "Digits that truth and prediction have at the same position: count, share of row",
    MISTAKES: "truth / predicted, confidence, photo",
}


def draw_charts(predictions: SplitPredictions, metrics: SplitMetrics) -> dict[str, np.ndarray]:
    """Returns the pictures of `svhn.evaluation.charts` of a split, by their tags.

    Args:
        predictions: Of the split.
        metrics: Of these predictions.

    Returns:
        Each uint8 [H, W, 3], all of the same size.
    """
    confusions = count_digit_confusions(predictions.labels, predictions.predicted)
    return {
        CALIBRATION: calibration_chart(metrics.calibration),
        HISTOGRAM: confidence_chart(predictions.right, predictions.confidence),
        RISK_COVERAGE: risk_coverage_chart(
            predictions.right, predictions.confidence, metrics.coverages, metrics.answers
        ),
        CONFUSION: confusion_chart(confusions),
    }


def write_split(
    predictions: SplitPredictions,
    metrics: SplitMetrics,
    charts: Mapping[str, np.ndarray],
    mistakes: Image.Image | None = None,
) -> None:
    """Writes what there is to see of a split to the current summary writer, at its step.

    Args:
        predictions: Of the split.
        metrics: Of these predictions; figures that are None (of no photos) are left out.
        charts: As `draw_charts` gives them.
        mistakes: The contact sheet, if there is one.
    """
    write_figures(metrics)
    right, confidence = predictions.right, predictions.confidence
    tf.summary.histogram("confidence/of_right_readings", confidence[right])
    tf.summary.histogram("confidence/of_wrong_readings", confidence[~right])
    pictures = {**charts} if mistakes is None else {**charts, MISTAKES: np.asarray(mistakes)}
    for tag, picture in pictures.items():
        tf.summary.image(tag, picture[np.newaxis], description=_DESCRIPTIONS[tag])


def write_figures(metrics: SplitMetrics) -> None:
    """Writes the figures of a split to the current summary writer, at its step.

    Args:
        metrics: Figures that are None (of no photos) are left out.
    """
    for tag, value in _scalars(metrics).items():
        if value is not None:
            tf.summary.scalar(tag, value)


def write_summaries(
    eval_logdir: str | Path,
    split: str,
    step: int,
    predictions: SplitPredictions,
    metrics: SplitMetrics,
    charts: Mapping[str, np.ndarray],
    mistakes: Image.Image | None = None,
) -> Path:
    """Writes what there is to see of a split at a step; replaces what was there for this step.

    Args:
        eval_logdir: The folder that TensorBoard watches, or one within it.
        split: The name of the run.
        step: The checkpoint's.
        predictions: See `write_split`.
        metrics: See `write_split`.
        charts: See `write_split`.
        mistakes: See `write_split`.

    Returns:
        The path of the events file.
    """
    run = Path(eval_logdir) / split
    run.mkdir(parents=True, exist_ok=True)
    # TensorBoard takes each file with "tfevents" in its name for a run's, and sorts by name.
    path = run / f"events.out.tfevents.{step:012d}.evaluation"
    with tempfile.TemporaryDirectory() as elsewhere:
        with tf.summary.create_file_writer(elsewhere).as_default(step=step):
            write_split(predictions, metrics, charts, mistakes)
        (written,) = Path(elsewhere).iterdir()
        write_whole(path, written.read_bytes())
    return path


def _scalars(metrics: SplitMetrics) -> dict[str, float | None]:
    scalars = {
        LOSS: metrics.mean_loss,
        SEQUENCE_ACCURACY: metrics.sequence.share,
        "accuracy_and_loss/digit_accuracy": metrics.digit.share,
        "accuracy_and_loss/length_accuracy": metrics.length.share,
        "confidence/expected_calibration_error": metrics.calibration.expected_calibration_error,
        "confidence/expected_calibration_error_at_temperature_1": metrics.error_without_temperature,
        "confidence/mean": metrics.mean_confidence,
        "confidence/temperature": metrics.temperature,
    }
    for coverage in metrics.coverages:
        wanted = f"{100 * coverage.accuracy:g}_percent"
        scalars[f"confidence/coverage_at_{wanted}"] = coverage.share
        scalars[f"confidence/threshold_for_{wanted}"] = coverage.threshold
    for answers in metrics.answers:
        wanted = f"{100 * answers.accuracy:g}_percent"
        scalars[f"confidence/answered_with_stored_threshold_for_{wanted}"] = answers.answered.share
        scalars[f"confidence/right_with_stored_threshold_for_{wanted}"] = answers.right.share
    for length, proportion in metrics.by_length.items():
        digits = "digit" if length == 1 else "digits"
        tag = f"accuracy_by_length/{length_name(length)}_{digits}".replace(" ", "_")
        scalars[tag] = proportion.share
    return scalars
