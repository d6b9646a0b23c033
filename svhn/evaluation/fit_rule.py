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
"""Numbers with a right answer from which on the odds are fitted: with fewer, three weights would
learn them by heart. Of those without one, which are rare, a tenth as many suffice."""

MOST_DEMANDED = 0.5
"""A number that is more likely right than not is shown, whatever the pictures without any say: a
few of them do show digits."""

_RIDGE = 1.0  # holds the weights back like one answer more of each kind
_STEPS = 50  # Newton's method takes about ten

FALSE_SHARE = 0.015
"""Numbers shown for a picture without any, at most, where the rule was fitted: fewer than the 2 %
that are to be borne, so that it holds for other pictures, too. (A part of a photo may show a digit
that its labels leave out.)"""


@dataclasses.dataclass(frozen=True, eq=False)
class KnownCandidate:
    """What a number that was found in a photo may be, and what is there indeed."""

    distribution: NumberDistribution
    """What the reader says of its crop."""

    class_scores: np.ndarray
    """float [N, 10]: the detector's, as in `AgreementRule.answer`."""

    number_score: float
    """The detector's, 0 to 1."""

    truth: Label | None
    """The label of the number that is there; None where there is none, or the box is another's."""

    region_evidence: float = 0.0
    """The detector's of the number as a whole, 0 to 1."""


KnownNumber = Sequence[KnownCandidate]
"""All that a number which was found may be, at least one."""


def fit_rule(
    numbers: Sequence[KnownNumber],
    false_numbers: Sequence[KnownNumber] = (),
    pictures_without: int = 0,
    reader: str = "",
) -> AgreementRule:
    """Returns the rule that reads these numbers best, with a confidence that is honest on them.

    First the detector's weight and what missed and false digits count, in turn out of a few values:
    those with the most right answers; of equal ones those nearest to the defaults. Then the weights
    of the odds and the line of the confidence (`fit_odds`). Last, the confidence from which on
    numbers are shown (`FALSE_SHARE`), and the thresholds (`svhn.evaluation.thresholds`).

    Args:
        numbers: All that were found in some validation photos, those where there is none included.
        false_numbers: All that were found in pictures that show none.
        pictures_without: How many pictures these were; 0 leaves open what is shown.
        reader: The fingerprint of the reader (`svhn.reading.fingerprint`).

    Returns:
        Where there are too few right or wrong answers (`LEAST_ANSWERS`), a rule without weights of
        the odds and thresholds.
    """
    best = AgreementRule(reader=reader)
    candidates = [candidate for number in numbers for candidate in number]
    for name, values in (
        ("detector_weight", DETECTOR_WEIGHTS),
        ("missed_digit", MISSED_DIGITS),
        ("false_digit", FALSE_DIGITS),
        ("detector_weight", DETECTOR_WEIGHTS),  # again, as the best one may be another now
    ):
        rules = [dataclasses.replace(best, **{name: value}) for value in values]
        best = _best_of([best, *rules], candidates)
    known = [*numbers, *false_numbers]
    answers = [[answer_of(best, candidate) for candidate in number] for number in known]
    right = np.array(
        [
            answer.label == candidate.truth
            for found, number in zip(answers, known, strict=True)
            for answer, candidate in zip(found, number, strict=True)
        ],
        bool,
    )
    number_of = np.repeat(np.arange(len(known)), [len(number) for number in known])
    there = np.bincount(number_of, right, minlength=len(known)) > 0
    if there.sum() < LEAST_ANSWERS or (~there).sum() < LEAST_ANSWERS / 10:
        return best
    features = np.array([answer.features for found in answers for answer in found])
    weights = fit_odds(features, right, number_of)
    rule = dataclasses.replace(best, odds_weights=_rounded(weights))

    confidences, is_right = judge(rule, known)
    shares = np.clip(confidences, 1e-4, 1 - 1e-4)
    log_odds = np.column_stack([np.ones(len(known)), np.log(shares / (1 - shares))])
    line = fit_odds(log_odds, is_right, np.arange(len(known)))
    rule = dataclasses.replace(rule, confidence_line=_rounded(line))

    confidences, is_right = judge(rule, known)
    of_photos, of_others = confidences[: len(numbers)], confidences[len(numbers) :]
    if pictures_without:
        least = _least_shown(of_others, round(FALSE_SHARE * pictures_without))
        rule = dataclasses.replace(rule, least_confidence=round(min(least, MOST_DEMANDED), 6))
    thresholds = choose_thresholds(is_right[: len(numbers)], of_photos)
    calibration = StoredCalibration(1.0, thresholds, len(numbers))
    return dataclasses.replace(rule, calibration=calibration)


