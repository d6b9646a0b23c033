"""Runs a model over a split: every photo once, whatever the batch size."""

import dataclasses
import heapq
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from svhn.data.input_pipeline import evaluation_batches, naming_damage
from svhn.data.manifest import photo_count, shard_folder
from svhn.decoding import Decoded, decode
from svhn.errors import UserError
from svhn.labels import DIGIT_CLASSES, HEAD_NAMES, LENGTH_CLASSES, MAX_DIGITS
from svhn.models.loss import number_loss
from svhn.picture_size import picture_size
from svhn.progress import progress

PredictStep = Callable[[tf.Tensor, tf.Tensor], tuple[Decoded, tf.Tensor, dict[str, tf.Tensor]]]
"""From images float32 [B, H, W, 3] and labels int32 [B, 6] to what the images are read as, the
negative log-likelihood of the labels (float32 [B], in nats, of undivided logits), and the logits
by head name."""


@dataclasses.dataclass(frozen=True, eq=False)
class Mistake:
    """A photo whose number was read wrong, with the picture that the network saw."""

    index: int
    """Its row in the predictions of its split."""

    image: np.ndarray
    """float32 [H, W, 3], standardised, as it came from the input pipeline."""


@dataclasses.dataclass(frozen=True, eq=False)
class SplitPredictions:
    """What a model says about each photo of a split, in the order of the batches."""

    labels: np.ndarray
    """The truth, int32 [N, 6]: `svhn.labels.label_array`."""

    predicted: np.ndarray
    """The most likely numbers, int32 [N, 6]."""

    confidence: np.ndarray
    """Their probabilities, float32 [N], 0 to 1."""

    digit_probabilities: np.ndarray
    """The probability of each predicted digit, float32 [N, 5]; 0 where there is no digit."""

    loss: np.ndarray
    """The negative log-likelihood of each label, float32 [N], in nats; at temperature 1."""

    logits: dict[str, np.ndarray]
    """What the heads gave, by name, float32 [N, 7] and [N, 10]; not divided by a temperature."""

    file_names: tuple[str, ...]
    """The official folder and file name of each photo: "train/12.png"."""

    mistakes: tuple[Mistake, ...]
    """As many of the most confident mistakes as were asked for, the most confident first."""

    photos_per_second: float
    """Reading, preprocessing and model together; the start-up is left out where it can be told
    apart, which takes two batches."""

    @property
    def mean_loss(self) -> float:
        """The mean of `loss`; NaN where there are no photos."""
        return float(self.loss.mean(dtype=np.float64)) if len(self.loss) else float("nan")

    @property
    def right(self) -> np.ndarray:
        """Whether all six entries are right, bool [N]."""
        return (self.labels == self.predicted).all(axis=1)

    def at_temperature(self, temperature: float) -> "SplitPredictions":
        """Returns what the same network says with another temperature.

        Args:
            temperature: See `svhn.decoding.decode`.

        Returns:
            Of the mistakes only those whose pictures had been kept.
        """
        label, confidence, digit_probabilities = map(np.asarray, decode(self.logits, temperature))
        changed = dataclasses.replace(
            self, predicted=label, confidence=confidence, digit_probabilities=digit_probabilities
        )
        mistakes = [mistake for mistake in self.mistakes if not changed.right[mistake.index]]
        mistakes.sort(key=lambda mistake: (-confidence[mistake.index], mistake.index))
        return dataclasses.replace(changed, mistakes=tuple(mistakes))


def make_predict_step(model: keras.Model, temperature: float = 1.0) -> PredictStep:
    """Returns model, decoding and loss as one graph, compiled once for every batch size.

    The graph reads the model's variables where they are: while a model trains, the same step
    gives the predictions of the weights of the moment.

    Args:
        model: From images float32 [B, H, W, 3] to the logits of the six heads.
        temperature: See `svhn.decoding.decode`.
    """
    images = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)
    labels = tf.TensorSpec([None, 1 + MAX_DIGITS], tf.int32)

    # Nothing branches on tensors in Python: without AutoGraph it starts sooner.
    @tf.function(input_signature=[images, labels], autograph=False)
    def predict_step(
        images: tf.Tensor, labels: tf.Tensor
    ) -> tuple[Decoded, tf.Tensor, dict[str, tf.Tensor]]:
        logits = model(images, training=False)
        return decode(logits, temperature), number_loss(logits, labels), logits

    return predict_step


