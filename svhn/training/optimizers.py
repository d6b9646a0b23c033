"""Optimizers and learning-rate schedules by name."""

import math
from typing import Any

import keras
from keras import ops

from svhn.errors import UserError
from svhn.training.config import TrainingConfig

SGD_MOMENTUM = 0.9
DECAY_STEPS = 10_000
DECAY_RATE = 0.9


@keras.saving.register_keras_serializable("svhn")
class LearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """A linear rise from zero, then cosine, exponential or no decay.

    cosine: half a period over all steps, to zero at the last (Loshchilov & Hutter 2017, arXiv
    1608.03983, without restarts). exponential: times `decay_rate` every `decay_steps`, smoothly.
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
        else:
            decay = 1.0
        return self.learning_rate * warmup * decay

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make the same schedule."""
        return dict(vars(self))


def make_optimizer(
    config: TrainingConfig, model: keras.Model, total_steps: int
) -> keras.optimizers.Optimizer:
    """Returns the optimizer that the flags describe, built for the model's variables.

    Args:
        config: `optimizer`, `learning_rate`, `weight_decay` and the schedule's flags.
        model: Its trainable variables are what the optimizer will update.
        total_steps: Steps of the whole run, at whose end the cosine schedule is zero.

    Raises:
        UserError: If flags of the exponential schedule are given for another one.
    """
    decay_steps = DECAY_STEPS if config.decay_steps is None else config.decay_steps
    decay_rate = DECAY_RATE if config.decay_rate is None else config.decay_rate
    learning_rate = LearningRate(
        _schedule(config),
        config.learning_rate,
        total_steps,
        config.warmup_steps,
        decay_steps,
        decay_rate,
    )
    # Keras's weight_decay is decoupled from the gradient for SGD as for AdamW.
    if config.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(
            learning_rate, momentum=SGD_MOMENTUM, weight_decay=config.weight_decay or None
        )
    else:
        optimizer = keras.optimizers.AdamW(learning_rate, weight_decay=config.weight_decay)
    # Biases, gains and offsets have one dimension; shrinking them only skews the outputs.
    without_decay = [variable for variable in model.trainable_variables if variable.ndim == 1]
    optimizer.exclude_from_weight_decay(var_list=without_decay)
    optimizer.build(model.trainable_variables)
    return optimizer


def _schedule(config: TrainingConfig) -> str:
    decays = config.decay_steps is not None or config.decay_rate is not None
    schedule = config.schedule or ("exponential" if decays else "cosine")
    if decays and schedule != "exponential":
        raise UserError(
            f"--schedule={schedule} takes neither --decay_steps nor --decay_rate. Give "
            "--schedule=exponential, or leave them out"
        )
    return schedule
