"""Steps of training, on one device or on many."""

from collections.abc import Callable, Iterator, Sequence

import keras
import tensorflow as tf

from svhn.training.averaging import WeightAverage
from svhn.training.task import ExampleFigures, FurtherTruth

StepFigures = dict[str, tf.Tensor]
"""What is known of a step, over all replicas, float32; of several steps, each has one dimension.

Of what the task computes ("loss" and more), the mean over the batch before the step. And
"gradient_norm": the length of the gradient of the whole batch before it was clipped. Not finite
where half precision overflowed; such a step is left out and changes no weight."""

TrainStep = Callable[..., StepFigures]
TrainSteps = Callable[[Iterator[tuple[tf.Tensor, ...]], tf.Tensor], StepFigures]


def make_train_step(
    strategy: tf.distribute.Strategy,
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    batch_size: int,
    example_figures: ExampleFigures,
    average: WeightAverage | None = None,
    further_truth: FurtherTruth | None = None,
) -> TrainStep:
    """Returns the function that trains on one batch, as a graph.

    Args:
        strategy: Under whose scope model and optimizer were made.
        model: Trained in place.
        optimizer: As `svhn.training.optimizers.make_optimizer` makes it for the model.
        batch_size: Pictures in a batch, over all replicas: the loss is divided by it, so that the
            replicas' gradients add up to the gradient of the whole batch's mean.
        example_figures: The task's.
        average: Follows the weights.
        further_truth: The task's, too.

    Returns:
        A function of images float32 [B, H, W, 3], and what else `example_figures` takes (but the
        further truth), that returns scalars.
    """
    variables = model.trainable_variables

    def replica_step(images: tf.Tensor, *truth: tf.Tensor) -> StepFigures:
        if further_truth:  # outside of the tape: no gradient goes there
            truth = (*truth, further_truth(images))
        with tf.GradientTape() as tape:
            figures = example_figures(model(images, training=True), *truth)
            means = {name: tf.reduce_sum(value) / batch_size for name, value in figures.items()}
            scaled_loss = optimizer.scale_loss(means["loss"])
        # Summed before the optimizer sees them: what it clips is the whole batch's gradient.
        gradients = tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.SUM, tape.gradient(scaled_loss, variables)
        )
        norm = tf.linalg.global_norm(gradients) / optimizer.scale_loss(1.0)
        optimizer.apply(gradients, variables)
        return {**means, "gradient_norm": norm}

    # Nothing branches on tensors in Python: without AutoGraph it starts sooner.
    @tf.function(autograph=False)
    def train_step(*batch: tf.Tensor) -> StepFigures:
        shares = strategy.run(replica_step, args=batch)
        if average:
            average.update(optimizer.iterations)
        total, mean = tf.distribute.ReduceOp.SUM, tf.distribute.ReduceOp.MEAN
        # Every replica has the norm of the whole gradient.
        return {
            name: strategy.reduce(mean if name == "gradient_norm" else total, share, axis=None)
            for name, share in shares.items()
        }

    return train_step


def make_train_steps(train_step: TrainStep, figures: Sequence[str]) -> TrainSteps:
    """Returns the function that trains on several batches in one call of the device.

    The weights are the same, bit for bit, however the steps are shared out among calls. The
    Python around them costs less in longer calls, which counts where a step takes milliseconds.

    Args:
        train_step: As `make_train_step` makes it.
        figures: The names of what the task computes in a step.

    Returns:
        A function of an iterator over batches and the number of steps, an int32 scalar that may
        change from call to call, that returns one entry for each step.
    """
    names = (*figures, "gradient_norm")

    @tf.function
    def train_steps(iterator: Iterator, count: tf.Tensor) -> StepFigures:
        columns = {name: tf.TensorArray(tf.float32, size=count) for name in names}
        for step in tf.range(count):
            result = train_step(*next(iterator))
            columns = {name: columns[name].write(step, result[name]) for name in names}
        return {name: columns[name].stack() for name in names}

    return train_steps
