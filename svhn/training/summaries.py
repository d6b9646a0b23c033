"""What TensorBoard shows of a run.

Two runs under the log folder, `train` and `val`, with the same tags, so that each chart has both
curves; docs/watching.md explains the charts. Where the weights are averaged, `val` is of the
average and a third run, `val_raw`, of the weights themselves. What a task has to show of itself it
writes itself (`svhn.training.task`).
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import keras
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from svhn.training.config import TrainingConfig
from svhn.training.event_files import drop_events_after
from svhn.training.task import Evaluation


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
        curves: Mapping[str, float],
        learning_rate: float,
        images_per_second: float,
        gradient_norm: float | None,
    ) -> None:
        """Writes a point of the training curves.

        Args:
            step: Training steps so far.
            curves: What the task shows: means over the steps since the last point, by tag.
            learning_rate: Of the moment.
            images_per_second: Over these steps.
            gradient_norm: The mean over these steps, before clipping; None where all overflowed.
        """
        with self._train.as_default(step=step):
            for tag, value in curves.items():
                tf.summary.scalar(tag, value)
            tf.summary.scalar("training/learning_rate", learning_rate)
            tf.summary.scalar("training/images_per_second", images_per_second)
            if gradient_norm is not None:
                tf.summary.scalar("training/gradient_norm", gradient_norm)

    def validation(self, step: int, evaluation: Evaluation) -> None:
        """Writes a point of the validation curves, and pictures.

        Args:
            step: Training steps so far.
            evaluation: Of the val split.
        """
        with self._val.as_default(step=step):
            evaluation.write()
        self._val.flush()
        self._train.flush()

    def raw_validation(self, step: int, evaluation: Evaluation) -> None:
        """Writes a point of the validation curves of weights whose average is what counts.

        Args:
            step: Training steps so far.
            evaluation: Of the val split.
        """
        if self._val_raw is None:
            self._val_raw = tf.summary.create_file_writer(str(self._folder / "val_raw"))
        with self._val_raw.as_default(step=step):
            evaluation.write_figures()
        self._val_raw.flush()
