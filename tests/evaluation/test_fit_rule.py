import dataclasses

import numpy as np
import pytest

from svhn.evaluation.calibration import calibrate
from svhn.evaluation.fit_rule import KnownNumber, fit_logistic, fit_rule
from svhn.reading.agreement import AgreementRule
from svhn.reading.distribution import as_label
from tests.reading.numbers import doubts, says, scores


def known(count: int, seed: int, *, reader_errs: float, detector_errs: float) -> list[KnownNumber]:
    """Two-digit numbers whose second digit one of the networks may have wrong; each in doubt."""
    chance = np.random.default_rng(seed)
    numbers = []
    for _ in range(count):
        first, second = (int(digit) for digit in chance.integers(0, 10, 2))
        read = (second + 1) % 10 if chance.random() < reader_errs else second
        found = (second + 1) % 10 if chance.random() < detector_errs else second
        other = second if read != second else (second + 1) % 10
        distribution = doubts(
            says((f"{first}{read}", 0.97)), 1, **{f"_{read}": 0.7, f"_{other}": 0.3}
        )
        other = second if found != second else (second + 1) % 10
        places = scores({first: 0.9}, {found: 0.6, other: 0.2})
        truth = as_label([first, second]) if chance.random() < 0.9 else None
        score = chance.uniform(0.5, 1) if truth else chance.uniform(0.05, 0.6)
        numbers.append(KnownNumber(distribution, places, score, truth))
    return numbers


def right(rule: AgreementRule, numbers: list[KnownNumber]) -> tuple[np.ndarray, np.ndarray]:
    answers = [
        rule.answer(number.distribution, number.class_scores, number.number_score)
        for number in numbers
    ]
    truths = [number.truth for number in numbers]
    return (
        np.array([answer.label == truth for answer, truth in zip(answers, truths, strict=True)]),
        np.array([answer.confidence for answer in answers]),
    )


def test_the_better_network_gets_the_last_word():
    trusts_detector = fit_rule(known(60, 1, reader_errs=0.4, detector_errs=0.02))
    trusts_reader = fit_rule(known(60, 2, reader_errs=0.02, detector_errs=0.4))
    assert trusts_detector.detector_weight > trusts_reader.detector_weight
    others = known(80, 3, reader_errs=0.4, detector_errs=0.02)
    assert right(trusts_detector, others)[0].mean() > right(trusts_reader, others)[0].mean() + 0.2


def test_fitted_confidence_is_honest_and_knows_when_there_is_no_number():
    rule = fit_rule(known(250, 4, reader_errs=0.15, detector_errs=0.15), "abcd")
    assert rule.reader == "abcd"
    others = known(400, 5, reader_errs=0.15, detector_errs=0.15)
    correct, confidence = right(rule, others)
    assert calibrate(correct, confidence, 10).expected_calibration_error < 0.08
    unfitted = dataclasses.replace(rule, confidence_weights=None)
    plain = calibrate(*right(unfitted, others), 10).expected_calibration_error
    assert plain > 0.1
    there = np.array([number.truth is not None for number in others])
    assert confidence[there].mean() > confidence[~there].mean() + 0.3
    threshold = rule.calibration.threshold(0.9)
    assert correct[confidence >= threshold].mean() > 0.88
    assert rule.calibration.photos == 250


def test_too_few_answers_leave_the_confidence_as_it_is():
    few = fit_rule(known(40, 6, reader_errs=0.3, detector_errs=0.3))
    assert few.confidence_weights is None
    assert not few.calibration.thresholds
    all_right = [
        KnownNumber(says(("12", 0.9)), scores({1: 0.9}, {2: 0.9}), 0.8, as_label([1, 2]))
        for _ in range(80)
    ]
    assert fit_rule(all_right).confidence_weights is None
    assert fit_rule([]) == AgreementRule()


def test_logistic_weights_are_found_again():
    chance = np.random.default_rng(8)
    features = np.column_stack([np.ones(20_000), chance.normal(0, 2, (20_000, 2))])
    true = np.array([-0.5, 1.0, 0.25])
    target = chance.random(20_000) < 1 / (1 + np.exp(-features @ true))
    np.testing.assert_allclose(fit_logistic(features, target), true, atol=0.06)


def test_no_weight_lowers_the_confidence_and_none_is_endless():
    chance = np.random.default_rng(9)
    features = np.column_stack([np.ones(4000), chance.normal(0, 2, (4000, 3))])
    target = chance.random(4000) < 1 / (1 + np.exp(1 - features @ [0, 1.0, -0.6, 0.3]))
    weights = fit_logistic(features, target)
    assert weights[0] < 0
    assert weights[2] == 0
    assert (weights[[1, 3]] > 0.1).all()
    separable = fit_logistic(features, features[:, 1] > 0.5)
    assert np.isfinite(separable).all()
    assert separable[1] == pytest.approx(separable[1:].max())
