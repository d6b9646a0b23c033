"""Which photos are trained on, in which order, each with the key of its random changes.

All of it is a pure function of (seed, example), so that a run goes on where it was. There are
three ways, which go together:

- By itself, each photo comes once an epoch.
- With a mix, the splits give examples in a stated ratio, each with epochs of its own.
- Balanced by length, an epoch has as many examples as before, but a photo of a rare length comes
  several times and one of a common length not in every epoch.
"""

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from svhn.data import mixing, records
from svhn.data.length_balance import balanced_examples
from svhn.data.manifest import photos_by_length
from svhn.labels import LENGTH_CLASSES, LENGTH_MORE_THAN_FIVE

SHUFFLED_AT_ONCE = 4096
"""Photos that are held in memory, still encoded, and shuffled together."""

_as_written = tf.autograph.experimental.do_not_convert
"""Nothing here branches on tensors in Python; without AutoGraph a pipeline starts sooner."""

_SHARDS_AT_ONCE = 8
_RECORDS_AT_ONCE = 16

_LENGTHS_AT_ONCE = 256
"""Records whose digits are counted together."""

_CHOICES_AT_ONCE = 1024
"""Examples for which the split is worked out together."""

_COPY_KEY = 2**28
"""What a copy of a photo adds to its key: more than any epoch, and 16 copies fit below the seed."""


def serialized_examples(
    data_dir: str | Path,
    splits: Sequence[str],
    seed: int,
    start_example: int = 0,
    mix: Sequence[int] | None = None,
    balance_lengths: float = 0.0,
) -> tf.data.Dataset:
    """Returns the examples of training, endless and in order.

    Args:
        data_dir: The folder that holds `tfrecords/`.
        splits: The splits to train on.
        seed: 0 to 2³¹ - 1.
        start_example: How many examples were taken already, over all epochs.
        mix: For each split how many of `sum(mix)` examples are its own, in any stretch but for
            one more or less; None for each photo once an epoch.
        balance_lengths: 0 (lengths as the data has them) to 1 (each length equally often, as far
            as its photos go: none comes more than `length_balance.MOST_COPIES` times an epoch).

    Returns:
        A dataset of (record, string; key, int64). Key and photo decide the random changes: another
        key for another seed, epoch or copy.

    Raises:
        UserError: If there is no whole conversion, or a split is absent or empty.
    """
    if mix is None:
        return _epochs(data_dir, splits, seed, start_example, balance_lengths)
    streams = [
        _epochs(data_dir, [split], seed, start, balance_lengths)
        for split, start in zip(splits, mixing.taken(mix, start_example), strict=True)
    ]
    choices = (
        tf.data.Dataset.range(start_example, tf.int64.max)
        .batch(_CHOICES_AT_ONCE)
        .map(_as_written(lambda examples: mixing.split_of(mix, examples)))
        .unbatch()
    )
    return tf.data.Dataset.choose_from_datasets(streams, choices)


def _epochs(
    data_dir: str | Path,
    splits: Sequence[str],
    seed: int,
    start_example: int,
    balance_lengths: float,
) -> tf.data.Dataset:
    """Returns endless (record, key); an epoch has as many as the splits have photos."""
    paths = [path for split in splits for path in records.shard_paths(data_dir, split)]
    photos = sum(records.photo_count(data_dir, split) for split in splits)
    by_length = None
    if balance_lengths:
        counts = [photos_by_length(data_dir, split) for split in splits]
        by_length = [sum(column) for column in zip(*counts, strict=True)]
    first_epoch, done = divmod(start_example, photos)

    @_as_written
    def epoch_of_examples(epoch: tf.Tensor) -> tf.data.Dataset:
        # Seeds are below 2³¹ and epochs below 2²⁸, so each pair of them has a key of its own.
        epoch_key = seed * 2**32 + epoch
        shuffled_paths = _shuffled(tf.constant(paths), epoch_key, 0)
        in_file_order = tf.data.Dataset.from_tensor_slices(shuffled_paths).interleave(
            tf.data.TFRecordDataset, cycle_length=_SHARDS_AT_ONCE, block_length=_RECORDS_AT_ONCE
        )
        if by_length:
            examples = _balanced(in_file_order, epoch, epoch_key, by_length, balance_lengths)
        else:
            examples = in_file_order.batch(SHUFFLED_AT_ONCE).map(
                lambda serialized: (serialized, tf.fill(tf.shape(serialized), epoch_key))
            )
        return (
            examples.enumerate(start=1)
            .map(lambda number, block: tuple(_shuffled(part, epoch_key, number) for part in block))
            .prefetch(1)
            .unbatch()
        )

    # What is skipped are encoded photos: nothing is decoded for them.
    return tf.data.Dataset.range(first_epoch, tf.int64.max).flat_map(epoch_of_examples).skip(done)


def _balanced(
    in_file_order: tf.data.Dataset,
    epoch: tf.Tensor,
    epoch_key: tf.Tensor,
    photos: Sequence[int],
    balance_lengths: float,
) -> tf.data.Dataset:
    """Returns an epoch as blocks of (records, keys), each photo as often as its length wants.

    Of a length with n photos and w examples, the j-th photo gives
    floor((j + 1) · w / n) - floor(j · w / n) of them: together just w.
    """
    # A length of which there are no photos never comes; 1 keeps the division whole.
    photos_of = tf.constant([max(count, 1) for count in photos], tf.int64)
    examples_of = tf.constant(balanced_examples(photos, balance_lengths), tf.int64)

    @_as_written
    def copied(met: tf.Tensor, serialized: tf.Tensor) -> tuple[tf.Tensor, tuple]:
        """`met`: int64 [7], how many photos of each length the epoch has had."""
        lengths = tf.minimum(records.digit_counts(serialized), LENGTH_MORE_THAN_FIVE)
        is_length = tf.one_hot(lengths, LENGTH_CLASSES, dtype=tf.int64)
        before = met + tf.cumsum(is_length, exclusive=True)
        n, w = tf.gather(photos_of, lengths), tf.gather(examples_of, lengths)
        # Another start in each epoch, or a few shards would leave out the same photos for ever.
        j = (tf.gather(before, lengths, batch_dims=1) + epoch) % n
        copies = (j + 1) * w // n - j * w // n
        source = tf.repeat(tf.range(tf.size(serialized)), copies)
        first_copy = tf.gather(tf.cumsum(copies, exclusive=True), source)
        copy = tf.range(tf.size(source, tf.int64)) - first_copy
        keys = epoch_key + copy * _COPY_KEY
        return met + tf.reduce_sum(is_length, axis=0), (tf.gather(serialized, source), keys)

    none_met = tf.zeros([LENGTH_CLASSES], tf.int64)
    # Copies are made before the shuffling, so that they don't come one after the other.
    return in_file_order.batch(_LENGTHS_AT_ONCE).scan(none_met, copied).rebatch(SHUFFLED_AT_ONCE)


def _shuffled(tensor: tf.Tensor, epoch_key: tf.Tensor, number: int | tf.Tensor) -> tf.Tensor:
    """Returns the tensor in an order that its size, the key and the number alone decide.

    `Dataset.shuffle` would do but for TensorFlow's global seed, which takes part in its order.
    """
    seed = tf.stack([epoch_key, tf.cast(number, tf.int64)])
    return tf.random.experimental.stateless_shuffle(tensor, seed, alg="philox")
