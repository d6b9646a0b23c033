"""Some steps of training in float64, where rounding can't hide or blow up a difference.

python -m tests.training.exact_steps OUTPUT REPLICAS MODEL…

A MODEL is one that `build_model` knows, or "taught": `plain` with a teacher.
Writes weights, their average, batch statistics, optimizer and dropout generators to OUTPUT, a
NumPy archive. With REPLICAS = 0 the strategy is the one that TF_CONFIG asks for.
"""

import sys

import numpy as np
import pytest

STEPS = 4
BATCH_SIZE = 8
CLIP = 0.2

WINDOW = 64
BOXES = ((4, 4, 10, 14), (24, 2, 20, 30), (8, 4, 40, 56))
"""A digit for each of the detector's levels."""


def main(output: str, replicas: int, models: list[str]) -> None:
    import keras
    import tensorflow as tf

    from svhn.models import build_model, compact, picture_size_of
    from svhn.training.averaging import WeightAverage
    from svhn.training.config import TrainingConfig
    from svhn.training.detector_task import window_figures
    from svhn.training.devices import distribute, make_strategy
    from svhn.training.optimizers import make_optimizer
    from svhn.training.reader_task import reading_figures
    from svhn.training.teachers import Teachers
    from svhn.training.train_step import make_train_step
    from tests.small_detector import shrink_detector

    if replicas:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * replicas,
        )
    strategy = (
        tf.distribute.MirroredStrategy([f"CPU:{replica}" for replica in range(replicas)])
        if replicas > 1
        else make_strategy()
    )

    # The heads ask for float32, which is more than half precision and less than this.
    for name in ("Dense", "Conv2D"):
        setattr(keras.layers, name, in_any_precision(getattr(keras.layers, name)))
    # Every kind of layer, in a graph that is made soon.
    compact.STAGES = ((4, 1), (8, 2))
    shrink_detector(pytest.MonkeyPatch())

    random = np.random.default_rng(0)
    pictures = {
        name: random.normal(size=(2 * BATCH_SIZE, *picture_size_of(name), 3)).astype("float32")
        for name in ("compact", "plain")
    }
    labels = random.integers(0, 5, size=(2 * BATCH_SIZE, 6)).astype("int32")
    windows = random.uniform(0, 255, size=(2 * BATCH_SIZE, WINDOW, WINDOW, 3)).astype("float32")
    digit_labels = random.integers(0, 10, size=(2 * BATCH_SIZE, len(BOXES))).astype("int32")
    digit_boxes = np.broadcast_to(np.float32(BOXES), (2 * BATCH_SIZE, len(BOXES), 4))
    # Of a size that both levels which see numbers are taught.
    numbers = np.zeros((2 * BATCH_SIZE, 1), np.int32), np.empty((2 * BATCH_SIZE, 1, 4), np.float32)
    numbers[1][:] = [2, 4, 52, 40]
    figures = reading_figures()
    tasks = {
        **{name: ((images, labels), figures) for name, images in pictures.items()},
        "taught": ((pictures["plain"], labels), reading_figures(teacher_share=0.7)),
        "detector": ((windows, digit_labels, digit_boxes, *numbers), window_figures(WINDOW)),
    }

    arrays = {}
    for name in models:
        examples, example_figures = tasks[name]
        batches = tf.data.Dataset.from_tensor_slices(examples).repeat()
        batches = batches.batch(BATCH_SIZE, drop_remainder=True)
        keras.utils.set_random_seed(1)
        keras.config.set_floatx("float64")
        architecture = "plain" if name == "taught" else name
        with strategy.scope():
            model = build_model(architecture)
            optimizer = make_optimizer(TrainingConfig("", gradient_clip=CLIP), model, STEPS)
            average = WeightAverage(model, build_model(architecture), decay=0.5)
            teachers = Teachers([build_model("plain")]) if name == "taught" else None
        keras.config.set_floatx("float32")  # for the loss; it is computed row by row
        before = [weight.numpy() for weight in model.weights]
        step = make_train_step(
            strategy, model, optimizer, BATCH_SIZE, example_figures, average, teachers
        )
        iterator = iter(distribute(strategy, batches))
        for number in range(STEPS):
            result = step(*next(iterator))
            assert result["gradient_norm"] > CLIP, (
                f"clipping must have something to do: {name}, {result['gradient_norm']}"
            )
            for what, value in result.items():
                arrays[f"{name}/{what}_{number}"] = value.numpy()
        moved = [
            np.abs(weight.numpy() - old).max()
            for weight, old in zip(model.weights, before, strict=True)
        ]
        assert min(moved) > 1e-6, "every variable must have something to show"
        variables = [*model.variables, *optimizer.variables, *average.model.weights]
        for position, variable in enumerate(variables):
            arrays[f"{name}/{position:03}_{variable.name}"] = variable.value.numpy()
    np.savez(output, **arrays)


def in_any_precision(layer):
    """The layer, made in the default precision whatever is asked for."""
    return lambda *values, **options: layer(*values, **{**options, "dtype": None})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
