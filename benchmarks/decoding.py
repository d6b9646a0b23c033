"""Measures what decoding by the joint maximum is worth, against head by head.

    python benchmarks/decoding.py --data_dir DIR --checkpoint_dir DIR [--split=val]

Joint maximum: the most likely number over all lengths (`svhn.decoding`). Head by head: the length
head's favourite length, then each digit head's favourite digit, as the peers do. Both read the
same logits, so the photos on which they differ tell which is better.

A third way, a class "blank" of the digit heads in place of the length head's word, can't be had
from these logits: it takes a network whose digit heads have eleven classes, trained with the class
10 at positions without a digit (they are 10 in the labels already). Its accuracy on the same split
goes beside these figures: --blank_correct=N, as counted by whoever trained it.
"""

import dataclasses
import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks.report import Row, print_report, share_row  # noqa: E402
from svhn.command_line import option, run  # noqa: E402
from svhn.evaluation.metrics import Proportion  # noqa: E402
from svhn.labels import HEAD_NAMES, LENGTH_MORE_THAN_FIVE, MAX_DIGITS, NO_DIGIT  # noqa: E402


@dataclasses.dataclass
class BenchmarkConfig:
    """What to measure."""

    data_dir: str = option("A converted data folder.", group="benchmark")
    checkpoint_dir: str = option(
        "A folder of train.py, a checkpoint, or a file of released weights.", group="benchmark"
    )
    split: str = option("The split.", "val", group="benchmark")
    batch_size: int = option("Photos at a time.", 128, group="benchmark", minimum=1)
    blank_correct: int | None = option(
        "Photos of the split that a network with blank classes reads right (see above).",
        None,
        group="benchmark",
        minimum=0,
    )


def head_by_head(logits: dict[str, np.ndarray]) -> np.ndarray:
    """Returns what each head says for itself, int32 [N, 6].

    Args:
        logits: By head name, [N, 7] for "length" and [N, 10] for each digit.
    """
    label = np.stack([logits[name].argmax(axis=1) for name in HEAD_NAMES], axis=1).astype(np.int32)
    length = np.where(label[:, 0] == LENGTH_MORE_THAN_FIVE, 0, label[:, 0])
    label[:, 1:][np.arange(MAX_DIGITS) >= length[:, None]] = NO_DIGIT
    return label


def paired_interval(only_first: int, only_second: int, count: int) -> tuple[float, float]:
    """Returns the 95 % interval of the difference of two accuracies on the same photos.

    Args:
        only_first: Photos that only the first reads right.
        only_second: Photos that only the second reads right.
        count: All photos, at least 1.

    Returns:
        Of the first less the second, -1 to 1, by the normal approximation (A. Agresti, Categorical
        Data Analysis, section 11.1), half a photo added on each side so that none isn't certain.
    """
    first, second = only_first + 0.5, only_second + 0.5
    difference = (first - second) / count
    error = math.sqrt(first + second - (first - second) ** 2 / count) / count
    return difference - 1.96 * error, difference + 1.96 * error


def main(config: BenchmarkConfig) -> int:
    """Prints a row for each way of decoding, and one for the difference."""
    from svhn.checkpoints import load_model
    from svhn.evaluation.predict import evaluate_split, make_predict_step

    loaded = load_model(config.checkpoint_dir)
    temperature = loaded.calibration.temperature
    joint = evaluate_split(
        loaded.model,
        config.data_dir,
        config.split,
        config.batch_size,
        predict_step=make_predict_step(loaded.model, temperature),
    )
    single = (head_by_head(joint.logits) == joint.labels).all(axis=1)
    ways = {
        f"joint maximum, temperature {temperature:g}": joint.right,
        "joint maximum, temperature 1": joint.at_temperature(1.0).right,
        "head by head": single,
    }
    rows = [share_row(way, Proportion(int(right.sum()), len(right)))
            for way, right in ways.items()]  # fmt: skip
    if config.blank_correct is None:
        rows.append(
            Row("blank class", "–", "not measured: needs a training of its own; see --help")
        )
    else:
        rows.append(share_row("blank class", Proportion(config.blank_correct, len(single))))
    only_joint, only_single = (joint.right & ~single).sum(), (single & ~joint.right).sum()
    low, high = paired_interval(int(only_joint), int(only_single), len(single))
    difference = 100 * (joint.right.mean() - single.mean())
    rows.append(
        Row(
            "joint, less head by head",
            f"{difference:+.2f}",
            f"points ({100 * low:+.2f} to {100 * high:+.2f}); only joint right: {only_joint}, only "
            f"head by head: {only_single}",
        )
    )
    print_report(f"Decoding: {loaded.path} on {len(single):,} photos of {config.split}", rows)
    return 0


if __name__ == "__main__":
    run(main, BenchmarkConfig)
