import json

import pytest

from svhn.data.manifest import (
    FORMAT,
    photo_count,
    photos_by_length,
    read_manifest,
    shard_name,
    shard_paths,
)
from svhn.errors import UserError


def write_conversion(data_dir, **changes):
    """A data folder with 3 train photos in 2 shards, and an empty split val."""
    folder = data_dir / "tfrecords"
    folder.mkdir()
    shards = []
    for index, photos in enumerate([2, 1]):
        name = shard_name("train", index, 2)
        (folder / name).write_bytes(bytes(100 * photos))
        shards.append({"file": name, "photos": photos, "bytes": 100 * photos})
    by_length = {"2": 2, "more than 5": 1}
    splits = {
        "train": {"photos": 3, "by_length": by_length, "shards": shards},
        "val": {"photos": 0, "by_length": {}, "shards": []},
    }
    manifest = {"format": FORMAT, "splits": splits} | changes
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_shards_in_order(tmp_path):
    folder = write_conversion(tmp_path)
    assert shard_paths(tmp_path, "train") == [
        str(folder / "train.tfrecord-00000-of-00002"),
        str(folder / "train.tfrecord-00001-of-00002"),
    ]
    assert photo_count(str(tmp_path), "train") == 3


def test_photos_by_length(tmp_path):
    write_conversion(tmp_path)
    assert photos_by_length(tmp_path, "train") == [0, 0, 2, 0, 0, 0, 1]


@pytest.mark.parametrize("split", ["val", "test", "banana"])
def test_an_absent_or_empty_split_is_named_with_those_that_are_there(tmp_path, split):
    write_conversion(tmp_path)
    for function in (shard_paths, photo_count, photos_by_length):
        with pytest.raises(UserError, match=f"'{split}'.*it has: train"):
            function(tmp_path, split)


def test_missing_and_shortened_shards(tmp_path):
    folder = write_conversion(tmp_path)
    shard = folder / "train.tfrecord-00001-of-00002"
    shard.write_bytes(bytes(99))
    with pytest.raises(UserError, match="00001-of-00002 has 99 bytes instead of 100"):
        shard_paths(tmp_path, "train")
    shard.unlink()
    with pytest.raises(UserError, match="00001-of-00002 is missing"):
        shard_paths(tmp_path, "train")


def test_no_whole_conversion(tmp_path):
    with pytest.raises(UserError, match=r"There is no folder .*nowhere"):
        read_manifest(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"no converted photos .* convert_to_tfrecords.py"):
        read_manifest(tmp_path)
    (tmp_path / "tfrecords").mkdir()
    with pytest.raises(UserError, match=r"unfinished .* convert_to_tfrecords.py"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": ', f'{{"format": {FORMAT}}}'])
def test_a_damaged_manifest(tmp_path, text):
    write_conversion(tmp_path).joinpath("manifest.json").write_text(text)
    with pytest.raises(UserError, match=r"manifest.json is damaged .* --overwrite"):
        read_manifest(tmp_path)


def test_another_format(tmp_path):
    write_conversion(tmp_path, format=99)
    with pytest.raises(UserError, match="has format 99, this version reads format"):
        read_manifest(tmp_path)
