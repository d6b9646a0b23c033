"""Writes records and shards without TensorFlow: `tf.train.Example` and the TFRecord format.

TensorFlow reads the result; the tests compare it with TensorFlow's own writer byte by byte. It
is written here because importing TensorFlow takes longer than converting some thousand photos.

| feature | type | meaning |
|---|---|---|
| `image` | bytes | the encoded photo: PNG, 8-bit RGB or greyscale |
| `height`, `width` | int64 | pixels |
| `digits/label` | int64 [N] | 0 to 9, from left to right as labelled; N is 0 in the split empty |
| `digits/bounding_box` | float [N × 4] | left, top, width, height of each digit, pixels |
| `number` | bytes | the digits as text, "75"; "" without digits |
| `split` | bytes | the folder: train, extra, pseudo, empty or test |
| `file_name` | bytes | "1.png" |
"""

import struct
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np

from svhn.data.crc32c import crc32c

# Field numbers of tensorflow/core/example/feature.proto and example.proto.
_EXAMPLE_FEATURES = _FEATURES_ENTRY = _LIST_VALUE = 1
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3
_LENGTH_DELIMITED = 2
"""The wire type of strings, messages and packed lists."""


def serialize_record(
    image: bytes,
    height: int,
    width: int,
    digits: Sequence[int],
    boxes: np.ndarray,
    split: str,
    file_name: str,
) -> bytes:
    """Returns a photo as a serialized `tf.train.Example`; the same arguments give the same bytes.

    Args:
        image: The encoded photo, PNG.
        height: Pixels.
        width: Pixels.
        digits: 0 to 9, as labelled.
        boxes: Float array of shape (N, 4): left, top, width, height of each digit, pixels.
        split: The folder that the photo comes from: train, extra, pseudo, empty or test.
        file_name: The photo's name in that folder.

    Raises:
        ValueError: If there are not as many boxes as digits.
    """
    boxes = np.asarray(boxes, "<f4").reshape(-1, 4)
    if len(boxes) != len(digits):
        raise ValueError(f"Every digit needs a box. Received: {len(digits)} and {len(boxes)}")
    number = "".join(map(str, digits))
    features = {
        "digits/bounding_box": _feature(_FLOAT_LIST, boxes.tobytes()),
        "digits/label": _feature(_INT64_LIST, b"".join(map(_varint, digits))),
        "file_name": _feature(_BYTES_LIST, file_name.encode()),
        "height": _feature(_INT64_LIST, _varint(height)),
        "image": _feature(_BYTES_LIST, image),
        "number": _feature(_BYTES_LIST, number.encode()),
        "split": _feature(_BYTES_LIST, split.encode()),
        "width": _feature(_INT64_LIST, _varint(width)),
    }
    entries = b"".join(
        _field(_FEATURES_ENTRY, _field(_ENTRY_KEY, name.encode()) + _field(_ENTRY_VALUE, feature))
        for name, feature in features.items()
    )
    return _field(_EXAMPLE_FEATURES, entries)


def write_record(file: BinaryIO, record: bytes) -> None:
    """Appends a record to a TFRecord file: length, its checksum, the record, its checksum.

    Raises:
        OSError: If the file can't take it (disk full).
    """
    length = struct.pack("<Q", len(record))
    file.write(length + _masked_checksum(length))
    file.write(record)
    file.write(_masked_checksum(record))


def _masked_checksum(data: bytes) -> bytes:
    # Rotated and shifted, as TensorFlow does it: data may itself hold checksums.
    checksum = crc32c(data)
    rotated = (checksum >> 15 | checksum << 17) & 0xFFFFFFFF
    return struct.pack("<I", (rotated + 0xA282EAD8) & 0xFFFFFFFF)


def _feature(kind: int, values: bytes) -> bytes:
    """A `Feature` that holds one list: bytes with one value, or packed numbers."""
    return _field(kind, _field(_LIST_VALUE, values))


def _field(number: int, content: bytes) -> bytes:
    """A protocol buffer field: tag, length, content."""
    return bytes([number << 3 | _LENGTH_DELIMITED]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """A whole number ≥ 0 in groups of seven bits, the lowest first."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
