"""Steps of training, on one device or on many."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras
import tensorflow as tf

from svhn.decoding import decode
from svhn.models.loss import number_loss
from svhn.training.averaging import WeightAverage


class StepResult(NamedTuple):
    """What is known of a step, over all replicas; of several steps, each has one dimension."""

    loss: tf.Tensor
    """The mean loss of the batch before the step, float32, in nats."""

    right: tf.Tensor
    """How many of the batch's numbers were read right, float32."""

    gradient_norm: tf.Tensor
    """The length of the gradient of the whole batch before it was clipped, float32. Not finite
    where half precision overflowed; such a step is left out and changes no weight."""


TrainStep = Callable[[tf.Tensor, tf.Tensor], StepResult]
TrainSteps = Callable[[Iterator[tuple[tf.Tensor, tf.Tensor]], tf.Tensor], StepResult]


def make_train_step(
    strategy: tf.distribute.Strategy,
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    batch_size: int,
    label_smoothing: float = 0.0,
    average: WeightAverage | None = None,
) -> TrainStep:
    """Returns the function that trains on one batch, as a graph.

    Args:
        strategy: Under whose scope model and optimizer were made.
        model: Trained in place.
        optimizer: As `svhn.training.optimizers.make_optimizer` makes it for the model.
        batch_size: Pictures in a batch, over all replicas: the loss is divided by it, so that the
            replicas' gradients add up to the gradient of the whole batch's mean.
        label_smoothing: See `svhn.models.loss.number_loss`.
        average: Follows the weights.

    Returns:
        A function of (images float32 [B, 54, 54, 3], labels int32 [B, 6]) that returns scalars.
    """
    variables = model.trainable_variables

    def replica_step(images: tf.Tensor, labels: tf.Tensor) -> StepResult:
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = tf.reduce_sum(number_loss(logits, labels, label_smoothing)) / batch_size
            scaled_loss = optimizer.scale_loss(loss)
        # Summed before the optimizer sees them: what it clips is the whole batch's gradient.
        gradients = tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.SUM, tape.gradient(scaled_loss, variables)
        )
        norm = tf.linalg.global_norm(gradients) / optimizer.scale_loss(1.0)
        optimizer.apply(gradients, variables)
        right = tf.reduce_all(decode(logits).label == labels, axis=1)
        return StepResult(loss, tf.reduce_sum(tf.cast(right, tf.float32)), norm)

    @tf.function
    def train_step(images: tf.Tensor, labels: tf.Tensor) -> StepResult:
        result = strategy.run(replica_step, args=(images, labels))
        if average:
            average.update(optimizer.iterations)
        total, mean = tf.distribute.ReduceOp.SUM, tf.distribute.ReduceOp.MEAN
        return StepResult(
            strategy.reduce(total, result.loss, axis=None),
            strategy.reduce(total, result.right, axis=None),
            strategy.reduce(mean, result.gradient_norm, axis=None),
        )

    return train_step


def make_train_steps(train_step: TrainStep) -> TrainSteps:
    """Returns the function that trains on several batches in one call of the device.

    The weights are the same, bit for bit, however the steps are shared out among calls. The
    Python around them costs less in longer calls, which counts where a step takes milliseconds.

    Returns:
        A function of an iterator over batches and the number of steps, an int32 scalar that may
        change from call to call, that returns one entry for each step.
    """

    @tf.function
    def train_steps(iterator: Iterator, count: tf.Tensor) -> StepResult:
        columns = StepResult(*(tf.TensorArray(tf.float32, size=count) for _ in StepResult._fields))
        for step in tf.range(count):
            result = train_step(*next(iterator))
            columns = StepResult(
                columns.loss.write(step, result.loss),
                columns.right.write(step, result.right),
                columns.gradient_norm.write(step, result.gradient_norm),
            )
        return StepResult(*(column.stack() for column in columns))

    return train_steps
