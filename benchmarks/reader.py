"""Measures the released reader on labelled photos with true boxes, one crop a photo.

    python benchmarks/reader.py --data_dir DIR [--checkpoint_dir FILE_OR_DIR]
        [--peer_dir=CHECKOUT --peer_python=PYTHON]

DIR is a folder that convert_to_tfrecords.py has converted, with a split test. Sequence accuracy has
its Wilson interval; the others are intervals of a bootstrap over photos (2,000 samples, seed 0), as
the digits of one photo are not independent. Coverage is the paper's: the largest share of the
photos that reaches 98 %. With --peer_dir the speed beside potterhsu/SVHNClassifier-PyTorch is
measured, too, as benchmarks/inference.py does it.
"""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks.peer import PeerConfig  # noqa: E402
from benchmarks.report import percent_row, print_report, share_row  # noqa: E402
from svhn.command_line import option, run  # noqa: E402

SAMPLES = 2_000
"""Of the bootstrap."""


@dataclasses.dataclass
class BenchmarkConfig(PeerConfig):
    """What to measure."""

    data_dir: str = option("A converted data folder.", group="benchmark")
    checkpoint_dir: str = option(
        "A file of released weights, a folder of train.py, or one checkpoint.",
        str(ROOT / "svhn" / "released" / "reader.npz"),
        group="benchmark",
    )
    split: str = option("The split.", "test", group="benchmark")
    batch_size: int = option("Photos at a time.", 128, group="benchmark", minimum=1)


def bootstrap(
    figure: Callable[[np.ndarray], float], count: int, samples: int = SAMPLES
) -> tuple[float, float]:
    """Returns the 95 % percentile interval of a figure of `count` photos.

    Args:
        figure: From the places of photos, int [count], to the figure of these photos.
        count: How many photos there are.
        samples: How many times photos are drawn with replacement.
    """
    generator = np.random.default_rng(0)
    figures = [figure(generator.integers(0, count, count)) for _ in range(samples)]
    low, high = np.quantile(figures, [0.025, 0.975])
    return float(low), float(high)


def main(config: BenchmarkConfig) -> int:
    """Prints the table of issue 4, and accuracy by length."""
    from svhn.checkpoints import load_model
    from svhn.evaluation.calibration import calibrate
    from svhn.evaluation.metrics import Proportion, count_right_digits, coverage_at_accuracy
    from svhn.evaluation.predict import evaluate_split, make_predict_step
    from svhn.labels import length_name
    from svhn.stored_calibration import StoredCalibration

    loaded = load_model(config.checkpoint_dir)
    stored: StoredCalibration = loaded.calibration
    predictions = evaluate_split(
        loaded.model,
        config.data_dir,
        config.split,
        config.batch_size,
        predict_step=make_predict_step(loaded.model, stored.temperature),
    )
    labels, predicted = predictions.labels, predictions.predicted
    right, confidence = predictions.right, predictions.confidence
    count = len(right)
    figures = {
        "per-digit accuracy": (
            lambda places: count_right_digits(labels[places], predicted[places]).share,
            "at least 96.5",
        ),
        "coverage at 98 % accuracy": (
            lambda places: coverage_at_accuracy(right[places], confidence[places], 0.98).share,
            "at least 85",
        ),
        "expected calibration error": (
            lambda places: calibrate(right[places], confidence[places]).expected_calibration_error,
            "at most 2",
        ),
    }
    sequence = Proportion(int(right.sum()), count)
    rows = [share_row("sequence accuracy", sequence, "at least 93.5")]
    for what, (figure, target) in figures.items():
        value = figure(np.arange(count))
        rows.append(percent_row(what, value, bootstrap(figure, count), target))
    for length in np.unique(labels[:, 0]):
        of_length = right[labels[:, 0] == length]
        share = Proportion(int(of_length.sum()), len(of_length))
        name = f"  {length_name(int(length))} digit{'s' if length > 1 else ''}"
        rows.append(share_row(f"{name}, {share.count:,} photos", share))
    title = (
        f"{loaded.path} (temperature {stored.temperature:g}): {count:,} photos of {config.split}"
    )
    print_report(title, rows)
    return speed(config, loaded.config["model"])


def speed(config: BenchmarkConfig, model: str) -> int:
    """Measures how fast the network reads, beside the peer where there is one."""
    from benchmarks import inference

    return inference.main(
        inference.BenchmarkConfig(
            model=model,
            batch_size=64,
            rounds=5,
            seconds=5.0,
            peer_dir=config.peer_dir,
            peer_python=config.peer_python,
        )
    )


if __name__ == "__main__":
    run(main, BenchmarkConfig)
