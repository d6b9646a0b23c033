"""Trains each model for the same time, or on as many pictures, and scores it on val.

    python benchmarks/budget.py --data_dir DIR --seconds=3600 [--models=compact,goodfellow]
    python benchmarks/budget.py --data_dir DIR --images=500000

Each is trained by train.py with the learning rate below and scored by eval.py. With --seconds the
steps are worked out beforehand from the speed of train.py itself, measured for a short time with
its pictures and all, so that each schedule ends where it should; they are kept in the work folder,
and a run that was interrupted goes on when the same command is given again.
"""

import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import training  # noqa: E402
from benchmarks.report import print_table, require_known  # noqa: E402
from benchmarks.turns import take_turns  # noqa: E402
from svhn.command_line import option, run  # noqa: E402
from svhn.errors import UserError  # noqa: E402
from svhn.models import MODEL_NAMES, PRECISIONS  # noqa: E402

LEARNING_RATES = {"compact": 2e-3, "plain": 2e-3, "goodfellow": 3e-4, "vgg16": 3e-4}
"""The deep ones without normalisation between their convolutions bear less."""

EVALUATIONS = 5
"""During each training; the best checkpoint is scored."""

MEASURED_SECONDS = 15.0
"""For which the speed is measured, after as long a time to warm up."""


@dataclasses.dataclass
class BudgetConfig:
    """What to train, on what, how long."""

    data_dir: str = option("The data folder that was converted.", group="data")
    models: list[str] = option("Models.", list(MODEL_NAMES), group="budget")
    seconds: float = option(
        "How long each model is trained, about; 0 to say it by --images.",
        0.0,
        group="budget",
        minimum=0,
    )
    images: int = option(
        "On how many pictures each model is trained; 0 to say it by --seconds.",
        0,
        group="budget",
        minimum=0,
    )
    batch_size: int = option("Pictures a step.", 64, group="budget", minimum=1)
    precision: str = option("As train.py has it.", "float32", group="budget", choices=PRECISIONS)
    augmentation: float = option("As train.py has it.", 1.0, group="budget", minimum=0)
    seed: int = option("As train.py has it.", 0, group="budget", minimum=0)
    work_dir: str = option("For checkpoints and results.", "logs/budget", group="output")


def planned_steps(config: BudgetConfig, folder: Path) -> dict[str, int]:
    """Returns the steps of each model: those of an earlier run with the same flags, if any."""
    path = folder / "plan.json"
    flags = {**dataclasses.asdict(config), "work_dir": ""}
    if path.is_file():
        plan = json.loads(path.read_text())
        if plan["flags"] != flags:
            raise UserError(
                f"--work_dir={folder} holds a benchmark with other flags ({path}). Give the same "
                "flags, or another --work_dir"
            )
        return plan["steps"]
    steps = {}
    for name in config.models:
        images = config.images
        if config.seconds:
            images = round(images_per_second(name, config) * config.seconds)
        steps[name] = max(1, images // config.batch_size)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"flags": flags, "steps": steps}, indent=2))
    return steps


def images_per_second(name: str, config: BudgetConfig) -> float:
    """Returns how many pictures a second train.py trains a model on."""
    flags = training.BenchmarkConfig(
        batch_size=config.batch_size,
        train_flags=f"--precision={config.precision} --augmentation={config.augmentation}",
    )
    with tempfile.TemporaryDirectory() as folder:
        program = training.loop_program(flags, name, name, config.data_dir, Path(folder), 2)
        [turn] = take_turns([program], 1, MEASURED_SECONDS)[name]
    return turn.steps_a_second * config.batch_size


def call(program: str, **flags: object) -> float:
    """Runs one of the programs; returns the seconds it took."""
    started = time.perf_counter()
    arguments = [f"--{name}={value}" for name, value in flags.items()]
    status = subprocess.run([sys.executable, ROOT / program, *arguments]).returncode
    if status:
        raise UserError(f"{program} ended with status {status}; what it says is above")
    return time.perf_counter() - started


def train_and_score(name: str, steps: int, config: BudgetConfig, folder: Path) -> tuple[str, ...]:
    """Returns the model's row."""
    seconds = call(
        "train.py",
        data_dir=config.data_dir,
        train_logdir=folder / "train",
        model=name,
        steps=steps,
        batch_size=config.batch_size,
        learning_rate=LEARNING_RATES[name],
        warmup_steps=min(200, steps // 10),
        precision=config.precision,
        augmentation=config.augmentation,
        evaluate_every=max(1, -(-steps // EVALUATIONS)),
        patience=0,
        seed=config.seed,
    )
    call(
        "eval.py",
        data_dir=config.data_dir,
        checkpoint_dir=folder / "train",
        eval_logdir=folder / "eval",
        splits="val",
        sheet_size=0,
    )
    results = json.loads((folder / "eval" / "results.json").read_text())
    sequence = results["splits"]["val"]["sequence_accuracy"]
    return (
        name,
        f"{steps * config.batch_size:,}",
        f"{seconds:,.0f} s",
        f"{LEARNING_RATES[name]:g}",
        f"{100 * sequence['value']:.2f} %",
        f"{100 * sequence['low_95']:.2f}–{100 * sequence['high_95']:.2f}",
        f"{sequence['count']:,}",
    )


def main(config: BudgetConfig) -> int:
    """Trains and scores one model after the other and prints a row for each."""
    require_known("models", config.models, MODEL_NAMES)
    if bool(config.seconds) == bool(config.images):
        raise UserError("Say how long to train: give --seconds or --images, one of them")
    folder = Path(config.work_dir)
    rows = [
        train_and_score(name, steps, config, folder / name)
        for name, steps in planned_steps(config, folder).items()
    ]
    header = ("model", "pictures", "training", "rate", "val accuracy", "95 %", "photos")
    budget = f"{config.seconds:g} s each" if config.seconds else f"{config.images:,} pictures each"
    print_table(f"Accuracy after the same training: {budget}", header, rows)
    return 0


if __name__ == "__main__":
    run(main, BudgetConfig)
