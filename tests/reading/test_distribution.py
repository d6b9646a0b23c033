import math

import numpy as np
import pytest

from svhn.decoding import decode
from svhn.labels import HEAD_NAMES, label_array
from svhn.reading.distribution import NumberDistribution, as_label, at_temperature, average


def distribution(seed: int) -> tuple[NumberDistribution, dict[str, np.ndarray]]:
    chance = np.random.default_rng(seed)
    logits = {
        name: chance.normal(0, 3, (1, 7 if name == "length" else 10)).astype(np.float32)
        for name in HEAD_NAMES
    }
    logs = [
        values[0] - np.log(np.exp(values[0].astype(np.float64)).sum())
        for values in (logits[name] for name in HEAD_NAMES)
    ]
    return NumberDistribution(logs[0], np.stack(logs[1:])), logits


def test_best_over_all_lengths_is_what_decoding_gives():
    lengths = set()
    for seed in range(60):
        found, logits = distribution(seed)
        best = max(map(found.most_likely, range(7)), key=found.log_probability)
        decoded = decode(logits)
        assert best == tuple(np.asarray(decoded.label)[0].tolist())
        assert math.exp(found.log_probability(best)) == pytest.approx(
            float(np.asarray(decoded.confidence)[0]), rel=1e-4
        )
        np.testing.assert_allclose(
            found.digit_probabilities(best),
            np.asarray(decoded.digit_probabilities)[0],
            rtol=1e-4,
        )
        lengths.add(best[0])
    assert {1, 2, 3, 4, 5, 6} & lengths >= {1, 2, 6}


def test_all_numbers_together_have_probability_one():
    found, _ = distribution(3)
    two = [as_label([a, b]) for a in range(10) for b in range(10)]
    total = sum(math.exp(found.log_probability(label)) for label in two)
    assert total == pytest.approx(math.exp(found.lengths[2]))
    assert found.log_probability(as_label([])) == found.lengths[0]
    assert found.log_probability(as_label([1] * 6)) == found.lengths[6]


def test_labels():
    assert as_label([7, 5]) == (2, 7, 5, 10, 10, 10)
    assert as_label(range(6)) == (6, 10, 10, 10, 10, 10)
    for digits in ([], [0], [1, 2, 3, 4, 5], [1] * 9):
        assert as_label(digits) == tuple(label_array(digits).tolist())
    found, _ = distribution(1)
    assert found.most_likely(0) == (0, 10, 10, 10, 10, 10)
    assert found.most_likely(6) == (6, 10, 10, 10, 10, 10)
    assert found.digit_probabilities(found.most_likely(6)) == (0.0,) * 5


def test_several_looks_are_averaged_by_their_probabilities():
    looks = [distribution(seed)[0] for seed in (1, 2, 3)]
    mean = average(looks)
    for name in ("lengths", "digits"):
        expected = np.mean([np.exp(getattr(look, name)) for look in looks], axis=0)
        np.testing.assert_allclose(np.exp(getattr(mean, name)), expected, rtol=1e-6)
    # What no look thinks possible is no warning, and stays impossible.
    lengths, digits = np.full(7, -np.inf), np.full((5, 10), -np.inf)
    lengths[1] = digits[:, 3] = 0
    assert average([NumberDistribution(lengths, digits)]).best() == as_label([3])


def test_a_temperature_makes_a_distribution_surer_or_less_sure():
    found, _ = distribution(1)
    for name in ("lengths", "digits"):
        plain = np.exp(getattr(found, name))
        surer = plain**2 / (plain**2).sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(np.exp(getattr(at_temperature(found, 0.5), name)), surer)
        less_sure = np.exp(getattr(at_temperature(found, 2.0), name))
        np.testing.assert_allclose(less_sure.sum(axis=-1), 1)
        assert (less_sure.max(axis=-1) < plain.max(axis=-1)).all()
    certain = np.where(np.arange(7) == 1, 0.0, -np.inf)
    tempered = at_temperature(NumberDistribution(certain, np.log(np.full((5, 10), 0.1))), 0.75)
    np.testing.assert_array_equal(tempered.lengths, certain)
