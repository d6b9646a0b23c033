"""The temperature that makes confidences honest, in NumPy.

Dividing all logits by one number T changes how sure a network is of its readings and hardly what
it reads (C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural
networks", ICML 2017, section 4.2). Networks that learnt photos by heart are too sure of themselves
(T > 1), those trained with label smoothing or on strongly varied pictures too modest (T < 1).
"""

import math
from collections.abc import Mapping

import numpy as np

from svhn.labels import HEAD_NAMES, NO_DIGIT

LOWEST, HIGHEST = 0.2, 5.0
"""T stays within: where a few photos are all read right, ever less would seem ever better."""

_BISECTIONS = 30  # to 3e-9 of T
_DECIMALS = 4


def fit_temperature(logits: Mapping[str, np.ndarray], labels: np.ndarray) -> float:
    """Returns the T for which the true numbers are most likely; 1 where there are no photos.

    The negative log-likelihood of the true numbers (length, and the digits that are there) is
    convex in 1/T, so its slope is 0 at one place, which bisection finds.

    Args:
        logits: By head name, floats [N, 7] for "length" and [N, 10] for each digit, undivided.
        labels: The truth, integers [N, 6]: `svhn.labels.label_array`.

    Returns:
        `LOWEST` to `HIGHEST`, to four decimals.
    """
    heads = []
    for position, name in enumerate(HEAD_NAMES):
        # A length is never `NO_DIGIT`: the length head takes part for every photo.
        labelled = labels[:, position] != NO_DIGIT
        scores = np.asarray(logits[name], np.float64)[labelled]
        # Shifted, so that no exponential overflows.
        heads.append((scores - scores.max(axis=1, keepdims=True), labels[labelled, position]))
    if not len(labels):
        return 1.0

    low, high = math.log(LOWEST), math.log(HIGHEST)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        # A slope above 0: 1/T is too large, T too small.
        if _slope(heads, math.exp(-middle)) > 0:
            low = middle
        else:
            high = middle
    return round(math.exp((low + high) / 2), _DECIMALS)


def _slope(heads: list[tuple[np.ndarray, np.ndarray]], inverse: float) -> float:
    """The derivative of the negative log-likelihood by 1/T: expected less true logit, summed."""
    total = 0.0
    for scores, target in heads:
        weights = np.exp(inverse * scores)
        expected = (weights * scores).sum(axis=1) / weights.sum(axis=1)
        total += float((expected - scores[np.arange(len(target)), target]).sum())
    return total
