"""Measures what each choice of the recipe is worth: the same short training with and without it.

    python benchmarks/levers.py --data_dir DIR [--levers=A,B,…] [--steps=1500] [--work_dir=DIR]

Every lever is one change of the base run (flags below), trained from the same seed on the same
photos for as many steps, and scored on val. The difference to the base is of the same photos, so
its interval (95 %) is narrower than those of the two scores; but both are of one run each, and
another seed alone moves a score, as the lever `seed` shows. What a flag can't say (the crop, the
network's width, a class "blank") is changed in the process that trains. Runs that were interrupted
go on, and finished ones are not run again.
"""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks.decoding import paired_interval  # noqa: E402
from benchmarks.report import print_table  # noqa: E402
from svhn.command_line import option, run  # noqa: E402
from svhn.errors import UserError  # noqa: E402

BASE = "base"

BASE_FLAGS = {
    "batch_size": 64,
    "learning_rate": 0.002,
    "mix": ["train:1", "extra:2"],
    "average_decay": 0.998,
    "patience": 0,
    "seed": 1,
}


@dataclasses.dataclass(frozen=True)
class Lever:
    """One change of the base run."""

    what: str
    flags: dict[str, Any] = dataclasses.field(default_factory=dict)
    patch: Callable[[], None] | None = None


