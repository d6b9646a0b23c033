import contextlib
import csv
import fcntl
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from svhn.data import converter
from svhn.data.converter import convert, drawn_for_val
from svhn.data.converter_config import ConverterConfig
from svhn.data.digit_struct import DIGIT_STRUCT_NAME, write_digit_struct
from svhn.data.manifest import photo_count, photos_by_length, read_manifest, shard_paths
from svhn.data.records import parse_record
from svhn.errors import UserError
from tests.data.folders import (
    encode,
    labelled,
    number_of,
    pixels,
    write_folder,
    write_numbered_folder,
)

ROOT = Path(__file__).resolve().parents[2]
REAL_DATA = ROOT.parent / "shared" / "data"


def read_split(data_dir: Path, split: str) -> dict[str, dict]:
    """All records of a split by "folder/file name"."""
    data_set = tf.data.TFRecordDataset(shard_paths(data_dir, split)).map(parse_record)
    records = {}
    for record in data_set.as_numpy_iterator():
        name = f"{record['split'].decode()}/{record['file_name'].decode()}"
        assert name not in records
        records[name] = record
    return records


def files_of(data_dir: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (data_dir / "tfrecords").iterdir()}


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """100 train, 60 extra and 20 test photos."""
    data_dir = tmp_path_factory.mktemp("source")
    for seed, (folder, count) in enumerate({"train": 100, "extra": 60, "test": 20}.items()):
        write_numbered_folder(data_dir / folder, count, seed=1000 * seed)
    return data_dir


@pytest.fixture(scope="module")
def converted(source) -> Path:
    config = ConverterConfig(str(source), val_fraction_extra=0.1, shards=3, workers=2)
    assert convert(config) == 0
    return source


# What comes out


def test_every_photo_is_in_one_split_with_its_own_bytes_and_labels(converted):
    records = {split: read_split(converted, split) for split in ("train", "extra", "val", "test")}
    for folder, seed, count in (("train", 0, 100), ("extra", 1000, 60), ("test", 2000, 20)):
        for index in range(1, count + 1):
            name = f"{folder}/{index}.png"
            found = [split for split in records if name in records[split]]
            assert len(found) == 1
            record = records[found[0]][name]
            assert record["image"] == (converted / name).read_bytes()
            assert (record["height"], record["width"]) == (24, 40)
            number = number_of(index)
            assert record["number"].decode() == number
            assert record["digit_labels"].tolist() == list(map(int, number))
            expected = [[4 * position + 2, 5, 4, 10] for position in range(len(number))]
            assert record["digit_boxes"].tolist() == expected
            assert np.array_equal(tf.io.decode_png(record["image"]), pixels(seed + index))
    assert {name.split("/")[0] for name in records["train"]} == {"train"}
    assert {name.split("/")[0] for name in records["extra"]} == {"extra"}
    assert {name.split("/")[0] for name in records["val"]} == {"train", "extra"}
    assert len(records["test"]) == 20  # none of them was drawn for val


def test_manifest_counts_what_is_there(converted):
    manifest = read_manifest(converted)
    assert sum(split["photos"] for split in manifest["splits"].values()) == 180
    for split, entry in manifest["splits"].items():
        assert photo_count(converted, split) == len(read_split(converted, split))
        assert sum(entry["by_length"].values()) == entry["photos"]
        assert sum(shard["photos"] for shard in entry["shards"]) == entry["photos"]
        assert entry["bytes"] == sum(
            Path(path).stat().st_size for path in shard_paths(converted, split)
        )
    assert manifest["splits"]["test"]["by_length"] == dict.fromkeys("12345", 4)
    assert manifest["folders"]["train"] == {
        "listed": 100,
        "converted": 100,
        "skipped": 0,
        "reencoded": 0,
        "unlisted": 0,
    }
    assert manifest["settings"]["val_fraction_extra"] == 0.1
    assert str(converted) not in json.dumps(manifest)  # else the same photos gave other bytes


def test_files_are_named_as_promised(converted):
    names = sorted(files_of(converted))
    assert names == sorted(
        ["manifest.json", "dataset_info.json", "features.json"]
        + [f"train.tfrecord-{index:05d}-of-00003" for index in range(3)]
        + [f"extra.tfrecord-{index:05d}-of-00003" for index in range(3)]
        + [f"test.tfrecord-{index:05d}-of-00002" for index in range(2)]  # 20 photos
        + ["val.tfrecord-00000-of-00001"]
    )


