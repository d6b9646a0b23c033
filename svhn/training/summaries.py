"""What TensorBoard shows of a run.

Two runs under the log folder, `train` and `val`, with the same tags, so that each chart has both
curves; docs/watching.md explains the charts. Where the weights are averaged, `val` is of the
average and a third run, `val_raw`, of the weights themselves.
"""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from svhn.drawing import contact_sheet
from svhn.evaluation.metrics import SplitMetrics
from svhn.evaluation.mistakes import COLUMNS, mistakes_sheet, visible_picture
from svhn.evaluation.predict import SplitPredictions
from svhn.evaluation.summaries import (
    LOSS,
    SEQUENCE_ACCURACY,
    draw_charts,
    write_figures,
    write_split,
)
from svhn.labels import number_text
from svhn.training.config import TrainingConfig
from svhn.training.event_files import drop_events_after

SAMPLES = 24
RIGHT_COLOUR, WRONG_COLOUR = "#63d471", "#ff6b6b"


class Summaries:
    """Writes the events of one run; use as a context manager."""

    def __init__(self, folder: str | Path, step: int = 0):
        """Opens the files; what a run that was cut off wrote after `step` is dropped.

        Args:
            folder: The run's log folder.
            step: Where the run goes on; 0 for a new one.
        """
        for name in ("train", "val", "val_raw"):
            drop_events_after(Path(folder) / name, step or -1)
        self._folder = Path(folder)
        self._train = tf.summary.create_file_writer(str(Path(folder) / "train"))
        self._val = tf.summary.create_file_writer(str(Path(folder) / "val"))
        self._val_raw: tf.summary.SummaryWriter | None = None

    def __enter__(self) -> "Summaries":
        return self

    def __exit__(self, *_: object) -> None:
        for writer in (self._train, self._val, self._val_raw):
            if writer:
                writer.close()

    def start(self, config: TrainingConfig, model: keras.Model) -> None:
        """Writes hyperparameters and the model's graph, once at the start of a run."""
        with self._val.as_default():
            values = dataclasses.asdict(config)
            hparams.hparams(
                {
                    name: ",".join(value) if isinstance(value, list) else value
                    for name, value in values.items()
                    if value is not None
                }
            )
        images = tf.TensorSpec([1, *model.input_shape[1:]], tf.float32, name="images")
        forward = tf.function(lambda images: model(images, training=False))
        with self._train.as_default(step=0):
            tf.summary.graph(forward.get_concrete_function(images).graph.as_graph_def())

    def training(
        self,
        step: int,
        loss: float,
        sequence_accuracy: float,
        learning_rate: float,
        images_per_second: float,
        gradient_norm: float | None,
    ) -> None:
        """Writes a point of the training curves.

        Args:
            step: Training steps so far.
            loss: The mean over the steps since the last point.
            sequence_accuracy: Over the pictures of these steps, 0 to 1.
            learning_rate: Of the moment.
            images_per_second: Over these steps.
            gradient_norm: The mean over these steps, before clipping; None where all overflowed.
        """
        with self._train.as_default(step=step):
            tf.summary.scalar(LOSS, loss)
            tf.summary.scalar(SEQUENCE_ACCURACY, sequence_accuracy)
            tf.summary.scalar("training/learning_rate", learning_rate)
            tf.summary.scalar("training/images_per_second", images_per_second)
            if gradient_norm is not None:
                tf.summary.scalar("training/gradient_norm", gradient_norm)

    def validation(
        self,
        step: int,
        predictions: SplitPredictions,
        metrics: SplitMetrics,
        samples: np.ndarray,
    ) -> None:
        """Writes a point of the validation curves, and pictures with what was read on them.

        Args:
            step: Training steps so far.
            predictions: Of the val split, with some mistakes kept.
            metrics: Of these predictions, with their loss.
            samples: The network inputs of the split's first pictures, float32 [N, H, W, 3].
        """
        with self._val.as_default(step=step):
            charts = draw_charts(predictions, metrics)
            write_split(predictions, metrics, charts, mistakes_sheet(predictions))
            tf.summary.image(
                "pictures/samples",
                _sample_sheet(predictions, samples),
                description="The split's first photos: what was read, and the truth if another",
            )
        self._val.flush()
        self._train.flush()

    def raw_validation(self, step: int, metrics: SplitMetrics) -> None:
        """Writes a point of the validation curves of weights whose average is what counts.

        Args:
            step: Training steps so far.
            metrics: Of the val split, with their loss.
        """
        if self._val_raw is None:
            self._val_raw = tf.summary.create_file_writer(str(self._folder / "val_raw"))
        with self._val_raw.as_default(step=step):
            write_figures(metrics)
        self._val_raw.flush()


def _sample_sheet(predictions: SplitPredictions, samples: np.ndarray) -> np.ndarray:
    """The first pictures of the split, their captions green where they were read right."""
    captions, colours = [], []
    for row in range(len(samples)):
        read, truth = (
            number_text(row_of[row]) or "none"
            for row_of in (predictions.predicted, predictions.labels)
        )
        confidence = f"{100 * predictions.confidence[row]:.0f} %"
        right = predictions.right[row]
        captions.append(f"{read}  {confidence}" if right else f"{read}, not {truth}  {confidence}")
        colours.append(RIGHT_COLOUR if right else WRONG_COLOUR)
    sheet = contact_sheet(
        [visible_picture(image) for image in samples], captions, COLUMNS, colours=colours
    )
    return np.asarray(sheet)[np.newaxis]
