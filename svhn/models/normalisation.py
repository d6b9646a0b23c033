"""Batch normalisation as the networks use it."""

import math
from typing import Any

import keras
from keras import layers, ops

from svhn.models import PRECISIONS
from svhn.models.replicas import replica_place

MOMENTUM = 0.95
"""Of the moving mean and variance: what a step leaves of them."""


def normalise_and_activate(features: Any, name: str) -> Any:
    """Returns what `normalise` does with features, through a rectifier."""
    return layers.Activation("relu", name=f"{name}_activation")(normalise(features, name))


def normalise(features: Any, name: str) -> Any:
    """Returns features with mean 0 and variance 1 in each channel, scaled and shifted as learnt.

    Args:
        features: [B, H, W, C] or [B, C].
        name: Of the layer, without its kind.
    """
    # Statistics over all replicas: two replicas with half a batch each train as one with the
    # whole batch does. Only Keras's TensorFlow backend offers (and needs) it.
    return FusedBatchNormalization(
        momentum=MOMENTUM,
        synchronized=keras.backend.backend() == "tensorflow",
        name=f"{name}_normalisation",
    )(features)


@keras.saving.register_keras_serializable("svhn")
class FusedBatchNormalization(layers.BatchNormalization):
    """Keras's layer, trained by TensorFlow's fused kernel where that computes the same.

    Keras goes over the features once for the mean, once for the variance and twice to apply them,
    and the gradients go back the same way; the kernel needs fewer passes. It knows nothing of
    replicas, masks and matrices: there, in inference and on other backends Keras's own is taken.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Returns the normalised inputs, of their shape, in the layer's compute dtype."""
        if not (training and self.trainable and mask is None and self._can_be_fused(inputs)):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=ops.convert_to_tensor(self.gamma),
            offset=ops.convert_to_tensor(self.beta),
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        count = ops.cast(math.prod(ops.shape(inputs)[:-1]), "float32")
        variance = variance * (count - 1) / count  # the kernel's is that of a sample
        for moving, of_batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + of_batch * (1 - self.momentum))
        return outputs

    def _can_be_fused(self, inputs: Any) -> bool:
        _, replicas = replica_place()
        return (
            keras.backend.backend() == "tensorflow"
            and replicas == 1
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and self.scale
            and self.center
            and not self.renorm
            and keras.backend.standardize_dtype(inputs.dtype) in PRECISIONS
        )
