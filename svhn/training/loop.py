"""The one training loop: from flags to checkpoints."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from svhn.augmentation_config import Augmentation
from svhn.checkpoints import Checkpoints, load_weights
from svhn.data.input_pipeline import evaluation_batches, naming_damage, training_batches
from svhn.data.manifest import manifest_digest, photo_count, shard_folder, splits_with_photos
from svhn.errors import UserError
from svhn.evaluation.metrics import compute_metrics
from svhn.evaluation.predict import evaluate_split, make_predict_step
from svhn.models import build_model
from svhn.progress import progress
from svhn.training.config import TrainingConfig
from svhn.training.optimizers import make_optimizer
from svhn.training.run_state import (
    RunState,
    evaluation_interval,
    state_from_saved,
    state_to_save,
    total_steps,
)
from svhn.training.summaries import SAMPLES, Summaries
from svhn.training.train_step import distribute, make_strategy, make_train_step

VAL_BATCH_SIZE = 128
MISTAKES_SHOWN = 24


def train(config: TrainingConfig, strategy: tf.distribute.Strategy | None = None) -> int:
    """Trains as the flags say, or continues what is found in `config.train_logdir`.

    Args:
        config: The flags.
        strategy: Where to compute; by default all GPUs, or else the CPU.

    Returns:
        The exit status: 0; 130 or 143 when Ctrl-C or SIGTERM ended the run, after saving.

    Raises:
        UserError: If data, flags or checkpoint don't fit, or the loss is no longer finite.
    """
    data = _describe_data(config)
    steps = total_steps(config, data["photos"])
    strategy = strategy or make_strategy()
    replicas = strategy.num_replicas_in_sync
    if config.batch_size % replicas:
        raise UserError(
            f"--batch_size={config.batch_size} can't be shared by {replicas} devices. "
            f"Expected: a multiple of {replicas}"
        )

    keras.utils.set_random_seed(config.seed)
    with strategy.scope():
        model = build_model(config.model)
        optimizer = make_optimizer(config, model, steps)
    checkpoints = Checkpoints(config.train_logdir, model, optimizer, config.keep_checkpoints)
    saved = checkpoints.restore_last()
    state = state_from_saved(saved, config, data) if saved else RunState()
    if not saved and config.restore_checkpoint:
        load_weights(model, config.restore_checkpoint)

    print(
        f"{config.model}: {model.count_params():,} parameters; {data['photos']:,} photos of "
        f"{' and '.join(data['splits'])}; {steps:,} steps of {config.batch_size} on "
        f"{replicas} {_device_name()}{'s' if replicas > 1 else ''}",
        flush=True,
    )
    if state.step:
        print(f"Continues {config.train_logdir} at step {state.step:,}", flush=True)
    elif config.restore_checkpoint:
        print(f"Starts from the weights of {config.restore_checkpoint}", flush=True)

    with Summaries(config.train_logdir, state.step) as summaries, _stop_signals() as signals:
        if not state.step:
            summaries.start(config, model)
        run = _Run(config, data, steps, strategy, model, optimizer, checkpoints, summaries, state)
        with naming_damage(config.data_dir, [*data["splits"], "val"]):
            run.train(signals)
    return run.report(signals)


class _Run:
    """A run on its way: what the loop needs at hand."""

    def __init__(
        self,
        config: TrainingConfig,
        data: dict[str, Any],
        steps: int,
        strategy: tf.distribute.Strategy,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        checkpoints: Checkpoints,
        summaries: Summaries,
        state: RunState,
    ):
        self.config, self.data, self.steps, self.strategy = config, data, steps, strategy
        self.model, self.optimizer = model, optimizer
        self.checkpoints, self.summaries, self.state = checkpoints, summaries, state
        self.predict_step = make_predict_step(model)
        first = evaluation_batches(config.data_dir, "val", SAMPLES).take(1)
        self.samples = next(iter(first))[0].numpy()

    def train(self, signals: list[int]) -> None:
        """Trains until the last step, early stopping or a signal."""
        config, state = self.config, self.state
        train_step = make_train_step(
            self.strategy, self.model, self.optimizer, config.batch_size, config.label_smoothing
        )
        batches = training_batches(
            config.data_dir,
            self.data["splits"],
            config.batch_size,
            config.seed,
            start_example=state.step * config.batch_size,
            augmentation=Augmentation(strength=config.augmentation),
        )
        interval = evaluation_interval(config, self.data["photos"])
        results: list[tuple[tf.Tensor, tf.Tensor]] = []
        iterator = iter(distribute(self.strategy, batches))
        with progress(
            total=self.steps, initial=state.step, description="training", unit=" steps"
        ) as bar:
            started = time.perf_counter()
            while state.step < self.steps and not state.stopped_early:
                results.append(train_step(*next(iterator)))
                state.step += 1
                bar.update()
                evaluates = state.step % interval == 0 or state.step == self.steps
                if evaluates or signals or state.step % config.log_every == 0:
                    shown = self._log(results, started)
                    bar.set_postfix(shown, refresh=False)
                    results, started = [], time.perf_counter()
                if evaluates:
                    bar.write(self._evaluate(shown))
                    sys.stdout.flush()
                    started = time.perf_counter()
                elif signals:
                    self._save()
                if signals:
                    return

    def report(self, signals: list[int]) -> int:
        """Prints how the run ended; returns the exit status."""
        state, folder = self.state, self.config.train_logdir
        best = (
            f"Best sequence accuracy on val: {100 * state.best_sequence_accuracy:.2f} % at step "
            f"{state.best_step:,} ({folder}/best)"
            if state.best_step
            else "No evaluation yet"
        )
        if signals and state.step < self.steps:
            name = signal.Signals(signals[0]).name
            print(
                f"Stopped by {name} and saved at step {state.step:,}. {best}. The same command "
                "continues the run"
            )
            return 128 + signals[0]
        if state.stopped_early:
            print(
                f"Stopped early at step {state.step:,}: {state.evaluations_without_improvement} "
                "evaluations without a better one"
            )
        else:
            print(f"Finished all {self.steps:,} steps")
        print(best)
        return 0

    def _log(self, results: list[tuple[tf.Tensor, tf.Tensor]], started: float) -> dict[str, str]:
        """Writes the training curves' point for the steps since the last one."""
        # Reading the results here, not at every step, lets devices work ahead.
        losses, rights = (
            np.array([value.numpy() for value in column]) for column in zip(*results, strict=True)
        )
        seconds = time.perf_counter() - started
        finite = np.isfinite(losses)
        if not finite.all():
            step = self.state.step - len(losses) + 1 + int(np.argmin(finite))
            raise UserError(
                f"The loss became {losses[~finite][0]} at step {step:,}; the checkpoints in "
                f"{self.config.train_logdir} are from before. Start a new run with a smaller "
                f"--learning_rate than {self.config.learning_rate:g}"
            )
        images = len(losses) * self.config.batch_size
        loss, accuracy = float(losses.mean()), float(rights.sum()) / images
        self.summaries.training(
            self.state.step,
            loss,
            accuracy,
            float(self.optimizer.learning_rate),
            images / seconds,
        )
        return {
            "loss": f"{loss:.3f}",
            "accuracy": f"{100 * accuracy:.1f} %",
            "images/s": f"{images / seconds:.0f}",
        }

    def _evaluate(self, shown: dict[str, str]) -> str:
        """Scores the val split, saves checkpoints, and returns the line for the screen."""
        state = self.state
        predictions = evaluate_split(
            self.model,
            self.config.data_dir,
            "val",
            VAL_BATCH_SIZE,
            predict_step=self.predict_step,
            keep_mistakes=MISTAKES_SHOWN,
        )
        metrics = compute_metrics(
            predictions.labels,
            predictions.predicted,
            predictions.confidence,
            loss=predictions.loss,
        )
        self.summaries.validation(state.step, predictions, metrics, self.samples)
        is_best = state.take_score(metrics.sequence.share, self.config.patience)
        if is_best:
            self._save(best=True)
        self._save()
        epoch = state.step * self.config.batch_size / self.data["photos"]
        return (
            f"step {state.step:,}/{self.steps:,}  epoch {epoch:.1f}  loss {shown['loss']}  "
            f"train {shown['accuracy']}  val loss {predictions.mean_loss:.3f}  "
            f"val {100 * metrics.sequence.share:.2f} %{' (best)' if is_best else ''}  "
            f"{shown['images/s']} images/s"
        )

    def _save(self, *, best: bool = False) -> None:
        self.checkpoints.save(state_to_save(self.state, self.config, self.data), best=best)


def _describe_data(config: TrainingConfig) -> dict[str, Any]:
    """What is trained on, such that another data set is described otherwise."""
    present = splits_with_photos(config.data_dir)
    splits = config.splits or [split for split in ("train", "extra") if split in present]
    if not splits:
        raise UserError(
            f"{shard_folder(config.data_dir)} has neither train nor extra photos to train on. "
            "Convert a folder that has train/ or extra/"
        )
    photo_count(config.data_dir, "val")  # says what to do where there is none
    return {
        "splits": list(splits),
        "photos": sum(photo_count(config.data_dir, split) for split in splits),
        "manifest_sha256": manifest_digest(config.data_dir),
    }


def _device_name() -> str:
    return "GPU" if tf.config.list_physical_devices("GPU") else "CPU"


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Collects Ctrl-C and SIGTERM instead of being ended by them; a second one ends at once."""
    received: list[int] = []

    def take(number: int, _: object) -> None:
        received.append(number)
        signal.signal(number, signal.SIG_DFL)

    previous = {number: signal.signal(number, take) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
