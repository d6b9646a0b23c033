"""Runs a detector over a split: every photo once, whatever the batch size."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from svhn.data.detection_pipeline import evaluation_photos
from svhn.data.input_pipeline import naming_damage
from svhn.data.manifest import photo_count
from svhn.detection.average_precision import (
    AveragePrecision,
    LabelledDigits,
    average_precision,
)
from svhn.detection.cells import cells_of, number_cells_of
from svhn.detection.decoding import DetectedDigits, find_digits
from svhn.detection.loss import DetectionLoss, detection_loss
from svhn.detection.targets import assign, assign_numbers, number_of_digits
from svhn.evaluation.predict import filled_up, require_all_scored
from svhn.progress import progress

DetectStep = Callable[..., tuple[dict[str, tf.Tensor], DetectionLoss]]
"""From images float32 [B, size, size, 3], digit labels int64 [B, N] and digit boxes float32
[B, N, 4], pixels of the picture, to what the detector gives for its cells and the loss of each
picture, float32 [B] each."""


@dataclasses.dataclass(frozen=True, eq=False)
class SplitDetections:
    """What a detector finds in each photo of a split, in the order of the shards."""

    detected: tuple[DetectedDigits, ...]
    """In pixels of the photo."""

    labelled: tuple[LabelledDigits, ...]
    """The truth, likewise."""

    photo_sizes: tuple[tuple[int, int], ...]
    """Height and width of each photo, pixels."""

    losses: DetectionLoss
    """Of each photo, float32 [N]."""

    file_names: tuple[str, ...]
    """The official folder and file name of each photo: "train/12.png"."""

    def average_precision(self) -> AveragePrecision:
        """Returns the average precision over all photos."""
        return average_precision(self.detected, self.labelled)


def make_detect_step(model: keras.Model, size: int) -> DetectStep:
    """Returns model and loss as one graph, compiled once for every batch size.

    The graph reads the model's variables where they are, as
    `svhn.evaluation.predict.make_predict_step` says.

    Args:
        model: As `svhn.models.detector.build` makes it.
        size: Height and width of the pictures, pixels.
    """
    cells, number_cells = cells_of(size, size), number_cells_of(size, size)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, size, size, 3], tf.float32),
            tf.TensorSpec([None, None], tf.int64),
            tf.TensorSpec([None, None, 4], tf.float32),
        ],
        autograph=False,  # starts sooner; nothing branches on tensors in Python
    )
    def detect_step(
        images: tf.Tensor, digit_labels: tf.Tensor, digit_boxes: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], DetectionLoss]:
        outputs = model(images, training=False)
        numbers = assign_numbers(*number_of_digits(digit_labels, digit_boxes), number_cells)
        return outputs, detection_loss(outputs, assign(digit_labels, digit_boxes, cells), numbers)

    return detect_step


def detect_split(
    model: keras.Model,
    data_dir: str | Path,
    split: str,
    batch_size: int,
    size: int,
    *,
    detect_step: DetectStep | None = None,
    batches: tf.data.Dataset | None = None,
) -> SplitDetections:
    """Returns what a detector finds in each photo of a split of a conversion.

    A batch that is smaller than the first (the last one of a split) is filled up with black
    pictures, so that every photo goes through the same computation.

    Args:
        model: As `svhn.models.detector.build` makes it.
        data_dir: The folder that holds `tfrecords/`.
        split: train, extra, val or test.
        batch_size: Photos at a time; at most as many as the split has are used.
        size: The longer side to which photos are resized, pixels, a multiple of 32.
        detect_step: The model's for that size, where one was made already (`make_detect_step`).
        batches: The split's of that size, where they were made already (`evaluation_photos`).

    Raises:
        UserError: If there is no whole conversion, the split is absent, a shard is damaged, or
            the shards hold more or fewer photos than the manifest says.
    """
    expected = photo_count(data_dir, split)
    batch_size = min(batch_size, expected)
    detect_step = detect_step or make_detect_step(model, size)
    if batches is None:
        batches = evaluation_photos(data_dir, split, batch_size, size)
    detected: list[DetectedDigits] = []
    labelled: list[LabelledDigits] = []
    photo_sizes: list[tuple[int, int]] = []
    losses: list[DetectionLoss] = []
    file_names: list[str] = []
    with (
        naming_damage(data_dir, [split]),
        progress(total=expected, description=f"evaluating {split}") as bar,
    ):
        for batch in batches:
            count = len(batch.images)
            in_picture = batch.digit_boxes * tf.tile(batch.scales, [1, 2])[:, tf.newaxis]
            outputs, batch_losses = detect_step(
                *(
                    filled_up(part, batch_size)
                    for part in (batch.images, batch.digit_labels, in_picture)
                )
            )
            outputs = {name: values[:count] for name, values in outputs.items()}
            rows = zip(
                find_digits(outputs, size, size),
                *(part.numpy() for part in (batch.scales, batch.photo_sizes)),
                *(part.numpy() for part in (batch.digit_labels, batch.digit_boxes)),
                strict=True,
            )
            for found, scale, (width, height), labels, boxes in rows:
                detected.append(found.in_photo(scale, (width, height)))
                labelled.append(LabelledDigits(labels[labels >= 0], boxes[labels >= 0]))
                photo_sizes.append((int(height), int(width)))
            losses.append(DetectionLoss(*(part.numpy()[:count] for part in batch_losses)))
            file_names += [name.decode("utf-8", "replace") for name in batch.names.numpy()]
            bar.update(count)
    require_all_scored(data_dir, split, len(file_names))
    return SplitDetections(
        tuple(detected),
        tuple(labelled),
        tuple(photo_sizes),
        DetectionLoss(*map(np.concatenate, zip(*losses, strict=True))),
        tuple(file_names),
    )
