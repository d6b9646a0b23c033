"""Measures how many training pictures a second come from the shards, and where the time goes.

    python benchmarks/input_pipeline.py [--data_dir=your_data_dir]

The stages are measured by pipelines that end after each of them; a stage's time is what its
pipeline takes more than the one before. It is processor time, which other programs on the machine
disturb less; the totals are also given by the clock.
"""

import contextlib
import dataclasses
import io
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.report import Row, print_report  # noqa: E402
from svhn.command_line import option, run  # noqa: E402
from svhn.worker_processes import usable_cores  # noqa: E402

TARGET = 2000.0
WARM_UP_BATCHES = 8


@dataclasses.dataclass
class BenchmarkConfig:
    """What to measure."""

    data_dir: str = option(
        "A folder with converted photos; by default synthetic ones are rendered and converted.",
        "",
        group="benchmark",
    )
    split: str = option("The split to read.", "train", group="benchmark")
    photos: int = option("Synthetic photos to render.", 1500, group="benchmark", minimum=100)
    batch_size: int = option("Pictures a batch.", 64, group="benchmark", minimum=1)
    batches: int = option("Batches for each figure.", 40, group="benchmark", minimum=1)
    repeats: int = option("Medians count.", 3, group="benchmark", minimum=1)


def main(config: BenchmarkConfig) -> int:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir = config.data_dir or synthetic_data_dir(Path(folder), config.photos)
        _measure(config, data_dir)
    return 0


def _measure(config: BenchmarkConfig, data_dir: str) -> None:
    pipelines = _pipelines(config, data_dir)
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in pipelines}
    for _ in range(config.repeats):
        for name, data_set in pipelines.items():
            seconds[name].append(_seconds_a_picture(data_set, config))
    processor, clock = (
        {name: statistics.median(pair[kind] for pair in pairs) for name, pairs in seconds.items()}
        for kind in range(2)
    )

    *stages, training, evaluation = pipelines
    rows, before = [], 0.0
    for name in [*stages, training]:
        step = "batch and hand over" if name == training else name
        rows.append(
            Row(step, f"{(processor[name] - before) * 1e6:,.0f}", "µs of processor a photo")
        )
        before = processor[name]
    cores = usable_cores()
    for name, target in (("decode", ""), (evaluation, ""), (training, f"≥ {TARGET:,.0f}")):
        what = f"up to and with {name}" if name in stages else name
        on_cores = f"images/s on {cores} cores by processor time"
        rows.append(Row(what, f"{1 / clock[name]:,.0f}", "images/s by the clock", target))
        rows.append(Row(what, f"{cores / processor[name]:,.0f}", on_cores, target))
    kind = f"of {data_dir}" if config.data_dir else "synthetic"
    print_report(f"Input pipeline, photos {kind}, batches of {config.batch_size}", rows)


def _pipelines(config: BenchmarkConfig, data_dir: str) -> dict[str, Any]:
    """Data sets that end after each stage, then the whole ones for training and evaluation."""
    import tensorflow as tf

    from svhn.augmentation_config import Augmentation
    from svhn.data import input_pipeline, sampling
    from svhn.models import DEFAULT_MODEL, picture_size_of

    augmentation, size = Augmentation(), picture_size_of(DEFAULT_MODEL)

    def in_parallel(data_set: tf.data.Dataset, stage: Callable) -> tf.data.Dataset:
        return data_set.map(stage, num_parallel_calls=tf.data.AUTOTUNE)

    def decoded(image: tf.Tensor, *_: Any) -> tf.Tensor:
        return tf.shape(tf.io.decode_png(image, channels=4))[0]

    examples = sampling.serialized_examples(data_dir, [config.split], seed=0)
    read = examples.batch(input_pipeline._PLANS_AT_ONCE)
    planned = in_parallel(read, input_pipeline._planned(augmentation, size)).unbatch()
    looked_up = in_parallel(planned, input_pipeline._looked_up)
    views = looked_up.batch(input_pipeline._PICTURES_AT_ONCE)
    made = in_parallel(views, input_pipeline._made(augmentation, size))
    # All but the last give a single number for a photo, so that there is nothing to hand over.
    stages = {
        "read and shuffle": examples.map(lambda serialized, key: key),
        "parse; draw and plan the pictures": planned.map(lambda image, plan, label: label[0]),
        "decode": in_parallel(planned, decoded),
        "crop: look up, turned, slanted, jittered": looked_up.map(lambda *view: view[0][0, 0]),
        "augment: blur, colour, noise; standardise": made.map(
            lambda pictures, labels: pictures[:, 0, 0, 0]
        ).unbatch(),
    }
    pipelines = {
        name: stage.batch(config.batch_size).prefetch(tf.data.AUTOTUNE)
        for name, stage in stages.items()
    }
    pipelines["training, every augmentation on"] = input_pipeline.training_batches(
        data_dir, [config.split], config.batch_size, seed=0, size=size
    )
    pipelines["evaluation"] = input_pipeline.evaluation_batches(
        data_dir, config.split, config.batch_size, size
    ).repeat()
    return pipelines


def _seconds_a_picture(data_set: Any, config: BenchmarkConfig) -> tuple[float, float]:
    """Returns the processor's and the clock's seconds for each picture."""
    iterator = iter(data_set)
    for _ in itertools.islice(iterator, WARM_UP_BATCHES):
        pass
    processor, clock = time.process_time(), time.perf_counter()
    for _ in itertools.islice(iterator, config.batches):
        pass
    pictures = config.batches * config.batch_size
    return (
        (time.process_time() - processor) / pictures,
        (time.perf_counter() - clock) / pictures,
    )


def synthetic_data_dir(folder: Path, photos: int) -> str:
    """Renders photos for training, converts them, and returns where they are."""
    from svhn.data.converter import convert
    from svhn.data.converter_config import ConverterConfig
    from svhn.data.synthetic.config import SyntheticConfig
    from svhn.data.synthetic.data_set import render_data_set

    data_dir = str(folder / "synthetic")
    with contextlib.redirect_stdout(io.StringIO()):
        render_data_set(SyntheticConfig(out=data_dir, train=photos, test=0))
        convert(ConverterConfig(data_dir=data_dir))
    return data_dir


if __name__ == "__main__":
    run(main, BenchmarkConfig)
