import dataclasses
import itertools
import json
import math

import numpy as np
import pytest

from svhn.errors import UserError
from svhn.reading.agreement import FEATURES, AgreementRule, Answer
from svhn.reading.distribution import as_label
from svhn.stored_calibration import StoredCalibration
from tests.reading.numbers import doubts, says, scores

RULE = AgreementRule()


def confidence(rule: AgreementRule, *heard) -> float:
    """What a rule thinks of its answer to a number with one candidate."""
    return rule.choose([rule.answer(*heard)])[1]


def label(number: str) -> tuple[int, ...]:
    return as_label(list(map(int, number)))


def test_where_both_agree_that_is_the_answer():
    heard = says(("75", 0.9)), scores({7: 0.8}, {5: 0.9}), 0.8
    assert RULE.answer(*heard).label == label("75")
    assert confidence(RULE, *heard) == pytest.approx(0.9 * 0.8, abs=0.01)


@pytest.mark.parametrize(
    ("reader", "detector", "answer"),
    [
        # A sure reader and a detector that missed the middle digit.
        ([("121", 0.9), ("12", 0.02)], [{1: 0.8}, {1: 0.8}], "121"),
        # A reader in doubt between two lengths: the digits that were found decide.
        ([("12", 0.5), ("123", 0.45)], [{1: 0.8}, {2: 0.8}, {3: 0.8}], "123"),
        ([("12", 0.45), ("123", 0.5)], [{1: 0.8}, {2: 0.8}], "12"),
        # Digits of which the detector is not sure are digits all the same.
        ([("12", 0.5), ("123", 0.5)], [{1: 0.5}, {2: 0.45}, {3: 0.4}], "123"),
        # A speck that hardly looks like a digit changes nothing.
        ([("12", 0.6), ("123", 0.35)], [{1: 0.9}, {2: 0.9}, {8: 0.06}], "12"),
        # More digits than the heads can name.
        ([("1" * 6, 0.9)], [{1: 0.9}] * 7, "1" * 6),
        ([("12345", 0.9)], [{1: 0.5}] * 7, "12345"),
        ([("12345", 0.1), ("1" * 6, 0.8)], [{1: 0.9}] * 5, "1" * 6),
    ],
)
def test_where_they_disagree_on_the_length(reader, detector, answer):
    assert RULE.answer(says(*reader), scores(*detector), 0.9).label == label(answer)


def test_digits_that_both_think_possible_win():
    # The reader: 17 rather than 77; the detector: 77 rather than 71. Neither's own number at the
    # other's second thought: 77 is what both can live with.
    reader = doubts(says(("17", 0.95)), 0, _1=0.55, _7=0.45)
    heard = reader, scores({7: 0.8, 1: 0.1}, {1: 0.35, 7: 0.3}), 0.9
    assert RULE.answer(*heard).label == label("77")
    # Its confidence is what the reader gives to that number, not to its own.
    assert confidence(RULE, *heard) == pytest.approx(0.95 * 0.45 * 0.9, abs=0.01)


def test_a_detector_without_weight_changes_nothing():
    reader = doubts(says(("17", 0.95)), 0, _1=0.55, _7=0.45)
    rule = AgreementRule(detector_weight=0.0)
    assert rule.answer(reader, scores({7: 0.99}, {7: 0.99}), 0.9).label == label("17")
    heavy = AgreementRule(detector_weight=3.0)
    assert heavy.answer(reader, scores({7: 0.99}, {7: 0.99}), 0.9).label == label("77")


def test_the_answer_is_never_that_there_is_no_digit():
    heard = says(("5", 0.03)), scores({5: 0.5}), 0.4
    assert RULE.answer(*heard).label == label("5")
    assert confidence(RULE, *heard) == pytest.approx(0.03 * 0.4, rel=0.01)


def test_candidates_come_once_and_hold_both_words():
    numbers = RULE.candidates(says(("17", 0.95)), scores({7: 0.8}, {1: 0.8}))
    assert len(set(numbers)) == len(numbers)
    assert {label("17"), label("71"), label("1"), label("1" * 6)} <= set(numbers)
    assert all(number[0] > 0 for number in numbers)
    assert label("1" * 6) in RULE.candidates(says(("1", 1.0)), scores(*[{1: 0.5}] * 8))
    assert RULE.candidates(says(("17", 0.95)), np.zeros((0, 10)))


def brute_force(number: str, places: np.ndarray, missed: float, false: float) -> float:
    """log D by trying every way to lay the places along the digits."""
    shares = (places + 1e-3) / (places + 1e-3).sum(axis=1, keepdims=True)
    there = places.max(axis=1)
    best = -math.inf
    for count in range(min(len(number), len(places)) + 1):
        for used in itertools.combinations(range(len(places)), count):
            for shown in itertools.combinations(range(len(number)), count):
                total = (len(number) - count) * math.log(missed)
                total += sum(
                    min(math.log(false * (1 - there[i]) / there[i]), 0)
                    for i in range(len(places))
                    if i not in used
                )
                total += sum(
                    math.log(shares[i, int(number[j])]) for i, j in zip(used, shown, strict=True)
                )
                best = max(best, total)
    return best


def test_digits_are_laid_along_the_number_in_the_best_way():
    chance = np.random.default_rng(0)
    for number in ("1", "12", "121", "90210", "777"):
        for count in range(6):
            places = chance.uniform(0.01, 0.99, (count, 10)) ** 3
            for missed, false in ((0.05, 0.2), (0.3, 0.9)):
                rule = AgreementRule(missed_digit=missed, false_digit=false)
                expected = brute_force(number, places, missed, false)
                assert rule.log_detected(label(number), places) == pytest.approx(expected)
                assert expected <= 0


