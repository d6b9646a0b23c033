"""From which confidence on readings can be trusted: chosen on one set of photos, kept on others.

The lowest threshold whose readings reach the accuracy on val (that is what coverage means, see
`svhn.evaluation.metrics.coverage_at_accuracy`) promises too much elsewhere: it is the luckiest of
many thresholds, and on other photos falls short every second time. So the lower end of an interval
of the accuracy must reach it: of five validation sets, four then give a threshold that keeps its
promise. The fewer the photos, the more careful the threshold; with very few there is none.
"""

import numpy as np

from svhn.evaluation.metrics import wilson_bounds
from svhn.stored_calibration import STORED_ACCURACIES

NORMAL_QUANTILE_80 = 0.8416212335729143
"""The 80 % quantile of the normal distribution: of five true shares, four lie above the lower end.

In a simulation of readers with 94 % accuracy and some wrong labels, the promise was kept by 75 to
87 % of the validation sets of 229 to 8,000 photos (by 44 to 57 % without an interval, by 90 % with
the 90 % quantile, which however found no threshold for 98 % on a third of the sets of 229).
"""


def choose_thresholds(
    right: np.ndarray,
    confidence: np.ndarray,
    accuracies: tuple[float, ...] = STORED_ACCURACIES,
) -> dict[float, float | None]:
    """Returns, for each accuracy, the confidence from which on readings reach it.

    It is the lowest one such that the one-sided 80 % lower bound (Wilson's) of the accuracy of the
    readings at or above it reaches the accuracy. It lies half-way between the last reading kept
    and the first one dropped, so that rounding decides about neither; where all are kept, it is 0.

    Args:
        right: Booleans of shape (N,): whether the whole number is right; N may be 0.
        confidence: Floats of shape (N,), 0 to 1, of a network with its temperature.
        accuracies: Each 0 to 1.

    Returns:
        By accuracy, as given: 0 to 1; None where no threshold will do.
    """
    order = np.argsort(-np.asarray(confidence, np.float64), kind="stable")
    descending = np.asarray(confidence, np.float64)[order]
    kept = np.arange(1, len(order) + 1)
    correct = np.cumsum(np.asarray(right, bool)[order])
    bound, _ = wilson_bounds(correct, kept, NORMAL_QUANTILE_80)
    below = np.append(descending[1:], 0.0)  # the highest confidence that is dropped
    ends_a_tie = np.append(descending[1:] < descending[:-1], True)[: len(order)]
    thresholds: dict[float, float | None] = {}
    for accuracy in accuracies:
        possible = np.flatnonzero((bound >= accuracy) & ends_a_tie)
        thresholds[accuracy] = None
        if len(possible):
            last = possible[-1]
            keeps_all = last == len(order) - 1
            thresholds[accuracy] = 0.0 if keeps_all else float(descending[last] + below[last]) / 2
    return thresholds
