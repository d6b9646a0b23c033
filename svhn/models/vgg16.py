"""`vgg16`: the convolutions of VGG16 (Simonyan and Zisserman 2015, arXiv 1409.1556, column D).

Thirteen 3×3 convolutions in five blocks, named and shaped as in `keras.applications.VGG16`, so that
its ImageNet weights fit (`svhn.models.backbone`). After blocks 1 to 4 the size is halved; the
pooling after block 5 is left out, because it would leave one position of a 54×54 picture, and the
digit heads must know where in the number a digit stands. The dense layers are this project's own:
normalised, because pretrained features are tens of times as large as those of new layers.
"""

import keras
from keras import layers

from svhn.models.dropout import Dropout
from svhn.models.heads import six_heads
from svhn.models.normalisation import normalise_and_activate
from svhn.picture_size import PAPER_SIZE

PICTURE_SIZE = PAPER_SIZE

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and convolutions of each block."""

DENSE_UNITS = (1024, 1024)
DROPOUT = 0.5

BACKBONE_LAYERS = tuple(
    f"block{block}_conv{number}"
    for block, (_, convolutions) in enumerate(BLOCKS, start=1)
    for number in range(1, convolutions + 1)
)
"""The thirteen convolutions, in order."""


def build() -> keras.Model:
    """Returns the model with random weights. See `svhn.models` for inputs and outputs."""
    images = keras.Input((*PICTURE_SIZE, 3), name="images")
    features = images
    for block, (channels, convolutions) in enumerate(BLOCKS, start=1):
        for number in range(1, convolutions + 1):
            features = layers.Conv2D(
                channels,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"block{block}_conv{number}",
            )(features)
        if block < len(BLOCKS):
            features = layers.MaxPooling2D(2, name=f"block{block}_pool")(features)
    features = layers.Flatten(name="flatten")(features)
    for number, units in enumerate(DENSE_UNITS, start=1):
        features = layers.Dense(
            units, use_bias=False, kernel_initializer="he_normal", name=f"dense_{number}"
        )(features)
        features = normalise_and_activate(features, f"dense_{number}")
        features = Dropout(DROPOUT, name=f"dropout_{number}")(features)
    return keras.Model(images, six_heads(features), name="vgg16")
