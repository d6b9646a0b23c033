"""Thresholds that are chosen on a few photos hold on others."""

import numpy as np
import pytest
from scipy.stats import binomtest

from svhn.evaluation.metrics import coverage_at_accuracy
from svhn.evaluation.thresholds import choose_thresholds
from svhn.stored_calibration import STORED_ACCURACIES


def readings(random, photos: int) -> tuple[np.ndarray, np.ndarray]:
    """A reader with 94 % accuracy, honest but for some wrong labels, which no confidence shows."""
    confidence = 1 / (1 + np.exp(-random.normal(4.9, 2.6, photos)))
    right = (random.random(photos) < confidence) & (random.random(photos) > 0.004)
    return right, confidence


def accuracy_from(threshold: float, right, confidence) -> float:
    kept = confidence >= threshold
    return right[kept].mean() if kept.any() else 1.0


@pytest.mark.parametrize(("photos", "accuracy"), [(229, 0.95), (1000, 0.98), (3000, 0.99)])
def test_of_five_validation_sets_four_keep_the_promise_elsewhere(photos, accuracy):
    random = np.random.default_rng(photos)
    others = readings(random, 300_000)
    kept_promises, naive = [], []
    for _ in range(150):
        right, confidence = readings(random, photos)
        threshold = choose_thresholds(right, confidence, (accuracy,))[accuracy]
        if threshold is not None:
            kept_promises.append(accuracy_from(threshold, *others) >= accuracy)
        lucky = coverage_at_accuracy(right, confidence, accuracy).threshold
        naive.append(accuracy_from(lucky, *others) >= accuracy)
    assert len(kept_promises) > 120
    assert np.mean(kept_promises) > 0.7
    assert np.mean(naive) < np.mean(kept_promises) - 0.1


def test_many_photos_cost_little_coverage():
    random = np.random.default_rng(1)
    right, confidence = readings(random, 20_000)
    threshold = choose_thresholds(right, confidence)[0.98]
    best = coverage_at_accuracy(right, confidence, 0.98).share
    assert best - 0.02 < (confidence >= threshold).mean() <= best


def test_how_many_right_readings_a_promise_takes():
    for photos, accuracy, promised in ((34, 0.98, False), (35, 0.98, True), (70, 0.99, False)):
        found = choose_thresholds(np.ones(photos, bool), np.full(photos, 0.9), (accuracy,))
        assert (found[accuracy] is not None) == promised
        low = binomtest(photos, photos).proportion_ci(0.6, method="wilson").low
        assert (low >= accuracy) == promised


def test_it_lies_between_the_last_kept_and_the_first_dropped():
    right = np.array([True] * 60 + [False] * 40)
    confidence = np.array([0.9] * 60 + [0.4] * 40)
    assert choose_thresholds(right, confidence, (0.95,))[0.95] == pytest.approx(0.65)
    # All may be kept: nothing is below the threshold.
    assert choose_thresholds(right, confidence, (0.5,))[0.5] == 0


def test_equal_confidences_are_kept_or_dropped_together():
    right = np.array([True] * 60 + [False] * 40)
    assert choose_thresholds(right, np.full(100, 0.9), (0.9, 0.5)) == {0.9: None, 0.5: 0}


def test_higher_accuracies_have_no_lower_thresholds():
    found = list(choose_thresholds(*readings(np.random.default_rng(2), 500)).values())
    missing = found.index(None) if None in found else len(found)
    assert found[:missing] == sorted(found[:missing])
    assert not any(threshold is not None for threshold in found[missing:])


def test_no_photos_promise_nothing():
    found = choose_thresholds(np.empty(0, bool), np.empty(0))
    assert found == dict.fromkeys(STORED_ACCURACIES)


def test_float32_confidences_are_not_cut_by_rounding():
    right, confidence = readings(np.random.default_rng(3), 2000)
    confidence = confidence.astype(np.float32)
    threshold = choose_thresholds(right, confidence)[0.95]
    kept = np.count_nonzero(confidence >= threshold)
    for nearby in (np.nextafter(confidence, np.float32(0)), np.nextafter(confidence, 1)):
        assert np.count_nonzero(nearby >= threshold) == kept
