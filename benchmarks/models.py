"""Measures how many pictures a second each model trains on and reads.

    python benchmarks/models.py [--models=compact,goodfellow] [--batch_size=64]

The pictures lie in memory: this is the network alone, with loss, gradients and optimizer in
training, and with decoding in inference.
"""

import dataclasses
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.report import Row, print_report  # noqa: E402
from svhn.command_line import option, run  # noqa: E402
from svhn.models import MODEL_NAMES  # noqa: E402

TARGET_TRAINING = {"compact": 150.0}
TARGET_PARAMETERS = {"compact": 4_000_000}


@dataclasses.dataclass
class BenchmarkConfig:
    """What to measure."""

    models: list[str] = option("Models.", list(MODEL_NAMES), group="benchmark")
    batch_size: int = option("Pictures a step.", 64, group="benchmark", minimum=1)
    seconds: float = option("How long each figure is measured.", 10.0, group="benchmark")


def images_per_second(step: Callable[[], object], images: int, seconds: float) -> float:
    """Returns the median over single steps, after two that are not counted."""
    times = []
    started = time.perf_counter()
    while len(times) < 7 or time.perf_counter() - started < seconds:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return images / statistics.median(times[2:])


def measure(name: str, config: BenchmarkConfig) -> list[Row]:
    import numpy as np
    import tensorflow as tf

    from svhn.labels import label_array
    from svhn.models import build_model
    from svhn.training.config import TrainingConfig
    from svhn.training.optimizers import make_optimizer
    from svhn.training.train_step import make_train_step

    model = build_model(name)
    optimizer = make_optimizer(TrainingConfig("", model=name), model, total_steps=1000)
    step = make_train_step(tf.distribute.get_strategy(), model, optimizer, config.batch_size)
    random = np.random.default_rng(0)
    images = tf.constant(random.normal(size=(config.batch_size, 54, 54, 3)), tf.float32)
    labels = tf.constant(
        [label_array(random.integers(0, 10, 1 + row % 5)) for row in range(config.batch_size)]
    )
    predict = tf.function(lambda images: model(images, training=False))
    training = images_per_second(
        lambda: step(images, labels)[0].numpy(), config.batch_size, config.seconds
    )
    reading = images_per_second(
        lambda: predict(images)["length"].numpy(), config.batch_size, config.seconds
    )
    training_target = TARGET_TRAINING.get(name)
    parameters_target = TARGET_PARAMETERS.get(name)
    return [
        Row(
            f"{name}, parameters",
            f"{model.count_params():,}",
            "",
            f"at most {parameters_target:,}" if parameters_target else "",
        ),
        Row(
            f"{name}, training",
            f"{training:,.0f}",
            "images/s",
            f"at least {training_target:g}" if training_target else "",
        ),
        Row(f"{name}, inference", f"{reading:,.0f}", "images/s"),
    ]


def main(config: BenchmarkConfig) -> int:
    """Prints a row for each figure."""
    rows = [row for name in config.models for row in measure(name, config)]
    print_report(f"Models, batches of {config.batch_size} in memory", rows)
    return 0


if __name__ == "__main__":
    run(main, BenchmarkConfig)