def predict(
    predict_step: PredictStep,
    batches: Iterable[tuple[tf.Tensor, tf.Tensor, tf.Tensor]],
    *,
    total: int | None = None,
    description: str = "evaluating",
    keep_mistakes: int = 0,
) -> SplitPredictions:
    """Returns what a model says about each photo of some batches; every photo is scored once.

    A batch that is smaller than the first (the last one of a split) is filled up with black
    pictures whose predictions are dropped, so that every photo goes through the same computation.

    Args:
        predict_step: As `make_predict_step` makes it.
        batches: (images float32 [B, H, W, 3], labels int32 [B, 6], names string [B]), as
            `svhn.data.input_pipeline.evaluation_batches` gives them; B may be smaller at the end.
        total: How many photos there are, for the progress bar.
        description: The words before the progress bar.
        keep_mistakes: For how many of the most confident mistakes to keep the picture.
    """
    parts: list[tuple[np.ndarray, ...]] = []
    file_names: list[str] = []
    most_confident: list[tuple[float, int, np.ndarray]] = []  # a heap: the least confident first
    batch_size = 0
    started = first_batch_done = time.perf_counter()
    with progress(total=total, description=description) as bar:
        for images, labels, names in batches:
            count = int(images.shape[0])
            batch_size = batch_size or count
            decoded, losses, logits = predict_step(
                filled_up(images, batch_size), filled_up(labels, batch_size)
            )
            labels = np.asarray(labels)
            predicted, confidence, digits, losses = (
                np.asarray(part)[:count] for part in (*decoded, losses)
            )
            for row in np.flatnonzero((labels != predicted).any(axis=1)):
                # The index is negative so that of two equally confident ones the earlier stays.
                entry = (float(confidence[row]), -(len(file_names) + int(row)))
                if len(most_confident) < keep_mistakes:
                    heapq.heappush(most_confident, (*entry, np.asarray(images[row])))
                elif most_confident and entry > most_confident[0][:2]:
                    heapq.heapreplace(most_confident, (*entry, np.asarray(images[row])))
            if not parts:
                first_batch_done = time.perf_counter()
            heads = (np.asarray(logits[name])[:count] for name in HEAD_NAMES)
            parts.append((labels, predicted, confidence, digits, losses, *heads))
            file_names += [name.decode("utf-8", "replace") for name in np.asarray(names).tolist()]
            bar.update(count)
    ended = time.perf_counter()

    if len(parts) > 1:
        timed, seconds = len(file_names) - batch_size, ended - first_batch_done
    else:
        timed, seconds = len(file_names), ended - started
    empty = (
        np.empty((0, 1 + MAX_DIGITS), np.int32),
        np.empty((0, 1 + MAX_DIGITS), np.int32),
        np.empty(0, np.float32),
        np.empty((0, MAX_DIGITS), np.float32),
        np.empty(0, np.float32),
        np.empty((0, LENGTH_CLASSES), np.float32),
        *[np.empty((0, DIGIT_CLASSES), np.float32)] * MAX_DIGITS,
    )
    joined = [np.concatenate(arrays) for arrays in zip(empty, *parts, strict=True)]
    figures, heads = joined[: -len(HEAD_NAMES)], joined[-len(HEAD_NAMES) :]
    return SplitPredictions(
        *figures,
        logits=dict(zip(HEAD_NAMES, heads, strict=True)),
        file_names=tuple(file_names),
        mistakes=tuple(
            Mistake(-negative_index, image)
            for _, negative_index, image in sorted(most_confident, key=_by_confidence)
        ),
        photos_per_second=timed / seconds if timed else 0.0,
    )


def evaluate_split(
    model: keras.Model,
    data_dir: str | Path,
    split: str,
    batch_size: int,
    *,
    predict_step: PredictStep | None = None,
    batches: tf.data.Dataset | None = None,
    keep_mistakes: int = 0,
) -> SplitPredictions:
    """Returns what a model says about each photo of a split of a conversion.

    Args:
        model: From images float32 [B, H, W, 3] to the logits of the six heads.
        data_dir: The folder that holds `tfrecords/`.
        split: train, extra, pseudo, val or test.
        batch_size: Photos at a time; at most as many as the split has are used.
        predict_step: The model's, where one was made already (`make_predict_step`).
        batches: The split's, where they were made already (`evaluation_batches`).
        keep_mistakes: For how many of the most confident mistakes to keep the picture.

    Raises:
        UserError: If there is no whole conversion, the split is absent, a shard is damaged, or
            the shards hold more or fewer photos than the manifest says.
    """
    expected = photo_count(data_dir, split)
    if batches is None:
        batches = evaluation_batches(
            data_dir, split, min(batch_size, expected), picture_size(model)
        )
    with naming_damage(data_dir, [split]):
        predictions = predict(
            predict_step or make_predict_step(model),
            batches,
            total=expected,
            description=f"evaluating {split}",
            keep_mistakes=keep_mistakes,
        )
    require_all_scored(data_dir, split, len(predictions.file_names))
    return predictions


def require_all_scored(data_dir: str | Path, split: str, scored: int) -> None:
    """Makes sure that as many photos were read as the split has.

    Raises:
        UserError: If they were not.
    """
    expected = photo_count(data_dir, split)
    if scored != expected:
        raise UserError(
            f"The manifest in {shard_folder(data_dir)} counts {expected} photos in '{split}', but"
            f" {scored} were read: run python convert_to_tfrecords.py --data_dir {data_dir}"
            " --verify to see which shards are to blame"
        )


def filled_up(rows: tf.Tensor, batch_size: int) -> tf.Tensor:
    """Returns a batch with rows of zeros (black pictures) at its end, so that it has a given size.

    Args:
        rows: [B, …].
        batch_size: The size; a batch that has as many rows, or more, stays as it is.
    """
    missing = batch_size - int(rows.shape[0])
    padding = [[0, missing], *[[0, 0]] * (len(rows.shape) - 1)]
    return tf.pad(rows, padding) if missing > 0 else rows


def _by_confidence(entry: tuple[float, int, Any]) -> tuple[float, int]:
    """Sorts the most confident first, and those alike in the order of the split."""
    confidence, negative_index, _ = entry
    return -confidence, -negative_index
