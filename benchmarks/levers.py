"""Measures what each choice of the recipe is worth: the same short training with and without it.

    python benchmarks/levers.py --data_dir DIR [--levers=A,B,…] [--steps=800] [--work_dir=DIR]
    nohup python benchmarks/levers.py --data_dir DIR --idle --hours=8 &
    python benchmarks/levers.py --data_dir DIR --table_only

One network is trained for --start_steps steps. From its weights the base run goes on for --steps,
and so does every lever: the same with one change (benchmarks/lever_changes.py), from the same seed,
on the same photos. All are scored on val. (From nothing, two seeds alone differ by several points
after so short a time.) Where the network or its pictures are others, there is no common start: such
a lever makes a start of its own with its change, and its row is less certain. The difference to the
base is of the same photos, so its interval (95 %) is narrower than those of the two scores; but
both are of one run each, and what chance does, the two levers with other seeds show. What a flag
can't say (the crop, the network's width, a class "blank") is changed in the process that trains.

Each run writes what it prints to WORK_DIR/NAME.log. Runs that were interrupted go on with the same
command, and finished ones are not run again; one that fails is named, and the next begins. Ctrl-C,
SIGTERM and the end of --hours save the run at hand. --table_only prints what is measured so far.
"""

import dataclasses
import datetime
import io
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks.decoding import paired_interval  # noqa: E402
from benchmarks.lever_changes import (  # noqa: E402
    BASE,
    BASE_FLAGS,
    LEVERS,
    START_LEARNING_RATE,
)
from benchmarks.report import print_table, require_known  # noqa: E402
from svhn.command_line import option, run, start_tensorflow  # noqa: E402
from svhn.data.manifest import splits_with_photos  # noqa: E402
from svhn.errors import UserError  # noqa: E402
from svhn.evaluation.metrics import Proportion  # noqa: E402
from svhn.files import write_whole  # noqa: E402
from svhn.models import PRECISIONS  # noqa: E402
from svhn.stop_signals import stop_signals  # noqa: E402

STOPPED = 143
"""The exit status of a run that SIGTERM has stopped."""


@dataclasses.dataclass
class BenchmarkConfig:
    """What to measure, on what."""

    data_dir: str = option(
        "A converted folder: real photos in train, made ones in extra; with pseudo for the lever "
        "pseudo.",
        group="benchmark",
    )
    rendered_dir: str = option(
        "A conversion like it whose extra has rendered photos alone: for the lever no_recombined.",
        "",
        group="benchmark",
    )
    levers: list[str] = option(
        "Levers, of: " + ", ".join(list(LEVERS)[1:]) + ". Default: all.",
        list(LEVERS)[1:],
        group="benchmark",
    )
    start_steps: int = option(
        "Batches of 32 of the start that all share.", 2000, group="benchmark", minimum=1
    )
    steps: int = option("Batches of 32 of each run after it.", 800, group="benchmark", minimum=1)
    precision: str = option(
        "Of activations and gradients, as train.py has it.",
        "float32",
        group="benchmark",
        choices=PRECISIONS,
    )
    work_dir: str = option("For checkpoints, logs and results.", "logs/levers", group="benchmark")
    lever: str = option(
        "Runs this one alone, in this process: what the program calls.", "", group="benchmark"
    )
    hours: float = option(
        "Stop after so many hours; the same command goes on. 0: when all is measured.",
        0.0,
        group="time",
        minimum=0.0,
    )
    idle: bool = option("Compute only while nothing else does.", False, group="time")
    table_only: bool = option("Train nothing; print what is measured.", False, group="time")


def main(config: BenchmarkConfig) -> int:
    """Trains what isn't trained yet; prints a row for each lever that is measured."""
    require_known("levers", [*config.levers, config.lever or BASE], LEVERS)
    folder = Path(config.work_dir)
    if config.lever:
        return measure(config.lever, config, folder)
    names = list(dict.fromkeys([BASE, *config.levers]))
    results = {name: read_result(folder, name, config) for name in names}
    status = 0
    if not config.table_only:
        folder.mkdir(parents=True, exist_ok=True)
        if config.idle:
            leave_cores_to_others()
        left = [name for name in names if not results[name] and not obstacle(name, config)]
        status = measure_all(left, config, folder)
        results = {name: read_result(folder, name, config) for name in names}
    print_results(results, config)
    return status


@dataclasses.dataclass(frozen=True, eq=False)
class Result:
    """What a run reads right."""

    right: np.ndarray
    """Whether each photo of val is read right, bool [N]."""

    file_names: np.ndarray
    """Of these photos, in order: str [N]."""

    steps: tuple[int, int]
    """Of the start, and after it."""

    precision: str
    """`--precision` of all of them."""


