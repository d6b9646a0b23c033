"""Where a run stands: what a checkpoint holds beside arrays."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from svhn.errors import UserError
from svhn.models import TASKS
from svhn.stored_calibration import StoredCalibration
from svhn.training.config import FREE_FLAGS, TrainingConfig


@dataclasses.dataclass
class RunState:
    """Step, best score and patience of a run."""

    step: int = 0
    best_score: float = -1.0
    best_step: int = 0
    evaluations_without_improvement: int = 0
    stopped_early: bool = False
    falls: int = 0
    """How often the schedule `plateau` has lowered the learning rate."""

    evaluations_on_plateau: int = 0
    """Since the last better one or the last fall."""

    def take_score(self, score: float, patience: int) -> bool:
        """Notes an evaluation at the present step; returns whether it is the best so far.

        Args:
            score: On val, 0 to 1; higher is better.
            patience: Evaluations without a better one after which the run stops; 0 is endless.
        """
        if score > self.best_score:
            self.best_score = score
            self.best_step = self.step
            self.evaluations_without_improvement = self.evaluations_on_plateau = 0
            return True
        self.evaluations_without_improvement += 1
        self.evaluations_on_plateau += 1
        self.stopped_early = 0 < patience <= self.evaluations_without_improvement
        return False

    def fall_if_due(self, plateau_patience: int) -> None:
        """Lowers the learning rate of the schedule `plateau` once more, if it is time.

        Args:
            plateau_patience: Evaluations without a better one that it takes.
        """
        if self.evaluations_on_plateau >= plateau_patience:
            self.falls += 1
            self.evaluations_on_plateau = 0


def state_to_save(
    state: RunState,
    config: TrainingConfig,
    data: dict[str, Any],
    calibration: StoredCalibration | None = None,
    scores: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns what the checkpoint holds of a run beside its arrays, as JSON can hold it.

    Args:
        state: Where the run stands.
        config: Its flags.
        data: What was trained on: splits, photos and the conversion's digest.
        calibration: Of these very weights on val (of their average, where there is one); None
            where they were not evaluated, or have none.
        scores: What else was measured of these weights on val, as JSON can hold it.
    """
    return {
        "step": state.step,
        "epoch": state.step * config.photos_per_step / data["photos"],
        "run": dataclasses.asdict(state),
        "config": dataclasses.asdict(config),
        "data": data,
        "calibration": calibration and calibration.as_json(),
        **({"scores": dict(scores)} if scores else {}),
    }


def state_from_saved(
    saved: dict[str, Any], config: TrainingConfig, data: dict[str, Any]
) -> RunState:
    """Returns where a run stood, if it can go on with these flags and this data.

    Raises:
        UserError: If flags or data differ in what would make it another run.
    """
    # A flag that the checkpoint doesn't know is newer than it: the run went as by default.
    flags = {**_default_flags(config, saved["config"]), **saved["config"]}
    differences = [
        f"--{name} was {flags[name]!r} and is now {value!r}"
        for name, value in dataclasses.asdict(config).items()
        if name not in FREE_FLAGS and flags[name] != value
    ]
    if not differences and saved["data"] != data:
        differences = ["the data set in --data_dir is another one"]
    if differences:
        raise UserError(
            f"{config.train_logdir} holds a run that can't go on like this: "
            f"{'; '.join(differences)}. Give the same flags, or another --train_logdir (with "
            "--restore_checkpoint to start from these weights)"
        )
    state = RunState(**_as_named_now(saved["run"]))
    if state.stopped_early:
        # More patience than before lets a run that had stopped go on.
        state.stopped_early = 0 < config.patience <= state.evaluations_without_improvement
    return state


def total_steps(config: TrainingConfig, photos: int) -> int:
    """Returns the steps of the whole run: `--steps`, or what `--epochs` come to, at least 1."""
    return config.steps or max(1, math.ceil(config.epochs * photos / config.photos_per_step))


def evaluation_interval(config: TrainingConfig, photos: int) -> int:
    """Returns the steps between two evaluations, at least 1.

    By default an epoch, but at most 2,000 steps and at least a twentieth of the run: a small data
    set has short epochs, a large one long ones.
    """
    if config.evaluate_every:
        return config.evaluate_every
    epoch = math.ceil(photos / config.photos_per_step)
    twentieth = math.ceil(total_steps(config, photos) / 20)
    return max(min(epoch, 2000), min(twentieth, 2000))


def _default_flags(config: TrainingConfig, saved_flags: Mapping[str, Any]) -> dict[str, Any]:
    """The flags of a run that was given none, of the task that the saved ones are of."""
    task = saved_flags.get("task", TASKS[0])  # there was only one once
    return dataclasses.asdict(TrainingConfig(config.data_dir, task=task))


def _as_named_now(run: Mapping[str, Any]) -> dict[str, Any]:
    """The state of a run by today's names: the score was once called as the reader's is."""
    names = {"best_sequence_accuracy": "best_score"}
    return {names.get(name, name): value for name, value in run.items()}
