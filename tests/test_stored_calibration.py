"""Temperature and thresholds as a checkpoint holds them, and what a user may ask of them."""

import json

import pytest

from svhn.errors import UserError
from svhn.stored_calibration import STORED_ACCURACIES, StoredCalibration

STORED = StoredCalibration(0.8125, {0.9: 0.25, 0.95: 0.5, 0.98: 0.875, 0.99: None}, photos=229)


def test_it_comes_back_from_json_as_it_was():
    text = json.dumps(STORED.as_json(), sort_keys=True)
    assert StoredCalibration.from_json(json.loads(text)) == STORED
    assert json.loads(text)["thresholds"]["0.98"] == 0.875


def test_a_network_that_was_never_measured():
    stored = StoredCalibration.from_json(None)
    assert stored == StoredCalibration()
    assert (stored.temperature, stored.photos, stored.threshold(0.5)) == (1, 0, None)


@pytest.mark.parametrize(
    ("accuracy", "threshold"),
    [(0, 0), (0.3, 0.25), (0.9, 0.25), (0.91, 0.5), (0.98, 0.875), (0.981, None), (1, None)],
)
def test_between_two_accuracies_the_next_higher_one_holds(accuracy, threshold):
    assert STORED.threshold(accuracy) == threshold


def test_every_stored_accuracy_has_a_name_of_its_own():
    assert list(STORED_ACCURACIES) == sorted(set(STORED_ACCURACIES))
    many = StoredCalibration(1.0, dict.fromkeys(STORED_ACCURACIES, 0.5), 1)
    assert list(StoredCalibration.from_json(many.as_json()).thresholds) == list(STORED_ACCURACIES)
    assert {0.95, 0.98, 0.99} < set(STORED_ACCURACIES)


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (StoredCalibration(), r"has no thresholds.*train\.py"),
        (STORED, r"229 readings on val.*0\.98 at most"),
        (StoredCalibration(1.0, {0.95: None}, photos=3), "Leave --min_accuracy out"),
    ],
)
def test_what_is_not_stored_is_refused_in_one_line(stored, words):
    with pytest.raises(UserError, match=words) as caught:
        stored.demand_threshold(0.99, "logs/train/model.ckpt-7")
    assert str(caught.value).startswith("--min_accuracy=0.99: logs/train/model.ckpt-7 ")
    assert "\n" not in str(caught.value)


def test_what_is_stored_is_given():
    assert STORED.demand_threshold(0.98, "") == 0.875
