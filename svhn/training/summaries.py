"""What TensorBoard shows of a run.

Two runs under the log folder, `train` and `val`, with the same tags, so that each chart has both
curves.
"""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from svhn.drawing import contact_sheet
from svhn.evaluation.metrics import SplitMetrics
from svhn.evaluation.mistakes import mistakes_sheet, visible_picture
from svhn.evaluation.predict import SplitPredictions
from svhn.labels import number_text
from svhn.training.config import TrainingConfig
from svhn.training.event_files import drop_events_after

SAMPLES = 32
RIGHT_COLOUR, WRONG_COLOUR = "#63d471", "#ff6b6b"


class Summaries:
    """Writes the events of one run; use as a context manager."""

    def __init__(self, folder: str | Path, step: int = 0):
        """Opens the files; what a run that was cut off wrote after `step` is dropped.

        Args:
            folder: The run's log folder.
            step: Where the run goes on; 0 for a new one.
        """
        for name in ("train", "val"):
            drop_events_after(Path(folder) / name, step or -1)
        self._train = tf.summary.create_file_writer(str(Path(folder) / "train"))
        self._val = tf.summary.create_file_writer(str(Path(folder) / "val"))

    def __enter__(self) -> "Summaries":
        return self

    def __exit__(self, *_: object) -> None:
        self._train.close()
        self._val.close()

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
    ) -> None:
        """Writes a point of the training curves: means over the steps since the last point."""
        with self._train.as_default(step=step):
            tf.summary.scalar("loss", loss)
            tf.summary.scalar("sequence_accuracy", sequence_accuracy)
            tf.summary.scalar("learning_rate", learning_rate)
            tf.summary.scalar("images_per_second", images_per_second)

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
            metrics: Of these predictions.
            samples: The network inputs of the split's first pictures, float32 [N, H, W, 3].
        """
        with self._val.as_default(step=step):
            tf.summary.scalar("loss", predictions.mean_loss)
            tf.summary.scalar("sequence_accuracy", metrics.sequence.share)
            tf.summary.scalar("digit_accuracy", metrics.digit.share)
            tf.summary.scalar("length_accuracy", metrics.length.share)
            tf.summary.scalar(
                f"coverage_at_{100 * metrics.coverage.accuracy:g}_percent", metrics.coverage.share
            )
            tf.summary.image("samples", _sample_sheet(predictions, samples))
            mistakes = mistakes_sheet(predictions)
            if mistakes is not None:
                tf.summary.image("most_confident_mistakes", np.asarray(mistakes)[np.newaxis])
        self._val.flush()
        self._train.flush()


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
        [visible_picture(image) for image in samples], captions, 8, colours=colours
    )
    return np.asarray(sheet)[np.newaxis]
