"""`compact`: a small residual network, the default.

Pre-activation residual blocks (He et al. 2016, arXiv 1603.05027) at 27, 14 and 7 pixels, then
one dense layer over all places, because the digit heads must know where in the number a digit
stands. About 3 million parameters.

A digit looks the same wherever it stands, but each of the paper's five digit heads has to learn it
anew, the fifth from the few numbers that have one. So a classifier that all five share adds its
opinion: the dense layer says where the features of each digit are (attention, as in Wojna et al.
2017, arXiv 1704.03549), and the classifier sees the mean of the features there.
"""

from typing import Any

import keras
from keras import layers

from svhn.labels import DIGIT_CLASSES, HEAD_NAMES, MAX_DIGITS
from svhn.models.dropout import Dropout
from svhn.models.heads import six_heads
from svhn.models.normalisation import normalise_and_activate
from svhn.picture_size import PAPER_SIZE

PICTURE_SIZE = PAPER_SIZE

STAGES = ((32, 2), (64, 2), (128, 2))
"""Channels and residual blocks of each stage; every stage after the first halves the size."""

DENSE_UNITS = 320

SHARED_UNITS = 128
"""Of the classifier that the five digits share."""

DROPOUT = 0.3
"""The share of the dense layer's units that a training step leaves out."""


def build() -> keras.Model:
    """Returns the model with random weights. See `svhn.models` for inputs and outputs."""
    images = keras.Input((*PICTURE_SIZE, 3), name="images")
    features = _convolution(STAGES[0][0], 5, strides=2, name="stem")(images)
    for stage, (channels, blocks) in enumerate(STAGES, start=1):
        for block in range(1, blocks + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            features = _residual_block(features, channels, strides, f"stage_{stage}_block_{block}")
    local_features = normalise_and_activate(features, "last")
    features = layers.Flatten(name="flatten")(local_features)
    features = layers.Dense(DENSE_UNITS, use_bias=False, name="dense")(features)
    features = normalise_and_activate(features, "dense")
    shared_logits = _shared_digit_logits(local_features, features)
    logits = six_heads(Dropout(DROPOUT, name="dropout")(features))
    for place, name in enumerate(HEAD_NAMES[1:]):
        logits[name] = layers.Add(dtype="float32", name=f"{name}_sum")(
            [logits[name], shared_logits[:, place]]
        )
    return keras.Model(images, logits, name="compact")


def _shared_digit_logits(local_features: Any, features: Any) -> Any:
    """Returns what one classifier says of each digit, float32 [B, 5, 10].

    Args:
        local_features: [B, rows, columns, channels].
        features: [B, units]: tell where each digit is.
    """
    _, rows, columns, channels = local_features.shape
    places = rows * columns
    where = layers.Dense(MAX_DIGITS * places, name="attention_logits")(features)
    where = layers.Reshape((MAX_DIGITS, places), name="attention_places")(where)
    where = layers.Softmax(dtype="float32", name="attention")(where)
    local_features = layers.Reshape((places, channels), name="local_features")(local_features)
    seen = layers.Dot(axes=(2, 1), name="attended_features")([where, local_features])
    seen = layers.Dense(SHARED_UNITS, activation="relu", name="shared_digit_features")(seen)
    seen = Dropout(DROPOUT, name="shared_digit_dropout")(seen)
    # At first it has no opinion: the heads alone decide, until it knows something.
    return layers.Dense(
        DIGIT_CLASSES, dtype="float32", kernel_initializer="zeros", name="shared_digit_logits"
    )(seen)


def _residual_block(inputs: Any, channels: int, strides: int, name: str) -> Any:
    activated = normalise_and_activate(inputs, f"{name}_first")
    if strides == 1 and inputs.shape[-1] == channels:
        shortcut = inputs
    else:
        shortcut = _convolution(channels, 1, strides=strides, name=f"{name}_shortcut")(activated)
    features = _convolution(channels, 3, strides=strides, name=f"{name}_first")(activated)
    features = normalise_and_activate(features, f"{name}_second")
    features = _convolution(channels, 3, name=f"{name}_second")(features)
    return layers.Add(name=f"{name}_add")([shortcut, features])


def _convolution(channels: int, size: int, *, strides: int = 1, name: str) -> layers.Layer:
    return layers.Conv2D(
        channels,
        size,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_convolution",
    )
