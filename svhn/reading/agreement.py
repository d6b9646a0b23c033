"""The rule where reader and detector disagree: which number it is, and how sure that is. In NumPy.

Two networks look at a number. The detector (`svhn.detection`) sees each digit by itself: a score
for each of the ten digits at each place where it found one. The reader (the six heads) sees the
number as a whole, in a crop that follows from the detector's boxes, and says how likely each
number is: P(L) · Π P(S_i).

Candidates are the reader's most likely number of each length 1 to 5 and "more than five", the
detector's own number, and, of the length that the detector found, the number whose digits both
together find most likely. The answer is the candidate S with the highest

    log P_reader(S) + w · log D(S).

D(S) is how well the digits that were found explain S: the best way to lay them along its digits,
in order. A place that shows a digit of S counts as much as that digit's share in the scores there.
One that shows nothing of S counts `false_digit` · (1 - s) / s, at most 1, where s is the score of
the surest digit there. A digit of S that was not found counts `missed_digit`. So a digit that the
detector missed or invented costs something, rather than making its whole number worthless.

A number that was found may be several: with or without a doubtful digit at an end
(`svhn.reading.candidates`). Each has its answer, and its odds

    odds = exp(weights · features)

of four things: a constant, the reader's log odds of the answer, and the detector's log odds of the
candidate, of its digits and of the number as a whole (`FoundNumber.region_evidence`). One of the
candidates is right, or none, which has odds of 1: so an answer has its odds' share in 1 + all odds,
and those that name the same number speak for each other. The best share s is turned into the
confidence, the probability that the whole answer is right (that there is a number, and that it is
this one):

    log odds of the confidence = level + steepness · log odds of s.

All these numbers are fitted on photos with known numbers and on pictures without any
(`svhn.evaluation.fit_rule`), with the confidence from which on a number is shown. Before that the
confidence is the reader's probability times the detector's score: rather too low than too high, as
two networks that agree are right more often than either of them thinks.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from svhn.errors import UserError
from svhn.labels import DIGIT_CLASSES, LENGTH_MORE_THAN_FIVE, MAX_DIGITS, NO_DIGIT
from svhn.reading.distribution import Label, NumberDistribution, as_label
from svhn.stored_calibration import StoredCalibration

FEATURES = (
    "constant",
    "log odds of the reader",
    "log odds of the score",
    "log odds of the region",
)
"""What the odds are made of; the weights of `AgreementRule.odds_weights` in order."""

_LEAST_SHARE = 1e-3  # of a digit in the scores at a place: no network is surer than that
_LEAST_EVIDENCE = 0.02  # of a region: what is less says no more
_MOST_LOG_ODDS = 8.0  # 0.99966: beyond, differences say nothing any more


class Answer(NamedTuple):
    """What a candidate was read as, after both networks were heard."""

    label: Label
    """`[length, digit_1, …, digit_5]`; never of length 0."""

    odds: float
    """That it is right, against no other candidate; at least 0."""

    features: np.ndarray
    """float64 [4]: what the odds are made of, see `FEATURES`."""


@dataclasses.dataclass(frozen=True)
class AgreementRule:
    """The rule, with what was found on validation photos. Without arguments: never fitted."""

    detector_weight: float = 0.5
    """w: what the detector's word counts beside the reader's; 0 leaves the answer to the reader."""

    missed_digit: float = 0.05
    """How likely it is that the detector misses a digit, above 0 and below 1."""

    false_digit: float = 0.2
    """The odds that a digit of a number that was found is none, if its score is 0.5; above 0."""

    odds_weights: tuple[float, ...] | None = None
    """Of the features in the odds; None before the rule was fitted."""

    calibration: StoredCalibration = dataclasses.field(default_factory=StoredCalibration)
    """The confidence from which on answers reach an accuracy (its temperature is not used)."""

    reader: str = ""
    """The fingerprint of the reader that the rule was fitted with (`svhn.reading.fingerprint`)."""

    confidence_line: tuple[float, float] = (0.0, 1.0)
    """Level and steepness: from the log odds of the best share to those of the confidence."""

    least_confidence: float = 0.2
    """A number that is less sure is not shown, as far as the rule was fitted."""

    @property
    def is_fitted(self) -> bool:
        """Whether the confidence is a probability that was measured."""
        return self.odds_weights is not None

    def answer(
        self,
        distribution: NumberDistribution,
        class_scores: np.ndarray,
        number_score: float,
        region_evidence: float = 0.0,
    ) -> Answer:
        """Returns the answer for one candidate of a number that was found.

        Args:
            distribution: What the reader says of its crop, at the reader's temperature.
            class_scores: float [N, 10], 0 to 1: the detector's score of each digit at each of the N
                places, in reading order (`svhn.detection.decoding.DetectedDigits`).
            number_score: The detector's score of the number, 0 to 1.
            region_evidence: How sure the detector is of the number as a whole, 0 to 1.
        """
        shares, false_places = _log_shares(class_scores), self._log_false(class_scores)

        def detected(label: Label) -> float:
            return self._log_detected(label, shares, false_places)

        def score(label: Label) -> float:
            reader = max(distribution.log_probability(label), -1e9)  # -inf · 0 is no number
            # Where no digit was seen, that is no word about which ones there are.
            return reader + (self.detector_weight * detected(label) if len(shares) else 0.0)

        label = max(self.candidates(distribution, class_scores), key=score)
        features = np.array(
            [
                1.0,
                _log_odds(math.exp(distribution.log_probability(label))),
                _log_odds(number_score),
                _log_odds(max(float(region_evidence), _LEAST_EVIDENCE)),
            ]
        )
        if self.is_fitted:
            log_odds = float(features @ np.asarray(self.odds_weights))
            odds = math.exp(max(min(log_odds, 30.0), -30.0))
        else:
            probability = math.exp(distribution.log_probability(label))
            probability *= max(float(number_score), float(region_evidence))
            odds = probability / max(1 - probability, 1e-9)
        return Answer(label, odds, features)

    def choose(self, answers: Sequence[Answer]) -> tuple[int, float]:
        """Returns which answer to a number holds, and the confidence in it.

        Args:
            answers: Of its candidates, at least one.

        Returns:
            The place of the answer (where several candidates name that number, of the one with the
            best odds, and of equal ones the first); and 0 to 1.
        """
        if not self.is_fitted:
            best = max(range(len(answers)), key=lambda place: answers[place].odds)
            return best, answers[best].odds / (1 + answers[best].odds)
        by_label: dict[Label, float] = {}
        for answer in answers:
            by_label[answer.label] = by_label.get(answer.label, 0.0) + answer.odds
        best = max(
            range(len(answers)),
            key=lambda place: (by_label[answers[place].label], answers[place].odds),
        )
        share = by_label[answers[best].label] / (1 + sum(by_label.values()))
        level, steepness = self.confidence_line
        return best, _probability(level + steepness * _log_odds(share))

    def shown(self, confidences: Sequence[float]) -> list[int]:
        """Returns the places of the numbers of a photo that are shown, the best first.

        Before the rule was fitted these are all, in their order. (Of those that are equally sure,
        the one that the finder named first stays first.)

        Args:
            confidences: Of each number that was found, in the finder's order.
        """
        places = range(len(confidences))
        if not self.is_fitted:
            return list(places)
        shown = (place for place in places if confidences[place] >= self.least_confidence)
        return sorted(shown, key=lambda place: -confidences[place])

    def candidates(
        self, distribution: NumberDistribution, class_scores: np.ndarray
    ) -> tuple[Label, ...]:
        """Returns the numbers among which the rule chooses; arguments as for `answer`."""
        lengths = range(1, LENGTH_MORE_THAN_FIVE + 1)
        found = [distribution.most_likely(length) for length in lengths]
        shares = _log_shares(class_scores)
        if len(shares):
            found.append(as_label(shares.argmax(axis=1).tolist()))
        if 0 < len(shares) <= MAX_DIGITS:
            both = distribution.digits[: len(shares)] + self.detector_weight * shares
            found.append(as_label(both.argmax(axis=1).tolist()))
        return tuple(dict.fromkeys(found))

    def log_detected(self, label: Label, class_scores: np.ndarray) -> float:
        """Returns log D: how well the digits that were found explain a number; at most 0.

        Args:
            label: The number.
            class_scores: As for `answer`.
        """
        return self._log_detected(label, _log_shares(class_scores), self._log_false(class_scores))

    def _log_detected(self, label: Label, shares: np.ndarray, false_places: np.ndarray) -> float:
        log_missed = math.log(self.missed_digit)
        length = label[0]
        if length == LENGTH_MORE_THAN_FIVE:  # any six digits or more
            best = shares.max(axis=1).sum() if len(shares) else 0.0
            return float(best) + max(0, length - len(shares)) * log_missed
        digits = [digit for digit in label[1:] if digit != NO_DIGIT]
        # best[j]: the places so far, laid along the first j digits. Python's own floats are faster
        # than arrays this short.
        best = [position * log_missed for position in range(length + 1)]
        for share, false in zip(shares.tolist(), false_places.tolist(), strict=True):
            laid = [best[0] + false]
            for position, digit in enumerate(digits):
                laid.append(
                    max(
                        best[position + 1] + false,
                        best[position] + share[digit],
                        laid[position] + log_missed,
                    )
                )
            best = laid
        return best[-1]

    def _log_false(self, class_scores: np.ndarray) -> np.ndarray:
        """What each place counts if it shows no digit, [N], at most 0."""
        surest = np.clip(_scores(class_scores).max(axis=1), _LEAST_SHARE, 1 - _LEAST_SHARE)
        return np.minimum(np.log(self.false_digit * (1 - surest) / surest), 0.0)

    def demand_threshold(self, accuracy: float, reader: str, source: str) -> float:
        """Returns the confidence from which on answers reach an accuracy.

        Args:
            accuracy: 0 to 1, as a user asked for it with `--min_accuracy`.
            reader: The fingerprint of the reader that is used.
            source: The detector's file, for the message.

        Raises:
            UserError: If none is known, or only for another reader.
        """
        if not self.calibration.thresholds or self.reader != reader:
            problem = (
                "its thresholds hold for another reader"
                if self.calibration.thresholds
                else "it has no thresholds for numbers that are found in photos"
            )
            raise UserError(
                f"--min_accuracy={accuracy:g}: {source}: {problem}. Leave --min_accuracy out, or "
                "take the packaged reader and detector, or cut the numbers out and give "
                "--boxes=whole"
            )
        return self.calibration.demand_threshold(accuracy, source)

    def as_json(self) -> dict[str, Any]:
        """Returns it as JSON can hold it."""
        return {
            "detector_weight": self.detector_weight,
            "missed_digit": self.missed_digit,
            "false_digit": self.false_digit,
            "odds_weights": self.odds_weights and list(self.odds_weights),
            "calibration": self.calibration.as_json(),
            "reader": self.reader,
            "confidence_line": list(self.confidence_line),
            "least_confidence": self.least_confidence,
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any] | None) -> "AgreementRule":
        """Returns what `as_json` gave; the rule that was never fitted for None, and for what was
        fitted before there were candidates and regions.
        """
        if saved is None or "odds_weights" not in saved:
            return cls()
        weights = saved["odds_weights"]
        if weights is not None and len(weights) != len(FEATURES):
            return cls()
        return cls(
            saved["detector_weight"],
            saved["missed_digit"],
            saved["false_digit"],
            None if weights is None else tuple(weights),
            StoredCalibration.from_json(saved["calibration"]),
            saved["reader"],
            tuple(saved["confidence_line"]),
            saved["least_confidence"],
        )


def _scores(class_scores: np.ndarray) -> np.ndarray:
    scores = np.asarray(class_scores, np.float64).reshape(-1, DIGIT_CLASSES)
    return np.clip(scores, 0.0, 1.0)


def _log_shares(class_scores: np.ndarray) -> np.ndarray:
    """The logarithm of each digit's share in the scores at each place, [N, 10]."""
    scores = _scores(class_scores) + _LEAST_SHARE
    return np.log(scores / scores.sum(axis=1, keepdims=True))


def _log_odds(probability: float) -> float:
    least = 1 / (1 + math.exp(_MOST_LOG_ODDS))
    inside = min(max(float(probability), least), 1 - least)
    return math.log(inside / (1 - inside))


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-max(min(log_odds, 30.0), -30.0)))
