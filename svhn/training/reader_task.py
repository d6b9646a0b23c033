"""Training a reader: crops in, six heads out, scored by the share of numbers read right."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from svhn.augmentation_config import Augmentation
from svhn.data.input_pipeline import evaluation_batches, training_batches
from svhn.data.mixing import parse_mix
from svhn.decoding import decode
from svhn.drawing import contact_sheet
from svhn.evaluation.measure import fit_calibration, measure
from svhn.evaluation.metrics import SplitMetrics
from svhn.evaluation.mistakes import COLUMNS, mistakes_sheet, visible_picture
from svhn.evaluation.predict import SplitPredictions, evaluate_split, make_predict_step
from svhn.evaluation.summaries import (
    LOSS,
    SEQUENCE_ACCURACY,
    draw_charts,
    write_figures,
    write_split,
)
from svhn.labels import number_text
from svhn.models import picture_size_of
from svhn.models.loss import number_loss, soft_number_loss
from svhn.stored_calibration import StoredCalibration
from svhn.training.config import TrainingConfig
from svhn.training.divergence import require_finite_on_val
from svhn.training.task import ExampleFigures
from svhn.training.teachers import load_teachers

VAL_BATCH_SIZE = 128
MISTAKES_SHOWN = 24
SAMPLES = 24
RIGHT_COLOUR, WRONG_COLOUR = "#63d471", "#ff6b6b"


def reading_figures(label_smoothing: float = 0.0, teacher_share: float = 0.0) -> ExampleFigures:
    """Returns the function from logits and labels to "loss" and "right" (1 or 0) of each picture.

    Args:
        label_smoothing: See `svhn.models.loss.number_loss`.
        teacher_share: What the teachers' word is of the loss, where there are teachers.

    Returns:
        A function of (logits by head name, labels int32 [B, 6]) and, where there are teachers, of
        what `svhn.training.teachers.Teachers` say.
    """

    def example_figures(
        logits: dict[str, tf.Tensor],
        labels: tf.Tensor,
        taught: dict[str, tf.Tensor] | None = None,
    ) -> dict[str, tf.Tensor]:
        right = tf.reduce_all(decode(logits).label == labels, axis=1)
        loss = number_loss(logits, labels, label_smoothing)
        if taught is not None:
            soft_loss = soft_number_loss(logits, taught)
            loss = (1 - teacher_share) * loss + teacher_share * soft_loss
        return {"loss": loss, "right": tf.cast(right, tf.float32)}

    return example_figures


class ReaderTask:
    """A `svhn.training.task.Task`."""

    score_name = "sequence accuracy"
    figures = ("loss", "right")

    def __init__(self, config: TrainingConfig, splits: Sequence[str]):
        """Takes the flags and the splits to train on; nothing but the teachers is read yet.

        To be called under the scope of the strategy, if there are teachers.

        Raises:
            UserError: If a teacher can't be loaded.
        """
        self._config, self._splits = config, splits
        self.example_figures = reading_figures(config.label_smoothing, config.teacher_share)
        self.further_truth = (
            load_teachers(config.teachers, config.precision) if config.teachers else None
        )

    def training_batches(self, start_example: int) -> tf.data.Dataset:
        """See `Task`: (images float32 [B, height, width, 3], labels int32 [B, 6])."""
        config = self._config
        return training_batches(
            config.data_dir,
            self._splits,
            config.batch_size,
            config.seed,
            start_example=start_example,
            augmentation=Augmentation(config.augmentation, config.photometric_share),
            mix=parse_mix(config.mix, self._splits),
            balance_lengths=config.balance_lengths,
            size=picture_size_of(config.model),
        )

    def curves(self, figures: Mapping[str, float]) -> dict[str, float]:
        """See `Task`."""
        return {LOSS: figures["loss"], SEQUENCE_ACCURACY: figures["right"]}

    def in_words(self, figures: Mapping[str, float]) -> str:
        """See `Task`."""
        return f"loss {figures['loss']:.3f}  train {100 * figures['right']:.1f} %"

    def evaluator(self, model: keras.Model) -> Callable[[], "ReaderEvaluation"]:
        """See `Task`."""
        predict_step = make_predict_step(model)
        samples = self._first_pictures

        def evaluate() -> ReaderEvaluation:
            predictions = evaluate_split(
                model,
                self._config.data_dir,
                "val",
                VAL_BATCH_SIZE,
                predict_step=predict_step,
                batches=self._val_batches,
                keep_mistakes=MISTAKES_SHOWN,
            )
            require_finite_on_val(predictions.loss, self._config)
            calibration, predictions = fit_calibration(predictions)
            metrics = measure(predictions, calibration)
            return ReaderEvaluation(predictions, metrics, calibration, samples)

        return evaluate

    # Made once: TensorFlow takes longer to build a pipeline than to run one over a few photos.
    @functools.cached_property
    def _val_batches(self) -> tf.data.Dataset:
        size = picture_size_of(self._config.model)
        return evaluation_batches(self._config.data_dir, "val", VAL_BATCH_SIZE, size)

    @functools.cached_property
    def _first_pictures(self) -> np.ndarray:
        return next(iter(self._val_batches))[0][:SAMPLES].numpy()


@dataclasses.dataclass(frozen=True, eq=False)
class ReaderEvaluation:
    """A `svhn.training.task.Evaluation`."""

    predictions: SplitPredictions
    """Of val, at the temperature of `calibration`, with some mistakes kept."""

    metrics: SplitMetrics
    """Of these predictions, with their loss."""

    calibration: StoredCalibration
    """That val gives the weights."""

    samples: np.ndarray
    """The network inputs of the split's first pictures, float32 [N, H, W, 3]."""

    scores: ClassVar[Mapping[str, Any]] = {}

    @property
    def score(self) -> float:
        """The sequence accuracy."""
        return self.metrics.sequence.share

    @property
    def in_words(self) -> str:
        """See `Evaluation`."""
        return f"val loss {self.predictions.mean_loss:.3f}  val {100 * self.score:.2f} %"

    def write_figures(self) -> None:
        """See `Evaluation`."""
        write_figures(self.metrics)

    def write(self) -> None:
        """See `Evaluation`; pictures come with what was read on them."""
        charts = draw_charts(self.predictions, self.metrics)
        write_split(self.predictions, self.metrics, charts, mistakes_sheet(self.predictions))
        tf.summary.image(
            "pictures/samples",
            _sample_sheet(self.predictions, self.samples),
            description="The split's first photos: what was read, and the truth if another",
        )


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
