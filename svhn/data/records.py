"""Records: one photo each, as `tf.train.Example` in TFRecord shards, read by TensorFlow.

A record holds the photo's encoded bytes and its digits' boxes, not a crop: every crop is made
from the same shards, in the tf.data graph. `svhn.data.record_writer` lists the features.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

# Re-exported: readers of records need no other module.
from svhn.data.manifest import photo_count, read_manifest, shard_paths
from svhn.data.record_writer import serialize_record

__all__ = [
    "ConvertedPhoto",
    "digit_counts",
    "locate_damage",
    "parse_record",
    "parse_records",
    "photo_count",
    "read_manifest",
    "read_photos",
    "serialize_record",
    "shard_paths",
]

_FEATURES = {
    "image": tf.io.FixedLenFeature([], tf.string),
    "height": tf.io.FixedLenFeature([], tf.int64),
    "width": tf.io.FixedLenFeature([], tf.int64),
    "digits/label": tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True),
    "digits/bounding_box": tf.io.FixedLenSequenceFeature([4], tf.float32, allow_missing=True),
    "number": tf.io.FixedLenFeature([], tf.string),
    "split": tf.io.FixedLenFeature([], tf.string),
    "file_name": tf.io.FixedLenFeature([], tf.string),
}


@dataclass(frozen=True, eq=False)
class ConvertedPhoto:
    """A photo as a conversion holds it, outside of TensorFlow's graphs."""

    encoded: bytes
    """PNG."""

    digits: tuple[int, ...]
    """0 to 9, from left to right; none in the split empty."""

    boxes: np.ndarray
    """float32 (N, 4): left, top, width, height of each digit, pixels."""

    folder: str
    """The folder it comes from: train, extra, pseudo, empty or test."""

    file_name: str


def read_photos(data_dir: str | Path, split: str) -> Iterator[ConvertedPhoto]:
    """Yields every photo of a split once, in the order of the shards.

    Raises:
        UserError: If there is no whole conversion, or the split is absent or empty.
    """
    for serialized in tf.data.TFRecordDataset(shard_paths(data_dir, split)):
        record = {name: value.numpy() for name, value in parse_record(serialized).items()}
        yield ConvertedPhoto(
            record["image"],
            tuple(record["digit_labels"].tolist()),
            record["digit_boxes"],
            record["split"].decode(),
            record["file_name"].decode(),
        )


def parse_record(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns the tensors of one record; works in eager code and in a tf.data graph.

    Args:
        serialized: string scalar, as `serialize_record` makes it.

    Returns:
        `image` (string: the encoded photo), `height` and `width` (int64, pixels), `digit_labels`
        (int64 [N], 0 to 9), `digit_boxes` (float32 [N, 4]: left, top, width, height, pixels),
        `number`, `split` and `file_name` (strings).
    """
    parsed = tf.io.parse_single_example(serialized, _FEATURES)
    parsed["digit_labels"] = parsed.pop("digits/label")
    parsed["digit_boxes"] = parsed.pop("digits/bounding_box")
    return parsed


def parse_records(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns the tensors of a batch of records.

    Args:
        serialized: string [B], each as `serialize_record` makes it.

    Returns:
        As `parse_record`, each with one more axis; where a number has fewer digits than the
        longest of the batch, `digit_labels` is filled with -1 and `digit_boxes` with 0.
    """
    features = dict(_FEATURES)
    features["digits/label"] = features["digits/label"]._replace(default_value=-1)
    parsed = tf.io.parse_example(serialized, features)
    parsed["digit_labels"] = parsed.pop("digits/label")
    parsed["digit_boxes"] = parsed.pop("digits/bounding_box")
    return parsed


def digit_counts(serialized: tf.Tensor) -> tf.Tensor:
    """Returns how many digits the numbers have, without a look at the rest of the records.

    Args:
        serialized: string [B], each as `serialize_record` makes it.

    Returns:
        int64 [B].
    """
    labels = {"digits/label": tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)}
    return tf.io.parse_example(serialized, labels)["digits/label"].row_lengths()


def locate_damage(path: str | Path) -> tuple[int, str] | None:
    """Returns the first damaged record of a shard and what is wrong with it.

    TensorFlow's own errors name an offset in the file, or nothing at all: call this to tell the
    user the file and the record.

    Returns:
        The record's number, 0 for the first, and the reason in words; None if every record is
        whole, can be parsed, and holds a photo that decodes.
    """
    number = 0
    records = iter(tf.data.TFRecordDataset([str(path)]))
    while True:
        try:
            serialized = next(records)
        except StopIteration:
            return None
        except tf.errors.DataLossError as error:
            return number, _first_sentence(error)
        except tf.errors.NotFoundError:
            return number, "the file is missing"
        try:
            tf.io.decode_png(parse_record(serialized)["image"], channels=3)
        except tf.errors.InvalidArgumentError as error:
            return number, _first_sentence(error)
        number += 1


def _first_sentence(error: tf.errors.OpError) -> str:
    """What TensorFlow says is wrong, without the graph node and the advice that it appends."""
    message = error.message.split("} ", 1)[-1] if error.message.startswith("{{") else error.message
    return " ".join(message.split(" [Op:")[0].split("[[")[0].split())
