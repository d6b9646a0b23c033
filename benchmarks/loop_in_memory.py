"""Runs `train.py` on batches that lie in memory: the loop without its input pipeline.

    python benchmarks/loop_in_memory.py --data_dir your_data_dir [the flags of train.py]

Everything is as in `train.py`, but the pictures are the first few batches of the run, made before
and given again and again: the very ones that benchmarks/bare_training.py trains on.
"""

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.bare_training import BATCHES  # noqa: E402
from svhn.command_line import run  # noqa: E402
from svhn.training.config import TrainingConfig  # noqa: E402


def main(config: TrainingConfig) -> int:
    """Trains until it is ended."""
    import tensorflow as tf

    from svhn.training import loop, reader_task

    make_batches = reader_task.training_batches

    def batches_in_memory(*arguments: Any, **options: Any) -> tf.data.Dataset:
        first = list(make_batches(*arguments, **options).take(BATCHES))
        images, labels = (tf.stack(column) for column in zip(*first, strict=True))
        return tf.data.Dataset.from_tensor_slices((images, labels)).repeat()

    reader_task.training_batches = batches_in_memory
    return loop.train(config)


if __name__ == "__main__":
    run(main, TrainingConfig)