def test_same_bytes_whatever_the_number_of_workers(converted, tmp_path):
    for workers in (1, 3):
        output = tmp_path / str(workers)
        config = ConverterConfig(
            str(converted), str(output), val_fraction_extra=0.1, shards=3, workers=workers
        )
        assert convert(config) == 0
        assert files_of(output) == files_of(converted)


# The split val


def test_neighbours_in_a_folder_are_spread_over_the_split(converted):
    photos = [
        int(name.removeprefix("extra/").removesuffix(".png"))
        for path in shard_paths(converted, "extra")
        for name in (
            f"{record['split'].decode()}/{record['file_name'].decode()}"
            for record in tf.data.TFRecordDataset(path).map(parse_record).as_numpy_iterator()
        )
    ]
    assert len(photos) > 40
    neighbours = np.abs(np.diff(photos)).mean()
    # In the order of their numbers, dealt out to three shards, it would be 3 to 5; in any order
    # a third of the 60 photos.
    assert neighbours > 12


def test_val_never_changes():
    drawn = [index for index in range(1, 61) if drawn_for_val("train", f"{index}.png", 0.1)]
    assert drawn == [8, 22, 26, 39]
    drawn = [index for index in range(1, 61) if drawn_for_val("extra", f"{index}.png", 0.1)]
    assert drawn == [3, 31, 33, 38, 42]


def test_val_has_the_wished_share_and_grows_without_loss():
    names = [f"{index}.png" for index in range(1, 20_001)]
    small, large = (
        {name for name in names if drawn_for_val("train", name, fraction)}
        for fraction in (0.1, 0.3)
    )
    assert small < large
    assert abs(len(small) - 2000) < 4 * (20_000 * 0.1 * 0.9) ** 0.5
    assert not any(drawn_for_val("train", name, 0) for name in names)
    assert all(drawn_for_val("train", name, 1) for name in names)


def test_a_photo_stays_in_its_split_when_others_come_and_go(converted, tmp_path):
    """Half of the photos, listed backwards."""
    photos = {
        labelled(f"{index}.png"): (converted / "train" / f"{index}.png").read_bytes()
        for index in range(100, 0, -2)
    }
    write_folder(tmp_path / "train", photos)
    assert convert(ConverterConfig(str(tmp_path))) == 0
    before, after = read_split(converted, "val"), read_split(tmp_path, "val")
    assert set(after) == {f"train/{i}.png" for i in range(2, 101, 2)} & set(before)


# The split pseudo


def test_photos_that_a_machine_labelled_are_a_split_of_their_own(converted, tmp_path):
    for folder in ("train", "extra", "test"):
        (tmp_path / folder).symlink_to(converted / folder)
    write_numbered_folder(tmp_path / "pseudo", 40, seed=3000)
    for val_fraction, in_val in ((0.1, 10), (1.0, 160)):
        config = ConverterConfig(
            str(tmp_path),
            val_fraction_train=val_fraction,
            val_fraction_extra=val_fraction,
            shards=3,
            overwrite=True,
        )
        assert convert(config) == 0
        assert set(read_split(tmp_path, "pseudo")) == {f"pseudo/{i}.png" for i in range(1, 41)}
        val = read_split(tmp_path, "val")
        assert len(val) >= in_val - 2 and not any(name.startswith("pseudo") for name in val)
        assert convert(ConverterConfig(str(tmp_path), verify=True)) == 0
    manifest = read_manifest(tmp_path)
    assert list(manifest["splits"]) == ["pseudo", "val", "test"]
    assert manifest["folders"]["pseudo"]["converted"] == 40


def test_the_split_pseudo_changes_no_other(converted, tmp_path):
    for folder in ("train", "extra", "test"):
        (tmp_path / folder).symlink_to(converted / folder)
    write_numbered_folder(tmp_path / "pseudo", 40, seed=3000)
    assert convert(ConverterConfig(str(tmp_path), val_fraction_extra=0.1, shards=3)) == 0
    shards = {name: content for name, content in files_of(tmp_path).items() if "tfrecord" in name}
    before = {name: data for name, data in files_of(converted).items() if "tfrecord" in name}
    added = {f"pseudo.tfrecord-{index:05d}-of-00003" for index in range(3)}
    assert shards.keys() - before.keys() == added
    assert {name: shards[name] for name in before} == before


