import random

import numpy as np
import pytest
import tensorflow as tf

from svhn.data.record_writer import serialize_record, write_record


def arguments(size: int = 3000) -> dict:
    return {
        "image": random.Random(size).randbytes(size),
        "height": 300,
        "width": 70_000,
        "digits": (0, 7, 5),
        "boxes": np.array([[-2.5, 1, 10, 20], [8, 1, 9.25, 20], [17, 0, 9, 21]], np.float32),
        "split": "train",
        "file_name": "1.png",
    }


def test_is_what_tensorflow_serializes():
    given = arguments()
    feature = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[given["image"]])),
        "height": tf.train.Feature(int64_list=tf.train.Int64List(value=[300])),
        "width": tf.train.Feature(int64_list=tf.train.Int64List(value=[70_000])),
        "digits/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[0, 7, 5])),
        "digits/bounding_box": tf.train.Feature(
            float_list=tf.train.FloatList(value=given["boxes"].ravel())
        ),
        "number": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"075"])),
        "split": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"train"])),
        "file_name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"1.png"])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    assert serialize_record(**given) == example.SerializeToString(deterministic=True)


def test_as_many_boxes_as_digits():
    with pytest.raises(ValueError, match="2 and 3"):
        serialize_record(**arguments() | {"digits": (1, 2)})


def test_file_is_what_tensorflow_writes(tmp_path):
    records = [serialize_record(**arguments(size)) for size in (1, 200, 5000, 70_000)]
    records += [b"", b"short"]
    with (tmp_path / "ours").open("wb") as file:
        for record in records:
            write_record(file, record)
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for record in records:
            writer.write(record)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