def test_more_than_five_digits_are_explained_by_any_six():
    six = scores(*[{digit: 0.9} for digit in (1, 9, 4, 2, 0, 7)])
    all_found = RULE.log_detected(label("1" * 6), six)
    assert -3 < all_found < 0
    assert RULE.log_detected(label("1" * 6), six[:4]) < all_found + 2 * math.log(0.05) + 1
    assert RULE.log_detected(label("19420"), six) < all_found


WEIGHTS = (-1.0, 0.5, 0.3, 0.2)
FITTED = AgreementRule(odds_weights=WEIGHTS)


def test_confidence_rises_with_what_each_network_says_once_fitted():
    low = scores({7: 0.4, 1: 0.2}, {5: 0.9})
    base = says(("75", 0.6)), low, 0.5
    assert FITTED.answer(*base).features.shape == (len(FEATURES),)
    assert 0 < confidence(FITTED, *base) < 1
    for other in (
        (says(("75", 0.9)), low, 0.5),
        (says(("75", 0.6)), low, 0.9),
        (says(("75", 0.6)), low, 0.5, 0.7),
    ):
        assert FITTED.answer(*other).label == FITTED.answer(*base).label
        assert confidence(FITTED, *other) > confidence(FITTED, *base)


def test_the_line_makes_of_a_share_the_confidence():
    heard = says(("75", 0.6)), scores({7: 0.4}, {5: 0.9}), 0.5
    share = confidence(FITTED, *heard)
    log_odds = math.log(share / (1 - share))
    for level, steepness in ((0.0, 1.0), (1.5, 0.5)):
        rule = dataclasses.replace(FITTED, confidence_line=(level, steepness))
        expected = 1 / (1 + math.exp(-level - steepness * log_odds))
        assert confidence(rule, *heard) == pytest.approx(expected)


def test_candidates_compete_and_those_that_name_one_number_are_allies():
    def answers(*odds):
        return [Answer(label(number), value, np.zeros(len(FEATURES))) for number, value in odds]

    assert FITTED.choose(answers(("12", 4.0))) == (0, pytest.approx(4 / 5))
    assert FITTED.choose(answers(("12", 4.0), ("1", 5.0))) == (1, pytest.approx(5 / 10))
    # Two that are surer together than any other: of them the surer one.
    assert FITTED.choose(answers(("12", 2.0), ("1", 5.0), ("12", 4.0))) == (2, pytest.approx(0.5))
    assert FITTED.choose(answers(("12", 2.0), ("12", 2.0)))[0] == 0
    # Never fitted: the surest one, as it is.
    assert RULE.choose(answers(("12", 4.0), ("1", 5.0))) == (1, pytest.approx(5 / 6))


@pytest.mark.parametrize("weights", [None, (50.0, 90.0, 90.0, 90.0), (-999.0, 1.0, 1.0, 1.0)])
@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_confidence_is_a_probability_whatever_comes(weights, score):
    rule = AgreementRule(odds_weights=weights)
    for reader in (says(("75", 1.0)), says(("75", 0.0))):
        for places in (scores({7: 1.0}, {5: 1.0}), np.zeros((2, 10)), np.zeros((0, 10))):
            found = rule.answer(reader, places, score)
            assert np.isfinite(found.features).all()
            assert 0 <= rule.choose([found])[1] <= 1
            assert 0 <= rule.choose([found, found])[1] <= 1


def test_a_rule_survives_json():
    calibration = StoredCalibration(1.0, {0.9: 0.4, 0.98: None}, photos=300)
    fitted = AgreementRule(0.75, 0.02, 0.1, WEIGHTS, calibration, "abcd", (0.5, 1.1), 0.35)
    for rule in (RULE, fitted):
        assert AgreementRule.from_json(json.loads(json.dumps(rule.as_json()))) == rule
    assert AgreementRule.from_json(None) == RULE


def test_a_rule_from_before_there_were_candidates_counts_as_none():
    saved = dataclasses.replace(FITTED, detector_weight=2.0).as_json()
    saved["confidence_weights"] = saved.pop("odds_weights")
    assert AgreementRule.from_json(saved) == RULE


def test_a_rule_from_before_there_were_regions_counts_as_none():
    saved = dataclasses.replace(FITTED, odds_weights=WEIGHTS[:3]).as_json()
    assert AgreementRule.from_json(saved) == RULE


def test_where_no_digit_was_seen_the_reader_decides():
    heavy = AgreementRule(detector_weight=50.0)
    assert heavy.answer(says(("1755", 0.6)), np.zeros((0, 10)), 0.0, 0.8).label == label("1755")
    assert confidence(RULE, says(("75", 0.6)), np.zeros((0, 10)), 0.0, 0.5) == pytest.approx(
        confidence(RULE, says(("75", 0.6)), scores({7: 0.5}, {5: 0.5}), 0.5)
    )


def test_thresholds_hold_for_the_reader_that_they_were_found_with():
    calibration = StoredCalibration(1.0, {0.9: 0.4, 0.98: None}, photos=300)
    fitted = AgreementRule(calibration=calibration, reader="abcd")
    assert fitted.demand_threshold(0.85, "abcd", "detector.npz") == 0.4
    for rule, accuracy, reader, message in [
        (fitted, 0.98, "abcd", r"Ask for 0\.9 at most"),
        (fitted, 0.85, "efgh", "hold for another reader"),
        (RULE, 0.85, "", "detector.npz: it has no thresholds"),
    ]:
        with pytest.raises(UserError, match=message):
            rule.demand_threshold(accuracy, reader, "detector.npz")
