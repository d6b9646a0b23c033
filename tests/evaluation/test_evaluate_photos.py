"""The whole of eval.py --task=photos, from networks to the files that it leaves."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svhn.data.records import read_photos
from svhn.detection.average_precision import LabelledDigits
from svhn.detection.finder import NumberFinder
from svhn.detection.numbers import made_of
from svhn.errors import UserError
from svhn.evaluation import evaluate_photos as module
from svhn.evaluation.config import EvaluationConfig
from svhn.evaluation.photo_mistakes import photo_mistakes_sheet
from svhn.evaluation.photo_report import write_photo_predictions
from svhn.evaluation.photos import PhotoPredictions
from svhn.labels import label_array
from svhn.loaded_model import LoadedModel
from svhn.models import build_model
from svhn.reading import loading
from svhn.reading.results import Reading
from tests.evaluation.finders import ToldFinder, detected
from tests.small_conversion import small_model, write_conversion

NUMBERS = {"val": ["75", "365", "8"], "test": ["12", "4"]}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return write_conversion(tmp_path_factory.mktemp("data"), NUMBERS)


@pytest.fixture
def config(data_dir, tmp_path, monkeypatch):
    loaded = {
        "reader": LoadedModel(small_model(), 30, {"model": "small"}, {}, "reader"),
        "detector": LoadedModel(build_model("detector"), 7, {"model": "detector"}, {}, "detector"),
    }

    def load(path, *, task="reader", raw_weights=False):
        raw = " (raw weights)" if raw_weights else ""
        return dataclasses.replace(loaded[path], path=f"{path}{raw}")

    monkeypatch.setattr(module, "load_model", load)
    monkeypatch.setattr(loading, "load_model", load)
    return EvaluationConfig(
        task="photos",
        data_dir=str(data_dir),
        checkpoint_dir="reader",
        detector_checkpoint="detector",
        eval_logdir=str(tmp_path / "eval"),
    )


@pytest.fixture
def told(data_dir, monkeypatch):
    """The finder knows the digits, but for the first photo of val."""
    finds = [
        detected(photo.digits, photo.boxes)
        for split in ("val", "test")
        for photo in read_photos(data_dir, split)
    ]
    finds[0] = detected([], [])
    monkeypatch.setattr(NumberFinder, "of", lambda detector: ToldFinder(finds))


def test_files_and_tables(config, told, capsys):
    assert module.evaluate_photos(config) == 0
    folder = Path(config.eval_logdir)
    results = json.loads((folder / "photos.json").read_text())
    assert results["reader"]["checkpoint"] == "reader"
    assert results["detector"]["step"] == 7
    val = results["splits"]["val"]
    assert val["photos"] == 3
    assert (val["box_found"]["correct"], val["box_found"]["count"]) == (2, 3)
    assert 0 < val["box_found"]["low_95"] < 2 / 3 < val["box_found"]["high_95"] < 1
    by_length = {
        length: (found["correct"], found["count"])
        for length, found in val["box_found_by_length"].items()
    }
    assert by_length == {"1": (1, 1), "2": (0, 1), "3": (1, 1)}
    assert val["without_a_number"]["correct"] == 1
    assert val["found_and_read"]["sequence_accuracy"]["count"] == 3
    assert 0 < val["digit_average_precision_at_0.5"] < 1
    assert results["splits"]["test"]["digit_average_precision"] == pytest.approx(1)

    with (folder / "photos_val.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["truth"] for row in rows] == NUMBERS["val"]
    assert [row["detected"] for row in rows] == ["", *NUMBERS["val"][1:]]
    assert rows[0]["read"] == rows[0]["found_left"] == ""
    assert float(rows[1]["found_left"]) == pytest.approx(float(rows[1]["true_left"]), abs=0.01)

    sheet = np.asarray(Image.open(folder / "photo_mistakes_val.png"))
    assert sheet.shape[1] > 240
    printed = capsys.readouterr().out
    for text in ("whole-photo", "66.67 %", "digit AP", "coverage", "photo_mistakes_val.png"):
        assert text in printed
    of_two_digits, in_test = [
        line.split()
        for line in printed[printed.index("By the number's length") :].splitlines()
        if line.split()[:2] == ["2", "1"]
    ]
    assert of_two_digits[6:8] == ["0.00", "%"]
    assert in_test[6:8] == ["100.00", "%"]
    assert max(len(line) for line in printed.splitlines() if str(folder) not in line) < 100


def test_an_untrained_detector_finds_nothing_and_that_is_counted(config):
    config = EvaluationConfig(**{**vars(config), "splits": ["test"]})
    assert module.evaluate_photos(config) == 0
    results = json.loads((Path(config.eval_logdir) / "photos.json").read_text())
    assert results["splits"]["test"]["without_a_number"]["value"] == 1.0
    assert results["splits"]["test"]["found_and_read"]["sequence_accuracy"]["correct"] == 0


def test_the_flags_of_the_reader_hold(config, told, monkeypatch):
    sizes = []

    class SizedReader(module.Reader):
        def distributions(self, pictures):
            sizes.append(len(pictures))
            return super().distributions(pictures)

    monkeypatch.setattr(module, "Reader", SizedReader)
    flags = {**vars(config), "raw_weights": True, "batch_size": 1, "splits": ["val"]}
    assert module.evaluate_photos(EvaluationConfig(**flags)) == 0
    results = json.loads((Path(config.eval_logdir) / "photos.json").read_text())
    assert results["reader"]["checkpoint"] == "reader (raw weights)"
    assert len(sizes) >= 3  # a photo at a time


def test_weights_that_give_no_numbers_are_told(config, told, monkeypatch):
    read = module.Reader.read
    broken = lambda self, crops: [  # noqa: E731
        dataclasses.replace(reading, confidence=float("nan")) for reading in read(self, crops)
    ]
    monkeypatch.setattr(module.Reader, "read", broken)
    with pytest.raises(UserError, match=r"^reader gives values that are not numbers.*'val'"):
        module.evaluate_photos(config)


def test_what_is_told_of_a_photo_is_of_the_number_that_was_read(data_dir, tmp_path):
    [first, *_] = read_photos(data_dir, "val")  # 75
    reading = Reading(
        (1, 5, 10, 10, 10, 10), 0.8, (0.9, 0, 0, 0, 0), None, (9.0, 8.0, 7.0, 6.0), (), "5"
    )
    surest = made_of(detected([1], [[1, 2, 3, 4]]))  # for the finder
    label = label_array([7, 5])[np.newaxis]
    predictions = PhotoPredictions(
        (f"{first.folder}/{first.file_name}",),
        label,
        (reading,),
        label,
        np.array([0.9]),
        ((surest,),),
        (surest.digits,),
        (LabelledDigits(np.array([7, 5]), first.boxes),),
    )
    path = tmp_path / "photos.csv"
    write_photo_predictions(path, predictions)
    [row] = csv.DictReader(path.open(newline=""))
    assert (row["read"], row["right"], row["detected"]) == ("5", "0", "5")
    found = [float(row[f"found_{name}"]) for name in ("left", "top", "width", "height")]
    assert found == [9, 8, 7, 6]
    sheet = photo_mistakes_sheet(predictions, data_dir, "val", 1)
    plain = dataclasses.replace(reading, box=None)
    other = dataclasses.replace(predictions, readings=(plain,))
    assert sheet.tobytes() != photo_mistakes_sheet(other, data_dir, "val", 1).tobytes()
