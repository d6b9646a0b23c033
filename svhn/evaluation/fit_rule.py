"""Fits the rule of reader against detector to numbers whose truth is known, in NumPy.

On validation photos: what the rule decides must not be chosen on photos that measure it.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from svhn.evaluation.thresholds import choose_thresholds
from svhn.reading.agreement import AgreementRule, Answer
from svhn.reading.distribution import Label, NumberDistribution
from svhn.stored_calibration import StoredCalibration

DETECTOR_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0)
MISSED_DIGITS = (0.01, 0.02, 0.05, 0.1, 0.2)
FALSE_DIGITS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

LEAST_ANSWERS = 50
"""Right ones, and wrong ones in all, from which on the confidence is fitted: with fewer, four
weights would learn them by heart. Wrong ones are rare: a tenth as many suffice."""

_RIDGE = 1.0  # holds the weights back like one answer more of each kind
_STEPS = 50  # Newton's method takes about ten


@dataclasses.dataclass(frozen=True, eq=False)
class KnownNumber:
    """A number that was found in a photo, and what is there indeed."""

    distribution: NumberDistribution
    """What the reader says of its crop."""

    class_scores: np.ndarray
    """float [N, 10]: the detector's, as in `AgreementRule.answer`."""

    number_score: float
    """The detector's, 0 to 1."""

    truth: Label | None
    """The label of the number that is there; None where there is none, or the box is another's."""


def fit_rule(numbers: Sequence[KnownNumber], reader: str = "") -> AgreementRule:
    """Returns the rule that reads these numbers best, with a confidence that is honest on them.

    First the detector's weight and what missed and false digits count, in turn out of a few values:
    those with the most right answers; of equal ones those nearest to the defaults. Then the weights
    of the confidence: the logistic function under which what was right and wrong is most likely
    (Newton's method), none of them below 0 but the constant. Last, the thresholds
    (`svhn.evaluation.thresholds`).

    Args:
        numbers: All that were found in some validation photos, those where there is none included.
        reader: The fingerprint of the reader (`svhn.reading.fingerprint`).

    Returns:
        Where there are too few right or wrong answers (`LEAST_ANSWERS`), a rule without weights of
        the confidence and thresholds.
    """
    best = AgreementRule(reader=reader)
    for name, values in (
        ("detector_weight", DETECTOR_WEIGHTS),
        ("missed_digit", MISSED_DIGITS),
        ("false_digit", FALSE_DIGITS),
        ("detector_weight", DETECTOR_WEIGHTS),  # again, as the best one may be another now
    ):
        rules = [dataclasses.replace(best, **{name: value}) for value in values]
        best = _best_of([best, *rules], numbers)
    answers = [_answer(best, number) for number in numbers]
    right = np.array(
        [answer.label == number.truth for answer, number in zip(answers, numbers, strict=True)],
        bool,
    )
    if right.sum() < LEAST_ANSWERS or (~right).sum() < LEAST_ANSWERS / 10:
        return best
    features = np.array([answer.features for answer in answers])
    weights = fit_logistic(features, right)
    rule = dataclasses.replace(best, confidence_weights=tuple(np.round(weights, 6).tolist()))
    confidence = np.array([_answer(rule, number).confidence for number in numbers])
    thresholds = choose_thresholds(right, confidence)
    calibration = StoredCalibration(1.0, thresholds, len(numbers))
    return dataclasses.replace(rule, calibration=calibration)


def fit_logistic(features: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Returns the weights w for which 1 / (1 + exp(-features · w)) tells best what was right.

    A feature with a weight below 0 (what should raise the confidence would lower it: chance, or
    because another feature says the same) is left out, its weight 0.

    Args:
        features: float [N, F], the first of them 1, of which the weight may have any sign.
        right: Booleans of shape (N,), some of them true and some false.

    Returns:
        float64 [F].
    """
    features, target = np.asarray(features, np.float64), np.asarray(right, np.float64)
    used = np.ones(features.shape[1], bool)
    weights = np.zeros(features.shape[1])
    while True:
        weights[:] = 0.0
        weights[used] = _maximise_likelihood(features[:, used], target)
        negative = used & (weights < 0)
        negative[0] = False
        if not negative.any():
            return weights
        used[np.argmin(np.where(negative, weights, np.inf))] = False


def _maximise_likelihood(features: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Newton's method with half steps where a whole one would lower the likelihood."""
    ridge = np.full(features.shape[1], _RIDGE)
    ridge[0] = 1e-6  # the constant is free

    def loss(weights: np.ndarray) -> float:
        log_odds = features @ weights
        unlikely = np.logaddexp(0.0, np.where(target > 0, -log_odds, log_odds))
        return float(unlikely.sum() + (ridge * weights**2).sum() / 2)

    weights = np.zeros(features.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        slope = features.T @ (chance - target) + ridge * weights
        curvature = (features.T * (chance * (1 - chance))) @ features + np.diag(ridge)
        step = np.linalg.solve(curvature, slope)
        while loss(weights - step) > loss(weights) and np.abs(step).max() > 1e-9:
            step /= 2
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def _best_of(rules: Sequence[AgreementRule], numbers: Sequence[KnownNumber]) -> AgreementRule:
    """The rule with the most right answers."""
    default = AgreementRule()
    there = [number for number in numbers if number.truth is not None]

    def rank(rule: AgreementRule) -> tuple[float, ...]:
        return (
            -sum(_answer(rule, number).label == number.truth for number in there),
            abs(rule.detector_weight - default.detector_weight),
            abs(math.log(rule.missed_digit / default.missed_digit)),
            abs(math.log(rule.false_digit / default.false_digit)),
        )

    return min(rules, key=rank)


def _answer(rule: AgreementRule, number: KnownNumber) -> Answer:
    return rule.answer(number.distribution, number.class_scores, number.number_score)
