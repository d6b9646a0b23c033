"""A short text that changes when a network does."""

import hashlib
import json

import keras
import numpy as np

_LENGTH = 16


def fingerprint(model: keras.Model, temperature: float = 1.0) -> str:
    """Returns the fingerprint of a network's weights and temperature, wherever they were stored.

    Args:
        model: Any.
        temperature: What its logits are divided by.
    """
    digest = hashlib.sha256(json.dumps([model.name, temperature]).encode())
    for weight in model.weights:
        values = np.ascontiguousarray(weight.numpy())
        digest.update(json.dumps([str(values.dtype), values.shape]).encode())
        digest.update(values.data)
    return digest.hexdigest()[:_LENGTH]
