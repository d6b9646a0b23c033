"""The fitted temperature, against scipy's minimum and against readers that are known."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import bernoulli

from svhn.decoding import decode
from svhn.evaluation.temperature import HIGHEST, LOWEST, fit_temperature, number_probability
from svhn.labels import HEAD_NAMES, LENGTH_CLASSES, label_array


def honest_reader(photos: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Logits, and numbers that are drawn from the very probabilities which they stand for."""
    random = np.random.default_rng(seed)
    logits, drawn = {}, []
    for name in HEAD_NAMES:
        classes = LENGTH_CLASSES if name == "length" else 10
        logits[name] = random.normal(scale=3, size=(photos, classes)).astype(np.float32)
        noise = random.gumbel(size=(photos, classes))
        drawn.append((logits[name] + noise).argmax(axis=1))
    lengths, *digits = drawn
    labels = np.stack(
        [
            label_array([1] * 6 if length > 5 else [column[row] for column in digits[:length]])
            for row, length in enumerate(lengths)
        ]
    )
    return logits, labels


@pytest.mark.parametrize("factor", [0.4, 0.9, 1, 2.5])
def test_it_makes_a_distorted_reader_honest_again(factor):
    logits, labels = honest_reader(6000, seed=1)
    distorted = {name: factor * values for name, values in logits.items()}
    assert fit_temperature(distorted, labels) == pytest.approx(factor, rel=0.05)


@pytest.mark.parametrize("seed", [2, 3])
def test_it_is_the_minimum_of_the_log_loss_of_the_readings(seed):
    logits, labels = honest_reader(150, seed)
    logits["length"][:, 0] += 1.5  # no longer honest at any temperature
    readings = np.asarray(decode(logits).label)
    right = (readings == labels).all(axis=1)
    assert 0 < right.sum() < len(right)
    expected = minimize_scalar(
        lambda t: -bernoulli.logpmf(right, number_probability(logits, readings, t)).sum(),
        bounds=(LOWEST, HIGHEST),
        method="bounded",
    )
    assert fit_temperature(logits, labels) == pytest.approx(expected.x, rel=0.01)


def test_the_probability_of_a_reading_is_its_confidence():
    logits, _ = honest_reader(200, seed=4)
    decoded = decode(logits, 1.7)
    np.testing.assert_allclose(
        number_probability(logits, np.asarray(decoded.label), 1.7),
        np.asarray(decoded.confidence),
        rtol=1e-4,
    )


def test_mistakes_that_come_together_leave_the_numbers_confidence_honest():
    """Each head alone is right in nine of ten photos; all are wrong in the same ones."""
    photos = 2000
    labels = np.tile(label_array([1, 2, 3, 4, 5]), (photos, 1))
    sure = float(np.log(9 * 9))  # of ten classes: one with 0.9, nine share the rest
    logits = {name: np.zeros((photos, 10), np.float32) for name in HEAD_NAMES[1:]}
    logits["length"] = np.tile(np.float32([0, 0, 0, 0, 0, 50, 0]), (photos, 1))
    wrong = np.arange(photos) % 10 == 0
    for position, name in enumerate(HEAD_NAMES[1:], start=1):
        logits[name][np.arange(photos), np.where(wrong, 9, labels[:, position])] = sure
    at_one = np.asarray(decode(logits).confidence).mean()
    assert at_one == pytest.approx(0.9**5, abs=1e-3)
    fitted = fit_temperature(logits, labels)
    assert np.asarray(decode(logits, fitted).confidence).mean() == pytest.approx(0.9, abs=0.005)


@pytest.mark.parametrize(("photos", "expected"), [(19, 1.0), (20, LOWEST)])
def test_all_right_is_the_surest_once_there_are_enough(photos, expected):
    logits, labels = honest_reader(photos, seed=5)
    logits = {name: np.zeros_like(values) for name, values in logits.items()}
    labels[:] = label_array([7])
    logits["length"][:, 1] = logits["digit_1"][:, 7] = 10
    assert fit_temperature(logits, labels) == expected
    labels[:] = label_array([8, 8])
    assert fit_temperature(logits, labels) == 1


def test_logits_beyond_all_measure_give_a_temperature():
    logits, labels = honest_reader(20, seed=7)
    enormous = {name: 1e6 * values for name, values in logits.items()}
    assert LOWEST <= fit_temperature(enormous, labels) <= HIGHEST


def test_no_photos_leave_the_confidence_as_it_is():
    logits, labels = honest_reader(1, seed=6)
    nothing = {name: values[:0] for name, values in logits.items()}
    assert fit_temperature(nothing, labels[:0]) == 1
