"""One step of training, on one device or on many."""

from collections.abc import Callable

import keras
import tensorflow as tf

from svhn.decoding import decode
from svhn.models.loss import number_loss

TrainStep = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def make_train_step(
    strategy: tf.distribute.Strategy,
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    batch_size: int,
    label_smoothing: float = 0.0,
) -> TrainStep:
    """Returns the function that trains on one batch, as a graph.

    Args:
        strategy: Under whose scope model and optimizer were made.
        model: Trained in place.
        optimizer: Built for the model's variables.
        batch_size: Pictures in a batch, over all replicas: the loss is divided by it, so that the
            replicas' gradients add up to the gradient of the whole batch's mean.
        label_smoothing: See `svhn.models.loss.number_loss`.

    Returns:
        A function of (images float32 [B, 54, 54, 3], labels int32 [B, 6]) that returns the mean
        loss before the step and how many of the numbers were read right, both float32 scalars
        over all replicas.
    """

    def replica_step(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            losses = number_loss(logits, labels, label_smoothing)
            loss = tf.reduce_sum(losses) / batch_size
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        right = tf.reduce_all(decode(logits).label == labels, axis=1)
        return loss, tf.reduce_sum(tf.cast(right, tf.float32))

    @tf.function
    def train_step(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        losses, rights = strategy.run(replica_step, args=(images, labels))
        return (
            strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None),
            strategy.reduce(tf.distribute.ReduceOp.SUM, rights, axis=None),
        )

    return train_step
