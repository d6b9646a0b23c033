"""The one training loop: from flags to checkpoints."""

import dataclasses
import signal
import sys
import time
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from svhn.checkpoints import (
    Checkpoints,
    MisfittingCheckpointError,
    checkpoints_by_age,
    read_state,
)
from svhn.command_line import warn
from svhn.data.input_pipeline import naming_damage
from svhn.errors import UserError
from svhn.files import make_writable
from svhn.models import build_model
from svhn.progress import progress
from svhn.stop_signals import STOP_SIGNALS, stop_signals
from svhn.training.averaging import WeightAverage
from svhn.training.config import TrainingConfig
from svhn.training.data_description import describe_data
from svhn.training.devices import Workers, distribute, make_strategy, naming_lost_workers
from svhn.training.divergence import diverged
from svhn.training.first_weights import check_first_weights, load_first_weights
from svhn.training.optimizers import make_optimizer, set_falls
from svhn.training.profiling import Profile
from svhn.training.run_state import (
    RunState,
    evaluation_interval,
    state_from_saved,
    state_to_save,
    total_steps,
)
from svhn.training.summaries import Summaries
from svhn.training.task import Evaluation, Task
from svhn.training.tasks import check_task, make_task
from svhn.training.train_step import StepFigures, make_train_step, make_train_steps


def train(config: TrainingConfig, strategy: tf.distribute.Strategy | None = None) -> int:
    """Trains as the flags say, or continues what is found in `config.train_logdir`.

    Args:
        config: The flags.
        strategy: Where to compute; by default what `make_strategy` finds.

    Returns:
        The exit status: 0; 130 or 143 when Ctrl-C or SIGTERM ended the run, after saving.

    Raises:
        UserError: If data, flags, checkpoint or TF_CONFIG don't fit, the loss is no longer finite,
            or another worker is lost.
    """
    check_task(config)
    check_first_weights(config)
    data = describe_data(config)
    strategy = strategy or make_strategy()
    workers = Workers(strategy)
    with naming_lost_workers(workers, config.train_logdir):
        return _train(config, data, strategy, workers)


def _train(
    config: TrainingConfig,
    data: dict[str, Any],
    strategy: tf.distribute.Strategy,
    workers: Workers,
) -> int:
    if workers.is_chief:
        _require_writable(config.train_logdir)
    steps = total_steps(config, data["photos"])
    replicas = strategy.num_replicas_in_sync
    if config.batch_size % replicas:
        raise UserError(
            f"--batch_size={config.batch_size} can't be shared by {replicas} devices. "
            f"Expected: a multiple of {replicas}"
        )

    keras.utils.set_random_seed(config.seed)
    with strategy.scope():
        model = build_model(config.model, precision=config.precision)
        optimizer = make_optimizer(config, model, steps)
        average = None
        if config.average_decay:
            average = WeightAverage(model, build_model(config.model), config.average_decay)
        task = make_task(config, data["splits"])
    checkpoints = Checkpoints(
        config.train_logdir,
        model,
        optimizer,
        config.keep_checkpoints,
        averaged=average.model if average else None,
    )
    saved = _restore_last(checkpoints, config, data)
    state = state_from_saved(saved, config, data) if saved else RunState()
    set_falls(optimizer, state.falls)
    origin = "" if saved else load_first_weights(config, model)
    if origin and average:
        average.restart()
    workers.require_same(*_what_workers_share(config, data, state))

    workers.say(
        f"{config.model}: {model.count_params():,} parameters; {data['photos']:,} photos of "
        f"{' and '.join(data['splits'])}; {steps:,} steps of {config.batch_size} on "
        f"{replicas} {_device_name()}{'s' if replicas > 1 else ''}"
    )
    if workers.is_chief and "val" in data["splits"]:
        warn(
            f"--splits={','.join(data['splits'])} trains on val, so what is scored there says "
            "nothing about other photos. For figures, the best checkpoint and the temperature "
            "of the confidence train without it"
        )
    if state.step:
        workers.say(f"Continues {config.train_logdir} at step {state.step:,}")
    elif origin:
        workers.say(f"Starts from the weights of {origin}")

    events = Summaries(config.train_logdir, state.step) if workers.is_chief else nullcontext()
    with events as summaries, stop_signals() as signals:
        if summaries and not state.step:
            summaries.start(config, model)
        run = _Run(
            config,
            data,
            task,
            steps,
            strategy,
            workers,
            model,
            average,
            optimizer,
            checkpoints,
            summaries,
            state,
        )
        with naming_damage(config.data_dir, [*data["splits"], "val"]), closing(run.profile):
            stops = run.train(signals)
    workers.wait_for_all()  # none leaves before the chief has written
    return run.report(stops)