def squared_crop() -> None:
    """Grows every box to the square of its longer side, as the peers do."""
    import tensorflow as tf

    from svhn import preprocessing, random_view

    tight_box, turned_bounds = preprocessing.tight_box, random_view._turned_bounds

    def squared_box(digit_boxes: tf.Tensor) -> tf.Tensor:
        box = tight_box(digit_boxes)
        side = tf.reduce_max(box[2:])
        return tf.concat([box[:2] + (box[2:] - side) * 0.5, [side, side]], axis=0)

    def squared_bounds(*arguments: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        pivot, start, end = turned_bounds(*arguments)
        half = tf.reduce_max(end - start, axis=1, keepdims=True) * 0.5
        centre = (start + end) * 0.5
        return pivot, centre - half, centre + half

    preprocessing.tight_box, random_view._turned_bounds = squared_box, squared_bounds


def margin(share: float) -> Callable[[], None]:
    """Returns a patch that grows boxes by another share."""

    def patch() -> None:
        from svhn import preprocessing, random_view

        preprocessing.MARGIN = random_view.MARGIN = share

    return patch


def augmentation(**changes: float) -> Callable[[], None]:
    """Returns a patch of how far the random changes go."""

    def patch() -> None:
        from svhn.augmentation_config import Augmentation

        fields = [field.name for field in dataclasses.fields(Augmentation)]
        values = dict(zip(fields, Augmentation.__init__.__defaults__, strict=True))
        Augmentation.__init__.__defaults__ = tuple((values | changes).values())

    return patch


def compact(**constants: Any) -> Callable[[], None]:
    """Returns a patch of the network's constants."""

    def patch() -> None:
        from svhn.models import compact as module

        for name, value in constants.items():
            setattr(module, name, value)

    return patch


def heads_alone() -> None:
    """Leaves out the classifier that the digit heads share: it never has an opinion."""
    from keras import ops

    from svhn.labels import DIGIT_CLASSES, MAX_DIGITS
    from svhn.models import compact as module

    def no_opinion(_: Any, features: Any) -> Any:
        return ops.repeat(ops.zeros_like(features[:, None, :DIGIT_CLASSES]), MAX_DIGITS, axis=1)

    module._shared_digit_logits = no_opinion


def blank_class() -> None:
    """Gives the digit heads an eleventh class, as the peers do: no digit at this position.

    All five positions take part in the loss, and a number is read up to its first blank; the length
    head trains along, as theirs does, and has no say.
    """
    from keras import ops

    from svhn.decoding import Decoded
    from svhn.evaluation import predict
    from svhn.labels import HEAD_NAMES, LENGTH_CLASSES, MAX_DIGITS, NO_DIGIT
    from svhn.models import compact as network
    from svhn.models import heads, loss
    from svhn.training import reader_task

    classes = NO_DIGIT + 1

    def number_loss(logits: Any, labels: Any, label_smoothing: float = 0.0) -> Any:
        total = loss._cross_entropy(logits["length"], labels[:, 0], LENGTH_CLASSES, label_smoothing)
        for position, name in enumerate(HEAD_NAMES[1:], start=1):
            total += loss._cross_entropy(
                logits[name], labels[:, position], classes, label_smoothing
            )
        return total

    def decode(logits: Any, temperature: float = 1.0) -> Decoded:
        scores = ops.stack(
            [ops.log_softmax(logits[name] / temperature, axis=-1) for name in HEAD_NAMES[1:]],
            axis=1,
        )
        best = ops.cast(ops.argmax(scores, axis=-1), "int32")
        probabilities = ops.exp(ops.max(scores, axis=-1))
        is_digit = ops.cumprod(ops.cast(best != NO_DIGIT, "int32"), axis=1)
        length = ops.sum(is_digit, axis=1)
        # The first blank is part of what was read.
        is_read = ops.arange(MAX_DIGITS)[None, :] <= length[:, None]
        return Decoded(
            label=ops.concatenate(
                [length[:, None], ops.where(is_digit == 1, best, NO_DIGIT)], axis=1
            ),
            confidence=ops.prod(ops.where(is_read, probabilities, 1.0), axis=1),
            digit_probabilities=ops.where(is_digit == 1, probabilities, 0.0),
        )

    heads.DIGIT_CLASSES = network.DIGIT_CLASSES = predict.DIGIT_CLASSES = classes
    for module in (predict, reader_task):
        module.number_loss, module.decode = number_loss, decode


LEVERS = {
    BASE: Lever("the base run"),
    "seed": Lever("another seed: what is chance", {"seed": 2}),
    "real_only": Lever("no rendered photos", {"splits": ["train"], "mix": []}),
    "rendered_only": Lever("no real photos", {"splits": ["extra"], "mix": []}),
    "mix_1_1": Lever("real : rendered 1 : 1 in place of 1 : 2", {"mix": ["train:1", "extra:1"]}),
    "mix_1_4": Lever("real : rendered 1 : 4", {"mix": ["train:1", "extra:4"]}),
    "balance": Lever("lengths balanced, --balance_lengths=0.3", {"balance_lengths": 0.3}),
    "no_augmentation": Lever("no augmentation", {"augmentation": 0.0}),
    "augmentation_1.5": Lever("augmentation half as strong again", {"augmentation": 1.5}),
    "no_jitter": Lever(
        "no jitter of the box beyond the paper's patches",
        patch=augmentation(shift=0.0, scale=0.0, aspect=0.0),
    ),
    "no_turning": Lever("no rotation, no slant", patch=augmentation(rotation=0.0, shear=0.0)),
    "no_light": Lever(
        "light, colour, blur and noise as they are",
        patch=augmentation(
            brightness=0.0,
            contrast=0.0,
            saturation=0.0,
            colour_cast=0.0,
            inversion=0.0,
            blur=0.0,
            noise=0.0,
        ),
    ),
    "no_negatives": Lever("no negatives of photos", patch=augmentation(inversion=0.0)),
    "squared_crop": Lever("the crop squared, as the peers do", patch=squared_crop),
    "margin_0.15": Lever("the crop's margin 15 % in place of 30 %", patch=margin(0.15)),
    "margin_0.6": Lever("the crop's margin 60 %", patch=margin(0.6)),
    "no_average": Lever("no averaged weights", {"average_decay": 0.0}),
    "label_smoothing": Lever("label smoothing 0.05", {"label_smoothing": 0.05}),
    "no_dropout": Lever("no dropout", patch=compact(DROPOUT=0.0)),
    "constant_rate": Lever("a constant learning rate", {"schedule": "constant"}),
    "rate_0.001": Lever("half the learning rate", {"learning_rate": 0.001}),
    "wider": Lever(
        "wider and shallower, 83 million multiply-adds",
        patch=compact(STAGES=((40, 1), (80, 1), (160, 2))),
    ),
    "deeper": Lever(
        "narrower and deeper, 83 million multiply-adds",
        patch=compact(STAGES=((26, 3), (52, 3), (104, 3))),
    ),
    "heads_alone": Lever("digit heads without the classifier they share", patch=heads_alone),
    "blank_class": Lever("heads with a class blank, as the peers'", patch=blank_class),
}
"""By name. Each is one change of the base."""


@dataclasses.dataclass
class BenchmarkConfig:
    """What to measure, on what."""

    data_dir: str = option(
        "A converted folder, real photos in train, rendered ones in extra.", group="benchmark"
    )
    levers: list[str] = option(
        "Levers, of: " + ", ".join(list(LEVERS)[1:]) + ". Default: all.",
        list(LEVERS)[1:],
        group="benchmark",
    )
    steps: int = option("Batches of 64 of each run.", 1500, group="benchmark", minimum=1)
    work_dir: str = option("For checkpoints and results.", "logs/levers", group="benchmark")
    lever: str = option(
        "Runs this one alone, in this process: what the program calls.", "", group="benchmark"
    )


def main(config: BenchmarkConfig) -> int:
    """Trains what isn't trained yet; prints a row for each lever."""
    unknown = [name for name in [*config.levers, config.lever or BASE] if name not in LEVERS]
    if unknown:
        raise UserError(f"--levers names {unknown[0]}; expected some of: {', '.join(LEVERS)}")
    folder = Path(config.work_dir).expanduser()
    if config.lever:
        return train_and_score(config.lever, config, folder)
    for name in [BASE, *config.levers]:
        if not result_path(folder, name).exists():
            flags = [f"--data_dir={config.data_dir}", f"--steps={config.steps}"]
            flags += [f"--work_dir={config.work_dir}", f"--lever={name}"]
            status = subprocess.run([sys.executable, __file__, *flags]).returncode
            if status:
                raise UserError(f"--levers={name} ended with status {status}; see above")
    print_rows(config, folder)
    return 0


def result_path(folder: Path, name: str) -> Path:
    """Returns the file that holds which photos of val a run reads right."""
    return folder / f"{name}.npy"


def train_and_score(name: str, config: BenchmarkConfig, folder: Path) -> int:
    """Trains one run and writes which photos of val it reads right; returns the exit status."""
    lever = LEVERS[name]
    if lever.patch:
        lever.patch()

    from svhn.checkpoints import load_model
    from svhn.evaluation.predict import evaluate_split
    from svhn.training.config import TrainingConfig
    from svhn.training.loop import train

    run_folder = folder / name
    flags = {**BASE_FLAGS, **lever.flags, "steps": config.steps}
    status = train(
        TrainingConfig(
            config.data_dir,
            train_logdir=str(run_folder),
            evaluate_every=-(-config.steps // 3),
            warmup_steps=min(200, config.steps // 10),
            keep_checkpoints=1,
            **flags,
        )
    )
    if status:
        return status
    # The last weights, not the best on val: the schedule ends there, for all alike.
    loaded = load_model(str(run_folder / f"model.ckpt-{config.steps}"))
    right = evaluate_split(loaded.model, config.data_dir, "val", 128).right
    np.save(result_path(folder, name), right)
    return 0


def print_rows(config: BenchmarkConfig, folder: Path) -> None:
    """Prints the table of what has been measured."""
    from svhn.evaluation.metrics import Proportion

    base = np.load(result_path(folder, BASE))
    rows = []
    for name in [BASE, *config.levers]:
        right = np.load(result_path(folder, name))
        low, high = Proportion(int(right.sum()), len(right)).interval
        row = [
            LEVERS[name].what,
            f"{100 * right.mean():.2f} %",
            f"{100 * low:.1f}–{100 * high:.1f}",
        ]
        if name == BASE:
            row += ["", ""]
        else:
            only, only_base = int((right & ~base).sum()), int((base & ~right).sum())
            low, high = paired_interval(only, only_base, len(base))
            difference = 100 * (right.mean() - base.mean())
            row += [f"{difference:+.2f}", f"{100 * low:+.1f} to {100 * high:+.1f}"]
        rows.append(row)
    title = f"Sequence accuracy on {len(base):,} photos of val after {config.steps:,} steps of 64"
    print_table(title, ("change", "val", "95 %", "points", "95 %"), rows)


if __name__ == "__main__":
    run(main, BenchmarkConfig)
