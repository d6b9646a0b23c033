"""What the reader thinks of every number that a picture could show, in NumPy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from svhn.labels import LENGTH_MORE_THAN_FIVE, MAX_DIGITS, NO_DIGIT

Label = tuple[int, ...]
"""`[length, digit_1, …, digit_5]` as `svhn.labels.label_array` makes it, as a tuple."""


@dataclass(frozen=True, eq=False)
class NumberDistribution:
    """P(number) = P(length) · Π P(digit), in logarithms: Goodfellow et al. 2013, section 4."""

    lengths: np.ndarray
    """float [7]: log P(L) of the lengths 0 to 5 and "more than five"."""

    digits: np.ndarray
    """float [5, 10]: log P(S_i) at each position, given that there is a digit."""

    def most_likely(self, length: int) -> Label:
        """Returns the most likely number of a length, 0 to 6."""
        if length == LENGTH_MORE_THAN_FIVE:
            return as_label([0] * length)
        return as_label(self.digits[:length].argmax(axis=1).tolist())

    def best(self) -> Label:
        """Returns the most likely number of all lengths."""
        labels = map(self.most_likely, range(len(self.lengths)))
        return max(labels, key=self.log_probability)

    def log_probability(self, label: Sequence[int]) -> float:
        """Returns the logarithm of a number's probability, given its label; -inf to 0."""
        named = [digit for digit in label[1:] if digit != NO_DIGIT]
        digits = self.digits[np.arange(len(named)), named] if named else np.zeros(0)
        return float(self.lengths[label[0]] + digits.sum())

    def digit_probabilities(self, label: Sequence[int]) -> tuple[float, ...]:
        """Returns the probability of a number's digit at each of the five positions, or 0."""
        return tuple(
            0.0 if digit == NO_DIGIT else float(np.exp(self.digits[position, digit]))
            for position, digit in enumerate(label[1:])
        )


def average(distributions: Sequence[NumberDistribution]) -> NumberDistribution:
    """Returns the mean of the probabilities of several looks at one number, at least one."""
    return NumberDistribution(
        _mean([distribution.lengths for distribution in distributions]),
        _mean([distribution.digits for distribution in distributions]),
    )


def _mean(logarithms: Sequence[np.ndarray]) -> np.ndarray:
    mean = np.exp(np.asarray(logarithms, np.float64)).mean(axis=0)
    return np.log(np.maximum(mean, np.finfo(np.float64).tiny))


def at_temperature(distribution: NumberDistribution, temperature: float) -> NumberDistribution:
    """Returns a surer distribution, or with a temperature above 1 one that is less sure.

    Args:
        distribution: Of a number.
        temperature: What the logarithms of all probabilities are divided by, above 0; their sum is
            1 again after that.
    """

    def tempered(logarithms: np.ndarray) -> np.ndarray:
        scores = logarithms / temperature
        highest = scores.max(axis=-1, keepdims=True)
        total = np.log(np.exp(scores - highest).sum(axis=-1, keepdims=True))
        return scores - highest - total

    return NumberDistribution(tempered(distribution.lengths), tempered(distribution.digits))


def as_label(digits: Sequence[int]) -> Label:
    """Returns the label of a number, given its digits from left to right; any count.

    The same as `svhn.labels.label_array`, faster.
    """
    if len(digits) > MAX_DIGITS:
        return (LENGTH_MORE_THAN_FIVE, *[NO_DIGIT] * MAX_DIGITS)
    return (len(digits), *digits, *[NO_DIGIT] * (MAX_DIGITS - len(digits)))
