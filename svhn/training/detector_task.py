"""Training a detector: windows of photos in, cells out, scored by the digits' average precision."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from svhn.augmentation_config import Augmentation
from svhn.data.detection_pipeline import evaluation_photos, training_windows
from svhn.data.mixing import parse_mix
from svhn.detection.average_precision import AveragePrecision
from svhn.detection.cells import cells_of, number_cells_of
from svhn.detection.loss import detection_loss
from svhn.detection.targets import assign, assign_numbers
from svhn.evaluation.detect import SplitDetections, detect_split, make_detect_step
from svhn.evaluation.detection_pictures import SamplePhoto, detections_sheet
from svhn.evaluation.detection_scores import scores_as_json
from svhn.training.config import TrainingConfig
from svhn.training.divergence import require_finite_on_val
from svhn.training.task import ExampleFigures

VAL_BATCH_SIZE = 32
SAMPLES = 24

LOSS, CLASS_LOSS, BOX_LOSS = "loss/loss", "loss/classes", "loss/boxes"
NUMBER_LOSS = "loss/numbers"
AT_HALF, MEAN = "average_precision/at_iou_0.5", "average_precision/mean_of_0.5_to_0.95"


def window_figures(size: int) -> ExampleFigures:
    """Returns the function from a detector's outputs to "loss", "classes", "boxes" and "numbers" of
    windows.

    Args:
        size: Height and width of the windows, pixels.

    Returns:
        A function of (outputs, digit labels int32 [B, N], digit boxes float32 [B, N, 4], number
        labels int32 [B, M], number boxes float32 [B, M, 4]).
    """
    cells, number_cells = cells_of(size, size), number_cells_of(size, size)

    def example_figures(
        outputs: dict[str, tf.Tensor],
        digit_labels: tf.Tensor,
        digit_boxes: tf.Tensor,
        number_labels: tf.Tensor,
        number_boxes: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        losses = detection_loss(
            outputs,
            assign(digit_labels, digit_boxes, cells),
            assign_numbers(number_labels, number_boxes, number_cells),
        )
        return {
            "loss": losses.total,
            "classes": losses.classes,
            "boxes": losses.boxes,
            "numbers": losses.numbers,
        }

    return example_figures


class DetectorTask:
    """A `svhn.training.task.Task`."""

    score_name = "average precision at IoU 0.5"
    figures = ("loss", "classes", "boxes", "numbers")
    further_truth = None

    def __init__(self, config: TrainingConfig, splits: Sequence[str]):
        """Takes the flags and the splits to train on; nothing is read yet."""
        self._config, self._splits = config, splits
        self.example_figures = window_figures(config.window_size)

    def training_batches(self, start_example: int) -> tf.data.Dataset:
        """See `Task`: (images float32 [B, size, size, 3], digit labels, digit boxes, number labels,
        number boxes).
        """
        config = self._config
        return training_windows(
            config.data_dir,
            self._splits,
            config.batch_size,
            config.seed,
            start_example=start_example,
            windows=config.windows,
            augmentation=Augmentation(config.augmentation, config.photometric_share),
            mix=parse_mix(config.mix, self._splits),
            balance_lengths=config.balance_lengths,
        )

    def curves(self, figures: Mapping[str, float]) -> dict[str, float]:
        """See `Task`."""
        return {
            LOSS: figures["loss"],
            CLASS_LOSS: figures["classes"],
            BOX_LOSS: figures["boxes"],
            NUMBER_LOSS: figures["numbers"],
        }

    def in_words(self, figures: Mapping[str, float]) -> str:
        """See `Task`."""
        return (
            f"loss {figures['loss']:.3f} (classes {figures['classes']:.3f}, "
            f"boxes {figures['boxes']:.3f}, numbers {figures['numbers']:.3f})"
        )

    def evaluator(self, model: keras.Model) -> Callable[[], "DetectorEvaluation"]:
        """See `Task`."""
        data_dir, size = self._config.data_dir, self._config.val_size
        detect_step = make_detect_step(model, size)
        samples = self._first_photos

        def evaluate() -> DetectorEvaluation:
            detections = detect_split(
                model,
                data_dir,
                "val",
                VAL_BATCH_SIZE,
                size,
                detect_step=detect_step,
                batches=self._val_batches,
            )
            require_finite_on_val(detections.losses.total, self._config)
            return DetectorEvaluation(detections, detections.average_precision(), samples)

        return evaluate

    # Made once: TensorFlow takes longer to build a pipeline than to run one over a few photos.
    @functools.cached_property
    def _val_batches(self) -> tf.data.Dataset:
        config = self._config
        return evaluation_photos(config.data_dir, "val", VAL_BATCH_SIZE, config.val_size)

    @functools.cached_property
    def _first_photos(self) -> list[SamplePhoto]:
        batch = next(iter(self._val_batches))
        images, scales, sizes = (
            part[:SAMPLES].numpy() for part in (batch.images, batch.scales, batch.photo_sizes)
        )
        photos = []
        for image, scale, photo_size in zip(images, scales, sizes, strict=True):
            width, height = np.rint(photo_size * scale).astype(int)
            picture = np.rint(image[:height, :width]).clip(0, 255).astype(np.uint8)
            photos.append(SamplePhoto(picture, scale))
        return photos


@dataclasses.dataclass(frozen=True, eq=False)
class DetectorEvaluation:
    """A `svhn.training.task.Evaluation`."""

    detections: SplitDetections
    """In val."""

    precision: AveragePrecision
    """Of these detections."""

    samples: list[SamplePhoto]
    """The split's first photos."""

    calibration: None = None

    @property
    def score(self) -> float:
        """The average precision at an intersection over union of 0.5; 0 without any digit."""
        return float(np.nan_to_num(self.precision.at_half))

    @property
    def scores(self) -> dict[str, Any]:
        """See `Evaluation`."""
        return scores_as_json(self.precision, len(self.detections.file_names))

    @property
    def in_words(self) -> str:
        """See `Evaluation`."""
        return (
            f"val loss {self.detections.losses.total.mean():.3f}  "
            f"val AP {100 * self.precision.mean:.2f} %  "
            f"val AP at IoU 0.5 {100 * self.score:.2f} %"
        )

    def write_figures(self) -> None:
        """See `Evaluation`."""
        losses = self.detections.losses
        for tag, value in (
            (LOSS, losses.total.mean()),
            (CLASS_LOSS, losses.classes.mean()),
            (BOX_LOSS, losses.boxes.mean()),
            (NUMBER_LOSS, losses.numbers.mean()),
            (AT_HALF, self.precision.at_half),
            (MEAN, self.precision.mean),
        ):
            tf.summary.scalar(tag, value)
        for digit, value in enumerate(self.precision.by_class[0]):
            if np.isfinite(value):
                tf.summary.scalar(f"average_precision_by_digit/{digit}_at_iou_0.5", value)

    def write(self) -> None:
        """See `Evaluation`; photos come with the digits that were found in them."""
        self.write_figures()
        count = len(self.samples)
        sheet = detections_sheet(
            self.samples,
            list(self.detections.detected[:count]),
            list(self.detections.labelled[:count]),
        )
        tf.summary.image(
            "pictures/samples",
            np.asarray(sheet)[np.newaxis],
            description="The split's first photos: digits that are found, right (green) and wrong "
            "(red), and those that are missed (amber)",
        )
