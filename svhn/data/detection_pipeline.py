"""From shards to the detector's batches, with tf.data.

As in `svhn.data.input_pipeline`, the order of training and everything random are a pure function of
(seed, epoch, example): a run that stops after any batch goes on with the very next one.
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from svhn import photometry, random_window, window_collage
from svhn.augmentation_config import Augmentation
from svhn.data import records
from svhn.data.input_pipeline import name_hash, photo_name
from svhn.data.sampling import serialized_examples
from svhn.detector_input import PADDING_LEVEL, WORKING_SIZE, detector_input
from svhn.random_window import Window
from svhn.stateless_draws import uniform_draws
from svhn.window_config import NO_LABEL, WindowConfig

_as_written = tf.autograph.experimental.do_not_convert
"""Nothing here branches on tensors in Python; without AutoGraph a pipeline starts sooner."""

_WINDOWS_AT_ONCE = 8
"""Windows whose light is varied together, whatever the size of the batches handed over."""


class EvaluationBatch(NamedTuple):
    """Whole photos, each resized to the same working size and padded to a square."""

    images: tf.Tensor
    """float32 [B, size, size, 3], grey levels 0 to 255."""

    digit_labels: tf.Tensor
    """int64 [B, N]: 0 to 9, or `NO_LABEL` beyond the end of a number."""

    digit_boxes: tf.Tensor
    """float32 [B, N, 4]: left, top, width, height, pixels of the photo."""

    scales: tf.Tensor
    """float32 [B, 2]: pixels of the picture for a pixel of the photo, along x and y."""

    photo_sizes: tf.Tensor
    """int64 [B, 2]: width and height, pixels."""

    names: tf.Tensor
    """string [B]: the official folder and file name: "train/12.png"."""


def training_windows(
    data_dir: str | Path,
    splits: Sequence[str],
    batch_size: int,
    seed: int,
    start_example: int = 0,
    windows: WindowConfig = WindowConfig(),  # noqa: B008 - frozen
    augmentation: Augmentation = Augmentation(),  # noqa: B008 - frozen
    mix: Sequence[int] | None = None,
    balance_lengths: float = 0.0,
) -> tf.data.Dataset:
    """Returns endless batches of windows of randomly scaled photos, with the digits in them.

    Args:
        data_dir: The folder that holds `tfrecords/`.
        splits: The splits to train on, such as "train", "extra" and "empty", whose photos have no
            digits.
        batch_size: Windows a batch. Each takes `windows.photos` + 1 examples in turn.
        seed: 0 to 2³¹ - 1; with the epoch it decides the order and, with the photo's name, how
            each photo is shown.
        start_example: How many windows were taken already. The batches are those that would have
            followed, bit for bit.
        windows: Which windows there are.
        augmentation: How far light, colour, blur and noise go.
        mix: As `svhn.data.mixing.parse_mix` returns it; None for the ratio of the splits' photos.
        balance_lengths: 0 (lengths as the data has them) to 1 (each length equally often).

    Returns:
        A dataset of (images float32 [B, size, size, 3], grey levels 0 to 255; digit_labels int32
        [B, MOST_DIGITS]; digit_boxes float32 [B, MOST_DIGITS, 4]; number_labels int32 [B,
        windows.photos]; number_boxes float32 [B, windows.photos, 4]), see
        `svhn.random_window.Window`.

    Raises:
        UserError: If there is no whole conversion, or a split is absent or empty.
    """
    photos = windows.photos + 1
    examples = serialized_examples(
        data_dir, splits, seed, start_example * photos, mix=mix, balance_lengths=balance_lengths
    ).batch(photos)
    if mix:
        examples = examples.enumerate(start=start_example).map(_places_changed(sum(mix), photos))
    return (
        examples.map(_window(windows), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(_WINDOWS_AT_ONCE)
        .map(_varied(augmentation), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .rebatch(batch_size, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def evaluation_photos(
    data_dir: str | Path, split: str, batch_size: int, working_size: int = WORKING_SIZE
) -> tf.data.Dataset:
    """Returns every photo of a split once, in the order of the shards.

    Args:
        data_dir: The folder that holds `tfrecords/`.
        split: One of `svhn.data.manifest.SPLITS`.
        batch_size: Photos a batch; the last batch holds what is left.
        working_size: The longer side to which photos are resized, pixels, a multiple of 32.

    Returns:
        A dataset of `EvaluationBatch`.

    Raises:
        UserError: If there is no whole conversion, or the split is absent or empty.
    """

    @_as_written
    def photo(serialized: tf.Tensor) -> EvaluationBatch:
        record = records.parse_record(serialized)
        pixels = tf.io.decode_png(record["image"], channels=3)
        picture, scale = detector_input(pixels, working_size)
        below, right = tf.unstack(working_size - tf.shape(picture)[:2])
        picture = tf.pad(picture, [[0, below], [0, right], [0, 0]], constant_values=PADDING_LEVEL)
        return EvaluationBatch(
            tf.ensure_shape(picture, [working_size, working_size, 3]),
            record["digit_labels"],
            record["digit_boxes"],
            scale,
            tf.stack([record["width"], record["height"]]),
            photo_name(record),
        )

    filling = EvaluationBatch(0.0, tf.constant(NO_LABEL, tf.int64), 0.0, 0.0, None, None)
    return (
        tf.data.TFRecordDataset(records.shard_paths(data_dir, split))
        .map(photo, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .padded_batch(batch_size, padding_values=filling)
        .prefetch(tf.data.AUTOTUNE)
    )


def _places_changed(mix_length: int, photos: int) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    """Returns the stage that lets the photos of each window change places from time to time.

    A mix such as train:1,extra:2 comes round with every window of three photos: without it, all of
    `train` would be second photos and none of it a first.
    """

    @_as_written
    def changed(window: tf.Tensor, examples: tuple) -> tuple[tf.Tensor, tf.Tensor]:
        turn = window // mix_length
        places = (tf.range(photos, dtype=tf.int64) + turn) % photos
        serialized, keys = (tf.gather(part, places) for part in examples)
        return serialized, keys

    return changed


def _window(config: WindowConfig) -> Callable[..., tuple[Window, tf.Tensor]]:
    """Returns the first stage of training: (records, keys) to one window and its light's draws."""

    @_as_written
    def window(serialized: tf.Tensor, keys: tf.Tensor) -> tuple[Window, tf.Tensor]:
        layers = []
        for place in range(config.photos + 1):
            record = records.parse_record(serialized[place])
            photo = tf.io.decode_png(record["image"], channels=3)
            key = tf.stack([keys[place], name_hash(record)])
            labels, boxes = record["digit_labels"], record["digit_boxes"]
            if place < config.photos:
                layers.append(random_window.random_window(photo, labels, boxes, key, config))
            else:
                layers.append(window_collage.background(photo, boxes, key, config))
            if place == 0:
                draws = uniform_draws(key[tf.newaxis], random_window.DRAWS + photometry.DRAWS)[0]
        return functools.reduce(window_collage.laid_over, layers), draws[random_window.DRAWS :]

    return window


def _varied(augmentation: Augmentation) -> Callable[..., tuple[tf.Tensor, ...]]:
    """Returns the second stage, for batches: light, colour, blur and noise of the windows."""

    @_as_written
    def varied(windows: Window, draws: tf.Tensor) -> tuple[tf.Tensor, ...]:
        pictures = windows.picture
        if augmentation.photometric_strength:
            pictures = photometry.vary_pictures(pictures, draws, augmentation)
        # Beyond the photo's edge it stays grey: what pads the photos of evaluation.
        pictures = pictures * windows.is_photo + PADDING_LEVEL * (1 - windows.is_photo)
        return (
            pictures,
            windows.digit_labels,
            windows.digit_boxes,
            windows.number_labels,
            windows.number_boxes,
        )

    return varied
