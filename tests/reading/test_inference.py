import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from svhn.checkpoints import Checkpoints, load_model
from svhn.data.digit_struct import LabelledPhoto, write_digit_struct
from svhn.errors import UserError
from svhn.loaded_model import LoadedModel
from svhn.reading.agreement import AgreementRule
from svhn.reading.config import ReadingConfig
from svhn.reading.fingerprint import fingerprint
from svhn.reading.inference import infer
from svhn.reading.loading import LoadedFinder
from svhn.reading.reader import Reader
from svhn.released_weights import write_released
from svhn.stored_calibration import StoredCalibration
from tests.reading.conftest import random_photo, save_photo
from tests.reading.finders import PixelFinder

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


def test_drawings_are_no_photos_for_a_pattern_either(photos, checkpoint_folder, capfd):
    for _ in range(2):
        infer(configuration(f"{photos}/**/*.png", checkpoint_folder, output_dir=str(photos)))
        lines = capfd.readouterr().out.splitlines()
        assert lines and not any("annotated" in line for line in lines)


def test_a_link_that_leads_to_itself_stops_nothing(photos, checkpoint_folder, tmp_path, capfd):
    (photos / "loop.jpg").symlink_to(photos / "loop.jpg")
    assert infer(configuration(photos, checkpoint_folder, output_dir=str(tmp_path / "out"))) == 1
    printed = capfd.readouterr()
    assert "loop.jpg: can't be read" in printed.err
    assert len(printed.out.splitlines()) == 4


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
    result = from_the_shell(*command, "--boxes=whole")
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


def test_without_a_detector_the_whole_photo_is_the_number_and_the_user_is_told(
    photos, checkpoint_folder, capfd
):
    infer(configuration(photos, checkpoint_folder))
    whole = capfd.readouterr()
    assert infer(configuration(photos, checkpoint_folder, boxes="auto")) == 0
    auto = capfd.readouterr()
    assert auto.out == whole.out
    [line] = [line for line in auto.err.splitlines() if "detector" in line]
    assert "--boxes=whole" in line
    assert "--detector_checkpoint" in line
    # A box that is given needs none.
    flags = {"boxes": "auto", "box": ["1", "2", "20", "15"]}
    infer(configuration(photos / "1.png", checkpoint_folder, **flags))
    assert "detector" not in capfd.readouterr().err


def test_a_detector_is_for_finding(photos, checkpoint_folder):
    for other in ({"boxes": "whole"}, {"boxes": "labels"}, {"box": ["1", "2", "20", "15"]}):
        flags = {"boxes": "auto", "detector_checkpoint": "detector.npz"} | other
        with pytest.raises(UserError, match=r"detector\.npz is for --boxes=auto"):
            infer(configuration(photos / "1.png", checkpoint_folder, **flags))


class Finders:
    """Stands in for `load_finder`."""

    def __init__(self):
        self.finder = PixelFinder()
        self.rule = AgreementRule()
        self.fingerprint = "first"
        self.loaded: list[str] = []

    def __call__(self, path: str) -> LoadedFinder:
        self.loaded.append(path)
        detector = LoadedModel(None, 3, {"model": "detector"}, {}, path)
        return LoadedFinder(self.finder, self.rule, detector, self.fingerprint)


@pytest.fixture
def finders(monkeypatch) -> Finders:
    finders = Finders()
    monkeypatch.setattr("svhn.reading.loading.load_finder", finders)
    return finders


@pytest.fixture
def street(tmp_path) -> Path:
    """Thirty photos; in most of them the finder finds one number or several."""
    for seed in range(30):
        save_photo(tmp_path / "street" / f"{seed}.png", seed, 40, 60)
    return tmp_path / "street"


def count_in(photo: int) -> int:
    return int(random_photo(photo, 40, 60)[0, 0, 0]) % 4


AUTO = {"boxes": "auto", "detector_checkpoint": "detector.npz"}


