"""`compact`: a small residual network, the default.

Pre-activation residual blocks (He et al. 2016, arXiv 1603.05027) at 27, 14 and 7 pixels, then
one dense layer over all positions, because the digit heads must know where in the number a digit
stands. About 3 million parameters.
"""

from typing import Any

import keras
from keras import layers

from svhn.models.dropout import Dropout
from svhn.models.heads import six_heads

STAGES = ((32, 2), (64, 2), (128, 2))
"""Channels and residual blocks of each stage; every stage after the first halves the size."""

DENSE_UNITS = 320

DROPOUT = 0.3
"""The share of the dense layer's units that a training step leaves out."""


def build(input_size: int = 54) -> keras.Model:
    """Returns the model with random weights. See `svhn.models` for inputs and outputs."""
    images = keras.Input((input_size, input_size, 3), name="images")
    features = _convolution(STAGES[0][0], 5, strides=2, name="stem")(images)
    for stage, (channels, blocks) in enumerate(STAGES, start=1):
        for block in range(1, blocks + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            features = _residual_block(features, channels, strides, f"stage_{stage}_block_{block}")
    features = _normalise_and_activate(features, "last")
    features = layers.Flatten(name="flatten")(features)
    features = layers.Dense(DENSE_UNITS, use_bias=False, name="dense")(features)
    features = _normalise_and_activate(features, "dense")
    features = Dropout(DROPOUT, name="dropout")(features)
    return keras.Model(images, six_heads(features), name="compact")


def _residual_block(inputs: Any, channels: int, strides: int, name: str) -> Any:
    activated = _normalise_and_activate(inputs, f"{name}_first")
    if strides == 1 and inputs.shape[-1] == channels:
        shortcut = inputs
    else:
        shortcut = _convolution(channels, 1, strides=strides, name=f"{name}_shortcut")(activated)
    features = _convolution(channels, 3, strides=strides, name=f"{name}_first")(activated)
    features = _normalise_and_activate(features, f"{name}_second")
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


def _normalise_and_activate(features: Any, name: str) -> Any:
    # Statistics over all replicas: two replicas with half a batch each train as one with the
    # whole batch does. Only Keras's TensorFlow backend offers (and needs) it.
    features = layers.BatchNormalization(
        momentum=0.95,
        synchronized=keras.backend.backend() == "tensorflow",
        name=f"{name}_normalisation",
    )(features)
    return layers.Activation("relu", name=f"{name}_activation")(features)
