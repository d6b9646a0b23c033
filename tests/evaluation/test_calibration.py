"""Reliability bins and expected calibration error, against hand-made cases and a plain loop."""

import math

import numpy as np
import pytest

from svhn.evaluation.calibration import BINS, ReliabilityBin, calibrate


def test_bins_hold_their_upper_end_and_the_first_one_holds_zero():
    confidence = np.array([0, 0.25, 0.25000001, 0.5, 0.75, 1, 1.00001])
    right = np.array([0, 1, 0, 1, 1, 1, 1])
    bins = calibrate(right, confidence, bins=4).bins
    assert [(part.low, part.high) for part in bins] == [
        (0, 0.25),
        (0.25, 0.5),
        (0.5, 0.75),
        (0.75, 1),
    ]
    assert [(part.count, part.correct) for part in bins] == [(2, 1), (2, 1), (1, 1), (2, 2)]
    assert bins[0].mean_confidence == 0.125
    assert bins[0].accuracy == 0.5


def test_the_error_by_hand():
    # Of 4 in the upper bin 3 are right, at 0.9: off by 0.15. Of 1 in the lower none, at 0.2.
    right = [True, True, True, False, False]
    calibration = calibrate(right, [0.9, 0.9, 0.9, 0.9, 0.2], bins=2)
    assert calibration.expected_calibration_error == pytest.approx(4 / 5 * 0.15 + 1 / 5 * 0.2)


def test_the_error_matches_a_plain_loop():
    random = np.random.default_rng(5)
    confidence = random.random(3000).astype(np.float32)
    right = random.random(3000) < confidence**2
    sums = {}
    for is_right, value in zip(right.tolist(), confidence.tolist(), strict=True):
        sums.setdefault(math.ceil(value * BINS), []).append(is_right - value)
    expected = sum(abs(sum(differences)) for differences in sums.values()) / 3000
    calibration = calibrate(right, confidence)
    assert len(calibration.bins) == 15
    assert calibration.expected_calibration_error == pytest.approx(expected, abs=1e-9)
    assert 0.1 < expected < 0.25  # ∫ (c - c²) = 1/6


def test_an_honest_model_has_hardly_any_error_and_a_boastful_one_much():
    random = np.random.default_rng(6)
    confidence = random.random(20_000)
    honest = calibrate(random.random(20_000) < confidence, confidence)
    assert honest.expected_calibration_error < 0.02
    boastful = calibrate(np.arange(100) < 60, np.ones(100))
    assert boastful.expected_calibration_error == pytest.approx(0.4)


def test_no_photos():
    calibration = calibrate([], [], bins=3)
    assert calibration.expected_calibration_error is None
    assert calibration.bins[1] == ReliabilityBin(1 / 3, 2 / 3, 0, 0, None)
    assert calibration.bins[1].accuracy is None


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"\(2,\) and \(1,\)"):
        calibrate([True, False], [0.5])
    with pytest.raises(ValueError, match="0 bins"):
        calibrate([True], [0.5], bins=0)
