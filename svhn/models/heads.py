"""The six softmax heads that every model ends with (Goodfellow et al. 2013, section 4)."""

from typing import Any

import keras

from svhn.labels import DIGIT_CLASSES, HEAD_NAMES, LENGTH_CLASSES


def six_heads(features: Any) -> dict[str, Any]:
    """Returns the logits of the length head and the five digit heads.

    The heads compute in float32 whatever the precision of the model before them: softmax and
    loss lose accuracy in half precision.

    Args:
        features: Keras tensor [B, F].

    Returns:
        By head name (`svhn.labels.HEAD_NAMES`): float32 [B, 7] for "length", [B, 10] for digits.
    """
    logits = {}
    for name in HEAD_NAMES:
        classes = LENGTH_CLASSES if name == "length" else DIGIT_CLASSES
        logits[name] = keras.layers.Dense(classes, dtype="float32", name=name)(features)
    return logits