def judge(rule: AgreementRule, numbers: Sequence[KnownNumber]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the confidence in each number, float64 [N], and whether it is read right, bool [N].

    Args:
        rule: What decides.
        numbers: Any number of them.
    """
    confidences, right = np.zeros(len(numbers)), np.zeros(len(numbers), bool)
    for index, number in enumerate(numbers):
        answers = [answer_of(rule, candidate) for candidate in number]
        place, confidences[index] = rule.choose(answers)
        right[index] = answers[place].label == number[place].truth
    return confidences, right


def fit_odds(features: np.ndarray, right: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Returns the weights w for which odds of exp(features · w) tell best what was right.

    In each group one candidate is right, or none, with odds of 1; if several are marked as right,
    any of them. With one candidate a group that is logistic regression. (Newton's method; where
    several are right, they share the target by their odds.)

    Args:
        features: float [N, F], the first of them 1.
        right: Booleans of shape (N,).
        group: int [N]: the group of each, from 0.

    Returns:
        float64 [F].
    """
    features, right = np.asarray(features, np.float64), np.asarray(right, bool)
    groups = int(group.max()) + 1
    ridge = np.full(features.shape[1], _RIDGE)
    ridge[0] = 1e-6  # the constant is free
    has_right = np.bincount(group, right, groups) > 0

    def shares(weights: np.ndarray) -> np.ndarray:
        odds = np.exp(np.clip(features @ weights, -30, 30))
        return odds / (1 + np.bincount(group, odds, groups))[group]

    def loss(weights: np.ndarray) -> float:
        share = shares(weights)
        of_right = np.bincount(group, share * right, groups)
        of_none = 1 - np.bincount(group, share, groups)
        likely = np.maximum(np.where(has_right, of_right, of_none), 1e-15)
        return float(-np.log(likely).sum() + (ridge * weights**2).sum() / 2)

    weights = np.zeros(features.shape[1])
    for _ in range(_STEPS):
        share = shares(weights)
        of_right = np.bincount(group, share * right, groups)[group]
        target = share * right / np.maximum(of_right, 1e-15)
        slope = features.T @ (share - target) + ridge * weights
        means = np.stack([np.bincount(group, share * column, groups) for column in features.T], 1)
        curvature = (features.T * share) @ features - means.T @ means + np.diag(ridge)
        step = np.linalg.solve(curvature, slope)
        while loss(weights - step) > loss(weights) and np.abs(step).max() > 1e-9:
            step /= 2
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def _least_shown(confidences: np.ndarray, allowed: int) -> float:
    """The confidence half-way between the last number that may be shown and the next one."""
    descending = np.append(np.sort(confidences)[::-1], 0.0)
    if len(confidences) <= allowed:
        return 0.0
    above = descending[allowed - 1] if allowed else 1.0
    return float(above + descending[allowed]) / 2


def _best_of(rules: Sequence[AgreementRule], candidates: Sequence[KnownCandidate]) -> AgreementRule:
    """The rule with the most right answers."""
    default = AgreementRule()
    there = [candidate for candidate in candidates if candidate.truth is not None]

    def rank(rule: AgreementRule) -> tuple[float, ...]:
        return (
            -sum(answer_of(rule, candidate).label == candidate.truth for candidate in there),
            abs(rule.detector_weight - default.detector_weight),
            abs(math.log(rule.missed_digit / default.missed_digit)),
            abs(math.log(rule.false_digit / default.false_digit)),
        )

    return min(rules, key=rank)


def answer_of(rule: AgreementRule, candidate: KnownCandidate) -> Answer:
    """Returns what a rule says of a candidate."""
    return rule.answer(
        candidate.distribution,
        candidate.class_scores,
        candidate.number_score,
        candidate.region_evidence,
    )


def _rounded(weights: np.ndarray) -> tuple[float, ...]:
    return tuple(np.round(weights, 6).tolist())
