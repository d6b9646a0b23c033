import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from svhn.checkpoints import Checkpoints
from svhn.data.converter import convert
from svhn.data.converter_config import ConverterConfig
from svhn.data.digit_struct import DIGIT_STRUCT_NAME, read_digit_struct
from svhn.data.manifest import read_manifest
from svhn.errors import UserError
from svhn.models import build_model
from svhn.reading.reader import Reader
from svhn.self_training import pseudo_labels
from svhn.self_training.config import PseudoLabelsConfig
from svhn.self_training.networks import load_finder, load_reader
from svhn.self_training.pseudo_labels import label_photos
from tests.data.folders import encode, pixels
from tests.small_conversion import small_model

PHOTOS = 24
BOX = np.array([4, 3, 30, 18], np.float32)


def found(number: str) -> SimpleNamespace:
    """As `svhn.detection.finder.FoundNumber`: the digits side by side in `BOX`."""
    left, top, width, height = BOX
    step = width / max(len(number), 1)
    boxes = [[left + place * step, top, step, height] for place in range(len(number))]
    digits = SimpleNamespace(
        labels=np.array([int(digit) for digit in number], np.int32),
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
    )
    return SimpleNamespace(box=BOX, digits=digits, score=0.5, number=number)


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory):
    """Photos of noise, one of them a JPEG in a folder of its own, and a broken one."""
    folder = tmp_path_factory.mktemp("unlabelled")
    for index in range(PHOTOS):
        (folder / f"{index:03d}.png").write_bytes(encode(pixels(index)))
    (folder / "more").mkdir()
    (folder / "more" / "house.JPG").write_bytes(encode(pixels(99), "JPEG"))
    (folder / "zz.png").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def reader():
    return Reader(small_model(), batch_size=5)


@pytest.fixture
def networks(monkeypatch, reader):
    """A real reader, and a detector that agrees with it on two photos of three."""
    calls = []

    def find(photo):
        calls.append(photo)
        reading = reader.read([reader.prepare(photo, BOX)])[0]
        number = reading.number if reading.number.isdigit() else ""
        if len(calls) % 3 == 0 or not number:
            number = "12345" if number != "12345" else "1"
        return [found(number)] if len(calls) != 4 else []

    loaded = SimpleNamespace(
        config={"model": "small"}, step=7, calibration=SimpleNamespace(temperature=1.0)
    )
    monkeypatch.setattr(pseudo_labels, "load_reader", lambda path, batch_size: (reader, loaded))
    monkeypatch.setattr(pseudo_labels, "load_finder", lambda path, min_score: find)
    return calls


def config(unlabelled, data_dir, **changes) -> PseudoLabelsConfig:
    demands = {
        "min_confidence": 0.0,
        "min_consistency": 0.0,
        "twins": 2,
        "min_digits": 1,
        **changes,
    }
    return PseudoLabelsConfig(str(unlabelled), "reader", "detector", str(data_dir), **demands)


def test_the_folder_holds_what_both_networks_believe(unlabelled, networks, tmp_path, capsys):
    assert label_photos(config(unlabelled, tmp_path)) == 0
    report = json.loads((tmp_path / "pseudo_report/report.json").read_text())
    judgements = report["judgements"]
    assert [entry["photo"] for entry in judgements] == [
        *(f"{index:03d}.png" for index in range(PHOTOS)),
        "more/house.JPG",
        "zz.png",
    ]
    assert report["photos"] == PHOTOS + 2
    kept = {number: entry for number, entry in enumerate(judgements, start=1) if entry["kept"]}
    assert len(kept) == report["kept"] > 5
    assert all(entry["number"] == entry["reading"] for entry in kept.values())
    assert not any(entry["kept"] for entry in judgements[2:PHOTOS:3])
    assert judgements[3]["reason"] == "no number found"
    assert judgements[-1]["reason"] == "picture can't be read" and "zz.png" in str(judgements[-1])
    assert sum(report["refused_by_reason"].values()) == PHOTOS + 2 - len(kept)

    photos = read_digit_struct(tmp_path / "pseudo" / DIGIT_STRUCT_NAME)
    assert [photo.file_name.split(".")[0] for photo in photos] == [str(n) for n in kept]
    for photo, entry in zip(photos, kept.values(), strict=True):
        source = unlabelled / entry["photo"]
        assert (tmp_path / "pseudo" / photo.file_name).read_bytes() == source.read_bytes()
        assert "".join(map(str, photo.digits)) == entry["number"]
        np.testing.assert_allclose(photo.boxes, entry["digit_boxes"])
    assert f"{len(kept)} of {PHOTOS + 2} photos are kept" in capsys.readouterr().out

    assert convert(ConverterConfig(str(tmp_path), workers=1)) == 0
    assert read_manifest(tmp_path)["splits"]["pseudo"]["photos"] == len(kept)
    assert read_manifest(tmp_path)["skipped"] == read_manifest(tmp_path)["unlisted"] == []


