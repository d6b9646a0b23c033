"""Measures what each model costs: parameters, multiply-adds, pictures a second.

    python benchmarks/models.py [--models=compact,goodfellow] [--precision=bfloat16]

The pictures lie in memory: this is the network alone, with loss, gradients and optimizer in
training, and with decoding in inference. Multiply-adds are counted from the layers
(`svhn.models.cost`). What each model reaches in the same time: benchmarks/budget.py.
"""

import dataclasses
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.report import print_table, require_known  # noqa: E402
from svhn.command_line import option, run  # noqa: E402
from svhn.models import MODEL_NAMES, PRECISIONS  # noqa: E402

TARGETS = {"compact": "at most 4,000,000 parameters, at least 150 images/s in training"}


@dataclasses.dataclass
class BenchmarkConfig:
    """What to measure."""

    models: list[str] = option("Models.", list(MODEL_NAMES), group="benchmark")
    batch_size: int = option("Pictures a step.", 64, group="benchmark", minimum=1)
    precision: str = option(
        "Of activations and gradients.", "float32", group="benchmark", choices=PRECISIONS
    )
    seconds: float = option("How long each figure is measured, at least.", 5.0, group="benchmark")


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a model costs."""

    parameters: int
    multiply_adds: int
    """Of one picture, in inference."""

    training: float
    """Pictures a second."""

    inference: float
    """Pictures a second."""


def images_per_second(step: Callable[[], object], images: int, seconds: float) -> float:
    """Returns the median over single steps, after two that are not counted."""
    times = []
    started = time.perf_counter()
    while len(times) < 5 or time.perf_counter() - started < seconds:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return images / statistics.median(times[2:])


def measure(name: str, batch_size: int, seconds: float, precision: str = "float32") -> Cost:
    import numpy as np
    import tensorflow as tf

    from svhn.decoding import decode
    from svhn.labels import label_array
    from svhn.models import build_model
    from svhn.models.cost import count_multiply_adds
    from svhn.models.inference import for_inference
    from svhn.training.config import TrainingConfig
    from svhn.training.optimizers import make_optimizer
    from svhn.training.reader_task import reading_figures
    from svhn.training.train_step import make_train_step

    model = build_model(name, precision=precision)
    training = TrainingConfig("", model=name, precision=precision)
    optimizer = make_optimizer(training, model, total_steps=1000)
    step = make_train_step(
        tf.distribute.get_strategy(), model, optimizer, batch_size, reading_figures()
    )
    random = np.random.default_rng(0)
    images = tf.constant(random.normal(size=(batch_size, *model.input_shape[1:])), tf.float32)
    labels = tf.constant(
        [label_array(random.integers(0, 10, 1 + row % 5)) for row in range(batch_size)]
    )
    network = for_inference(model)
    predict = tf.function(lambda images: decode(network(images, training=False)))
    return Cost(
        model.count_params(),
        count_multiply_adds(model),
        images_per_second(lambda: step(images, labels)["loss"].numpy(), batch_size, seconds),
        images_per_second(lambda: predict(images).label.numpy(), batch_size, seconds),
    )


def main(config: BenchmarkConfig) -> int:
    """Prints a row for each model."""
    require_known("models", config.models, MODEL_NAMES)
    header = ("model", "parameters", "multiply-adds", "training", "inference", "target")
    rows = []
    for name in config.models:
        cost = measure(name, config.batch_size, config.seconds, config.precision)
        rows.append(
            (
                name,
                f"{cost.parameters:,}",
                f"{cost.multiply_adds / 1e6:,.1f} million",
                f"{cost.training:,.0f} images/s",
                f"{cost.inference:,.0f} images/s",
                TARGETS.get(name, ""),
            )
        )
    print_table(
        f"Models, batches of {config.batch_size} in memory, {config.precision}", header, rows
    )
    return 0


if __name__ == "__main__":
    run(main, BenchmarkConfig)
