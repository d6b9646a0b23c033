"""From the six heads' logits to one number: the most likely one, and how likely it is.

The joint maximum over lengths (Goodfellow et al. 2013, section 4): the number S of length L that
maximises log P(L) + Σ_{i ≤ L} max log P(S_i). Its probability is the confidence.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from keras import ops

from svhn.labels import HEAD_NAMES, LENGTH_MORE_THAN_FIVE, MAX_DIGITS, NO_DIGIT


class Decoded(NamedTuple):
    """The most likely number of each picture of a batch."""

    label: Any
    """int32 [B, 6]: `[length, digit_1, …, digit_5]`, as `svhn.labels.label_array` makes it."""

    confidence: Any
    """float32 [B], 0 to 1: the probability of that number."""

    digit_probabilities: Any
    """float32 [B, 5]: the probability of each position's most likely digit; 0 where there is
    no digit."""


def decode(logits: Mapping[str, Any], temperature: float = 1.0) -> Decoded:
    """Returns the most likely number, given the logits of the six heads.

    Works on arrays and tensors of any Keras backend, eagerly or inside a graph.

    Args:
        logits: By head name (`svhn.labels.HEAD_NAMES`): "length" [B, 7], "digit_1" [B, 10] ….
        temperature: What all logits are divided by first, above 0: the network's own
            (`svhn.stored_calibration`) makes its confidence honest. Of two lengths that are nearly
            as likely it may favour the other one; no digit changes.
    """
    scaled = [ops.cast(logits[name], "float32") / temperature for name in HEAD_NAMES]
    length_scores = ops.log_softmax(scaled[0], axis=-1)
    digit_scores = ops.stack(
        [ops.log_softmax(values, axis=-1) for values in scaled[1:]], axis=1
    )  # [B, 5, 10]
    best_digits = ops.cast(ops.argmax(digit_scores, axis=-1), "int32")  # [B, 5]
    best_scores = ops.max(digit_scores, axis=-1)  # [B, 5]

    # What the digits add to the score of length 0, 1, …, 5 and "more than five".
    zero = ops.zeros_like(best_scores[:, :1])
    digits_add = ops.concatenate([zero, ops.cumsum(best_scores, axis=1), zero], axis=1)
    scores = length_scores + digits_add  # [B, 7]
    length = ops.cast(ops.argmax(scores, axis=-1), "int32")

    named = ops.where(length == LENGTH_MORE_THAN_FIVE, 0, length)
    is_digit = ops.arange(MAX_DIGITS, dtype="int32")[None, :] < named[:, None]
    return Decoded(
        label=ops.concatenate(
            [length[:, None], ops.where(is_digit, best_digits, NO_DIGIT)], axis=1
        ),
        confidence=ops.exp(ops.max(scores, axis=-1)),
        digit_probabilities=ops.where(is_digit, ops.exp(best_scores), 0.0),
    )