def result_path(folder: Path, name: str) -> Path:
    """Returns the file of a run's result."""
    return folder / f"{name}.npz"


def write_result(folder: Path, name: str, result: Result) -> None:
    """Writes which photos a run reads right."""
    content = io.BytesIO()
    np.savez(
        content,
        right=result.right,
        file_names=result.file_names,
        steps=result.steps,
        precision=result.precision,
    )
    write_whole(result_path(folder, name), content.getvalue())


def read_result(folder: Path, name: str, config: BenchmarkConfig) -> Result | None:
    """Returns a run's result, None if there is none yet.

    Raises:
        UserError: If it is of a run of other steps or another precision.
    """
    path = result_path(folder, name)
    if not path.exists():
        return None
    with np.load(path) as arrays:
        start, after = arrays["steps"].tolist()
        precision = str(arrays["precision"])
        result = Result(arrays["right"], arrays["file_names"], (start, after), precision)
    if (*result.steps, precision) != (config.start_steps, config.steps, config.precision):
        raise UserError(
            f"{path} is of other steps than --start_steps={config.start_steps} "
            f"--steps={config.steps}, or not of --precision={config.precision}: give "
            f"--start_steps={start} --steps={after} --precision={precision}, or another --work_dir"
        )
    return result


def obstacle(name: str, config: BenchmarkConfig) -> str:
    """Returns why a lever can't be measured with what was given; nothing if it can.

    Raises:
        UserError: If a folder holds no whole conversion.
    """
    if LEVERS[name].rendered_alone and not config.rendered_dir:
        return "give --rendered_dir"
    present = splits_with_photos(data_dir(name, config))
    absent = [split for split in (*LEVERS[name].splits, "val") if split not in present]
    return f"{data_dir(name, config)} has no split {absent[0]}" if absent else ""


def data_dir(name: str, config: BenchmarkConfig) -> str:
    """Returns the conversion that a lever is trained on."""
    return config.rendered_dir if LEVERS[name].rendered_alone else config.data_dir


def leave_cores_to_others() -> None:
    """Lets this process and those that it starts compute only where a core would be idle."""
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(19)


def measure_all(names: list[str], config: BenchmarkConfig, folder: Path) -> int:
    """Runs one lever after the other, each in a process of its own.

    Returns:
        The exit status: 0; 1 if a run failed; 130 or 143 after Ctrl-C or SIGTERM.
    """
    end = time.monotonic() + config.hours * 3600 if config.hours else float("inf")
    failed = False
    with stop_signals() as signals:
        for name in names:
            if signals or time.monotonic() >= end:
                break
            say(f"{name}: {LEVERS[name].what}; prints to {folder / name}.log")
            status = call(name, config, folder, signals, end)
            if status == STOPPED:
                say(f"{name}: stopped; the same command goes on from here")
                break
            failed = failed or bool(status)
            say(f"{name}: failed with status {status}, see its log" if status else f"{name}: done")
    return 128 + signals[0] if signals else int(failed)


