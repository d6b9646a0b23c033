"""The tasks by name, and the flags that mean something for them."""

from collections.abc import Sequence

from svhn.detector_input import SIZE_MULTIPLE
from svhn.errors import UserError
from svhn.models import models_of
from svhn.training.config import TrainingConfig
from svhn.training.detector_task import DetectorTask
from svhn.training.reader_task import ReaderTask
from svhn.training.task import Task

_FLAGS_OF = {
    "reader": ("label_smoothing", "teachers", "teacher_share"),
    "detector": ("window_size", "val_size"),
}
"""The flags that only one task has."""


def check_task(config: TrainingConfig) -> None:
    """Refuses flags that mean nothing for the task.

    Raises:
        UserError: If such a flag is given, the model is another task's, or a size doesn't fit.
    """
    if config.model not in models_of(config.task):
        raise UserError(
            f"--model={config.model} is no model of --task={config.task}. Expected: one of "
            f"{', '.join(models_of(config.task))}"
        )
    for task, names in _FLAGS_OF.items():
        for name in names:
            value = getattr(config, name)
            if task != config.task and value:
                shown = ",".join(value) if isinstance(value, list) else value
                raise UserError(
                    f"--{name}={shown} is a flag of --task={task} and means nothing for "
                    f"--task={config.task}. Leave it out"
                )
            if name.endswith("_size") and value and value % SIZE_MULTIPLE:
                raise UserError(f"--{name}={value}: expected a multiple of {SIZE_MULTIPLE}")


def make_task(config: TrainingConfig, splits: Sequence[str]) -> Task:
    """Returns what the run is about; to be called under the scope of the strategy.

    Args:
        config: The flags.
        splits: Those to train on.

    Raises:
        UserError: If a teacher can't be loaded.
    """
    task = DetectorTask if config.task == "detector" else ReaderTask
    return task(config, splits)
