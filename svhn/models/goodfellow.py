"""`goodfellow`: the network of the paper (Goodfellow et al. 2013, arXiv 1312.6082, section 5.1).

Eight convolutional layers, one locally connected, two fully connected; the first layer is maxout
with three filters a unit, the others are rectifiers; 5×5 kernels with zero padding; 2×2 max
pooling with stride 2 and 1 in turn and subtractive normalisation over 3×3 windows in each
convolutional layer; dropout in every hidden layer. The paper doesn't name the dropout rates:
here 0.1 before the dense layers and 0.5 in them (with 0.2 the noise of ten layers drowns the
signal of a new network: it has 30 times its variance).
"""

from typing import Any

import keras
from keras import layers, ops

from svhn.models.dropout import Dropout
from svhn.models.heads import six_heads
from svhn.picture_size import PAPER_SIZE

PICTURE_SIZE = PAPER_SIZE

CONVOLUTION_CHANNELS = (48, 64, 128, 160, 192, 192, 192, 192)
MAXOUT_FILTERS = 3
LOCAL_CHANNELS = 192
DENSE_UNITS = (3072, 3072)
KERNEL_SIZE = 5
CONVOLUTION_DROPOUT = 0.1
DENSE_DROPOUT = 0.5


def build() -> keras.Model:
    """Returns the model with random weights. See `svhn.models` for inputs and outputs."""
    images = keras.Input((*PICTURE_SIZE, 3), name="images")
    features = images
    for number, channels in enumerate(CONVOLUTION_CHANNELS, start=1):
        filters = channels * (MAXOUT_FILTERS if number == 1 else 1)
        features = layers.Conv2D(
            filters,
            KERNEL_SIZE,
            padding="same",
            kernel_initializer="he_normal",
            name=f"convolution_{number}",
        )(features)
        if number == 1:
            features = Maxout(MAXOUT_FILTERS, name="maxout_1")(features)
        else:
            features = layers.ReLU(name=f"rectifier_{number}")(features)
        strides = 2 if number % 2 == 1 else 1
        features = layers.MaxPooling2D(2, strides, padding="same", name=f"pool_{number}")(features)
        features = SubtractiveNormalization(3, name=f"normalisation_{number}")(features)
        features = Dropout(CONVOLUTION_DROPOUT, name=f"dropout_{number}")(features)

    features = LocallyConnected2D(LOCAL_CHANNELS, KERNEL_SIZE, name="locally_connected")(features)
    features = layers.ReLU(name="rectifier_local")(features)
    features = Dropout(CONVOLUTION_DROPOUT, name="dropout_local")(features)
    features = layers.Flatten(name="flatten")(features)
    for number, units in enumerate(DENSE_UNITS, start=1):
        features = layers.Dense(units, kernel_initializer="he_normal", name=f"dense_{number}")(
            features
        )
        features = layers.ReLU(name=f"rectifier_dense_{number}")(features)
        features = Dropout(DENSE_DROPOUT, name=f"dropout_dense_{number}")(features)
    return keras.Model(images, six_heads(features), name="goodfellow")


@keras.saving.register_keras_serializable("svhn")
class Maxout(layers.Layer):
    """The largest of `filters` responses for each unit (Goodfellow et al. 2013, arXiv 1302.4389).

    Input [..., filters · C], output [..., C]; unit c has the channels c, C + c, 2 C + c, ….
    """

    def __init__(self, filters: int, **keywords: Any):
        super().__init__(**keywords)
        self.filters = filters

    def call(self, inputs: Any) -> Any:
        """Returns the maximum over each unit's filters."""
        largest, *others = ops.split(inputs, self.filters, axis=-1)
        for other in others:
            largest = ops.maximum(largest, other)
        return largest

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make the same layer."""
        return {**super().get_config(), "filters": self.filters}


@keras.saving.register_keras_serializable("svhn")
class SubtractiveNormalization(layers.Layer):
    """Takes from each value the mean of its neighbourhood over all channels.

    Jarrett et al. 2009, "What is the Best Multi-Stage Architecture for Object Recognition?",
    section 2, with a uniform window. At an edge the mean is over what lies within the image.
    """

    def __init__(self, window: int, **keywords: Any):
        super().__init__(**keywords)
        self.window = window

    def call(self, inputs: Any) -> Any:
        """Returns the inputs less the local mean, of the same shape [B, H, W, C]."""
        mean = ops.mean(inputs, axis=-1, keepdims=True)
        return inputs - ops.average_pool(mean, self.window, strides=1, padding="same")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make the same layer."""
        return {**super().get_config(), "window": self.window}


@keras.saving.register_keras_serializable("svhn")
class LocallyConnected2D(layers.Layer):
    """A convolution with zero padding whose weights differ from position to position.

    Keras 3 has none any more. Input [B, H, W, C], output [B, H, W, channels].
    """

    def __init__(self, channels: int, kernel_size: int, **keywords: Any):
        super().__init__(**keywords)
        self.channels = channels
        self.kernel_size = kernel_size

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes a kernel and a bias for every position."""
        _, height, width, input_channels = input_shape
        inputs = self.kernel_size**2 * input_channels
        self.kernel = self.add_weight(
            name="kernel",
            shape=(height, width, inputs, self.channels),
            # He initialisation of each position's own kernel: the fan-in is that of one position.
            initializer=keras.initializers.RandomNormal(stddev=(2 / inputs) ** 0.5),
        )
        self.bias = self.add_weight(
            name="bias", shape=(height, width, self.channels), initializer="zeros"
        )

    def call(self, inputs: Any) -> Any:
        """Returns the responses before the activation."""
        return ops.einsum("bhwi,hwio->bhwo", self._patches(inputs), self.kernel) + self.bias

    def _patches(self, inputs: Any) -> Any:
        """The neighbourhood of each position, [B, H, W, kernel_size² · C], row by row.

        `ops.image.extract_patches` gives the same through a convolution with an identity matrix,
        which costs more than half as many multiply-adds as the whole network.
        """
        _, height, width, _ = inputs.shape
        before = (self.kernel_size - 1) // 2
        rim = (before, self.kernel_size - 1 - before)
        padded = ops.pad(inputs, [(0, 0), rim, rim, (0, 0)])
        return ops.concatenate(
            [
                padded[:, row : row + height, column : column + width]
                for row in range(self.kernel_size)
                for column in range(self.kernel_size)
            ],
            axis=-1,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make the same layer."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "kernel_size": self.kernel_size,
        }