# The split empty


def test_photos_without_any_number_are_a_split_of_their_own(converted, tmp_path, capsys):
    for folder in ("train", "extra", "test"):
        (tmp_path / folder).symlink_to(converted / folder)
    photos = {labelled(f"{i}.png", ""): encode(pixels(4000 + i)) for i in range(1, 36)}
    photos[labelled("36.png", "75")] = encode(pixels(5000))
    write_folder(tmp_path / "empty", photos)
    config = ConverterConfig(
        str(tmp_path), val_fraction_train=1.0, val_fraction_extra=1.0, shards=3
    )
    assert convert(config) == 0
    records = read_split(tmp_path, "empty")
    assert set(records) == {f"empty/{i}.png" for i in range(1, 36)}
    for record in records.values():
        assert record["digit_labels"].shape == (0,)
        assert record["digit_boxes"].shape == (0, 4)
        assert record["number"] == b""
    assert not any(name.startswith("empty") for name in read_split(tmp_path, "val"))
    manifest = read_manifest(tmp_path)
    assert manifest["splits"]["empty"]["by_length"] == {"0": 35}
    assert photos_by_length(tmp_path, "empty") == [35, 0, 0, 0, 0, 0, 0]
    assert [(entry["photo"], entry["reason"]) for entry in manifest["skipped"]] == [
        ("empty/36.png", "digits on a photo that should have none")
    ]
    assert "0 digits" in capsys.readouterr().out
    assert convert(ConverterConfig(str(tmp_path), verify=True)) == 0


def test_the_split_empty_changes_no_other(converted, tmp_path):
    for folder in ("train", "extra", "test"):
        (tmp_path / folder).symlink_to(converted / folder)
    write_folder(tmp_path / "empty", {labelled("1.png", ""): encode(pixels(4001))})
    assert convert(ConverterConfig(str(tmp_path), val_fraction_extra=0.1, shards=3)) == 0
    shards = {name: content for name, content in files_of(tmp_path).items() if "tfrecord" in name}
    before = {name: data for name, data in files_of(converted).items() if "tfrecord" in name}
    assert shards.keys() - before.keys() == {"empty.tfrecord-00000-of-00001"}
    assert {name: shards[name] for name in before} == before


# Photos that can't be used


def test_bad_photos_are_named_with_the_reason_and_stop_nothing(tmp_path, capfd):
    good = encode(pixels(1))
    photos = {
        labelled("1.png"): good,
        labelled("2.png", ""): good,
        labelled("3.png", "75", [[1, 1, 4, 9], [5, 1, 0, 9]]): good,
        labelled("4.png", "7", [[100, 1, 4, 9]]): good,
        labelled("5.png"): good[:-200],
        labelled("6.png"): b"",
        labelled("7.png"): None,
        labelled("8.png", "123456"): good,
        labelled("9.png"): encode(pixels(2), "JPEG"),
        labelled("10.png", "31", [[-2, 1, 6, 9], [38, 1, 8, 9]]): good,
    }
    write_folder(tmp_path / "test", photos)
    (tmp_path / "test" / "11.png").write_bytes(good)
    # 1.png a second time:
    write_digit_struct(tmp_path / "test" / DIGIT_STRUCT_NAME, [*photos, labelled("1.png", "9")])
    assert convert(ConverterConfig(str(tmp_path))) == 0

    manifest = read_manifest(tmp_path)
    assert [(entry["photo"], entry["reason"]) for entry in manifest["skipped"]] == [
        ("test/1.png", "listed more than once"),
        ("test/2.png", "no digits"),
        ("test/3.png", "box without area"),
        ("test/4.png", "box wholly outside the photo"),
        ("test/5.png", "picture can't be read"),
        ("test/6.png", "picture can't be read"),
        ("test/7.png", "listed, but not on disk"),
    ]
    assert manifest["folders"]["test"] == {
        "listed": 11,
        "converted": 4,
        "skipped": 7,
        "reencoded": 1,
        "unlisted": 1,
    }
    assert manifest["reencoded"] == ["test/9.png"]
    assert manifest["unlisted"] == ["test/11.png"]
    assert manifest["splits"]["test"]["by_length"] == {"2": 3, "more than 5": 1}
    records = read_split(tmp_path, "test")
    assert set(records) == {"test/1.png", "test/8.png", "test/9.png", "test/10.png"}
    assert records["test/8.png"]["number"] == b"123456"
    assert records["test/10.png"]["digit_boxes"].tolist() == [[-2, 1, 6, 9], [38, 1, 8, 9]]
    screen = capfd.readouterr()
    assert "box without area" in screen.out
    assert "test/5.png, test/6.png" in screen.out
    assert "not listed" in screen.err
    assert "11.png" in screen.err


