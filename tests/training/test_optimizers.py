import math

import keras
import numpy as np
import pytest
from keras import ops

from svhn.errors import UserError
from svhn.models.goodfellow import LocallyConnected2D
from svhn.training.config import TrainingConfig
from svhn.training.optimizers import LearningRate, make_optimizer, set_falls


def rates(schedule, steps, **keywords):
    rate = LearningRate(schedule, 0.1, total_steps=1000, **keywords)
    return [float(rate(step)) for step in steps]


def test_cosine_rises_then_falls_to_zero():
    start, peak, middle, end, after = rates("cosine", [0, 100, 550, 1000, 2000], warmup_steps=100)
    assert 0 < start < 0.002
    np.testing.assert_allclose([peak, middle, end, after], [0.1, 0.05, 0, 0], atol=1e-6)


def test_exponential_falls_by_the_rate_every_decay_steps():
    values = rates("exponential", [0, 50, 100, 300], decay_steps=100, decay_rate=0.5)
    np.testing.assert_allclose(values, [0.1, 0.1 * math.sqrt(0.5), 0.05, 0.0125], rtol=1e-5)


def test_constant_stays_and_a_short_run_still_reaches_its_rate():
    np.testing.assert_allclose(rates("constant", [0, 999]), [0.1, 0.1])
    short = LearningRate("constant", 0.1, total_steps=20, warmup_steps=500)
    np.testing.assert_allclose(float(short(3)), 0.1)


def test_a_plateau_falls_as_often_as_it_is_told():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    config = TrainingConfig("data", schedule="plateau", learning_rate=0.1, warmup_steps=0)
    optimizer = make_optimizer(config, model, total_steps=10)
    for falls, rate in ((0, 0.1), (2, 0.025)):
        set_falls(optimizer, falls)
        np.testing.assert_allclose(float(optimizer.learning_rate), rate)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_kernels_decay_and_biases_do_not(name):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    kernel, bias = model.trainable_variables
    kernel.assign(np.ones((2, 3)))
    bias.assign(np.ones(3))
    config = TrainingConfig(
        "data",
        optimizer=name,
        learning_rate=0.1,
        weight_decay=0.5,
        schedule="constant",
        warmup_steps=0,
    )
    optimizer = make_optimizer(config, model, total_steps=10)
    optimizer.apply([np.zeros((2, 3), "float32"), np.zeros(3, "float32")])
    np.testing.assert_allclose(kernel, np.full((2, 3), 0.95), rtol=1e-5)
    np.testing.assert_array_equal(bias, np.ones(3))


def test_biases_of_locally_connected_layers_do_not_decay_either():
    model = keras.Sequential([keras.Input((4, 4, 2)), LocallyConnected2D(3, 3, name="local")])
    config = TrainingConfig("data", weight_decay=0.5, schedule="constant", warmup_steps=0)
    optimizer = make_optimizer(config, model, total_steps=10)
    decays = {
        variable.name: optimizer._use_weight_decay(variable)
        for variable in model.trainable_variables
    }
    assert decays == {"kernel": True, "bias": False}


def test_keras_still_sums_where_our_optimizers_leave_it_out():
    """If they came to be summed twice, test_devices.py would fail, too, but not say why."""

    class Doubling(keras.optimizers.SGD):
        def _all_reduce_sum_gradients(self, grads_and_vars):
            return [(2 * gradient, variable) for gradient, variable in grads_and_vars]

    variable = keras.Variable([1.0])
    Doubling(learning_rate=1.0).apply([ops.convert_to_tensor([0.25])], [variable])
    assert float(variable[0]) == 0.5, (
        "Keras applies gradients past `_all_reduce_sum_gradients`: find what sums them over "
        "replicas now, and let _SummedGradients in svhn/training/optimizers.py leave that out"
    )


@pytest.mark.parametrize(
    ("flags", "schedule"),
    [
        ({}, "cosine"),
        ({"decay_steps": 50}, "exponential"),
        ({"decay_rate": 0.5}, "exponential"),
        ({"schedule": "constant"}, "constant"),
    ],
)
def test_the_peers_decay_flags_choose_the_exponential_schedule(flags, schedule):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    optimizer = make_optimizer(TrainingConfig("data", **flags), model, total_steps=10)
    assert optimizer._learning_rate.schedule == schedule


def test_decay_flags_of_another_schedule_are_refused():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    for schedule in ("cosine", "plateau"):
        config = TrainingConfig("data", schedule=schedule, decay_steps=50)
        with pytest.raises(
            UserError, match=f"--decay_steps=50 is no flag of --schedule={schedule}"
        ):
            make_optimizer(config, model, total_steps=10)
