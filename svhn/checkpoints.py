"""Checkpoints: everything that a run is, in files that are whole or not there.

A run's folder holds `model.ckpt-STEP.*`, the last few, and `best/model.ckpt-STEP.*`, the one with
the best validation score. They are TensorFlow checkpoints (`tf.train.Checkpoint`), written under
a temporary name and renamed as a whole. Each holds the weights by name, their moving average where
the run keeps one, the optimizer, the random generators of the dropout layers, and a state in JSON:
step, best score, flags, model name, calibration. So evaluation and inference need only the folder.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from svhn.command_line import warn
from svhn.errors import UserError, first_line
from svhn.loaded_model import LoadedModel, require_model
from svhn.models import build_model
from svhn.released_weights import is_released, load_released, load_released_weights
from svhn.stored_calibration import StoredCalibration

CHECKPOINT_NAME = "model.ckpt"
BEST_FOLDER = "best"

_STATE_KEY = "state/.ATTRIBUTES/VARIABLE_VALUE"

_DAMAGE_ERRORS = (tf.errors.OpError, RuntimeError, IndexError)
"""What TensorFlow raises for a checkpoint file that is cut off or overwritten."""


class DamagedCheckpointError(UserError):
    """A checkpoint whose files are cut off or overwritten."""


class MisfittingCheckpointError(UserError):
    """A checkpoint of another model or optimizer."""


class Checkpoints:
    """The checkpoints of one run, in one folder."""

    def __init__(
        self,
        folder: str | Path,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer | None = None,
        keep: int = 3,
        averaged: keras.Model | None = None,
    ):
        """Looks after `folder`; nothing is read or written yet.

        Args:
            folder: Made when the first checkpoint is saved.
            model: Its weights are saved and restored.
            optimizer: A built optimizer; without it only weights are restored.
            keep: How many of the last checkpoints stay.
            averaged: The model that holds the moving average of the weights, where there is one.
        """
        self.folder = Path(folder)
        self._state = tf.Variable("{}", dtype=tf.string, trainable=False)
        parts = self._parts = {"weights": _weights_by_name(model)}
        if optimizer is not None:
            parts["optimizer"] = _optimizer_by_name(optimizer)
            parts["random"] = _random_states(model)
        if averaged is not None:
            parts["averaged"] = _weights_by_name(averaged)
        self._checkpoint = tf.train.Checkpoint(state=self._state, **parts)
        self._last = tf.train.CheckpointManager(
            self._checkpoint, str(self.folder), keep, checkpoint_name=CHECKPOINT_NAME
        )
        self._best = tf.train.CheckpointManager(
            self._checkpoint, str(self.folder / BEST_FOLDER), 1, checkpoint_name=CHECKPOINT_NAME
        )

    def save(self, state: Mapping[str, Any], *, best: bool = False) -> str:
        """Writes a checkpoint and returns its prefix.

        Args:
            state: What JSON can hold; at least "step" and "config" (the flags, with "model").
            best: Write to `best/`, replacing the one there, instead of among the last.

        Raises:
            UserError: If it can't be written (disk full, no permission).
        """
        self._state.assign(json.dumps(state, sort_keys=True))
        manager = self._best if best else self._last
        try:
            return manager.save(checkpoint_number=state["step"])
        except (tf.errors.OpError, OSError) as error:
            raise UserError(
                f"--train_logdir: can't write a checkpoint at step {state['step']} to "
                f"{self.folder}: {first_line(error)}. Make room or give another folder, and "
                "start again"
            ) from error

    def restore_last(self) -> dict[str, Any] | None:
        """Restores the newest whole checkpoint and returns its state; None where there is none.

        A damaged one (the machine went down while it was written) is passed over with a warning.

        Raises:
            UserError: If the checkpoint doesn't fit the model and optimizer, or all are damaged.
        """
        prefixes = checkpoints_by_age(self.folder)
        for position, prefix in enumerate(prefixes):
            try:
                _restore(self._checkpoint, self._parts, prefix)
                return json.loads(self._state.numpy())
            except DamagedCheckpointError as error:
                if position == len(prefixes) - 1:
                    raise
                warn(f"{error} (going on from the one before it)")
        return None


def checkpoints_by_age(folder: str | Path) -> list[str]:
    """Returns the prefixes of the checkpoints in a folder, that with the highest step first."""
    steps = {}
    for index in Path(folder).glob(f"{CHECKPOINT_NAME}-*.index"):
        match = re.fullmatch(rf"{re.escape(CHECKPOINT_NAME)}-(\d+)\.index", index.name)
        if match:
            steps[int(match[1])] = str(index.with_suffix(""))
    return [steps[step] for step in sorted(steps, reverse=True)]


def newest_checkpoint(folder: str | Path) -> str | None:
    """Returns the prefix of the checkpoint with the highest step in a folder, if there is one."""
    return next(iter(checkpoints_by_age(folder)), None)


def resolve_checkpoint(path: str | Path) -> str:
    """Returns the prefix of the checkpoint that a user means.

    Args:
        path: A run's folder, or `FOLDER/model.ckpt`: the best checkpoint there, the newest where
            no best one has been written yet. Or `FOLDER/model.ckpt-100`: just that one.

    Raises:
        UserError: If there is no such checkpoint.
    """
    path = Path(path)
    if Path(f"{path}.index").is_file():
        return str(path)
    folder = path.parent if path.name == CHECKPOINT_NAME else path
    prefix = newest_checkpoint(folder / BEST_FOLDER) or newest_checkpoint(folder)
    if prefix is None:
        problem = "has no checkpoint" if folder.is_dir() else "is not a folder or a checkpoint"
        raise UserError(
            f"{path} {problem}. Expected: a folder that train.py wrote (its --train_logdir), or a "
            f"checkpoint in it such as {CHECKPOINT_NAME}-1000. Run train.py first"
        )
    return prefix


def load_model(
    path: str | Path, *, task: str | None = "reader", raw_weights: bool = False
) -> LoadedModel:
    """Returns the model that a checkpoint describes, with its weights.

    Args:
        path: As in `resolve_checkpoint`, or a file of released weights (`reader.npz`).
        task: What the model is wanted for: "reader" or "detector"; None takes either.
        raw_weights: Take the weights themselves where the checkpoint has their moving average,
            too; otherwise the average is taken. The calibration is that of the average: raw
            weights have none beside it.

    Raises:
        UserError: If there is no such checkpoint, if it can't be read, or if it is another task's.
    """
    if is_released(path):
        return load_released(path, task)
    prefix = resolve_checkpoint(path)
    try:
        return _load(prefix, task, raw_weights)
    except UserError:
        # A run that goes on may have replaced its best checkpoint while it was being read.
        newer = resolve_checkpoint(path)
        if newer == prefix:
            raise
        return _load(newer, task, raw_weights)


def load_weights(model: keras.Model, path: str | Path, *, raw_weights: bool = False) -> None:
    """Gives a model the weights of a checkpoint, and nothing else of it.

    Args:
        model: Of the architecture that the checkpoint holds.
        path: As in `load_model`.
        raw_weights: As in `load_model`.

    Raises:
        UserError: If there is no such checkpoint, or if it is of another model.
    """
    if is_released(path):
        load_released_weights(model, path)
        return
    prefix = resolve_checkpoint(path)
    averaged = has_average(read_state(prefix)) and not raw_weights
    parts = {"averaged" if averaged else "weights": _weights_by_name(model)}
    _restore(tf.train.Checkpoint(**parts), parts, prefix)


def has_average(state: Mapping[str, Any]) -> bool:
    """Whether a checkpoint with this state holds the moving average of the weights, too."""
    return bool(state["config"].get("average_decay"))


def read_state(prefix: str) -> dict[str, Any]:
    """Returns the state that `Checkpoints.save` was given, without building a model.

    Raises:
        UserError: If the files are damaged or not this program's.
    """
    try:
        reader = tf.train.load_checkpoint(prefix)
        if not reader.has_tensor(_STATE_KEY):
            raise UserError(
                f"{prefix} is a TensorFlow checkpoint of another program. "
                "Expected: one that train.py wrote"
            )
        return json.loads(reader.get_tensor(_STATE_KEY))
    except (*_DAMAGE_ERRORS, ValueError) as error:
        raise _damaged(prefix, error) from error


def _load(prefix: str, task: str | None, raw_weights: bool) -> LoadedModel:
    state = read_state(prefix)
    name = state["config"].get("model")
    require_model(name, task, prefix)
    model = build_model(name)
    load_weights(model, prefix, raw_weights=raw_weights)
    of_other_weights = raw_weights and has_average(state)
    calibration = StoredCalibration.from_json(
        None if of_other_weights else state.get("calibration")
    )
    return LoadedModel(model, state["step"], state["config"], state, prefix, calibration)


def _require_shapes(parts: Mapping[str, Mapping[str, tf.Variable]], prefix: str) -> None:
    """Refuses a checkpoint whose variables have other shapes. TensorFlow does so, too, but with a
    warning for every variable that it then hasn't restored.
    """
    try:
        shapes = tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
    except (*_DAMAGE_ERRORS, ValueError) as error:
        raise _damaged(prefix, error) from error
    for part, variables in parts.items():
        for name, variable in variables.items():
            key = f"{part}/{name.replace('.', '..').replace('/', '.S')}/.ATTRIBUTES/VARIABLE_VALUE"
            if key in shapes and shapes[key] != variable.shape:
                raise MisfittingCheckpointError(
                    f"{prefix} doesn't fit: its {name} has the shape {shapes[key]}, and this "
                    f"model's {tuple(variable.shape)}. Expected: a checkpoint of the same --model "
                    "and version of this program. Name one, or another --train_logdir for a new run"
                )


def _restore(
    checkpoint: tf.train.Checkpoint,
    parts: Mapping[str, Mapping[str, tf.Variable]],
    prefix: str,
) -> None:
    """Restores a checkpoint whose variables are `parts`, or refuses it before any is changed."""
    _require_shapes(parts, prefix)
    try:
        status = checkpoint.read(prefix)
        status.expect_partial()  # first: else TensorFlow lists every variable as a warning
        status.assert_existing_objects_matched()
    except AssertionError as error:
        raise MisfittingCheckpointError(
            f"{prefix} doesn't fit: it lacks a variable of this model or optimizer. Expected: a "
            "checkpoint of the same --model. Name one, or another --train_logdir for a new run"
        ) from error
    except ValueError as error:
        raise MisfittingCheckpointError(
            f"{prefix} doesn't fit: a variable has another shape in this model. Expected: a "
            "checkpoint of the same --model. Name one, or another --train_logdir for a new run"
        ) from error
    except _DAMAGE_ERRORS as error:
        raise _damaged(prefix, error) from error


def _damaged(prefix: str, error: Exception) -> DamagedCheckpointError:
    return DamagedCheckpointError(
        f"{prefix} can't be read: {first_line(error)}. Delete its files (an older checkpoint "
        "beside it may be whole) and try again"
    )


def _weights_by_name(model: keras.Model) -> dict[str, tf.Variable]:
    return {weight.path: weight.value for weight in model.weights}


def _optimizer_by_name(optimizer: keras.optimizers.Optimizer) -> dict[str, tf.Variable]:
    # A path starts with the optimizer's name, with a number behind it from the second one of this
    # process on: no part of the name.
    return {
        re.sub(r"^([^/]*?)_\d+/", r"\1/", variable.path): variable.value
        for variable in optimizer.variables
    }


def _random_states(model: keras.Model) -> dict[str, tf.Variable]:
    """The states of the dropout layers' generators, by their order: Keras's names of them count
    the generators of the process.
    """
    weights = {id(weight) for weight in model.weights}
    states = [variable for variable in model.variables if id(variable) not in weights]
    return {str(position): state.value for position, state in enumerate(states)}
