import json
from pathlib import Path

import numpy as np
import pytest

from svhn.data.converter import convert
from svhn.data.converter_config import ConverterConfig
from svhn.data.manifest import photo_count
from svhn.data.tfds_metadata import tfds_metadata
from tests.data.folders import encode, labelled, pixels, write_folder, write_numbered_folder

tfds = pytest.importorskip("tensorflow_datasets")


def test_features_are_as_tfds_writes_them(tmp_path):
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
            "height": np.int64,
            "width": np.int64,
            "digits": tfds.features.Sequence(
                {
                    "label": tfds.features.ClassLabel(num_classes=10),
                    "bounding_box": tfds.features.Tensor(shape=(4,), dtype=np.float32),
                }
            ),
            "number": tfds.features.Text(),
            "split": tfds.features.Text(),
            "file_name": tfds.features.Text(),
        }
    )
    features.save_config(str(tmp_path))
    theirs = json.loads((tmp_path / "features.json").read_text())
    assert json.loads(tfds_metadata({})["features.json"]) == theirs


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory) -> Path:
    data_dir = tmp_path_factory.mktemp("data")
    write_numbered_folder(data_dir / "train", 50)
    # Enough photos for two shards of the test set, of which one stays empty.
    photos = {labelled(f"{index}.png", "12"): b"broken" for index in range(1, 19)}
    for photo in list(photos)[1:4:2]:
        photos[photo] = encode(pixels(5)[:, :, 0])
    write_folder(data_dir / "test", photos)
    assert convert(ConverterConfig(str(data_dir))) == 0
    return data_dir


def test_builder_from_directory_opens_and_slices(data_dir):
    builder = tfds.builder_from_directory(data_dir / "tfrecords")
    for split in ("train", "val", "test"):
        assert builder.info.splits[split].num_examples == photo_count(data_dir, split)
    assert sorted(builder.info.splits["test"].shard_lengths) == [0, 2]

    def names(split):
        return [
            example["file_name"].decode()
            for example in tfds.as_numpy(builder.as_dataset(split=split))
        ]

    whole = names("train")
    tenth = names("train[:10%]")
    assert tenth == whole[: round(len(whole) / 10)]
    assert names("train[10%:]") == whole[len(tenth) :]
    assert sorted(whole + names("val")) == sorted(f"{index}.png" for index in range(1, 51))
    assert sorted(names("test")) == ["2.png", "4.png"]


def test_pictures_and_digits_come_out(data_dir):
    builder = tfds.builder_from_directory(data_dir / "tfrecords")
    for example in tfds.as_numpy(builder.as_dataset(split="train[:20%]")):
        index = int(example["file_name"].decode().removesuffix(".png"))
        assert np.array_equal(example["image"], pixels(index))
        digits = example["digits"]
        assert "".join(map(str, digits["label"])) == example["number"].decode()
        assert digits["bounding_box"][:, 0].tolist() == [
            4 * position + 2 for position in range(len(digits["label"]))
        ]
    grey = next(
        example
        for example in tfds.as_numpy(builder.as_dataset(split="test"))
        if example["file_name"] == b"2.png"
    )
    assert np.array_equal(grey["image"], np.repeat(pixels(5)[:, :, :1], 3, axis=2))
