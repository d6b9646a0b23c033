"""Figures and pictures of an evaluation for TensorBoard.

Each split is a run of its own (`EVAL_LOGDIR/val`, `EVAL_LOGDIR/test` …) with the same tags, so
that TensorBoard draws their curves over one another. Each step has one events file, named so that
TensorBoard reads the files in the order of the steps: evaluating a checkpoint again replaces its
points instead of doubling them, and evaluating an older checkpoint later does not hide the points
of newer ones, as TensorBoard does with steps that go back within a run.
"""

import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from svhn.evaluation.metrics import SplitMetrics
from svhn.evaluation.report import length_name
from svhn.files import write_whole


def write_summaries(
    eval_logdir: str | Path,
    split: str,
    step: int,
    metrics: SplitMetrics,
    mistakes: Image.Image | None = None,
) -> Path:
    """Writes the figures of a split at a step; replaces what was there for this step.

    Args:
        eval_logdir: The folder that TensorBoard watches, or one within it.
        split: The name of the run.
        step: The checkpoint's.
        metrics: Figures that are None (of no photos) are left out.
        mistakes: The contact sheet, if there is one.

    Returns:
        The path of the events file.
    """
    run = Path(eval_logdir) / split
    run.mkdir(parents=True, exist_ok=True)
    # TensorBoard takes each file with "tfevents" in its name for a run's, and sorts by name.
    path = run / f"events.out.tfevents.{step:012d}.evaluation"
    with tempfile.TemporaryDirectory() as elsewhere:
        with tf.summary.create_file_writer(elsewhere).as_default(step=step):
            for tag, value in _scalars(metrics).items():
                if value is not None:
                    tf.summary.scalar(tag, value)
            if mistakes is not None:
                tf.summary.image(
                    "most_confident_mistakes",
                    np.asarray(mistakes)[np.newaxis],
                    description="truth / predicted, confidence, photo",
                )
        (written,) = Path(elsewhere).iterdir()
        write_whole(path, written.read_bytes())
    return path


def _scalars(metrics: SplitMetrics) -> dict[str, float | None]:
    # Named as in `svhn.training.summaries`, so that these points lie on those curves' charts.
    scalars = {
        "loss": metrics.mean_loss,
        "sequence_accuracy": metrics.sequence.share,
        "digit_accuracy": metrics.digit.share,
        "length_accuracy": metrics.length.share,
        f"coverage_at_{100 * metrics.coverage.accuracy:g}_percent": metrics.coverage.share,
        "confidence_threshold": metrics.coverage.threshold,
        "mean_confidence": metrics.mean_confidence,
    }
    for length, proportion in metrics.by_length.items():
        scalars[f"sequence_accuracy_by_length/{length_name(length)}".replace(" ", "_")] = (
            proportion.share
        )
    return scalars
