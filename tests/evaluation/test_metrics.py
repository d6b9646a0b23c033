"""The figures of a split, against hand-made cases and brute force."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binomtest

from svhn.evaluation.metrics import (
    Answers,
    Coverage,
    Proportion,
    answers_at_threshold,
    compute_metrics,
    count_right_digits,
    coverage_at_accuracy,
    risk_coverage_curve,
    wilson_interval,
)
from svhn.labels import label_array
from svhn.stored_calibration import StoredCalibration


def rows(*numbers: str) -> np.ndarray:
    return np.stack([label_array([int(digit) for digit in number]) for number in numbers])


def test_a_number_is_right_only_when_all_six_entries_are():
    labels = rows("75", "75", "75", "5", "123456")
    predicted = rows("75", "76", "7", "5", "654321")
    metrics = compute_metrics(labels, predicted, np.full(5, 0.5))
    assert metrics.sequence == Proportion(3, 5)  # "more than five" has no digits to get wrong
    assert metrics.length == Proportion(4, 5)
    assert metrics.digit == Proportion(5, 7)
    assert metrics.mean_confidence == 0.5
    assert metrics.mean_loss is None
    assert metrics.photo_count == 5


def test_the_mean_loss_where_losses_are_given():
    metrics = compute_metrics(rows("7", "5"), rows("7", "7"), np.ones(2), loss=np.array([0.5, 2]))
    assert metrics.mean_loss == 1.25


def test_accuracy_by_true_length_in_ascending_order():
    labels = rows("12345", "7", "123456", "7", "")
    predicted = rows("12345", "7", "7", "8", "")
    by_length = compute_metrics(labels, predicted, np.ones(5)).by_length
    assert list(by_length.items()) == [
        (0, Proportion(1, 1)),
        (1, Proportion(1, 2)),
        (5, Proportion(1, 1)),
        (6, Proportion(0, 1)),
    ]


@pytest.mark.parametrize(
    ("truth", "prediction", "correct", "count"),
    [
        ("75", "75", 2, 2),
        ("75", "7", 1, 2),  # too short: misses the digit it lacks
        ("7", "75", 1, 1),  # too long: the length accuracy shows it
        ("121", "21", 0, 3),  # the digits are at wrong positions
        ("75", "123456", 0, 2),
        ("123456", "12345", 0, 0),
        ("", "1", 0, 0),
        ("00000", "00000", 5, 5),
    ],
)
def test_digits_count_at_their_position(truth, prediction, correct, count):
    assert count_right_digits(rows(truth), rows(prediction)) == Proportion(correct, count)


def test_counts_match_a_plain_loop():
    random = np.random.default_rng(1)
    lengths = random.integers(0, 7, 400)
    labels = np.stack([label_array(list(random.integers(0, 3, length))) for length in lengths])
    predicted = labels.copy()
    for row in range(0, 400, 3):
        length = random.integers(0, 7)
        predicted[row] = label_array(list(random.integers(0, 3, length)))
    metrics = compute_metrics(labels, predicted, random.random(400))

    sequence = length_right = digits = digits_right = 0
    for truth, prediction in zip(labels.tolist(), predicted.tolist(), strict=True):
        sequence += truth == prediction
        length_right += truth[0] == prediction[0]
        if truth[0] < 6:
            digits += truth[0]
            digits_right += sum(truth[i] == prediction[i] for i in range(1, truth[0] + 1))
    assert metrics.sequence == Proportion(sequence, 400)
    assert metrics.length == Proportion(length_right, 400)
    assert metrics.digit == Proportion(digits_right, digits)
    assert sum(part.count for part in metrics.by_length.values()) == 400
    assert sum(part.correct for part in metrics.by_length.values()) == sequence


def test_an_empty_split_has_no_figures():
    metrics = compute_metrics(np.empty((0, 6), int), np.empty((0, 6), int), np.empty(0))
    assert metrics.photo_count == 0
    assert metrics.sequence.share is None
    assert metrics.digit.share is None
    assert metrics.mean_confidence is None
    assert metrics.by_length == {}
    assert metrics.coverages == tuple(Coverage(wanted, None, None) for wanted in (0.95, 0.98, 0.99))
    assert metrics.answers == ()


@pytest.mark.parametrize("count", [1, 2, 9, 146, 13068])
def test_wilson_interval_is_that_of_scipy(count):
    for correct in {0, 1, count // 2, count - 1, count}:
        expected = binomtest(correct, count).proportion_ci(0.95, method="wilson")
        assert wilson_interval(correct, count) == pytest.approx(
            (expected.low, expected.high), abs=1e-12
        )
        assert 0 <= wilson_interval(correct, count)[0] <= wilson_interval(correct, count)[1] <= 1


def test_wilson_interval_of_the_official_test_set():
    low, high = wilson_interval(round(0.96 * 13068), 13068)
    assert (high - low) / 2 == pytest.approx(0.0034, abs=1e-4)  # ±0.34 points: field notes


def test_wilson_interval_of_nothing_and_of_nonsense():
    assert wilson_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="3 of 2"):
        wilson_interval(3, 2)


def brute_force_coverage(right, confidence, accuracy: str) -> tuple[Fraction, float | None]:
    """Tries every confidence as the threshold, in exact arithmetic."""
    best_share, best_threshold = Fraction(0), None
    for threshold in set(confidence):
        kept = [
            is_right
            for is_right, value in zip(right, confidence, strict=True)
            if value >= threshold
        ]
        share = Fraction(len(kept), len(right))
        if Fraction(sum(kept), len(kept)) >= Fraction(accuracy) and share > best_share:
            best_share, best_threshold = share, threshold
    return best_share, best_threshold


@pytest.mark.parametrize("accuracy", ["0", "0.5", "0.9", "0.95", "0.98", "1"])
def test_coverage_matches_brute_force_with_and_without_ties(accuracy):
    random = np.random.default_rng(2)
    for trial in range(60):
        count = int(random.integers(1, 120))
        # Few distinct values make ties; the photo is right about as often as it is confident.
        steps = (3, 10, 1_000_000)[trial % 3]
        confidence = random.integers(0, steps + 1, count) / steps
        right = random.random(count) < (0.5 + confidence / 2, confidence)[trial % 2]
        share, threshold = brute_force_coverage(right.tolist(), confidence.tolist(), accuracy)
        coverage = coverage_at_accuracy(right, confidence, float(accuracy))
        assert coverage.share == float(share)
        assert coverage.threshold == threshold


def test_keeping_by_the_threshold_gives_the_coverage_in_float32_too():
    random = np.random.default_rng(3)
    confidence = random.random(1000).astype(np.float32)
    right = random.random(1000) < confidence**0.2
    coverage = coverage_at_accuracy(right, confidence, 0.9)
    kept = confidence >= coverage.threshold
    assert 0 < coverage.share < 1
    assert kept.mean() == coverage.share
    assert right[kept].mean() >= 0.9


def test_ties_are_kept_or_dropped_together():
    # Keeping only the right ones among the four at 0.7 would give 3 of 5, but no threshold can.
    right = [True, True, True, False, False]
    confidence = [0.9, 0.7, 0.7, 0.7, 0.7]
    assert coverage_at_accuracy(right, confidence, 0.9) == Coverage(0.9, 0.2, 0.9)


def test_the_accuracy_is_reached_exactly_at_the_bound():
    right = [True] * 49 + [False]
    confidence = np.linspace(1, 0.5, 50)
    assert coverage_at_accuracy(right, confidence, 0.98) == Coverage(0.98, 1.0, 0.5)


def test_a_confident_mistake_does_not_end_the_search():
    right = [False] + [True] * 99
    confidence = np.linspace(1, 0.1, 100)
    assert coverage_at_accuracy(right, confidence, 0.98).share == 1


def test_coverage_is_zero_when_no_threshold_will_do():
    assert coverage_at_accuracy([False, True], [0.9, 0.1], 0.98) == Coverage(0.98, 0.0, None)


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.5, np.inf])
def test_confidences_that_are_no_probabilities_raise(bad):
    with pytest.raises(ValueError, match="confidence must be 0 to 1"):
        compute_metrics(rows("1", "2"), rows("1", "2"), np.array([0.5, bad]))


@pytest.mark.parametrize(
    ("labels", "predicted", "confidence", "message"),
    [
        (rows("1", "2"), rows("1"), [0.5], "2 and 1 rows"),
        (rows("1"), rows("1"), [0.5, 0.5], "one entry for each photo"),
        (np.zeros((1, 5), int), rows("1"), [0.5], r"shape \(N, 6\)"),
        (np.zeros((1, 6)), rows("1"), [0.5], "integers"),
        (np.full((1, 6), 7), rows("1"), [0.5], "0 to 6"),
    ],
)
def test_arrays_that_do_not_fit_raise(labels, predicted, confidence, message):
    with pytest.raises(ValueError, match=message):
        compute_metrics(labels, predicted, np.array(confidence))


def test_an_accuracy_in_percent_raises():
    with pytest.raises(ValueError, match="Received: 98"):
        coverage_at_accuracy([True], [0.5], 98)


def test_a_stored_threshold_answers_from_it_on():
    right, confidence = [True, True, False, True, False], [0.9, 0.8, 0.8, 0.5, 0.1]
    answers = answers_at_threshold(right, confidence, 0.98, 0.8)
    assert answers == Answers(0.98, 0.8, Proportion(3, 5), Proportion(2, 3))
    assert answers_at_threshold(right, confidence, 0.98, None) is None
    assert answers_at_threshold(right, confidence, 0.98, 0.95).right.share is None


def test_the_accuracies_with_a_stored_threshold_are_answered():
    stored = StoredCalibration(2.0, {0.9: 0.25, 0.98: 0.75, 0.99: None}, photos=100)
    metrics = compute_metrics(rows("1", "2"), rows("1", "3"), np.array([0.9, 0.5]), stored=stored)
    # 0.95 is not stored: the threshold of the next higher one, 0.98, holds for it.
    expected = (0.75, Proportion(1, 2), Proportion(1, 1))
    assert metrics.answers == (Answers(0.95, *expected), Answers(0.98, *expected))
    assert metrics.temperature == 2


def test_the_risk_coverage_curve_by_hand():
    right = [True, False, True, True, False]
    kept, wrong = risk_coverage_curve(right, [0.9, 0.8, 0.8, 0.5, 0.1])
    # The two at 0.8 are kept together.
    assert kept.tolist() == [0.2, 0.6, 0.8, 1]
    assert wrong.tolist() == pytest.approx([0, 1 / 3, 1 / 4, 2 / 5])
    assert [len(values) for values in risk_coverage_curve([], [])] == [0, 0]


def test_the_coverage_is_a_point_of_the_curve():
    random = np.random.default_rng(4)
    confidence = np.round(random.random(500), 2)
    right = random.random(500) < confidence**0.3
    kept, wrong = risk_coverage_curve(right, confidence)
    coverage = coverage_at_accuracy(right, confidence, 0.9)
    (at,) = np.flatnonzero(kept == coverage.share)
    assert wrong[at] <= 0.1 + 1e-12
    assert (wrong[at + 1 :] > 0.1).all()
