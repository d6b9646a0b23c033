"""An exponential moving average of the weights, which often reads better than the weights do."""

import keras
import tensorflow as tf


class WeightAverage:
    """Lets the weights of one model follow those of another that is being trained.

    After step t, average ← d · average + (1 − d) · weights with d = min(decay, (1 + t) / (10 + t)):
    the first steps, which know little, are soon forgotten. Batch statistics are averaged like the
    rest, so that they fit the averaged weights (Tarvainen & Valpola 2017, arXiv 1703.01780).
    """

    def __init__(self, model: keras.Model, averaged: keras.Model, decay: float):
        """Makes the two models equal; to be called under the scope of the strategy.

        Args:
            model: That is trained.
            averaged: Of the same architecture, made under the same scope.
            decay: Above 0 and below 1; 0.999 averages over about the last thousand steps.
        """
        self.model = averaged
        self._pairs = [
            (average.value, weight.value)
            for average, weight in zip(averaged.weights, model.weights, strict=True)
        ]
        self._decay = decay
        self._update = tf.distribute.get_strategy().extended.update
        self.restart()

    def restart(self) -> None:
        """Sets the average to the weights of the moment."""
        for average, weight in self._pairs:
            average.assign(weight)

    def update(self, step: tf.Tensor) -> None:
        """Takes the weights after a step into the average; outside of any replica.

        Args:
            step: Steps so far, this one included; a scalar of any number type.
        """
        step = tf.cast(step, tf.float32)
        share = 1 - tf.minimum(self._decay, (1 + step) / (10 + step))

        def follow(average: tf.Variable, weight: tf.Tensor, share: tf.Tensor) -> tf.Operation:
            return average.assign_add((weight - average) * tf.cast(share, average.dtype))

        for average, weight in self._pairs:
            self._update(average, follow, args=(tf.convert_to_tensor(weight), share))
