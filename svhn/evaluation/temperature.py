"""The temperature that makes confidences honest.

Dividing all logits by one number T changes how sure a network is of its readings and hardly what
it reads (C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural
networks", ICML 2017, section 4.2). Networks that learnt photos by heart are too sure of themselves
(T > 1), those trained with label smoothing or on strongly varied pictures too modest (T < 1).

Guo et al. choose the T that makes the true classes most likely. Here a confidence is the product of
several heads', whose mistakes come together: in a blurred photo every digit is hard. The T that is
best for the heads leaves their product too modest. So T is chosen for the number as a whole: it
makes most likely what came of the readings, right or wrong.
"""

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from svhn.decoding import decode
from svhn.models.loss import number_loss

LOWEST, HIGHEST = 0.2, 5.0
"""T stays within: where a few photos are all read right, ever less would seem ever better."""

LEAST_RIGHT = 20
"""Numbers read right from which on T is fitted. A network that reads hardly any would be best at
the highest T, at which it reads other, shorter numbers."""

_COARSE, _FINE = 0.1, 0.01
"""Steps of the search, in log T."""

_SUREST = 1 - 1e-7
"""No reading is surely right: one that is surely wrong must not outweigh all others."""

_DECIMALS = 4


def fit_temperature(logits: Mapping[str, np.ndarray], labels: np.ndarray) -> float:
    """Returns the T at which the confidences tell best what is read right; 1 if that is little.

    "Best" is the log loss of a reading's probability against right or wrong: a proper score, so
    the least is that of honest probabilities. The readings are those at T = 1 throughout; were
    they others at each T, numbers that are surely wrong would count as well told.

    Args:
        logits: By head name, floats [N, 7] for "length" and [N, 10] for each digit, undivided.
        labels: The truth, integers [N, 6]: `svhn.labels.label_array`.

    Returns:
        `LOWEST` to `HIGHEST`, within about 1 %; the least if several are equally good.
    """
    if not len(labels):
        return 1.0
    readings = np.asarray(decode(logits).label)
    right = (readings == labels).all(axis=1)
    if right.sum() < LEAST_RIGHT:
        return 1.0

    def loss(temperature: float) -> float:
        probability = number_probability(logits, readings, temperature)
        probability = np.clip(probability, 1 - _SUREST, _SUREST)
        return float(-np.log(np.where(right, probability, 1 - probability)).mean())

    steps = math.ceil(math.log(HIGHEST / LOWEST) / _COARSE)
    coarse = _best(np.geomspace(LOWEST, HIGHEST, steps + 1), loss)
    around = coarse * np.exp(np.arange(-_COARSE, _COARSE + _FINE / 2, _FINE))
    return round(_best(np.clip(around, LOWEST, HIGHEST), loss), _DECIMALS)


def _best(temperatures: Iterable[float], loss: Callable[[float], float]) -> float:
    return min(map(float, temperatures), key=loss)


def number_probability(
    logits: Mapping[str, np.ndarray], numbers: np.ndarray, temperature: float
) -> np.ndarray:
    """Returns the probability of given numbers, floats [N], 0 to 1.

    Args:
        logits: As for `fit_temperature`.
        numbers: One for each photo, integers [N, 6]: `svhn.labels.label_array`.
        temperature: What the logits are divided by.
    """
    divided = {name: np.asarray(values) / temperature for name, values in logits.items()}
    return np.exp(-np.asarray(number_loss(divided, numbers), np.float64))