def test_a_file_name_that_is_no_utf_8_stops_nothing(tmp_path):
    write_folder(tmp_path / "test", {labelled("1.png"): encode(pixels(1))})
    Path(os.fsdecode(os.fsencode(tmp_path / "test") + b"/Z\xfcrich.png")).write_bytes(b"")
    assert convert(ConverterConfig(str(tmp_path))) == 0
    assert read_manifest(tmp_path)["unlisted"] == ["test/Z\udcfcrich.png"]
    assert convert(ConverterConfig(str(tmp_path), verify=True)) == 0


def test_no_photo_can_be_used(tmp_path):
    write_folder(tmp_path / "train", {labelled(f"{i}.png"): b"broken" for i in range(1, 4)})
    with pytest.raises(UserError, match=r"None of the 3 listed photos .* train/1.png .*can't be"):
        convert(ConverterConfig(str(tmp_path)))
    assert files_of(tmp_path) == {}


# An existing conversion


@pytest.fixture
def conversion(converted, tmp_path) -> Path:
    """A copy of a whole conversion, to be harmed."""
    shutil.copytree(converted / "tfrecords", tmp_path / "tfrecords")
    return tmp_path


def test_refuses_to_overwrite_unless_told(converted, conversion):
    before = files_of(conversion)
    config = ConverterConfig(str(converted), str(conversion), shards=2)
    with pytest.raises(UserError, match="holds a whole conversion already: --overwrite"):
        convert(config)
    assert files_of(conversion) == before
    config.overwrite = True
    assert convert(config) == 0
    assert convert(ConverterConfig(str(conversion), verify=True)) == 0  # no shard is left over
    assert len(shard_paths(conversion, "train")) == 2


def test_replaces_an_unfinished_conversion_and_leaves_other_files_alone(converted, conversion):
    folder = conversion / "tfrecords"
    whole = files_of(conversion)
    (folder / "manifest.json").unlink()
    (folder / "train.tfrecord-00007-of-00009").write_bytes(b"an older plan")
    (folder / ".val.tfrecord-00000-of-00001.1234.partial").write_bytes(b"half")
    (folder / ".1234.unfinished").write_bytes(b"half")
    own = {"notes.txt": b"the user's own", "notes.json": b"{}"}
    for name, content in own.items():
        (folder / name).write_bytes(content)
    config = ConverterConfig(str(converted), str(conversion), val_fraction_extra=0.1, shards=3)
    assert convert(config) == 0
    assert files_of(conversion) == whole | own


def test_verify_says_that_all_is_well(conversion, capsys):
    assert convert(ConverterConfig(str(conversion), verify=True)) == 0
    assert "is whole: 180 photos in 9 shards" in capsys.readouterr().out


def flip_a_byte(folder):
    path = folder / "extra.tfrecord-00001-of-00003"
    data = bytearray(path.read_bytes())
    position = 0
    for _ in range(5):  # a record has 16 bytes beside its contents
        position += 16 + int.from_bytes(data[position : position + 8], "little")
    data[position + 1000] ^= 1
    path.write_bytes(data)


def cut_off(folder):
    path = folder / "test.tfrecord-00001-of-00002"
    path.write_bytes(path.read_bytes()[:-10])


