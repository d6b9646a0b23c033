"""Tables, results.json and CSV files of an evaluation."""

import csv
import json

import numpy as np
import pytest

from svhn.evaluation.metrics import compute_metrics
from svhn.evaluation.predict import SplitPredictions
from svhn.evaluation.report import (
    answers_table,
    confidence_table,
    length_table,
    metrics_table,
    write_predictions,
    write_results,
)
from svhn.labels import label_array
from svhn.stored_calibration import StoredCalibration
from tests.small_conversion import no_logits


def rows(*numbers: str) -> np.ndarray:
    return np.stack([label_array([int(digit) for digit in number]) for number in numbers])


def metrics_of(truth, prediction, confidence, **more):
    return compute_metrics(rows(*truth), rows(*prediction), np.array(confidence), **more)


STORED = StoredCalibration(0.8, {0.95: 0.2, 0.98: 0.5}, photos=300)


@pytest.fixture
def metrics():
    empty = np.empty((0, 6), int)
    return {
        "train": metrics_of(
            ["75"] * 1500 + ["123456"],
            ["75"] * 1500 + ["7"],
            [0.9] * 1500 + [0.1],
            stored=STORED,
            error_without_temperature=0.25,
        ),
        "val": compute_metrics(empty, empty, np.empty(0)),
        "test": metrics_of(["7", "8"], ["8", "8"], [0.75, 0.25], stored=STORED),
    }


def test_the_table_has_a_line_for_each_split(metrics):
    lines = metrics_table(metrics).splitlines()
    assert [" ".join(line.split()) for line in lines[3:]] == [
        "train 1,501 99.93 % 99.62–99.99 100.00 % 99.93 %",
        "val 0 – – – –",
        "test 2 50.00 % 9.45–90.55 50.00 % 100.00 %",
    ]


def test_coverages_and_calibration_errors_have_a_line_for_each_split(metrics):
    lines = confidence_table(metrics).splitlines()
    assert " ".join(lines[1].split()) == "split at 95 % at 98 % at 99 % error ature 1"
    assert [" ".join(line.split()) for line in lines[3:]] == [
        "train 100.00 % 100.00 % 100.00 % 10.00 % 25.00 %",
        "val – – – – –",
        "test 0.00 % 0.00 % 0.00 % 75.00 % –",
    ]


def test_the_stored_thresholds_have_a_line_each_where_there_are_any(metrics):
    lines = answers_table(metrics).splitlines()[3:]
    assert [" ".join(line.split()) for line in lines] == [
        "train 95 % 20.00 % 99.93 % 100.00 % 99.74–100.00",
        "98 % 50.00 % 99.93 % 100.00 % 99.74–100.00",
        "test 95 % 20.00 % 100.00 % 50.00 % 9.45–90.55",
        "98 % 50.00 % 50.00 % 0.00 % 0.00–79.35",
    ]
    assert answers_table({"val": metrics["val"]}) == ""


def test_the_columns_are_aligned_and_fit_a_terminal(metrics):
    for table, first_row in (
        (metrics_table(metrics), 3),
        (confidence_table(metrics), 3),
        (answers_table(metrics), 3),
        (length_table(metrics), 2),
    ):
        lines = table.splitlines()
        assert max(map(len, lines)) <= 100
        assert lines == [line.rstrip() for line in lines]
        # Numbers are set flush right: each column's last characters are below one another.
        assert len({len(line) for line in lines[first_row:]}) == 1


def test_the_coverage_is_headed_by_the_accuracy_that_was_asked_for():
    figures = metrics_of(["7"], ["7"], [1], coverage_accuracies=[0.995])
    assert "at 99.5 %" in confidence_table({"val": figures})


def test_accuracy_by_length_names_each_split_once(metrics):
    lines = length_table(metrics).splitlines()[2:]
    assert [" ".join(line.split()) for line in lines] == [
        "train 2 1,500 100.00 % 99.74–100.00",
        "more than 5 1 0.00 % 0.00–79.35",
        "test 1 2 50.00 % 9.45–90.55",
    ]


def test_results_have_every_figure_and_the_same_bytes_each_time(tmp_path, metrics):
    about = {"model": "compact", "step": 100}
    for name in ("once.json", "again.json"):
        write_results(tmp_path / name, about, metrics)
    assert (tmp_path / "once.json").read_bytes() == (tmp_path / "again.json").read_bytes()

    results = json.loads((tmp_path / "once.json").read_text("utf-8"))
    assert list(results) == ["model", "step", "splits"]
    assert list(results["splits"]) == ["train", "val", "test"]
    test = results["splits"]["test"]
    assert test["photos"] == 2
    assert test["sequence_accuracy"] == {
        "value": 0.5,
        "correct": 1,
        "count": 2,
        "low_95": pytest.approx(0.0945, abs=1e-4),
        "high_95": pytest.approx(0.9055, abs=1e-4),
    }
    assert test["digit_accuracy"] == {"value": 0.5, "correct": 1, "count": 2}
    assert test["length_accuracy"]["value"] == 1
    assert test["coverage"][1] == {
        "at_accuracy": 0.98,
        "share": 0,
        "confidence_threshold": None,
    }
    assert [entry["at_accuracy"] for entry in test["coverage"]] == [0.95, 0.98, 0.99]
    first, second = test["with_stored_thresholds"]  # 99 % has none
    assert (first["at_accuracy"], first["confidence_threshold"]) == (0.95, 0.2)
    assert (second["answered"]["correct"], second["right"]["count"]) == (1, 1)
    assert test["mean_confidence"] == 0.5
    assert test["expected_calibration_error"] == 0.75  # wrong at 75 %, right at 25 %
    assert test["mean_loss"] is None
    by_length = results["splits"]["train"]["sequence_accuracy_by_length"]
    assert {name: entry["count"] for name, entry in by_length.items()} == {
        "2": 1500,
        "more than 5": 1,
    }
    assert results["splits"]["val"]["sequence_accuracy"]["value"] is None


def test_predictions_are_listed_photo_by_photo(tmp_path):
    labels, predicted = rows("007", "123456", "5"), rows("007", "12", "")
    predictions = SplitPredictions(
        labels,
        predicted,
        np.array([0.5, 0.25, 1 / 3], np.float32),
        np.array([[0.9, 0.8, 0.7, 0, 0], [0.6, 0.5, 0, 0, 0], [0] * 5], np.float32),
        loss=np.zeros(3, np.float32),
        logits=no_logits(3),
        file_names=("train/1.png", 'a "b", c.png', "ü.png"),
        mistakes=(),
        photos_per_second=1.0,
    )
    write_predictions(tmp_path / "predictions.csv", predictions)
    with (tmp_path / "predictions.csv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header[:5] == ["photo", "truth", "predicted", "right", "confidence"]
    assert header[5:] == [f"digit_{position}_probability" for position in range(1, 6)]
    assert lines == [
        ["train/1.png", "007", "007", "1", "0.500000", *read("0.9 0.8 0.7"), "", ""],
        ['a "b", c.png', "more than 5 digits", "12", "0", "0.250000", *read("0.6 0.5"), "", "", ""],
        ["ü.png", "5", "", "0", "0.333333", "", "", "", "", ""],
    ]


def read(probabilities: str) -> list[str]:
    return [f"{probability}00000" for probability in probabilities.split()]
