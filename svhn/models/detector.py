"""`detector`: finds the digits in a photo of any size, each with its class and its box.

A fully convolutional, anchor-free one-stage detector in the way of FCOS (Tian et al. 2019, arXiv
1904.01355): residual stages at 1/4 to 1/32 of the picture's size, a top-down pathway (Lin et al.
2017, arXiv 1612.03144), and at each of three levels cells that say which digit's middle they see
and how far away its four sides are. At the two coarser levels they also say whether they see the
middle of a whole number, and how far away its sides are: small or blurred digits that can't be told
by themselves are a number together. Few channels where there are many pixels: a photo of 640×480
must take two CPU cores well below a tenth of a second. About 2 million parameters.
"""

import math
from typing import Any

import keras
from keras import layers, ops

from svhn.labels import DIGIT_CLASSES
from svhn.models.normalisation import normalise

STEM_CHANNELS = 16
"""At 1/2 of the picture's size."""

STAGES = ((32, 1), (64, 2), (128, 2), (160, 1))
"""Channels and residual blocks at 1/4, 1/8, 1/16 and 1/32 of the picture's size."""

STRIDES = (4, 8, 16)
"""Pixels of the picture from one cell to the next, at each level of the pyramid."""

PYRAMID_CHANNELS = (32, 64, 96)
"""At each level. The finest has most of the cells and the simplest digits."""

NUMBER_LEVELS = (1, 2)
"""The levels whose cells see whole numbers, too: places in `STRIDES`."""

_SCORE_BEFORE_TRAINING = 0.01
"""So that the many empty cells don't drown the few with a digit (Lin et al. 2017, 1708.02002)."""

_DISTANCE_BEFORE_TRAINING = 3.0
"""From a cell's centre to the sides of its digit, in strides."""


def build(input_size: int | None = None) -> keras.Model:
    """Returns the model with random weights.

    Its input are pictures, float32 [B, H, W, 3], grey levels 0 to 255, H and W multiples of 32 (see
    `svhn.detector_input`). Its outputs are float32, the cells of the levels one after the other,
    each level row by row (`svhn.detection.cells` tells where they lie):
    "class_logits" [B, cells, 10], for each digit by itself: how sure is it that the cell sees the
    middle of one; and "box_distances" [B, cells, 4]: from the cell's centre to the left, top,
    right and bottom side of that digit, pixels. They are negative by up to half a stride where the
    centre lies beside a digit that is narrower than the cell.
    "number_logits" [B, number cells, 1] and "number_distances" [B, number cells, 4] are the same of
    whole numbers, of the cells of `NUMBER_LEVELS` alone.

    Args:
        input_size: Height and width of the pictures in pixels; None for any.
    """
    images = keras.Input((input_size, input_size, 3), name="images")
    # Mid-grey becomes 0, which is what convolutions see beyond the edge.
    features = layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling")(images)
    features = _convolve(features, STEM_CHANNELS, size=5, strides=2, name="stem")
    stages = []
    for stage, (channels, blocks) in enumerate(STAGES, start=1):
        features = _convolve(features, channels, strides=2, name=f"stage_{stage}_reduction")
        for block in range(1, blocks + 1):
            features = _residual_block(features, f"stage_{stage}_block_{block}")
        stages.append(features)

    coarser = stages[-1]
    outputs = {"class_logits": [], "box_distances": [], "number_logits": [], "number_distances": []}
    for level in reversed(range(len(STRIDES))):
        channels, name = PYRAMID_CHANNELS[level], f"level_{level + 1}"
        lateral = _project(stages[level], channels, f"{name}_lateral")
        from_coarser = _project(coarser, channels, f"{name}_top_down")
        from_coarser = layers.UpSampling2D(name=f"{name}_upsampling")(from_coarser)
        features = layers.Add(name=f"{name}_add")([lateral, from_coarser])
        coarser = _convolve(features, channels, name=f"{name}_merge")
        features = _convolve(coarser, channels, name=f"{name}_trunk")
        outputs["class_logits"].insert(0, _logits(features, DIGIT_CLASSES, f"{name}_class"))
        outputs["box_distances"].insert(0, _distances(features, STRIDES[level], name))
        if level in NUMBER_LEVELS:
            name = f"{name}_number"
            features = _convolve(coarser, channels, name=f"{name}_trunk")
            outputs["number_logits"].insert(0, _logits(features, 1, name))
            outputs["number_distances"].insert(0, _distances(features, STRIDES[level], name))
    joined = {
        name: layers.Concatenate(axis=1, dtype="float32", name=name)(levels)
        for name, levels in outputs.items()
    }
    return keras.Model(images, joined, name="detector")


@keras.saving.register_keras_serializable("svhn")
class Distances(layers.Layer):
    """Any number to a distance in pixels, float32, at least minus half a stride."""

    def __init__(self, stride: int, **arguments: Any):
        super().__init__(dtype="float32", **arguments)
        self.stride = stride

    def call(self, inputs: Any) -> Any:
        """Returns the distances, of the shape of `inputs`."""
        return (ops.softplus(inputs) - 0.5) * self.stride

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make this layer again."""
        config = super().get_config()
        del config["dtype"]
        return {**config, "stride": self.stride}


def _residual_block(inputs: Any, name: str) -> Any:
    channels = inputs.shape[-1]
    features = _convolve(inputs, channels, name=f"{name}_first")
    features = _convolve(features, channels, activation=None, name=f"{name}_second")
    features = layers.Add(name=f"{name}_add")([inputs, features])
    return layers.Activation("relu", name=f"{name}_activation")(features)


def _convolve(
    inputs: Any,
    channels: int,
    *,
    size: int = 3,
    strides: int = 1,
    activation: str | None = "relu",
    name: str,
) -> Any:
    """Returns the inputs convolved, normalised and activated; CPUs fuse them in this order."""
    features = layers.Conv2D(
        channels,
        size,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_convolution",
    )(inputs)
    features = normalise(features, name)
    if activation is None:
        return features
    return layers.Activation(activation, name=f"{name}_activation")(features)


def _project(inputs: Any, channels: int, name: str) -> Any:
    return layers.Conv2D(channels, 1, name=name)(inputs)


def _logits(features: Any, classes: int, name: str) -> Any:
    prior = -math.log(1 / _SCORE_BEFORE_TRAINING - 1)
    logits = layers.Conv2D(
        classes,
        1,
        dtype="float32",
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(prior),
        name=f"{name}_logits",
    )(features)
    return layers.Reshape((-1, classes), dtype="float32", name=f"{name}_cells")(logits)


def _distances(features: Any, stride: int, name: str) -> Any:
    sides = layers.Conv2D(
        4,
        1,
        dtype="float32",
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(_DISTANCE_BEFORE_TRAINING),
        name=f"{name}_sides",
    )(features)
    distances = Distances(stride, name=f"{name}_distances")(sides)
    return layers.Reshape((-1, 4), dtype="float32", name=f"{name}_box_cells")(distances)
