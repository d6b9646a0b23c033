"""Optimizers and learning-rate schedules by name."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from svhn.errors import UserError
from svhn.training.config import TrainingConfig

SGD_MOMENTUM = 0.9
DECAY_STEPS = 10_000
DECAY_RATE = 0.9
PLATEAU_DECAY_RATE = 0.5


@keras.saving.register_keras_serializable("svhn")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise from zero, then cosine, exponential or no decay.

    cosine: half a period over all steps, to zero at the last (Loshchilov & Hutter 2017, arXiv
    1608.03983, without restarts). exponential: times `decay_rate` every `decay_steps`, smoothly.
    plateau: times `decay_rate` for each of the `falls`, a variable that whoever watches the score
    assigns to.
    """

    def __init__(
        self,
        schedule: str,
        learning_rate: float,
        total_steps: int,
        warmup_steps: int = 0,
        decay_steps: int = DECAY_STEPS,
        decay_rate: float = DECAY_RATE,
    ):
        self.schedule = schedule
        self.learning_rate = learning_rate
        self.total_steps = total_steps
        # A run that is shorter than its warm-up would never reach its learning rate.
        self.warmup_steps = min(warmup_steps, total_steps // 10)
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        if schedule == "plateau":
            self.falls = keras.Variable(0.0, trainable=False, name="falls")

    def __call__(self, step: Any) -> Any:
        """Returns the learning rate of a step (the first is 0), float32."""
        step = ops.cast(step, "float32")
        warmup = ops.minimum((step + 1) / (self.warmup_steps + 1), 1.0)
        decayed = ops.maximum(step - self.warmup_steps, 0.0)
        if self.schedule == "cosine":
            share = ops.minimum(decayed / max(self.total_steps - self.warmup_steps, 1), 1.0)
            decay = (1 + ops.cos(math.pi * share)) / 2
        elif self.schedule == "exponential":
            decay = self.decay_rate ** (decayed / self.decay_steps)
        elif self.schedule == "plateau":
            decay = self.decay_rate**self.falls
        else:
            decay = 1.0
        return self.learning_rate * warmup * decay

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make the same schedule."""
        return {name: value for name, value in vars(self).items() if name != "falls"}


class _SummedGradients:
    """Makes a Keras optimizer take gradients that are summed over all replicas already.

    Keras clips before it sums: each replica its own part of the gradient, and two replicas would
    train another way than one. Keras 3.15 has no public way to leave its sum out: `apply` takes no
    argument for it, and an `update_step` of our own would come after the sum. To divide by the
    number of replicas what Keras then sums again would send every gradient twice, and be exact
    only for 2, 4, 8 … replicas. So a private method is replaced; test_optimizers.py tells when
    Keras no longer calls it.
    """

    @property
    def schedule(self) -> LearningRate:
        """The schedule of its learning rate."""
        return self._learning_rate

    def _all_reduce_sum_gradients(self, grads_and_vars: Sequence) -> Sequence:
        return grads_and_vars


class _SGD(_SummedGradients, keras.optimizers.SGD):
    pass


class _AdamW(_SummedGradients, keras.optimizers.AdamW):
    pass


def make_optimizer(
    config: TrainingConfig, model: keras.Model, total_steps: int
) -> keras.optimizers.Optimizer:
    """Returns the optimizer that the flags describe, built for the model's variables.

    Args:
        config: `optimizer`, `learning_rate`, `weight_decay`, `gradient_clip`, `precision` and the
            schedule's flags.
        model: Its trainable variables are what the optimizer will update.
        total_steps: Steps of the whole run, at whose end the cosine schedule is zero.

    Returns:
        An optimizer that takes gradients which are summed over all replicas already.

    Raises:
        UserError: If flags of one schedule are given for another one.
    """
    schedule = _schedule(config)
    decay_rate = PLATEAU_DECAY_RATE if schedule == "plateau" else DECAY_RATE
    learning_rate = LearningRate(
        schedule,
        config.learning_rate,
        total_steps,
        config.warmup_steps,
        DECAY_STEPS if config.decay_steps is None else config.decay_steps,
        decay_rate if config.decay_rate is None else config.decay_rate,
    )
    # Keras's weight_decay is decoupled from the gradient for SGD as for AdamW.
    options = {
        "weight_decay": config.weight_decay or None,
        "global_clipnorm": config.gradient_clip or None,
    }
    if config.optimizer == "sgd":
        optimizer = _SGD(learning_rate, momentum=SGD_MOMENTUM, name="sgd", **options)
    else:
        optimizer = _AdamW(learning_rate, name="adamw", **options)
    # Biases, gains and offsets: shrinking them only skews the outputs. Of a locally connected layer
    # the biases have as many dimensions as its outputs.
    without_decay = [
        variable
        for variable in model.trainable_variables
        if variable.ndim == 1 or variable.name == "bias"
    ]
    optimizer.exclude_from_weight_decay(var_list=without_decay)
    if config.precision == "float16":
        # Small gradients would be zero in half precision: the loss is scaled up, by as much as
        # just doesn't overflow.
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    return optimizer


def set_falls(optimizer: keras.optimizers.Optimizer, falls: int) -> None:
    """Tells the schedule `plateau` how often the learning rate has fallen; others don't care."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if inner.schedule.schedule == "plateau":
        inner.schedule.falls.assign(float(falls))


def _schedule(config: TrainingConfig) -> str:
    decays = config.decay_steps is not None or config.decay_rate is not None
    schedule = config.schedule or ("exponential" if decays else "cosine")
    taken = {"exponential": {"decay_steps", "decay_rate"}, "plateau": {"decay_rate"}}
    for flag in ("decay_steps", "decay_rate"):
        if getattr(config, flag) is not None and flag not in taken.get(schedule, set()):
            takers = " or ".join(f"--schedule={name}" for name in taken if flag in taken[name])
            raise UserError(
                f"--{flag}={getattr(config, flag)} is no flag of --schedule={schedule}. Give "
                f"{takers}, or leave it out"
            )
    return schedule
