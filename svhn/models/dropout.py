"""Dropout whose mask belongs to the whole batch, however many devices share it."""

from typing import Any

import keras
from keras import ops

from svhn.models.replicas import replica_place


@keras.saving.register_keras_serializable("svhn")
class Dropout(keras.layers.Dropout):
    """Sets a share of the inputs to zero in training and scales up the others.

    Keras's own layer draws the same mask on every replica, for the part of the batch that is
    there; the run with two replicas would be another one than that with one. Here every replica
    draws the mask of the whole batch, which the layer's seed state decides alone, and takes the
    rows of its own pictures. The numbers are drawn in float32 whatever the precision of the
    model: in bfloat16 there would be too few different ones for an exact rate.

    Drawing the whole mask costs each replica as much as the batch has rows; next to a
    convolution that is little.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Returns the inputs with some of them zero, of the same shape [B, …] and type."""
        if not training or self.rate == 0:
            return inputs
        replica, replicas = replica_place()
        rows, *others = ops.shape(inputs)
        shape = (rows * replicas, *others)
        draws = keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)
        if replicas > 1:
            draws = draws[replica * rows : (replica + 1) * rows]
        scaled = inputs * ops.cast(1 / (1 - self.rate), inputs.dtype)
        return ops.where(draws >= self.rate, scaled, ops.zeros_like(inputs))
