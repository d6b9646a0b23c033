import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from svhn.checkpoints import Checkpoints, load_model
from svhn.data.digit_struct import LabelledPhoto, write_digit_struct
from svhn.errors import UserError
from svhn.reading.config import ReadingConfig
from svhn.reading.inference import infer
from svhn.reading.reader import Reader
from svhn.released_weights import write_released
from svhn.stored_calibration import StoredCalibration
from tests.reading.conftest import random_photo, save_photo

REPOSITORY = Path(__file__).parents[2]
LINE = re.compile(r"(\d{1,5}|no number|more than 5 digits)  \d{1,3}\.\d %  (.+)")


def configuration(image: Path | str, checkpoint: Path | str, **flags) -> ReadingConfig:
    flags = {"boxes": "whole", "box": [], "output_dir": "", "batch_size": 4} | flags
    return ReadingConfig(image=str(image), restore_checkpoint=str(checkpoint), **flags)


@pytest.fixture(scope="module", autouse=True)
def one_reader_for_each_checkpoint():
    """Building the network's graph anew for each test would take most of their time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reader, "from_checkpoint", functools.cache(Reader.from_checkpoint))
        yield


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    save_photo(folder / "1.png", 1)
    save_photo(folder / "2.jpg", 2, 300, 500)
    save_photo(folder / "street" / "2.webp", 3)
    save_photo(folder / "10.gif", 4)
    return folder


def test_a_line_for_each_photo(photos, checkpoint_folder, capfd):
    assert infer(configuration(photos, checkpoint_folder)) == 0
    shown = capfd.readouterr()
    lines = shown.out.splitlines()
    assert [LINE.fullmatch(line)[2] for line in lines] == [
        str(photos / name) for name in ("1.png", "2.jpg", "10.gif", "street/2.webp")
    ]
    assert re.search(r"^4 photos read in \d+\.\d s \(.* photos/s\)$", shown.err, re.MULTILINE)


def test_what_cannot_be_read_is_named_and_counted(photos, checkpoint_folder, capfd):
    (photos / "0.png").touch()
    (photos / "3.png").write_text("no picture")
    (photos / "4.png").write_bytes((photos / "1.png").read_bytes()[:300])
    output = photos.parent / "out"
    status = infer(configuration(photos, checkpoint_folder, output_dir=str(output)))
    assert status == 1
    shown = capfd.readouterr()
    assert len(shown.out.splitlines()) == 4
    errors = shown.err.splitlines()
    for name, reason in [("0.png", "empty"), ("3.png", "not a picture"), ("4.png", "cut short")]:
        [line] = [line for line in errors if line.startswith(f"{photos / name}: ")]
        assert reason in line
    assert any(line.startswith("4 photos read, 3 failed in ") for line in errors)
    assert "Traceback" not in shown.err
    records = json.loads((output / "predictions.json").read_text())
    assert sum(record["error"] is not None for record in records) == 3
    assert sum(record["label"] is not None for record in records) == 4


def test_odd_file_names_take_one_line(photos, checkpoint_folder, capfdbinary):
    folder = photos.parent / "odd"
    name = os.fsdecode(b"caf\xe9\nbar")  # no UTF-8, and a line break
    save_photo(folder / f"{name}.png", 1)
    (folder / f"{name} broken.png").touch()
    assert infer(configuration(folder, checkpoint_folder)) == 1
    shown = capfdbinary.readouterr()
    assert shown.out.count(b"\n") == 1
    assert shown.out.endswith(b"caf\xe9\\nbar.png\n")
    assert shown.err.count(b"\n") == 2  # the failure and the summary


def test_screen_and_tables_agree(photos, checkpoint_folder, capfd):
    output = photos.parent / "out"
    assert infer(configuration(photos, checkpoint_folder, output_dir=str(output))) == 0
    records = json.loads((output / "predictions.json").read_text())
    expected = [
        f"{record['number'] or 'no number'}  {100 * record['confidence']:.1f} %  {record['path']}"
        for record in records
    ]
    assert capfd.readouterr().out.splitlines() == expected
    assert all((output / record["drawing"]).is_file() for record in records)
    assert (output / "annotated" / "street" / "2.png").is_file()
    assert (output / "predictions.csv").is_file()


def test_batch_size_and_company_change_no_answer(photos, checkpoint_folder, capfd):
    infer(configuration(photos, checkpoint_folder))
    together = capfd.readouterr().out.splitlines()
    for index, name in enumerate(("1.png", "2.jpg", "10.gif", "street/2.webp")):
        infer(configuration(photos / name, checkpoint_folder))
        assert capfd.readouterr().out.splitlines() == [together[index]]
    infer(configuration(photos, checkpoint_folder / "model.ckpt", batch_size=3))
    assert capfd.readouterr().out.splitlines() == together


def test_drawings_within_the_photos_are_not_read_the_next_time(photos, checkpoint_folder, capfd):
    before = (photos / "1.png").read_bytes()
    for _ in range(2):
        infer(configuration(photos, checkpoint_folder, output_dir=str(photos)))
        assert len(capfd.readouterr().out.splitlines()) == 4
    assert (photos / "annotated" / "1.png").is_file()
    assert (photos / "1.png").read_bytes() == before


def test_drawings_are_no_photos_of_their_own(photos, checkpoint_folder):
    (photos / "annotated").mkdir()
    (photos / "1.png").rename(photos / "annotated" / "1.png")
    drawings = photos / "annotated"
    with pytest.raises(UserError, match="replace the photos"):
        infer(configuration(drawings, checkpoint_folder, output_dir=str(photos)))
    for path in [path for path in photos.rglob("*") if path.parent != drawings and path.is_file()]:
        path.unlink()
    with pytest.raises(UserError, match="only pictures there are the drawings"):
        infer(configuration(photos, checkpoint_folder, output_dir=str(photos)))


def test_pattern_and_box(photos, checkpoint_folder, capfd):
    assert infer(configuration(f"{photos}/**/2.*", checkpoint_folder)) == 0
    whole = capfd.readouterr().out.splitlines()
    assert len(whole) == 2
    output = photos.parent / "out"
    flags = {"box": ["100", "50", "60.5", "80"], "output_dir": str(output)}
    assert infer(configuration(photos / "2.jpg", checkpoint_folder, **flags)) == 0
    assert capfd.readouterr().out.splitlines() != whole[:1]
    [record] = json.loads((output / "predictions.json").read_text())
    assert record["box"] == [100, 50, 60.5, 80]


@pytest.mark.parametrize(
    "box", [["1", "2", "3"], ["a", "2", "3", "4"], ["1", "2", "0", "4"], ["1", "2", "nan", "4"]]
)
def test_box_that_is_none(photos, checkpoint_folder, box):
    with pytest.raises(UserError, match="--box"):
        infer(configuration(photos / "1.png", checkpoint_folder, box=box))


def test_boxes_from_the_labels_beside_the_photos(checkpoint_folder, tmp_path, capfd):
    folder = tmp_path / "labelled"
    for number in (1, 2, 3):
        save_photo(folder / f"{number}.png", number, 60, 80)
    boxes = np.array([[10, 5, 12, 30], [25, 8, 14, 30]], np.float32)
    listed = [LabelledPhoto(f"{number}.png", (4, 2), boxes + number) for number in (1, 2)]
    write_digit_struct(folder / "digitStruct.mat", listed)
    output = tmp_path / "out"
    flags = {"boxes": "labels", "output_dir": str(output)}
    assert infer(configuration(folder, checkpoint_folder, **flags)) == 1
    captured = capfd.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert "3.png" in captured.err and "--boxes=whole" in captured.err
    records = json.loads((output / "predictions.json").read_text())
    assert [record["box"] for record in records] == [[11, 6, 30, 34], [12, 7, 31, 35], None]


def test_labels_that_are_not_there(photos, checkpoint_folder):
    with pytest.raises(UserError, match=r"digitStruct\.mat"):
        infer(configuration(photos, checkpoint_folder, boxes="labels"))


def test_box_for_many_photos(photos, checkpoint_folder):
    with pytest.raises(UserError, match="names 4"):
        infer(configuration(photos, checkpoint_folder, box=["1", "2", "3", "4"]))


def test_without_a_checkpoint_the_user_learns_how_to_get_one(photos, tmp_path):
    with pytest.raises(UserError, match=r"--restore_checkpoint .* train\.py"):
        infer(configuration(photos, ""))
    with pytest.raises(UserError, match="train"):
        infer(configuration(photos, tmp_path / "nothing" / "model.ckpt"))


def test_no_photos(tmp_path, checkpoint_folder):
    with pytest.raises(UserError, match="no pictures"):
        infer(configuration(tmp_path, checkpoint_folder))
    with pytest.raises(UserError, match="no such file"):
        infer(configuration(tmp_path / "absent.png", checkpoint_folder))


def from_the_shell(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "inference.py", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_from_the_shell(photos, checkpoint_folder):
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    command = ["--image", str(photos), "--restore_checkpoint", f"{checkpoint_folder}/model.ckpt"]
    result = from_the_shell(*command)
    assert result.returncode == 1
    assert len(result.stdout.splitlines()) == 4
    assert all(LINE.fullmatch(line) for line in result.stdout.splitlines())
    assert [line.split(": ")[0] for line in result.stderr.splitlines()][:-1] == [
        str(photos / "broken.png")
    ]
    assert "Traceback" not in result.stderr


def test_mistakes_from_the_shell_take_one_line(photos):
    result = from_the_shell("--image", str(photos / "absent"))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("inference.py: error: ")
    assert result.stderr.count("\n") == 1


def test_mistakes_are_found_before_tensorflow_starts(photos, monkeypatch):
    monkeypatch.setattr("svhn.reading.inference.start_tensorflow", lambda: pytest.fail("started"))
    for image, checkpoint, flags in [
        (photos, "", {}),
        (photos / "absent", "logs", {}),
        (photos, "logs", {"box": ["1", "2", "3", "4"]}),
        (photos, "logs", {"output_dir": str(photos / "1.png")}),
    ]:
        with pytest.raises(UserError):
            infer(configuration(image, checkpoint, **flags))


@pytest.fixture(scope="module")
def calibrated_folder(tmp_path_factory, checkpoint_folder) -> Path:
    """A checkpoint with a threshold such that about half of the photos are not sure."""
    reader = Reader.from_checkpoint(str(checkpoint_folder), 4)
    found = reader.read([reader.prepare(random_photo(seed)) for seed in range(1, 5)])
    low, high = sorted(reading.confidence for reading in found)[1:3]
    stored = StoredCalibration(1.0, {0.9: (low + high) / 2, 0.99: None}, photos=40)
    folder = tmp_path_factory.mktemp("calibrated")
    loaded = load_model(checkpoint_folder)
    state = {"step": 5, "config": loaded.config, "calibration": stored.as_json()}
    Checkpoints(folder, loaded.model).save(state)
    return folder


def test_who_asks_for_accuracy_is_told_what_is_not_sure(tmp_path, calibrated_folder, capfd):
    for seed in range(1, 5):
        save_photo(tmp_path / "photos" / f"{seed}.png", seed)
    output = tmp_path / "out"
    flags = {"min_accuracy": 0.85, "output_dir": str(output)}
    assert infer(configuration(tmp_path / "photos", calibrated_folder, **flags)) == 0
    shown = capfd.readouterr()
    lines = shown.out.splitlines()
    unsure = [re.fullmatch(rf"not sure  \((.*)\)  {tmp_path}.*", line) for line in lines]
    assert sum(map(bool, unsure)) == 2
    assert "4 photos read (2 not sure) in " in shown.err
    records = json.loads((output / "predictions.json").read_text())
    assert [record["sure"] for record in records] == [match is None for match in unsure]

    infer(configuration(tmp_path / "photos", calibrated_folder))
    everything = capfd.readouterr().out.splitlines()
    for match, line, whole in zip(unsure, lines, everything, strict=True):
        assert line == whole if match is None else whole.startswith(f"{match[1]}  ")


def test_an_accuracy_without_a_threshold_is_refused(
    photos, calibrated_folder, checkpoint_folder, capfd
):
    with pytest.raises(UserError, match=r"Ask for 0\.9 at most"):
        infer(configuration(photos, calibrated_folder, min_accuracy=0.95))
    with pytest.raises(UserError, match=r"has no thresholds.*train\.py"):
        infer(configuration(photos, checkpoint_folder, min_accuracy=0.5))
    assert capfd.readouterr().out == ""


def test_the_packaged_reader_reads_where_no_checkpoint_is_named(
    photos, checkpoint_folder, no_packaged_reader, capfd
):
    no_packaged_reader.parent.mkdir()
    write_released(no_packaged_reader, load_model(checkpoint_folder), {})
    assert infer(configuration(photos, "")) == 0
    shown = capfd.readouterr()
    assert f"packaged reader, {no_packaged_reader}" in shown.err
    infer(configuration(photos, no_packaged_reader))
    named = capfd.readouterr()
    assert named.out == shown.out
    assert "packaged" not in named.err
    infer(configuration(photos, checkpoint_folder))
    original = [line.split("  ")[::2] for line in capfd.readouterr().out.splitlines()]
    assert original == [line.split("  ")[::2] for line in shown.out.splitlines()]
