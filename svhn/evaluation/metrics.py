"""Exact figures of a split, in NumPy: accuracies, intervals and coverage.

Truth and prediction are rows `[length, digit_1, …, digit_5]` as `svhn.labels.label_array` makes
them. A figure of no photos at all is None: neither 0 nor 1 would be true.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from svhn.evaluation.calibration import Calibration, calibrate
from svhn.labels import LENGTH_CLASSES, MAX_DIGITS
from svhn.stored_calibration import StoredCalibration

COVERAGE_ACCURACIES = (0.95, 0.98, 0.99)
"""98 % is about what people reach; the paper's authors ask for the coverage at it."""

NORMAL_QUANTILE_95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: half of 5 % lies on each side."""


@dataclass(frozen=True)
class Proportion:
    """A share that was counted: how many of how many, with its 95 % Wilson interval."""

    correct: int
    count: int

    @property
    def share(self) -> float | None:
        """`correct` / `count`, 0 to 1; None where nothing was counted."""
        return self.correct / self.count if self.count else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval, as `wilson_interval` gives it."""
        return wilson_interval(self.correct, self.count)


@dataclass(frozen=True)
class Coverage:
    """How many photos are kept when the kept ones must reach an accuracy."""

    accuracy: float
    """The accuracy that was asked for, 0 to 1."""

    share: float | None
    """The largest share of the photos, 0 to 1, that reaches it; None where there are no
    photos."""

    threshold: float | None
    """Keep a photo when its confidence is at least this; None where none may be kept."""


@dataclass(frozen=True)
class Answers:
    """What a threshold that was chosen elsewhere gives on a split."""

    accuracy: float
    """The accuracy that it was chosen for, 0 to 1."""

    threshold: float
    """A photo is answered when its confidence is at least this."""

    answered: Proportion
    """Photos that are answered, of all photos: the coverage."""

    right: Proportion
    """Photos read right, of those that are answered: to be compared with `accuracy`."""


@dataclass(frozen=True)
class SplitMetrics:
    """The figures of one split."""

    sequence: Proportion
    """Photos whose six entries are all right, of all photos."""

    digit: Proportion
    """Digits that are right at their position, of all labelled digits (see
    `count_right_digits`)."""

    length: Proportion
    """Photos whose length class is right, of all photos."""

    by_length: dict[int, Proportion]
    """`sequence` for the photos of each true length class that occurs, in ascending order."""

    coverages: tuple[Coverage, ...]
    """At each accuracy that was asked for, by thresholds that are the best for this split."""

    answers: tuple[Answers, ...]
    """At each of these accuracies, by the threshold that is stored with the network; none for
    those without one."""

    temperature: float
    """What the logits were divided by for these confidences."""

    calibration: Calibration
    """Accuracy by confidence, and the expected calibration error."""

    error_without_temperature: float | None
    """The expected calibration error at temperature 1; None where it is not known."""

    mean_confidence: float | None
    """Close to the sequence accuracy where the confidence is honest."""

    mean_loss: float | None
    """The mean negative log-likelihood of the labels, in nats; None where none was given."""

    @property
    def photo_count(self) -> int:
        """Photos in the split."""
        return self.sequence.count


