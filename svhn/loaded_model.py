"""A trained network as evaluation and reading take it, wherever its weights lay."""

import dataclasses
from pathlib import Path
from typing import Any

import keras

from svhn.errors import UserError
from svhn.models import DETECTOR_NAMES, MODEL_NAMES, models_of, task_of
from svhn.stored_calibration import StoredCalibration


@dataclasses.dataclass(frozen=True)
class LoadedModel:
    """A model with the weights of a checkpoint, or with released ones."""

    model: keras.Model
    step: int
    """Training steps that the weights have seen."""

    config: dict[str, Any]
    """The flags of the run that trained it, by name."""

    state: dict[str, Any]
    """All that the file says beside its arrays; see `Checkpoints.save` and `write_released`."""

    path: str
    """The prefix of the checkpoint's files, or the file of released weights."""

    calibration: StoredCalibration = dataclasses.field(default_factory=StoredCalibration)
    """What makes its confidence honest."""


def require_model(name: str | None, task: str | None, path: str | Path) -> None:
    """Makes sure that a file holds a network that this program knows, for what it is wanted for.

    Args:
        name: What the file calls its architecture.
        task: "reader" or "detector"; None for either.
        path: The file, for the message.

    Raises:
        UserError: If it doesn't.
    """
    if name not in MODEL_NAMES + DETECTOR_NAMES:
        expected = models_of(task) if task else MODEL_NAMES + DETECTOR_NAMES
        raise UserError(
            f"{path} holds a model named {name!r}. Expected: one of {', '.join(expected)}. "
            "Use the version of this program that trained it"
        )
    if task and task_of(name) != task:
        raise UserError(
            f"{path} holds a {task_of(name)} ({name!r}). Expected: a {task}, as "
            f"train.py --task={task} trains it"
        )
