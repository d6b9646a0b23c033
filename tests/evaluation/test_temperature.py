"""The fitted temperature, against scipy's minimum and against readers that are known."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from svhn.evaluation.temperature import HIGHEST, LOWEST, fit_temperature
from svhn.labels import HEAD_NAMES, LENGTH_CLASSES, NO_DIGIT, label_array
from svhn.models.loss import number_loss


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


def likelihood(logits, labels, temperature: float) -> float:
    scaled = {name: values / np.float32(temperature) for name, values in logits.items()}
    return float(np.asarray(number_loss(scaled, labels)).sum(dtype=np.float64))


@pytest.mark.parametrize("factor", [0.4, 0.9, 1, 2.5])
def test_it_makes_a_distorted_reader_honest_again(factor):
    logits, labels = honest_reader(4000, seed=1)
    distorted = {name: factor * values for name, values in logits.items()}
    assert fit_temperature(distorted, labels) == pytest.approx(factor, rel=0.04)


@pytest.mark.parametrize("seed", [2, 3])
def test_it_is_the_minimum_of_the_loss_of_the_true_numbers(seed):
    logits, labels = honest_reader(150, seed)
    logits["length"][:, 0] += 1.5  # no longer honest at any temperature
    expected = minimize_scalar(
        lambda temperature: likelihood(logits, labels, temperature),
        bounds=(LOWEST, HIGHEST),
        method="bounded",
        options={"xatol": 1e-6},
    )
    assert fit_temperature(logits, labels) == pytest.approx(expected.x, abs=2e-3)


def test_heads_of_absent_digits_take_no_part():
    logits, labels = honest_reader(300, seed=4)
    assert (labels[:, 1:] == NO_DIGIT).any() and (labels[:, 0] == 6).any()
    changed = {name: values.copy() for name, values in logits.items()}
    for position, name in enumerate(HEAD_NAMES[1:], start=1):
        changed[name][labels[:, position] == NO_DIGIT] = 1000 * np.arange(10)
    assert fit_temperature(changed, labels) == fit_temperature(logits, labels)


def test_a_few_photos_that_are_all_right_or_all_wrong_go_to_the_bounds():
    logits, labels = honest_reader(3, seed=5)
    logits = {name: np.zeros_like(values) for name, values in logits.items()}
    labels[:] = label_array([7])
    logits["length"][:, 1] = logits["digit_1"][:, 7] = 1e4
    assert fit_temperature(logits, labels) == LOWEST
    labels[:] = label_array([8, 8])
    assert fit_temperature(logits, labels) == HIGHEST


def test_no_photos_leave_the_confidence_as_it_is():
    logits, labels = honest_reader(1, seed=6)
    nothing = {name: values[:0] for name, values in logits.items()}
    assert fit_temperature(nothing, labels[:0]) == 1