def compute_metrics(
    labels: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray,
    coverage_accuracies: Sequence[float] = COVERAGE_ACCURACIES,
    loss: np.ndarray | None = None,
    *,
    stored: StoredCalibration | None = None,
    error_without_temperature: float | None = None,
) -> SplitMetrics:
    """Returns the figures of a split.

    Args:
        labels: The truth, integers of shape (N, 6); N may be 0.
        predicted: What the model says, integers of shape (N, 6).
        confidence: The probability of the predicted number, floats of shape (N,), 0 to 1.
        coverage_accuracies: The accuracies that the kept photos must reach, each 0 to 1.
        loss: The negative log-likelihood of each label, floats of shape (N,), in nats.
        stored: Of the network; its temperature is that of `confidence`.
        error_without_temperature: See `SplitMetrics`.

    Raises:
        ValueError: If shapes differ, a true length is not 0 to 6, or a confidence is NaN or not
            in 0 to 1.
    """
    labels, predicted = _label_rows(labels, "labels"), _label_rows(predicted, "predicted")
    if len(labels) != len(predicted):
        raise ValueError(
            "labels and predicted must have a row for each photo. "
            f"Received: {len(labels)} and {len(predicted)} rows"
        )
    right = (labels == predicted).all(axis=1)
    lengths = labels[:, 0]
    stored = stored or StoredCalibration()
    answers = (
        answers_at_threshold(right, confidence, accuracy, stored.threshold(accuracy))
        for accuracy in coverage_accuracies
    )
    return SplitMetrics(
        sequence=_proportion(right),
        digit=count_right_digits(labels, predicted),
        length=_proportion(lengths == predicted[:, 0]),
        by_length={
            int(length): _proportion(right[lengths == length]) for length in np.unique(lengths)
        },
        coverages=tuple(
            coverage_at_accuracy(right, confidence, accuracy) for accuracy in coverage_accuracies
        ),
        answers=tuple(entry for entry in answers if entry),
        temperature=stored.temperature,
        calibration=calibrate(right, confidence),
        error_without_temperature=error_without_temperature,
        mean_confidence=_mean(confidence),
        mean_loss=None if loss is None else _mean(loss),
    )


def count_right_digits(labels: np.ndarray, predicted: np.ndarray) -> Proportion:
    """Returns how many of the labelled digits are predicted right at their position.

    The labelled digits are positions 1 to L of the truth, L being its length; a photo with more
    than five digits has none. A prediction that is too short misses the digits that it lacks; one
    that is too long isn't punished here (the length accuracy shows it); a number that is read with
    its first digit missing has its other digits at wrong positions.

    Args:
        labels: The truth, integers of shape (N, 6).
        predicted: What the model says, integers of shape (N, 6).
    """
    lengths = np.where(labels[:, 0] <= MAX_DIGITS, labels[:, 0], 0)
    labelled = np.arange(MAX_DIGITS)[None, :] < lengths[:, None]
    return _proportion((labels[:, 1:] == predicted[:, 1:])[labelled])


def wilson_interval(correct: int, count: int) -> tuple[float, float]:
    """Returns the 95 % Wilson score interval of a share: its lower and upper end, 0 to 1.

    It stays within 0 to 1 and is sound for few photos and for shares near 1, where the interval
    ± 1.96·√(p(1-p)/n) is not. Source: E. B. Wilson, "Probable inference, the law of succession,
    and statistical inference", Journal of the American Statistical Association 22 (1927), 209-212.

    Args:
        correct: How many were right.
        count: Of how many; nothing is known about a share of none: (0, 1).
    """
    if not 0 <= correct <= count:
        raise ValueError(f"correct must be 0 to count. Received: {correct} of {count}")
    if not count:
        return 0.0, 1.0
    low, high = map(float, wilson_bounds(correct, count, NORMAL_QUANTILE_95))
    # At 0 and at 1 the end is exact; rounding would leave it a hair beside.
    return low if correct else 0.0, high if correct < count else 1.0


