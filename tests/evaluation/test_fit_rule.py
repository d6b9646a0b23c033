import dataclasses

import numpy as np
import pytest

from svhn.evaluation.calibration import calibrate
from svhn.evaluation.fit_rule import (
    FALSE_SHARE,
    MOST_DEMANDED,
    KnownCandidate,
    KnownNumber,
    fit_odds,
    fit_rule,
    judge,
)
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
        numbers.append([KnownCandidate(distribution, places, score, truth)])
    return numbers


def test_the_better_network_gets_the_last_word():
    trusts_detector = fit_rule(known(60, 1, reader_errs=0.4, detector_errs=0.02))
    trusts_reader = fit_rule(known(60, 2, reader_errs=0.02, detector_errs=0.4))
    assert trusts_detector.detector_weight > trusts_reader.detector_weight
    others = known(80, 3, reader_errs=0.4, detector_errs=0.02)
    assert judge(trusts_detector, others)[1].mean() > judge(trusts_reader, others)[1].mean() + 0.2


def test_fitted_confidence_is_honest_and_knows_when_there_is_no_number():
    rule = fit_rule(known(250, 4, reader_errs=0.15, detector_errs=0.15), reader="abcd")
    assert rule.reader == "abcd"
    others = known(400, 5, reader_errs=0.15, detector_errs=0.15)
    confidence, correct = judge(rule, others)
    assert calibrate(correct, confidence, 10).expected_calibration_error < 0.08
    unfitted = dataclasses.replace(rule, odds_weights=None)
    plain = calibrate(*judge(unfitted, others)[::-1], 10).expected_calibration_error
    assert plain > 0.1
    there = np.array([number[0].truth is not None for number in others])
    assert confidence[there].mean() > confidence[~there].mean() + 0.3
    threshold = rule.calibration.threshold(0.9)
    assert correct[confidence >= threshold].mean() > 0.88
    assert rule.calibration.photos == 250


def test_too_few_answers_leave_the_confidence_as_it_is():
    few = fit_rule(known(40, 6, reader_errs=0.3, detector_errs=0.3))
    assert few.odds_weights is None
    assert not few.calibration.thresholds
    all_right = [
        [KnownCandidate(says(("12", 0.9)), scores({1: 0.9}, {2: 0.9}), 0.8, as_label([1, 2]))]
        for _ in range(80)
    ]
    assert fit_rule(all_right).odds_weights is None
    assert fit_rule([]) == AgreementRule()


def with_a_doubtful_end(count: int, seed: int) -> list[KnownNumber]:
    """Numbers of which every third shows a digit too many, of which neither network is sure."""
    chance = np.random.default_rng(seed)
    numbers = []
    for index in range(count):
        is_false = index % 3 == 0
        first, second = (int(digit) for digit in chance.integers(0, 10, 2))
        truth = as_label([first]) if is_false else as_label([first, second])
        end = chance.uniform(0.2, 0.45) if is_false else chance.uniform(0.6, 0.85)
        sure = chance.uniform(0.5, 0.8) if is_false else chance.uniform(0.9, 0.99)
        reader = says((f"{first}{second}", sure))
        whole = scores({first: 0.8}, {second: end})
        numbers.append(
            [
                KnownCandidate(reader, whole, 1 - 0.2 * (1 - end), truth),
                KnownCandidate(says((str(first), 0.9)), whole[:1], 0.8, truth),
            ]
        )
    return numbers


def test_the_candidate_that_both_networks_want_is_chosen():
    rule = fit_rule(with_a_doubtful_end(180, 1))
    others = with_a_doubtful_end(120, 2)
    chosen = judge(rule, others)[1].mean()
    for place in (0, 1):
        assert chosen > judge(rule, [[number[place]] for number in others])[1].mean() + 0.1


def test_few_numbers_are_shown_where_there_are_none():
    numbers = known(150, 4, reader_errs=0.15, detector_errs=0.15)
    nothing = [
        [KnownCandidate(says(("7", chance)), scores({7: chance}), chance, None)]
        for chance in np.linspace(0.05, 0.5, 40)
    ]
    pictures = 200
    rule = fit_rule(numbers, nothing, pictures)
    allowed = round(FALSE_SHARE * pictures)
    assert (judge(rule, nothing)[0] >= rule.least_confidence).sum() == allowed
    # As many pictures more without anything found: twice as many may be shown.
    more = fit_rule(numbers, nothing, 2 * pictures)
    assert (judge(more, nothing)[0] >= more.least_confidence).sum() == 2 * allowed
    assert fit_rule(numbers, nothing[:2], pictures).least_confidence == 0.0
    # Pictures that do show numbers hide no others.
    assert fit_rule(numbers, numbers[:50], pictures).least_confidence == MOST_DEMANDED


def test_weights_of_the_odds_are_found_again():
    chance = np.random.default_rng(8)
    count, ways = 8_000, 3
    features = np.dstack([np.ones((count, ways)), chance.normal(0, 2, (count, ways, 2))])
    true = np.array([-0.5, 1.0, 0.25])
    odds = np.exp(features @ true)
    limits = np.cumsum(odds, axis=1) / (1 + odds.sum(axis=1, keepdims=True))
    place = (chance.random((count, 1)) >= limits).sum(axis=1)  # `ways` where none is right
    right = np.arange(ways) == place[:, None]
    group = np.repeat(np.arange(count), ways)
    found = fit_odds(features.reshape(-1, 3), right.reshape(-1), group)
    np.testing.assert_allclose(found, true, atol=0.06)


def test_where_several_are_right_it_may_be_any_of_them():
    features = np.array([[1, 3.0], [1, 0.0], [1, -3.0]] * 50)
    group = np.repeat(np.arange(50), 3)
    weights = fit_odds(features, np.array([True, True, False] * 50), group)
    assert weights[1] > 0.5
    assert np.isfinite(weights).all()


def test_no_weight_is_endless():
    chance = np.random.default_rng(9)
    features = np.column_stack([np.ones(4000), chance.normal(0, 2, (4000, 3))])
    separable = fit_odds(features, features[:, 1] > 0.5, np.arange(4000))
    assert np.isfinite(separable).all()
    assert separable[1] == pytest.approx(separable[1:].max())
