"""`plain`: three convolutions and a dense layer, to learn from and to try things out with.

Nothing here is clever: no normalisation, no residuals. It compiles and trains several times as
fast as `compact` and reads fewer numbers right.
"""

import keras
from keras import layers

from svhn.models.dropout import Dropout
from svhn.models.heads import six_heads
from svhn.picture_size import PAPER_SIZE

PICTURE_SIZE = PAPER_SIZE

CHANNELS = (16, 32, 64)
DENSE_UNITS = 256


def build() -> keras.Model:
    """Returns the model with random weights. See `svhn.models` for inputs and outputs."""
    images = keras.Input((*PICTURE_SIZE, 3), name="images")
    features = images
    for number, channels in enumerate(CHANNELS, start=1):
        features = layers.Conv2D(
            channels,
            5 if number == 1 else 3,
            strides=2,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"convolution_{number}",
        )(features)
    features = layers.Flatten(name="flatten")(features)
    features = layers.Dense(
        DENSE_UNITS, activation="relu", kernel_initializer="he_normal", name="dense"
    )(features)
    features = Dropout(0.3, name="dropout")(features)
    return keras.Model(images, six_heads(features), name="plain")