def _require_writable(folder: str) -> None:
    try:
        make_writable(folder)
    except OSError as error:
        raise UserError(
            f"--train_logdir={folder} can't be written ({error.strerror or error}). Give another"
            " folder, or change its permissions"
        ) from error


def _restore_last(
    checkpoints: Checkpoints, config: TrainingConfig, data: dict[str, Any]
) -> dict[str, Any] | None:
    try:
        return checkpoints.restore_last()
    except MisfittingCheckpointError:
        # Mostly flags have changed: then their names are told.
        state_from_saved(read_state(checkpoints_by_age(config.train_logdir)[0]), config, data)
        raise


class _Run:
    """A run on its way: what the loop needs at hand."""

    def __init__(
        self,
        config: TrainingConfig,
        data: dict[str, Any],
        task: Task,
        steps: int,
        strategy: tf.distribute.Strategy,
        workers: Workers,
        model: keras.Model,
        average: WeightAverage | None,
        optimizer: keras.optimizers.Optimizer,
        checkpoints: Checkpoints,
        summaries: Summaries | None,
        state: RunState,
    ):
        self.config, self.data, self.task, self.steps = config, data, task, steps
        self.strategy, self.workers = strategy, workers
        self.model, self.average, self.optimizer = model, average, optimizer
        self.checkpoints, self.summaries, self.state = checkpoints, summaries, state
        self.evaluate = task.evaluator(average.model if average else model)
        self.evaluate_raw = task.evaluator(model) if average else None
        # The chief's alone: it is what writes.
        recorded = config.profile_steps if summaries else []
        self.profile = Profile(recorded, Path(config.train_logdir) / "train")

    def train(self, signals: list[int]) -> list[int]:
        """Trains until the last step, early stopping or a signal.

        Args:
            signals: Those that this process has received; may grow meanwhile.

        Returns:
            The signals that any worker had received when the run was stopped by them.
        """
        config, state = self.config, self.state
        train_step = make_train_step(
            self.strategy,
            self.model,
            self.optimizer,
            config.batch_size,
            self.task.example_figures,
            self.average,
            self.task.further_truth,
        )
        train_steps = make_train_steps(train_step, self.task.figures)
        batches = self.task.training_batches(start_example=state.step * config.batch_size)
        interval = evaluation_interval(config, self.data["photos"])
        results: list[StepFigures] = []
        iterator = iter(distribute(self.strategy, batches))
        with progress(
            total=self.steps,
            initial=state.step,
            description="training",
            unit=" steps",
            shown=self.workers.is_chief,
        ) as bar:
            started = time.perf_counter()
            while state.step < self.steps and not state.stopped_early:
                count = self._steps_of_next_call(interval)
                with self.profile.steps(state.step + 1, state.step + count):
                    results.append(train_steps(iterator, tf.constant(count)))
                state.step += count
                bar.update(count)
                evaluates = state.step % interval == 0 or state.step == self.steps
                if evaluates or state.step % config.log_every == 0:
                    words, rate = self._log(results, started)
                    bar.set_postfix_str(f"{words}  {rate}", refresh=False)
                    results, started = [], time.perf_counter()
                if evaluates:
                    line = self._evaluate(words, rate)
                    if self.workers.is_chief:
                        bar.write(line)
                        sys.stdout.flush()
                    started = time.perf_counter()
                stops = self.workers.asked_by_any(signals, STOP_SIGNALS)
                if stops:
                    if results:
                        self._log(results, started)
                    if not evaluates:
                        self._save()
                    return stops
        return []

    def _steps_of_next_call(self, interval: int) -> int:
        """As many steps as a call may have without passing where there is something to do."""
        step = self.state.step
        to_evaluation = interval - step % interval
        to_log = self.config.log_every - step % self.config.log_every
        return min(self.config.steps_per_call, to_evaluation, to_log, self.steps - step)

    def report(self, stops: list[int]) -> int:
        """Prints how the run ended; returns the exit status."""
        state, folder, say = self.state, self.config.train_logdir, self.workers.say
        best = (
            f"Best {self.task.score_name} on val: {100 * state.best_score:.2f} % at step "
            f"{state.best_step:,} ({folder}/best)"
            if state.best_step
            else "No evaluation yet"
        )
        if stops and state.step < self.steps:
            name = signal.Signals(stops[0]).name
            say(
                f"Stopped by {name} and saved at step {state.step:,}. {best}. The same command "
                "continues the run"
            )
            return 128 + stops[0]
        if state.stopped_early:
            say(
                f"Stopped early at step {state.step:,}: {state.evaluations_without_improvement} "
                "evaluations without a better one"
            )
        else:
            say(f"Finished all {self.steps:,} steps")
        say(best)
        return 0

    def _log(self, results: list[StepFigures], started: float) -> tuple[str, str]:
        """Writes the training curves' point for the steps since the last one.

        Returns:
            The same for the screen: the task's figures, and the speed.
        """
        # Reading the results here, not at every step, lets devices work ahead.
        columns = {
            name: np.concatenate([result[name].numpy() for result in results])
            for name in results[0]
        }
        seconds = time.perf_counter() - started
        losses, norms = columns["loss"], columns["gradient_norm"]
        finite = np.isfinite(losses)
        if not finite.all():
            step = self.state.step - len(losses) + 1 + int(np.argmin(finite))
            raise diverged(f"The loss became {losses[~finite][0]} at step {step:,}", self.config)
        images = len(losses) * self.config.batch_size
        means = {name: float(columns[name].mean()) for name in self.task.figures}
        finite_norms = np.isfinite(norms)
        if self.summaries:
            self.summaries.training(
                self.state.step,
                self.task.curves(means),
                float(self.optimizer.learning_rate),
                images / seconds,
                float(norms[finite_norms].mean()) if finite_norms.any() else None,
            )
        return self.task.in_words(means), f"{images / seconds:.0f} images/s"

    def _evaluate(self, words: str, rate: str) -> str:
        """Scores the val split, saves checkpoints, and returns the line for the screen.

        The chief does so; the other workers wait for the score and return nothing.

        Args:
            words: What the line says of training.
            rate: Its speed.
        """
        state = self.state
        if not self.summaries:
            self._take_score(0.0)
            return ""
        evaluation = self.evaluate()
        self.summaries.validation(state.step, evaluation)
        if self.evaluate_raw:
            self.summaries.raw_validation(state.step, self.evaluate_raw())
        is_best = self._take_score(evaluation.score)
        if is_best:
            self._save(evaluation, best=True)
        self._save(evaluation)
        epoch = state.step * self.config.photos_per_step / self.data["photos"]
        return (
            f"step {state.step:,}/{self.steps:,}  epoch {epoch:.1f}  {words}  "
            f"{evaluation.in_words}{' (best)' if is_best else ''}  {rate}"
        )

    def _take_score(self, score: float) -> bool:
        """Notes the chief's score at every worker; returns whether it is the best so far."""
        is_best = self.state.take_score(self.workers.from_chief(score), self.config.patience)
        self.state.fall_if_due(self.config.plateau_patience)
        set_falls(self.optimizer, self.state.falls)
        return is_best

    def _save(self, evaluation: Evaluation | None = None, *, best: bool = False) -> None:
        # Every worker has the same weights, so the chief's are all there is to write.
        if self.workers.is_chief:
            measured = (evaluation.calibration, evaluation.scores) if evaluation else ()
            saved = state_to_save(self.state, self.config, self.data, *measured)
            self.checkpoints.save(saved, best=best)


def _what_workers_share(
    config: TrainingConfig, data: dict[str, Any], state: RunState
) -> tuple[str, dict[str, Any]]:
    """Name and value of what must be the same at every worker."""
    flags = dataclasses.asdict(config)
    for name in ("data_dir", "train_logdir"):  # may be mounted at different places
        del flags[name]
    shared = {"flags": flags, "data": data, "run": dataclasses.asdict(state)}
    return "flags, data or last checkpoint", shared


def _device_name() -> str:
    return "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