def call(name: str, config: BenchmarkConfig, folder: Path, signals: list[int], end: float) -> int:
    """Runs one lever until it has ended, a signal has come or the time is over.

    Args:
        name: Of the lever.
        config: The flags.
        folder: Gets its log.
        signals: Grows when one comes.
        end: When to stop it, by `time.monotonic`.

    Returns:
        Its exit status; `STOPPED` if it was stopped before its end.
    """
    flags = dataclasses.asdict(config) | {"lever": name, "levers": name}
    others = ("hours", "idle", "table_only")
    arguments = [f"--{flag}={value}" for flag, value in flags.items() if flag not in others]
    with (folder / f"{name}.log").open("a", encoding="utf-8") as log:
        # In a session of its own: Ctrl-C reaches it through us alone.
        process = subprocess.Popen(
            [sys.executable, __file__, *arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        asked = False
        while True:
            try:
                status = process.wait(timeout=0.5)
                return STOPPED if status and asked else status
            except subprocess.TimeoutExpired:
                if not asked and (signals or time.monotonic() >= end):
                    process.terminate()
                    asked = True


def say(text: str) -> None:
    """Prints a line with the time."""
    print(f"{datetime.datetime.now(datetime.UTC):%H:%M:%S} UTC  {text}", flush=True)


def measure(name: str, config: BenchmarkConfig, folder: Path) -> int:
    """Trains one run and writes which photos of val it reads right; returns the exit status."""
    start_tensorflow()
    lever = LEVERS[name]
    if lever.patch:
        lever.patch()
    is_trained = lever.crops == 1
    run_folder = folder / (name if is_trained else BASE)
    if is_trained:
        status = train(name, config, run_folder)
        if status:
            return status

    from svhn.checkpoints import load_model

    # The last weights, not the best on val: the schedule ends there, for all alike.
    loaded = load_model(str(run_folder / f"model.ckpt-{config.steps}"))
    right, file_names = read_val(loaded.model, data_dir(name, config), lever.crops)
    steps = (config.start_steps, config.steps)
    write_result(folder, name, Result(right, file_names, steps, config.precision))
    return 0


def train(name: str, config: BenchmarkConfig, run_folder: Path) -> int:
    """Trains one run with the start it needs, or goes on with it; returns the exit status."""
    base_flags = {**BASE_FLAGS, "precision": config.precision}
    flags = base_flags | LEVERS[name].flags
    if LEVERS[name].from_nothing:
        start, start_flags = run_folder.with_name(f"{name}_start"), flags
    else:
        start, start_flags = run_folder.with_name("start"), base_flags
    last_of_start = start / f"model.ckpt-{config.start_steps}"
    if not Path(f"{last_of_start}.index").exists():
        rate = {"learning_rate": START_LEARNING_RATE}
        status = train_steps(start, config.data_dir, config.start_steps, start_flags | rate)
        if status:
            return status
    flags |= {"restore_checkpoint": str(last_of_start)}
    return train_steps(run_folder, data_dir(name, config), config.steps, flags)


def train_steps(run_folder: Path, photos: str, steps: int, flags: dict[str, Any]) -> int:
    """Trains one network, or goes on with it; returns the exit status."""
    from svhn.training.config import TrainingConfig
    from svhn.training.loop import train

    return train(
        TrainingConfig(
            photos,
            train_logdir=str(run_folder),
            steps=steps,
            evaluate_every=steps,
            warmup_steps=min(200, steps // 10),
            keep_checkpoints=1,
            **flags,
        )
    )


def read_val(model: Any, folder: str, crops: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns which photos of val a network reads right, in the order of their names, and these."""
    from svhn.data.records import read_photos
    from svhn.evaluation.pictures import batches_of_pictures
    from svhn.evaluation.predict import evaluate_split, make_predict_step, predict
    from svhn.evaluation.several_crops import averaging_model, crops_of_photos
    from svhn.picture_size import picture_size

    if crops == 1:
        predictions = evaluate_split(model, folder, "val", 128)
    else:
        photos = list(read_photos(folder, "val"))
        predictions = predict(
            make_predict_step(averaging_model(model, crops)),
            batches_of_pictures(photos, crops_of_photos(photos, crops, picture_size(model)), 64),
            total=len(photos),
            description=f"{crops} crops",
        )
    names = np.array(predictions.file_names)
    order = np.argsort(names)
    return predictions.right[order], names[order]


def print_results(results: dict[str, Result | None], config: BenchmarkConfig) -> None:
    """Prints the table of what has been measured, and what has not.

    Raises:
        UserError: If results are of different photos.
    """
    base = results[BASE]
    if base:
        rows = [row(name, result, base) for name, result in results.items() if result]
        title = (
            f"Sequence accuracy on {len(base.right):,} photos of val, {base.steps[1]:,} steps of "
            f"{BASE_FLAGS['batch_size']} from a common start (*: from one of its own)"
        )
        print_table(title, ("change", "val", "95 %", "points", "95 %"), rows)
    for name in [name for name, result in results.items() if not result]:
        print(f"  not measured: {name}: {obstacle(name, config) or 'the same command goes on'}")


def row(name: str, result: Result, base: Result) -> tuple[str, ...]:
    """Returns a lever's row of the table."""
    if not np.array_equal(result.file_names, base.file_names):
        raise UserError(
            f"--work_dir has results of different photos: {name}.npz and {BASE}.npz. Delete one, "
            "or give another --work_dir"
        )
    right, count = result.right, len(result.right)
    low, high = Proportion(int(right.sum()), count).interval
    scores = (f"{100 * right.mean():.2f} %", f"{100 * low:.1f}–{100 * high:.1f}")
    if name == BASE:
        return (LEVERS[name].what, *scores, "", "")
    only, only_base = int((right & ~base.right).sum()), int((base.right & ~right).sum())
    low, high = paired_interval(only, only_base, count)
    difference = 100 * (right.mean() - base.right.mean())
    interval = f"{100 * low:+.1f} to {100 * high:+.1f}"
    return (LEVERS[name].what, *scores, f"{difference:+.2f}", interval)


if __name__ == "__main__":
    run(main, BenchmarkConfig, needs_tensorflow=False)
