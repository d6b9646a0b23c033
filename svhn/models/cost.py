"""What a model costs, counted from its layers."""

import math

import keras
from keras import layers

from svhn.models.goodfellow import LocallyConnected2D


def count_multiply_adds(model: keras.Model) -> int:
    """Returns the multiplications with an addition that one picture takes in inference.

    Of convolutions and dense layers; normalisation, pooling, activations and biases, which together
    come to a few in a hundred or less, are left out, as is usual. A profiler that counts
    floating-point operations gives about twice the figure.

    Args:
        model: A functional model whose sizes are all known but that of the batch.

    Raises:
        TypeError: If a layer has a kernel and isn't known here: it would be counted as nothing.
    """
    return sum(_of_layer(layer) for layer in model.layers)


def _of_layer(layer: layers.Layer) -> int:
    if not hasattr(layer, "kernel"):
        return 0
    if isinstance(layer, LocallyConnected2D):  # its kernel has every position's own weights
        return math.prod(layer.kernel.shape)
    if type(layer) in (layers.Conv2D, layers.Dense):
        # Every output position uses each weight of the kernel once.
        positions = math.prod(layer.output.shape[1:-1])
        return positions * math.prod(layer.kernel.shape)
    raise TypeError(f"Don't know the multiply-adds of {type(layer).__name__} ({layer.name})")
