"""The calibration that predictions give, and the figures with it."""

import numpy as np
import pytest

from svhn.decoding import decode
from svhn.evaluation.measure import fit_calibration, measure
from svhn.evaluation.predict import Mistake, SplitPredictions
from svhn.stored_calibration import StoredCalibration
from tests.evaluation.test_temperature import honest_reader


def predictions_of(photos: int, factor: float, seed: int = 1) -> SplitPredictions:
    logits, labels = honest_reader(photos, seed)
    logits = {name: factor * values for name, values in logits.items()}
    label, confidence, digits = map(np.asarray, decode(logits))
    wrong = np.flatnonzero((label != labels).any(axis=1))[:5]
    return SplitPredictions(
        labels,
        label,
        confidence,
        digits,
        loss=np.zeros(photos, np.float32),
        logits=logits,
        file_names=tuple(f"{row}.png" for row in range(photos)),
        mistakes=tuple(Mistake(int(row), np.zeros((2, 2, 3), np.float32)) for row in wrong),
        photos_per_second=1.0,
    )


def test_a_boastful_reader_becomes_honest():
    predictions = predictions_of(3000, factor=3)
    stored, calibrated = fit_calibration(predictions)
    assert stored.temperature == pytest.approx(3, rel=0.05)
    assert stored.photos == 3000
    metrics = measure(calibrated, stored)
    assert metrics.calibration.expected_calibration_error < 0.04
    assert metrics.error_without_temperature > 0.2
    assert metrics.temperature == stored.temperature
    # What it was fitted on keeps its promise.
    answers = {entry.accuracy: entry for entry in measure(calibrated, stored, [0.6]).answers}
    assert answers[0.6].right.share >= 0.6
    assert 0 < answers[0.6].answered.share < 1


def test_the_same_predictions_give_the_same_calibration_at_whatever_temperature():
    predictions = predictions_of(200, factor=0.5)
    stored, calibrated = fit_calibration(predictions)
    assert fit_calibration(calibrated)[0] == stored
    assert StoredCalibration.from_json(stored.as_json()) == stored


def test_another_temperature_is_another_decoding_of_the_same_logits():
    predictions = predictions_of(300, factor=1)
    changed = predictions.at_temperature(4.0)
    expected = decode({name: values / 4 for name, values in predictions.logits.items()})
    np.testing.assert_array_equal(changed.predicted, expected.label)
    np.testing.assert_allclose(changed.confidence, expected.confidence, rtol=1e-6)
    assert changed.confidence.max() < predictions.confidence.max()
    np.testing.assert_array_equal(changed.loss, predictions.loss)
    again = changed.at_temperature(1.0)
    np.testing.assert_array_equal(again.confidence, predictions.confidence)


def test_the_mistakes_are_sorted_anew_and_those_that_are_none_any_more_are_dropped():
    changed = predictions_of(300, factor=1).at_temperature(2.0)
    confidences = [float(changed.confidence[mistake.index]) for mistake in changed.mistakes]
    assert confidences == sorted(confidences, reverse=True)
    assert not any(changed.right[mistake.index] for mistake in changed.mistakes)
    assert 0 < len(changed.mistakes) <= 5