def swap(folder):
    first, second = (folder / f"train.tfrecord-0000{index}-of-00003" for index in (0, 1))
    first.write_bytes(second.read_bytes())


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (flip_a_byte, r"extra.tfrecord-00001-of-00003 is damaged at record 5 of \d+,"),
        (cut_off, r"test.tfrecord-00001-of-00002 is damaged at record 9 of 10, .*truncated"),
        (swap, r"train.tfrecord-00000-of-00003 holds other records"),
        (
            lambda folder: (folder / "val.tfrecord-00000-of-00001").unlink(),
            r"val.tfrecord-00000-of-00001 is missing",
        ),
        (
            lambda folder: (folder / "val.tfrecord-00001-of-00002").touch(),
            r"val.tfrecord-00001-of-00002 is not in the manifest",
        ),
        (
            lambda folder: (folder / "dataset_info.json").write_text("{}"),
            r"dataset_info.json was changed",
        ),
        (lambda folder: (folder / "manifest.json").write_text("{"), r"manifest.json is damaged"),
        (lambda folder: (folder / "manifest.json").unlink(), r"unfinished"),
    ],
)
def test_verify_names_what_is_wrong(conversion, harm, message):
    harm(conversion / "tfrecords")
    with pytest.raises(UserError, match=message) as caught:
        convert(ConverterConfig(str(conversion), verify=True))
    assert "convert_to_tfrecords.py" in str(caught.value)


def test_two_conversions_at_once(source, tmp_path):
    folder = tmp_path / "tfrecords"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(UserError, match="Another conversion is writing"):
        convert(ConverterConfig(str(source), str(tmp_path)))
    os.close(descriptor)


# Mistakes and states of the machine


def one_digit_struct_missing(data_dir):
    write_numbered_folder(data_dir / "train", 2)
    (data_dir / "extra").mkdir()


def the_train_folder_itself(data_dir):
    write_numbered_folder(data_dir / "train", 2)
    for path in (data_dir / "train").iterdir():
        path.rename(data_dir / path.name)
    (data_dir / "train").rmdir()


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda data_dir: data_dir.rmdir(), "there is no such folder"),
        (lambda data_dir: None, r"none of the folders train/, .*empty.*svhn.data.download"),
        (lambda data_dir: (data_dir / "photos").mkdir(), "found only photos"),
        (the_train_folder_itself, "give the folder above it"),
        (one_digit_struct_missing, r"extra/digitStruct.mat: no such file"),
    ],
)
def test_nothing_to_convert(tmp_path, prepare, message):
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    prepare(data_dir)
    with pytest.raises(UserError, match=message):
        convert(ConverterConfig(str(data_dir)))
    assert not (data_dir / "tfrecords").exists()


@contextlib.contextmanager
def not_as_root():
    """Permissions don't hold the superuser."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_unreadable_folders(tmp_path):
    write_numbered_folder(tmp_path / "data" / "train", 2)
    for path in (tmp_path, *tmp_path.parents[:3]):  # as deep as pytest's folders lie in /tmp
        path.chmod(path.stat().st_mode | 0o055)
    for folder, message in (("data", "data: the folder"), ("data/train", "data/train")):
        (tmp_path / folder).chmod(0)
        with not_as_root(), pytest.raises(UserError, match=message):
            convert(ConverterConfig(str(tmp_path / "data")))
        (tmp_path / folder).chmod(0o755)


def test_output_that_cannot_be_written(source, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file/tfrecords can't be written .*--output_dir"):
        convert(ConverterConfig(str(source), str(tmp_path / "file")))


def test_disk_full(source, tmp_path, monkeypatch):
    plan_shards = converter.plan_shards

    def plan_on_full_disk(*arguments):
        # The last shard meets a device that is always full; the others go well.
        *others, last = plan_shards(*arguments)
        return [*others, converter.dataclasses.replace(last, unfinished=Path("/dev/full"))]

    monkeypatch.setattr(converter, "plan_shards", plan_on_full_disk)
    with pytest.raises(UserError, match=r"disk of .* is full; .*--output_dir"):
        convert(ConverterConfig(str(source), str(tmp_path)))
    assert files_of(tmp_path) == {}


# Stopped in the middle


@pytest.fixture(scope="module")
def slow_source(tmp_path_factory) -> Path:
    """32 photos: those that go to the first of two shards are small, the others take a while."""
    data_dir = tmp_path_factory.mktemp("slow")
    small = encode(pixels(1))
    large = encode(np.full((2400, 3200, 3), 99, np.uint8), compress_level=1)
    labels = [labelled(f"{index + 1}.png") for index in range(2 * 16)]
    labels.sort(key=lambda photo: place_in_split("test", photo.file_name))
    photos = {photo: large if place % 2 else small for place, photo in enumerate(labels)}
    write_folder(data_dir / "test", photos)
    return data_dir


def place_in_split(folder: str, file_name: str) -> bytes:
    """What the photos of a split are ordered by."""
    return hashlib.sha256(f"{folder}/{file_name} in its split".encode()).digest()


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


@contextlib.contextmanager
def command_line(*arguments, token=""):
    """The program, started as from a shell, in a process group of its own."""
    process = subprocess.Popen(
        [sys.executable, "convert_to_tfrecords.py", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"SVHN_TEST_TOKEN": token},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def processes_with(token: str) -> list[int]:
    """Processes whose environment holds the token."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if token.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def is_under_way(output: Path) -> bool:
    """Whether a first shard is complete and others are not."""
    names = [path.name for path in (output / "tfrecords").glob("*")]
    return "test.tfrecord-00000-of-00002" in names and any("partial" in name for name in names)


