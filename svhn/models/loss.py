"""The loss of the six heads (Goodfellow et al. 2013, section 4 and appendix A).

log P(S | X) = log P(L | X) + Σ_{i ≤ L} log P(S_i | X), its negative averaged over the batch. A
position without a digit takes no part and sends back no gradient; a number with more than five
digits trains the length head alone.

What other networks say of a picture is a truth with probabilities: every number counts as much as
they believe in it (Hinton et al. 2015, arXiv 1503.02531).
"""

from collections.abc import Mapping
from typing import Any

from keras import ops

from svhn.labels import DIGIT_CLASSES, HEAD_NAMES, LENGTH_CLASSES, MAX_DIGITS, NO_DIGIT


def number_loss(logits: Mapping[str, Any], labels: Any, label_smoothing: float = 0.0) -> Any:
    """Returns the negative log-likelihood of each picture's number.

    Args:
        logits: By head name, as the models give them.
        labels: int [B, 6], as `svhn.labels.label_array` makes them.
        label_smoothing: The share of each target that is spread over all classes of its head.

    Returns:
        float32 [B], in nats.
    """
    loss = _cross_entropy(logits["length"], labels[:, 0], LENGTH_CLASSES, label_smoothing)
    for position, name in enumerate(HEAD_NAMES[1:], start=1):
        digit = labels[:, position]
        is_digit = digit != NO_DIGIT
        # The class 0 stands in where there is no digit; `where` then drops loss and gradient.
        digit_loss = _cross_entropy(
            logits[name], ops.where(is_digit, digit, 0), DIGIT_CLASSES, label_smoothing
        )
        loss = loss + ops.where(is_digit, digit_loss, 0.0)
    return loss


def soft_number_loss(logits: Mapping[str, Any], probabilities: Mapping[str, Any]) -> Any:
    """Returns the cross-entropy of each picture's number against probabilities of it.

    Each digit head counts as much as it is probable that a digit stands there. Where the
    probabilities are 1 for a number and 0 for all others, it is `number_loss` of that number.

    Args:
        logits: By head name, as the models give them.
        probabilities: By head name, of each class: float32 [B, 7] for "length", [B, 10] for digits.

    Returns:
        float32 [B], in nats.
    """
    lengths = probabilities["length"]
    loss = _soft_cross_entropy(logits["length"], lengths)
    for position, name in enumerate(HEAD_NAMES[1:], start=1):
        # "More than five" trains the length head alone, as a label does.
        is_digit = ops.sum(lengths[:, position : MAX_DIGITS + 1], axis=-1)
        loss = loss + is_digit * _soft_cross_entropy(logits[name], probabilities[name])
    return loss


def _soft_cross_entropy(logits: Any, probabilities: Any) -> Any:
    scores = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    return -ops.sum(probabilities * scores, axis=-1)


def _cross_entropy(logits: Any, target: Any, classes: int, label_smoothing: float) -> Any:
    scores = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    likelihood = ops.sum(ops.one_hot(target, classes) * scores, axis=-1)
    return -(1 - label_smoothing) * likelihood - label_smoothing * ops.mean(scores, axis=-1)
