"""Every benchmark still measures what the programs do now: each runs, as small as it can be.

What they say of speed is not asserted: it is another on each machine.
"""

import importlib
import json

import pytest

from benchmarks import inference as inference_benchmark
from benchmarks.photos import PhotosConfig, false_number_row
from svhn.models import build_model
from svhn.reading.results import Reading
from svhn.released import PACKAGED_DETECTOR, PACKAGED_READER
from tests.small_conversion import write_conversion

pytestmark = pytest.mark.slow

NUMBERS = ["7", "42", "365", "10", "5", "2048"]
DETECTOR = {"detector_checkpoint": str(PACKAGED_DETECTOR)}
READER = {"checkpoint_dir": str(PACKAGED_READER)}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    numbers = dict.fromkeys(("train", "val", "test"), NUMBERS)
    return str(write_conversion(tmp_path_factory.mktemp("data"), numbers))


@pytest.fixture
def measured(capsys):
    """Runs a benchmark with some flags and returns what it has printed."""

    def measured(name, **flags):
        benchmark = importlib.import_module(f"benchmarks.{name}")
        [config] = [
            found
            for key, found in vars(benchmark).items()
            if key.endswith("Config") and getattr(found, "__module__", "") == benchmark.__name__
        ]
        assert benchmark.main(config(**flags)) == 0
        return capsys.readouterr().out

    return measured


def rows(printed, column=1):
    """What stands in a column of the rows, by their first one; two spaces part columns."""
    cells = [line.split("  ") for line in printed.splitlines() if line.startswith("  ")]
    filled = [[cell.strip() for cell in row if cell.strip()] for row in cells]
    return {row[0]: row[column] for row in filled if len(row) > column}


def test_the_input_pipeline(measured, data_dir):
    few = {"batch_size": 2, "batches": 1, "repeats": 1}
    figures = rows(measured("input_pipeline", data_dir=data_dir, **few))
    assert {"decode", "batch and hand over", "evaluation"} <= figures.keys()
    speed = figures["training, every augmentation on"]
    assert float(speed.split()[0].replace(",", "")) > 0


def test_models(measured):
    printed = measured("models", models=["plain"], batch_size=2, seconds=0.01)
    assert rows(printed)["plain"] == f"{build_model('plain').count_params():,}"


def test_the_digit_struct(measured):
    figures = rows(measured("digit_struct", photos=100, naive_photos=20, repeats=1))
    assert {"read, svhn", "times as fast"} <= figures.keys()


def test_rendering(measured):
    assert "one process" in rows(measured("synthetic", photos=50))


def test_the_converter(measured):
    printed = measured("converter", photos=120, repeats=1)
    assert "potterhsu/SVHNClassifier" in printed and "give --peer_dir" in printed


def test_the_reader(measured, data_dir, monkeypatch):
    asked = []
    monkeypatch.setattr(inference_benchmark, "main", lambda config: asked.append(config) or 0)
    printed = measured("reader", data_dir=data_dir, split="val", batch_size=4, **READER)
    assert {"sequence accuracy", "per-digit accuracy", "1 digit, 2 photos"} <= rows(printed).keys()
    assert [config.model for config in asked] == ["compact"]


def test_speed_of_reading(measured):
    printed = measured("inference", model="plain", batch_size=2, rounds=1, seconds=1.0)
    assert "plain, inference" in rows(printed)


def test_speed_of_training(measured, data_dir):
    few = {"model": "plain", "batch_size": 2, "rounds": 1, "seconds": 1.0}
    figures = rows(measured("training", data_dir=data_dir, **few))
    assert {"plain, loop", "plain, bare step", "plain, loop in memory"} <= figures.keys()


def test_whole_photos(measured, data_dir):
    few = {"photos": 3, "without": 2, "rounds": 1, "photos_a_round": 2}
    figures = rows(measured("photos", data_dir=data_dir, **few, **READER, **DETECTOR))
    assert {"what finding costs", "digit AP at IoU 0.5"} <= figures.keys()


def test_false_numbers_are_counted_and_drawn(tmp_path):
    class SeesOneInTheFourth:
        photos = 0

        def read(self, photo):
            self.photos += 1
            return [Reading((1, 7, 10, 10, 10, 10), 0.5, (0.5,))] * (self.photos == 4)

    config = PhotosConfig(str(tmp_path), without=4, drawings_dir=str(tmp_path / "drawn"))
    row = false_number_row(SeesOneInTheFourth(), [], config)
    assert (row.figure, row.unit) == ("1", "0 and 1")
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["scene_4.png"]


def test_finding(measured, data_dir):
    figures = rows(measured("finding", data_dir=data_dir, photos=2, **DETECTOR))
    assert {"digits as labelled", "all looks, and a close one"} <= figures.keys()


def test_robustness(measured, data_dir, tmp_path):
    measured("robustness", data_dir=data_dir, photos=2, output_dir=str(tmp_path), **READER)
    assert json.loads((tmp_path / "robustness_val.json").read_text())["photos"] == 2
    assert (tmp_path / "robustness_val.png").stat().st_size > 1000


def test_several_crops(measured, data_dir):
    figures = rows(measured("crops", data_dir=data_dir, crops=["1", "3"], **READER))
    assert {"1", "3"} <= figures.keys()


def test_decoding(measured, data_dir):
    assert "joint maximum" in measured("decoding", data_dir=data_dir, split="val", **READER)


def test_the_same_budget_for_each_model(measured, data_dir, tmp_path):
    flags = {"models": ["plain"], "images": 4, "batch_size": 2, "work_dir": str(tmp_path)}
    figures = rows(measured("budget", data_dir=data_dir, seconds=0.0, **flags))
    assert "plain" in figures


def test_long_numbers(measured, data_dir):
    printed = measured("long_numbers", data_dir=data_dir, photos_a_length=1, **READER)
    assert {"3", "5", "3 less 5"} <= rows(printed).keys()
