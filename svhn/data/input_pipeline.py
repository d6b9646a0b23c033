"""From shards to batches, with tf.data.

The order of training and every augmentation are a pure function of (seed, epoch, example): a
run that stops after any batch goes on with the very next one (`start_example`), and
TensorFlow's global seed changes no picture, nor does parallelism in the pipeline.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from svhn import preprocessing
from svhn.augmentation import PicturePlan, make_pictures, plan_pictures
from svhn.augmentation_config import Augmentation
from svhn.data import records
from svhn.data.sampling import serialized_examples
from svhn.errors import UserError
from svhn.labels import LENGTH_MORE_THAN_FIVE, MAX_DIGITS, NO_DIGIT
from svhn.picture_size import PAPER_SIZE, PictureSize
from svhn.random_view import look_up

_as_written = tf.autograph.experimental.do_not_convert
"""Nothing here branches on tensors in Python; without AutoGraph a pipeline starts sooner."""

_PLANS_AT_ONCE = 64
"""Pictures that are planned together."""

_PICTURES_AT_ONCE = 16
"""Pictures that are varied together, whatever the size of the batches handed over."""


def training_batches(
    data_dir: str | Path,
    splits: Sequence[str],
    batch_size: int,
    seed: int,
    start_example: int = 0,
    augmentation: Augmentation = Augmentation(),  # noqa: B008 - frozen
    mix: Sequence[int] | None = None,
    balance_lengths: float = 0.0,
    size: PictureSize = PAPER_SIZE,
) -> tf.data.Dataset:
    """Returns endless batches of randomly varied crops, by default each photo once an epoch.

    A batch may hold the end of one epoch and the start of the next, so that no photo is dropped.

    Args:
        data_dir: The folder that holds `tfrecords/`.
        splits: The splits to train on: of "train", "extra", "pseudo" and "empty". Of a photo
            without digits its middle half is shown, as a number of length 0.
        batch_size: Pictures a batch.
        seed: 0 to 2³¹ - 1; with the epoch it decides the order and, with the photo's name, the
            augmentation.
        start_example: How many examples were taken already, over all epochs. The batches are
            those that would have followed, bit for bit.
        augmentation: How far the random changes go.
        mix: As `svhn.data.mixing.parse_mix` returns it: the ratio of the splits; None for that of
            their photos.
        balance_lengths: 0 (lengths as the data has them) to 1 (each length equally often, as far
            as its photos go).
        size: Of the network's pictures.

    Returns:
        A dataset of (images float32 [B, height, width, 3], labels int32 [B, 6]), as
        `svhn.labels.label_array` makes them.

    Raises:
        UserError: If there is no whole conversion, or a split is absent or empty.
    """
    examples = serialized_examples(
        data_dir, splits, seed, start_example, mix=mix, balance_lengths=balance_lengths
    )
    if augmentation.strength == 0:
        return _batches_of_crops(examples, batch_size, size)
    return (
        examples.batch(_PLANS_AT_ONCE)
        .map(_planned(augmentation, size), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .unbatch()
        .map(_looked_up, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(_PICTURES_AT_ONCE)
        .map(_made(augmentation, size), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .rebatch(batch_size, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def evaluation_batches(
    data_dir: str | Path, split: str, batch_size: int, size: PictureSize = PAPER_SIZE
) -> tf.data.Dataset:
    """Returns every photo of a split once, in the order of the shards.

    Args:
        data_dir: The folder that holds `tfrecords/`.
        split: "train", "extra", "pseudo", "empty", "val" or "test".
        batch_size: Pictures a batch; the last batch holds what is left.
        size: Of the network's pictures.

    Returns:
        A dataset of (images float32 [B, height, width, 3], labels int32 [B, 6], names string [B],
        the official folder and file name: "train/12.png").

    Raises:
        UserError: If there is no whole conversion, or the split is absent or empty.
    """
    return (
        tf.data.TFRecordDataset(records.shard_paths(data_dir, split))
        .map(_evaluation_example(size), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_size)
        .prefetch(tf.data.AUTOTUNE)
    )


def label_array(digit_labels: tf.Tensor) -> tf.Tensor:
    """Returns the label array of a number: `svhn.labels.label_array` in the graph.

    Args:
        digit_labels: int64 [N], each 0 to 9; any N.

    Returns:
        int32 [6]: `[length, digit_1, …, digit_5]`.
    """
    return label_arrays(digit_labels[tf.newaxis])[0]


def label_arrays(digit_labels: tf.Tensor) -> tf.Tensor:
    """Returns the label arrays of a batch of numbers.

    Args:
        digit_labels: int64 [B, N], each 0 to 9, or -1 beyond the end of a number; any N.

    Returns:
        int32 [B, 6]: `[length, digit_1, …, digit_5]` for each.
    """
    digits = tf.cast(digit_labels, tf.int32)
    counts = tf.reduce_sum(tf.cast(digits >= 0, tf.int32), axis=1, keepdims=True)
    places = tf.pad(digits, [[0, 0], [0, MAX_DIGITS]], constant_values=-1)[:, :MAX_DIGITS]
    # A number that is too long trains no digit head.
    is_named = (places >= 0) & (counts <= MAX_DIGITS)
    named = tf.where(is_named, places, NO_DIGIT)
    arrays = tf.concat([tf.minimum(counts, LENGTH_MORE_THAN_FIVE), named], axis=1)
    return tf.ensure_shape(arrays, [None, 1 + MAX_DIGITS])


@contextmanager
def naming_damage(data_dir: str | Path, splits: Sequence[str]) -> Iterator[None]:
    """Turns what TensorFlow says about a corrupted shard into one line with file and record.

    Use it around the loop that takes the batches. After such an error all shards of the splits
    are read until the damage is found; where there is none, the error goes on as it was.

    Raises:
        UserError: If a shard that is read inside proves to be damaged.
    """
    try:
        yield
    except (
        tf.errors.DataLossError,
        tf.errors.InvalidArgumentError,
        tf.errors.NotFoundError,
    ) as error:
        for split in splits:
            for path in records.shard_paths(data_dir, split):
                damage = records.locate_damage(path)
                if damage:
                    record, reason = damage
                    raise UserError(
                        f"{path} is damaged at record {record} ({reason}): convert again with"
                        f" python convert_to_tfrecords.py --data_dir {data_dir} --overwrite"
                    ) from error
        raise


def _planned(augmentation: Augmentation, size: PictureSize) -> Callable[..., tuple]:
    """Returns the first stage of training: (records, keys) to photos, plans and labels."""

    @_as_written
    def planned(serialized: tf.Tensor, keys: tf.Tensor) -> tuple[tf.Tensor, PicturePlan, tf.Tensor]:
        record = records.parse_records(serialized)
        photo_sizes = tf.stack([record["width"], record["height"]], axis=1)
        plans = plan_pictures(
            *_shown_boxes(record["digit_boxes"], record["digit_labels"] >= 0, photo_sizes),
            photo_sizes,
            tf.stack([keys, name_hash(record)], axis=1),
            augmentation,
            size,
        )
        return record["image"], plans, label_arrays(record["digit_labels"])

    return planned


def _shown_boxes(
    digit_boxes: tf.Tensor, is_digit: tf.Tensor, photo_sizes: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the boxes in which numbers are shown, and which of them count; as `plan_pictures`
    takes them, but any photo may be without a digit: its middle half is shown (`_middle_half`).
    """
    has_none = tf.logical_not(tf.reduce_any(is_digit, axis=1, keepdims=True))
    boxes = tf.concat([digit_boxes, _middle_half(photo_sizes)[:, tf.newaxis]], axis=1)
    return boxes, tf.concat([is_digit, has_none], axis=1)