def test_numbers_are_found_and_read(street, checkpoint_folder, finders, capfd):
    output = street.parent / "out"
    flags = AUTO | {"output_dir": str(output)}
    assert infer(configuration(street, checkpoint_folder, **flags)) == 0
    assert finders.loaded == ["detector.npz"]
    shown = capfd.readouterr()
    records = json.loads((output / "predictions.json").read_text())
    expected = []
    for seed, record in enumerate(records):
        path = str(street / f"{seed}.png")
        assert record["path"] == path
        numbers = record["numbers"]
        assert len(numbers) == count_in(seed)
        for place, number in enumerate(numbers):
            assert number["detected"] == str(10 + place)
            assert number["box"][:2] == [place, place] and number["box"][3] == 20
            # Perhaps with the room behind where a third digit was read.
            assert number["box"][2] in ([30] if number["label"][0] <= 2 else [30, 45])
            assert len(number["digit_boxes"]) == 2
            expected.append(f"{number['number']}  {100 * number['confidence']:.1f} %  {path}")
        if not numbers:
            assert record["number"] == ""
            expected.append(f"no number found  {path}")
        assert (output / record["drawing"]).is_file()
    assert shown.out.splitlines() == expected
    empty = sum(count_in(seed) == 0 for seed in range(30))
    assert empty > 0
    assert f"30 photos read ({empty} without a number) in " in shown.err


def test_the_packaged_detector_finds_where_none_is_named(
    street, checkpoint_folder, finders, no_packaged_detector, capfd
):
    no_packaged_detector.parent.mkdir()
    no_packaged_detector.touch()
    assert infer(configuration(street / "1.png", checkpoint_folder, boxes="auto")) == 0
    assert finders.loaded == [str(no_packaged_detector)]
    assert f"packaged detector, {no_packaged_detector}" in capfd.readouterr().err
    infer(configuration(street / "1.png", checkpoint_folder, boxes="whole"))
    assert len(finders.loaded) == 1


def test_accuracy_of_numbers_that_are_found(street, checkpoint_folder, finders, capfd):
    with pytest.raises(UserError, match=r"--min_accuracy=0\.9: detector\.npz: it has no thresh"):
        infer(configuration(street, checkpoint_folder, min_accuracy=0.9, **AUTO))
    reader = Reader.from_checkpoint(str(checkpoint_folder), 4)
    finders.rule = AgreementRule(
        detector_weight=50.0,  # all candidates are the finder's number
        odds_weights=(0.0, 0.0, 1.0, 0.0),  # the finder's score
        calibration=StoredCalibration(1.0, {0.9: 0.99}, 50),
        reader=fingerprint(reader.model, reader.temperature),
    )
    assert infer(configuration(street, checkpoint_folder, min_accuracy=0.9, **AUTO)) == 0
    lines = capfd.readouterr().out.splitlines()
    lines = [line for line in lines if not line.startswith("no number found")]
    # Of each photo the first number has a score of 0.99, the others less; both of its candidates
    # speak for it.
    first = sum(count_in(seed) > 0 for seed in range(30))
    assert sum(not line.startswith("not sure  (") for line in lines) == first < len(lines)
    finders.rule = AgreementRule(calibration=finders.rule.calibration, reader="another")
    with pytest.raises(UserError, match="another reader"):
        infer(configuration(street, checkpoint_folder, min_accuracy=0.9, **AUTO))


class StoppingFinder(PixelFinder):
    """Gets a signal, once, after it has looked for the numbers of some photos."""

    def __init__(self, after: int, number: int):
        super().__init__()
        self.photos = iter(range(after))
        self.number: int | None = number

    def find(self, photo):
        with self.lock:
            if self.number is not None and next(self.photos, None) is None:
                os.kill(os.getpid(), self.number)
                self.number = None
        return super().find(photo)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("number", "status", "name"),
    [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")],
)
def test_a_call_that_is_stopped_goes_on_with_the_same_command(
    street, checkpoint_folder, finders, capfd, number, status, name
):
    (street / "7.png").write_bytes(b"broken")
    whole = configuration(street, checkpoint_folder, output_dir=f"{street.parent}/whole", **AUTO)
    assert infer(whole) == 1
    uninterrupted = capfd.readouterr().out

    output = street.parent / "parts"
    parts = configuration(street, checkpoint_folder, output_dir=str(output), **AUTO)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    finders.finder = StoppingFinder(12, number)
    assert infer(parts) == status
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    shown = capfd.readouterr()
    [line] = [line for line in shown.err.splitlines() if line.startswith("inference.py: stopped")]
    done = int(re.search(rf"stopped by {name} after (\d+) of 30 photos", line)[1])
    assert str(output / "predictions.jsonl") in line
    assert 0 < done < 30
    assert uninterrupted.startswith(shown.out)
    lines = (output / "predictions.jsonl").read_text().splitlines()
    assert len(lines) == done
    read = sum(json.loads(line)["record"]["error"] is None for line in lines)
    assert sorted(path.name for path in output.iterdir()) == ["annotated", "predictions.jsonl"]

    finders.finder = PixelFinder()
    assert infer(parts) == 1
    shown = capfd.readouterr()
    assert shown.out == uninterrupted
    # The broken photo is tried again, as it may be whole by now.
    assert f"{read} photos of 30 had been read before" in shown.err
    assert finders.finder.calls == 29 - read
    assert contents(output) == contents(street.parent / "whole")

    finders.finder = PixelFinder()
    assert infer(parts) == 1
    assert capfd.readouterr().out == uninterrupted
    assert finders.finder.calls == 0
    assert contents(output) == contents(street.parent / "whole")