def files_after_each_of_two_calls(photos, networks, data_dir):
    contents = []
    for _ in range(2):
        networks.clear()
        assert label_photos(config(photos, data_dir, overwrite=True)) == 0
        files = [path for path in data_dir.rglob("*") if path.is_file()]
        contents.append({path: path.read_bytes() for path in files})
    return contents


def test_the_same_again_gives_the_same_bytes(unlabelled, networks, tmp_path):
    first, second = files_after_each_of_two_calls(unlabelled, networks, tmp_path)
    assert first == second and len(first) > 10


def test_what_it_has_written_itself_is_not_labelled(unlabelled, networks, tmp_path):
    photos = tmp_path / "photos"
    shutil.copytree(unlabelled, photos)
    first, second = files_after_each_of_two_calls(photos, networks, photos)
    assert first == second and len(first) > len(list(unlabelled.iterdir()))


def test_more_is_demanded(unlabelled, networks, tmp_path):
    assert label_photos(config(unlabelled, tmp_path)) == 0
    loose = json.loads((tmp_path / "pseudo_report/report.json").read_text())
    middle = float(np.median([entry["confidence"] for entry in loose["judgements"][:3]]))
    networks.clear()
    assert label_photos(config(unlabelled, tmp_path, min_confidence=middle, overwrite=True)) == 0
    strict = json.loads((tmp_path / "pseudo_report/report.json").read_text())
    assert 0 < strict["kept"] < loose["kept"]
    kept = [entry for entry in strict["judgements"] if entry["kept"]]
    assert min(entry["confidence"] for entry in kept) >= middle
    assert strict["refused_by_reason"]["the reader is not sure"] > 0


def test_sheets_show_the_surest_first(unlabelled, networks, tmp_path):
    assert label_photos(config(unlabelled, tmp_path, sheet_photos=4)) == 0
    names = ("surest_kept.png", "least_sure_kept.png", "surest_refused.png")
    for name in names:
        with Image.open(tmp_path / "pseudo_report" / name) as sheet:
            assert sheet.width > 4 * 128
    networks.clear()
    assert label_photos(config(unlabelled, tmp_path, sheet_photos=0, overwrite=True)) == 0
    assert not any((tmp_path / "pseudo_report" / name).exists() for name in names)


def test_nothing_is_kept_or_replaced_by_mistake(unlabelled, networks, tmp_path):
    with pytest.raises(UserError, match=r"None of the 26 photos is kept.*--min_confidence=1"):
        label_photos(config(unlabelled, tmp_path, min_confidence=1.0))
    assert not (tmp_path / "pseudo").exists()
    networks.clear()
    assert label_photos(config(unlabelled, tmp_path)) == 0
    with pytest.raises(UserError, match=r"already holds.*--overwrite.*--data_dir"):
        label_photos(config(unlabelled, tmp_path))
    (tmp_path / "pseudo" / "pseudo_labels.json").unlink()
    with pytest.raises(UserError, match="was not made by this program"):
        label_photos(config(unlabelled, tmp_path, overwrite=True))
    with pytest.raises(UserError, match="no such file or folder"):
        label_photos(config(unlabelled / "nowhere", tmp_path / "other"))


def test_a_network_that_reads_is_no_detector(tmp_path):
    Checkpoints(tmp_path, build_model("plain")).save({"step": 1, "config": {"model": "plain"}})
    assert load_reader(str(tmp_path), 2)[1].step == 1
    with pytest.raises(UserError, match=r"holds a reader .*Expected: a detector"):
        load_finder(str(tmp_path), 0.5)
    with pytest.raises(UserError, match="no such file"):
        load_finder(str(tmp_path / "none.weights.h5"), 0.5)
    (tmp_path / "bad.weights.h5").write_bytes(b"no weights")
    with pytest.raises(UserError, match="doesn't fit or can't be read"):
        load_finder(str(tmp_path / "bad.weights.h5"), 0.5)