def wilson_bounds(
    correct: int | np.ndarray, count: int | np.ndarray, quantile: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the lower and the upper ends of Wilson's score intervals of shares.

    Args:
        correct: How many were right, integers of any shape.
        count: Of how many, at least 1, likewise.
        quantile: Of the normal distribution: how wide the intervals are.
    """
    share, squared = correct / count, quantile**2
    centre = share + squared / (2 * count)
    half_width = quantile * np.sqrt(share * (1 - share) / count + squared / (4 * count**2))
    shrink = 1 + squared / count
    return (centre - half_width) / shrink, (centre + half_width) / shrink


def coverage_at_accuracy(right: np.ndarray, confidence: np.ndarray, accuracy: float) -> Coverage:
    """Returns the coverage at an accuracy, and the threshold that gives it.

    The largest share of the photos that can be kept, by a threshold on the confidence, such that
    the share of right ones among the kept reaches `accuracy` (Goodfellow et al. 2013, section 2).
    Photos of equal confidence are kept or dropped together; the share is 0 if no threshold will
    do. On the way down the accuracy may fall below the wanted one and come back: the lowest
    threshold counts.

    Args:
        right: Booleans of shape (N,): whether the whole number is right.
        confidence: Floats of shape (N,), 0 to 1.
        accuracy: 0 to 1.

    Raises:
        ValueError: If the shapes differ, a confidence is NaN or not in 0 to 1, or `accuracy` is
            not in 0 to 1.
    """
    right, confidence = np.asarray(right, bool), np.asarray(confidence)
    if right.ndim != 1 or right.shape != confidence.shape:
        raise ValueError(
            "right and confidence must have one entry for each photo. "
            f"Received: shapes {right.shape} and {confidence.shape}"
        )
    if not 0 <= accuracy <= 1:
        raise ValueError(f"accuracy must be 0 to 1. Received: {accuracy}")
    # Written so that NaN is caught, too; a float32 probability may round to a hair above 1.
    bad = confidence[~((confidence >= 0) & (confidence <= 1 + 1e-5))]
    if len(bad):
        raise ValueError(f"A confidence must be 0 to 1. Received: {bad[0]} ({len(bad)} are bad)")
    if not len(right):
        return Coverage(accuracy, share=None, threshold=None)

    order = np.argsort(-confidence, kind="stable")
    descending = confidence[order]
    kept = np.arange(1, len(right) + 1)
    # A division, not accuracy · kept: 49 / 50 is the same float as 0.98.
    reached = np.cumsum(right[order]) / kept >= accuracy
    ends_a_tie = np.append(descending[1:] != descending[:-1], True)
    possible = np.flatnonzero(reached & ends_a_tie)
    if not len(possible):
        return Coverage(accuracy, share=0.0, threshold=None)
    last = possible[-1]
    return Coverage(
        accuracy, share=float(kept[last] / len(right)), threshold=descending[last].item()
    )


def answers_at_threshold(
    right: np.ndarray, confidence: np.ndarray, accuracy: float, threshold: float | None
) -> Answers | None:
    """Returns what a threshold gives on a split; None where there is no threshold.

    Args:
        right: Booleans of shape (N,): whether the whole number is right.
        confidence: Floats of shape (N,), 0 to 1.
        accuracy: What the threshold was chosen for, 0 to 1.
        threshold: 0 to 1.
    """
    if threshold is None:
        return None
    kept = np.asarray(confidence) >= threshold
    return Answers(accuracy, threshold, _proportion(kept), _proportion(np.asarray(right)[kept]))


def risk_coverage_curve(right: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns how many of the kept photos are read wrong, by the share that is kept.

    The most confident are kept first; photos of equal confidence are kept together, so that each
    point is what some threshold gives. Source: R. El-Yaniv and Y. Wiener, "On the foundations of
    noise-free selective classification", Journal of Machine Learning Research 11 (2010).

    Args:
        right: Booleans of shape (N,): whether the whole number is right; N may be 0.
        confidence: Floats of shape (N,), 0 to 1.

    Returns:
        The shares of all photos that are kept, ascending, above 0 and to 1; and of these photos
        the shares that are read wrong. Both float64 [M], M at most N.
    """
    confidence = np.asarray(confidence)
    order = np.argsort(-confidence, kind="stable")
    descending = confidence[order]
    ends = np.flatnonzero(np.append(descending[1:] != descending[:-1], True)[: len(order)])
    wrong = np.cumsum(~np.asarray(right, bool)[order])[ends]
    return (ends + 1) / max(len(order), 1), wrong / (ends + 1)


def _mean(values: np.ndarray) -> float | None:
    return float(np.mean(values, dtype=np.float64)) if len(values) else None


def _proportion(right: np.ndarray) -> Proportion:
    return Proportion(correct=int(right.sum()), count=int(right.size))


def _label_rows(rows: np.ndarray, name: str) -> np.ndarray:
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.shape[1] != 1 + MAX_DIGITS:
        raise ValueError(
            f"{name} must have the shape (N, {1 + MAX_DIGITS}). Received: {rows.shape}"
        )
    if not np.issubdtype(rows.dtype, np.integer):
        raise ValueError(f"{name} must be integers. Received: {rows.dtype}")
    bad = rows[(rows[:, 0] < 0) | (rows[:, 0] >= LENGTH_CLASSES), 0]
    if len(bad):
        raise ValueError(
            f"A length in {name} must be 0 to {LENGTH_CLASSES - 1}. Received: {bad[0]}"
        )
    return rows
