"""Some steps of training in float64, where rounding can't hide or blow up a difference.

python -m tests.training.exact_steps OUTPUT REPLICAS

Writes weights, their average, batch statistics, optimizer and dropout generators to OUTPUT, a NumPy
archive. With REPLICAS = 0 the strategy is the one that TF_CONFIG asks for.
"""

import sys

import numpy as np

STEPS = 4
BATCH_SIZE = 8
CLIP = 0.5


def main(output: str, replicas: int) -> None:
    import keras
    import tensorflow as tf

    from svhn.models import build_model, compact
    from svhn.training.averaging import WeightAverage
    from svhn.training.config import TrainingConfig
    from svhn.training.devices import distribute, make_strategy
    from svhn.training.optimizers import make_optimizer
    from svhn.training.train_step import make_train_step

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
    dense = keras.layers.Dense
    keras.layers.Dense = lambda *values, **options: dense(*values, **{**options, "dtype": None})
    compact.STAGES = ((4, 1), (8, 2))  # every kind of layer, in a graph that is made soon

    random = np.random.default_rng(0)
    images = random.normal(size=(2 * BATCH_SIZE, 54, 54, 3)).astype("float32")
    labels = random.integers(0, 5, size=(2 * BATCH_SIZE, 6)).astype("int32")
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).repeat()
    batches = batches.batch(BATCH_SIZE, drop_remainder=True)

    arrays = {}
    for name in ("compact", "plain"):
        keras.utils.set_random_seed(1)
        keras.config.set_floatx("float64")
        with strategy.scope():
            model = build_model(name)
            optimizer = make_optimizer(TrainingConfig("", gradient_clip=CLIP), model, STEPS)
            average = WeightAverage(model, build_model(name), decay=0.5)
        keras.config.set_floatx("float32")  # for the loss; it is computed row by row
        before = [weight.numpy() for weight in model.weights]
        step = make_train_step(strategy, model, optimizer, BATCH_SIZE, average=average)
        iterator = iter(distribute(strategy, batches))
        for number in range(STEPS):
            result = step(*next(iterator))
            assert result.gradient_norm > CLIP, "clipping must have something to do"
            for what, value in result._asdict().items():
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


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
