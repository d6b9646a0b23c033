"""Reads pictures that lie in memory, until it is ended, and tells how far it is.

    python benchmarks/bare_reading.py --model compact --batch_size 64

The network with decoding, as inference.py and eval.py use it. benchmarks/inference.py runs it.
"""

import dataclasses
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from svhn.command_line import option, run  # noqa: E402
from svhn.models import DEFAULT_MODEL, MODEL_NAMES  # noqa: E402


@dataclasses.dataclass
class ReadingConfig:
    """What to read with."""

    model: str = option("Network.", DEFAULT_MODEL, group="benchmark", choices=MODEL_NAMES)
    batch_size: int = option("Pictures at once.", 64, group="benchmark", minimum=1)


def main(config: ReadingConfig) -> int:
    """Prints a point after every batch."""
    import keras
    import tensorflow as tf

    from svhn.decoding import decode
    from svhn.models import build_model
    from svhn.models.inference import for_inference

    keras.utils.set_random_seed(0)
    model = for_inference(build_model(config.model))
    images = tf.random.normal((config.batch_size, *model.input_shape[1:]))
    read = tf.function(lambda images: decode(model(images, training=False)))
    batches = 0
    while True:
        read(images).label.numpy()
        batches += 1
        print("point", time.time(), batches, flush=True)


if __name__ == "__main__":
    run(main, ReadingConfig)
