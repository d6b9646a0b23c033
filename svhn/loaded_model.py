"""A trained network as evaluation and reading take it, wherever its weights lay."""

import dataclasses
from typing import Any

import keras

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