def test_killed_and_run_again(slow_source, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert convert(ConverterConfig(str(slow_source), str(whole))) == 0
    shutil.copytree(whole, killed)  # the worst case: a whole conversion is being replaced
    token = uuid.uuid4().hex
    arguments = ("--data_dir", slow_source, "--output_dir", killed, "--overwrite")
    with command_line(*arguments, token=token) as process:
        wait_until(lambda: is_under_way(killed))
        process.kill()
        process.wait()
    with pytest.raises(UserError, match="is unfinished"):
        read_manifest(killed)
    if Path("/proc/self/environ").exists():
        wait_until(lambda: not processes_with(token))  # no worker goes on alone
    assert convert(ConverterConfig(str(slow_source), str(killed))) == 0
    assert files_of(killed) == files_of(whole)


def test_ctrl_c_stops_cleanly(slow_source, tmp_path):
    token = uuid.uuid4().hex
    arguments = ("--data_dir", slow_source, "--output_dir", tmp_path)
    with command_line(*arguments, token=token) as process:
        wait_until(lambda: is_under_way(tmp_path))
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.splitlines() == ["convert_to_tfrecords.py: stopped by Ctrl-C"]
    assert files_of(tmp_path) == {}
    if Path("/proc/self/environ").exists():
        wait_until(lambda: not processes_with(token))


def test_a_worker_that_dies_is_reported(slow_source, tmp_path):
    def kill_a_worker():
        wait_until(lambda: is_under_way(tmp_path))
        multiprocessing.active_children()[0].kill()

    killer = threading.Thread(target=kill_a_worker)
    killer.start()
    with pytest.raises(UserError, match=r"worker process was killed.*--workers=2"):
        convert(ConverterConfig(str(slow_source), str(tmp_path), workers=2))
    killer.join()
    assert files_of(tmp_path) == {}


# From the shell, and on real data


def test_from_the_shell(source, tmp_path):
    data_dir = tmp_path / "your_data_dir"
    shutil.copytree(source / "test", data_dir / "test")
    with command_line("--data_dir", data_dir) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "20 photos in" in output
    assert (data_dir / "tfrecords" / "test.tfrecord-00000-of-00002").exists()
    with command_line("--data_dir", data_dir) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, "")
    assert len(errors.splitlines()) == 1
    assert errors.startswith("convert_to_tfrecords.py: error: ")


def test_starts_without_tensorflow():
    program = "import sys, svhn.data.converter; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


@pytest.mark.skipif(not REAL_DATA.is_dir(), reason="the real photos of ../shared/data are absent")
@pytest.mark.parametrize("folder", ["train", "test"])
def test_real_photos(tmp_path, folder):
    original = REAL_DATA / "svhn" / folder
    (tmp_path / "data" / folder).mkdir(parents=True)
    names = sorted(path.name for path in original.glob("*.png"))[::50]
    for name in (*names, DIGIT_STRUCT_NAME):
        (tmp_path / "data" / folder / name).symlink_to(original / name)
    assert convert(ConverterConfig(str(tmp_path / "data"), str(tmp_path))) == 0
    records = {}
    for split in read_manifest(tmp_path)["splits"]:
        records |= read_split(tmp_path, split)
    assert set(records) == {f"{folder}/{name}" for name in names}
    with (REAL_DATA / "labels" / f"{folder}.csv").open(newline="") as file:
        numbers = {row["name"]: row["number"] for row in csv.DictReader(file)}
    for name in names:
        record = records[f"{folder}/{name}"]
        assert record["number"].decode() == numbers[name]
        assert record["image"] == (original / name).read_bytes()
