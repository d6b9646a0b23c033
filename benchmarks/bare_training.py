"""Trains on batches that lie in memory, until it is ended, and tells how far it is.

    python benchmarks/bare_training.py --data_dir your_data_dir [the flags of train.py]

This is what benchmarks/training.py compares the training loop with: the same train step on the
same pictures, without input pipeline, logging and all else. The pictures are the first that the
loop would train on, taken from the input pipeline before.
"""

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from svhn.command_line import run  # noqa: E402
from svhn.training.config import TrainingConfig  # noqa: E402

BATCHES = 16


def main(config: TrainingConfig) -> int:
    """Prints a point after every `log_every` steps."""
    import keras
    import tensorflow as tf

    from svhn.models import build_model
    from svhn.training.averaging import WeightAverage
    from svhn.training.devices import distribute, make_strategy
    from svhn.training.optimizers import make_optimizer
    from svhn.training.reader_task import ReaderTask
    from svhn.training.train_step import make_train_step

    strategy = make_strategy()
    keras.utils.set_random_seed(config.seed)
    with strategy.scope():
        model = build_model(config.model, precision=config.precision)
        optimizer = make_optimizer(config, model, config.steps)
        average = None
        if config.average_decay:
            average = WeightAverage(model, build_model(config.model), config.average_decay)
        task = ReaderTask(config, config.splits or ["train"])
    step = make_train_step(
        strategy,
        model,
        optimizer,
        config.batch_size,
        task.example_figures,
        average,
        task.further_truth,
    )
    batches = task.training_batches(start_example=0)
    # The pipeline ends with the making of this list.
    in_memory = list(distribute(strategy, batches.take(BATCHES)))
    steps, losses = 0, []
    while True:
        losses.append(step(*in_memory[steps % BATCHES])["loss"])
        steps += 1
        if steps % config.log_every == 0:
            # Devices may work ahead until somebody reads the results, as in the loop.
            tf.stack(losses).numpy()
            losses = []
            print("point", time.time(), steps, flush=True)


if __name__ == "__main__":
    run(main, TrainingConfig)