def test_stopped_without_an_output_folder(street, checkpoint_folder, finders, capfd):
    finders.finder = StoppingFinder(12, signal.SIGINT)
    assert infer(configuration(street, checkpoint_folder, **AUTO)) == 130
    assert "with --output_dir" in capfd.readouterr().err


def test_what_has_changed_is_read_anew(small_checkpoint, finders, tmp_path):
    street = tmp_path / "street"
    for seed in range(6):
        save_photo(street / f"{seed}.png", seed, 40, 60)
    output = {"output_dir": str(tmp_path / "out")}

    def calls(checkpoint: Path = small_checkpoint, **flags) -> int:
        finders.finder = PixelFinder()
        assert infer(configuration(street, checkpoint, **(AUTO | output | flags))) == 0
        return finders.finder.calls

    assert calls() == 6
    assert calls() == 0
    save_photo(street / "3.png", 4, 40, 60)
    os.utime(street / "3.png", ns=(0, 0))
    assert calls() == 1
    save_photo(street / "7.png", 5, 40, 60)
    assert calls() == 1
    (street / "7.png").unlink()
    assert calls() == 0
    assert calls(batch_size=3) == 6
    assert calls() == 6
    finders.fingerprint = "second"
    assert calls() == 6
    finders.rule = AgreementRule(detector_weight=2.0)
    assert calls() == 6
    # Another reader, too: the same network with a bit more of training.
    model = load_model(small_checkpoint).model
    model.weights[-1].assign(model.weights[-1] + 1)
    Checkpoints(tmp_path / "other", model).save({"step": 6, "config": {"model": "plain"}})
    assert calls(tmp_path / "other") == 6
    assert calls(tmp_path / "other") == 0


def test_a_box_that_changed_reads_the_photo_anew(checkpoint_folder, tmp_path, capfd):
    folder = tmp_path / "labelled"
    boxes = np.array([[10, 5, 12, 30], [25, 8, 14, 30]], np.float32)
    for number in (1, 2):
        save_photo(folder / f"{number}.png", number, 60, 80)

    def answers(shifts: tuple[int, int]) -> tuple[list[str], str]:
        listed = [
            LabelledPhoto(f"{number}.png", (4, 2), boxes + shift)
            for number, shift in zip((1, 2), shifts, strict=True)
        ]
        write_digit_struct(folder / "digitStruct.mat", listed)
        flags = {"boxes": "labels", "output_dir": str(tmp_path / "out")}
        assert infer(configuration(folder, checkpoint_folder, **flags)) == 0
        shown = capfd.readouterr()
        return shown.out.splitlines(), shown.err

    before, _ = answers((1, 2))
    after, remarks = answers((1, 9))
    assert "1 photo of 2 had been read before" in remarks
    assert after[0] == before[0]
    assert after[1] != before[1]


@pytest.mark.slow
def test_stopped_from_the_shell(small_checkpoint, tmp_path, warm_programs):
    photo = save_photo(tmp_path / "photos" / "0.png", 1, 300, 400)
    for number in range(1, 1500):
        shutil.copy(photo, tmp_path / "photos" / f"{number}.png")
    process = warm_programs.start(
        *("inference.py", "--image", str(tmp_path / "photos"), "--boxes=whole"),
        *("--restore_checkpoint", str(small_checkpoint), "--output_dir", str(tmp_path / "out")),
    )
    process.stdout.readline()
    process.terminate()
    _, errors = process.communicate()
    assert process.returncode == 143
    expected = r"inference\.py: stopped by SIGTERM after \d+ of 1,500 photos; they are kept .*\n"
    assert re.fullmatch(expected, errors)
    lines = (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()
    assert 1 <= len(lines) < 1500
