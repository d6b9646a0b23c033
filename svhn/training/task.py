"""What a run is about: all that the training loop leaves to the reader and to the detector."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import keras
import tensorflow as tf

from svhn.stored_calibration import StoredCalibration

ExampleFigures = Callable[..., dict[str, tf.Tensor]]
"""From a model's outputs for a batch, and what the batch says the truth is, to figures of each
example: by name, float32 [B] each. "loss" is what training makes small, in nats. An example's
figures don't depend on its neighbours in the batch, so the batch can be shared by replicas."""

FurtherTruth = Callable[[tf.Tensor], Any]
"""From a batch of pictures, float32 [B, H, W, 3], to what else the truth about them is: tensors,
each with B rows, in any structure. Worked out anew at every step, on a replica's own pictures."""


class Evaluation(Protocol):
    """What was measured on val."""

    score: float
    """By which the best weights are known, 0 to 1; higher is better."""

    calibration: StoredCalibration | None
    """What makes the confidence of these weights honest, where the task has any."""

    scores: Mapping[str, Any]
    """What else the checkpoint is to say of it, as JSON can hold it."""

    @property
    def in_words(self) -> str:
        """For the line on the screen, such as "val loss 0.215  val 95.21 %"."""

    def write_figures(self) -> None:
        """Writes the curves' points to the current summary writer, at its step."""

    def write(self) -> None:
        """Writes all there is to see, pictures too, to the current summary writer, at its step."""


class Task(Protocol):
    """What is trained, on which pictures, and how it is scored."""

    score_name: str
    """What the score is, such as "sequence accuracy"."""

    figures: tuple[str, ...]
    """The names of what `example_figures` returns, "loss" first."""

    example_figures: ExampleFigures
    """What is computed in a training step."""

    further_truth: FurtherTruth | None
    """What `example_figures` takes last, after what the batch says; None where it takes nothing
    more."""

    def training_batches(self, start_example: int) -> tf.data.Dataset:
        """Returns endless batches: pictures, and then what `example_figures` takes as the truth.

        Args:
            start_example: How many pictures were taken already. The batches are those that would
                have followed, bit for bit.
        """

    def curves(self, figures: Mapping[str, float]) -> dict[str, float]:
        """Returns the points of TensorBoard's training curves by tag, from the figures' means."""

    def in_words(self, figures: Mapping[str, float]) -> str:
        """Returns the figures' means as the screen shows them: "loss 0.302  train 90.1 %"."""

    def evaluator(self, model: keras.Model) -> Callable[[], Evaluation]:
        """Returns what measures the weights that the model has at the moment, on val.

        Compiled once, however often it is called.
        """
