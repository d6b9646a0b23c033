import numpy as np
import pytest
import tensorflow as tf

from svhn.data import records
from svhn.data.record_writer import write_record
from tests.data.folders import encode, pixels


def record(file_name: str, image: bytes | None = None) -> bytes:
    image = encode(pixels(3, width=40, height=24)) if image is None else image
    boxes = np.array([[-2.5, 1, 10, 20], [8, 1, 9.25, 20]], np.float32)
    return records.serialize_record(image, 24, 40, (0, 7), boxes, "extra", file_name)


def write_shard(path, contents) -> list[int]:
    """Writes records and returns where each starts."""
    starts = []
    with path.open("wb") as file:
        for content in contents:
            starts.append(file.tell())
            write_record(file, content)
    return starts


def test_round_trip_through_a_graph(tmp_path):
    write_shard(tmp_path / "shard", [record("12.png")])
    data_set = tf.data.TFRecordDataset(str(tmp_path / "shard")).map(records.parse_record)
    (parsed,) = data_set.as_numpy_iterator()
    assert set(parsed) == {
        "image",
        "height",
        "width",
        "digit_labels",
        "digit_boxes",
        "number",
        "split",
        "file_name",
    }
    assert np.array_equal(tf.io.decode_png(parsed["image"]), pixels(3, width=40, height=24))
    assert (parsed["height"], parsed["width"]) == (24, 40)
    assert parsed["digit_labels"].dtype == np.int64
    assert parsed["digit_labels"].tolist() == [0, 7]
    assert parsed["digit_boxes"].dtype == np.float32
    assert parsed["digit_boxes"].tolist() == [[-2.5, 1, 10, 20], [8, 1, 9.25, 20]]
    assert (parsed["number"], parsed["split"], parsed["file_name"]) == (b"07", b"extra", b"12.png")


def test_digits_are_counted():
    numbers = [(), (5,), (0, 7, 1), (1,) * 8]
    serialized = [
        records.serialize_record(b"", 9, 9, digits, np.ones([len(digits), 4]), "train", "1.png")
        for digits in numbers
    ]
    counts = records.digit_counts(tf.constant(serialized))
    assert counts.dtype == tf.int64
    assert counts.numpy().tolist() == [0, 1, 3, 8]


def test_a_whole_shard_has_no_damage(tmp_path):
    write_shard(tmp_path / "shard", [record(f"{index}.png") for index in range(3)])
    assert records.locate_damage(tmp_path / "shard") is None


@pytest.mark.parametrize("offset", [0, 9, 50, -1])  # length, its checksum, contents, checksum
def test_a_flipped_bit_is_found_in_its_record(tmp_path, offset):
    path = tmp_path / "shard"
    starts = write_shard(path, [record(f"{index}.png") for index in range(4)])
    data = bytearray(path.read_bytes())
    data[starts[2] + offset if offset >= 0 else starts[3] + offset] ^= 0x10
    path.write_bytes(data)
    number, reason = records.locate_damage(path)
    assert number == 2
    assert "corrupted record" in reason
    assert "\n" not in reason


def test_a_cut_off_shard(tmp_path):
    path = tmp_path / "shard"
    starts = write_shard(path, [record(f"{index}.png") for index in range(4)])
    path.write_bytes(path.read_bytes()[: starts[3] + 100])
    number, reason = records.locate_damage(path)
    assert (number, "truncated" in reason) == (3, True)


def test_records_of_another_kind_and_photos_that_do_not_decode(tmp_path):
    path = tmp_path / "shard"
    write_shard(path, [record("1.png"), b"no example"])
    assert records.locate_damage(path)[0] == 1
    write_shard(path, [record("1.png"), record("2.png"), record("3.png", b"no picture")])
    assert records.locate_damage(path)[0] == 2
    assert records.locate_damage(tmp_path / "no shard") == (0, "the file is missing")