def _middle_half(photo_sizes: tf.Tensor) -> tf.Tensor:
    """Returns the box that a reader is shown of a photo without a number: half as wide and high.

    Args:
        photo_sizes: int64 [..., 2]: width and height, pixels.

    Returns:
        float32 [..., 4].
    """
    sizes = tf.cast(photo_sizes, tf.float32)
    return tf.concat([sizes * 0.25, sizes * 0.5], axis=-1)


@_as_written
def _looked_up(image: tf.Tensor, plan: PicturePlan, label: tf.Tensor) -> tuple:
    """The second stage, for one photo: from its bytes to the view that its picture shows."""
    photo = tf.io.decode_png(image, channels=4)
    return look_up(photo, plan.view), plan.appearance_draws, label


def _made(augmentation: Augmentation, size: PictureSize) -> Callable[..., tuple]:
    """Returns the third stage: from the views to (pictures, labels)."""

    @_as_written
    def made(views: tf.Tensor, appearance_draws: tf.Tensor, labels: tf.Tensor) -> tuple:
        return make_pictures(views, appearance_draws, augmentation, size), labels

    return made


def _batches_of_crops(
    examples: tf.data.Dataset, batch_size: int, size: PictureSize
) -> tf.data.Dataset:
    """Returns batches of the pictures that evaluation sees, in the order of training."""
    evaluation_example = _evaluation_example(size)

    @_as_written
    def example(serialized: tf.Tensor, key: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        picture, label, _ = evaluation_example(serialized)
        return picture, label

    return (
        examples.map(example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_size, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def _evaluation_example(size: PictureSize) -> Callable[[tf.Tensor], tuple]:
    """Returns the one stage of evaluation: from a record to its picture, label and name."""

    @_as_written
    def evaluation_example(serialized: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        record = records.parse_record(serialized)
        photo = tf.io.decode_png(record["image"], channels=3)
        photo_size = tf.stack([record["width"], record["height"]])
        has_digits = tf.shape(record["digit_boxes"])[0] > 0
        box = tf.cond(
            has_digits,
            lambda: preprocessing.tight_box(record["digit_boxes"]),
            lambda: _middle_half(photo_size),
        )
        picture = preprocessing.crop(photo, box, size)
        return picture, label_array(record["digit_labels"]), photo_name(record)

    return evaluation_example


def photo_name(record: dict[str, tf.Tensor]) -> tf.Tensor:
    """Returns the official folder and file name of a record's photo: "train/12.png"."""
    return tf.strings.join([record["split"], record["file_name"]], separator="/")


def name_hash(record: dict[str, tf.Tensor]) -> tf.Tensor:
    """Returns a number that tells the photo from others, int64: part of the key of its changes."""
    return tf.strings.to_hash_bucket_fast(photo_name(record), 2**62)
