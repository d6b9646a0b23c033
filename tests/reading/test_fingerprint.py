import keras
import numpy as np
import pytest

from svhn.reading.fingerprint import fingerprint


def network(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)], name="network")


def test_the_same_weights_have_the_same_fingerprint_wherever_they_lie():
    one, other = network(1), network(2)
    assert fingerprint(one) != fingerprint(other)
    other.set_weights(one.get_weights())
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize("place", [0, 1])
def test_the_smallest_change_of_a_weight_changes_it(place):
    model = network(1)
    before = fingerprint(model)
    weight = model.weights[place]
    values = weight.numpy()
    values.flat[-1] = np.nextafter(values.flat[-1], np.float32(9))
    weight.assign(values)
    assert fingerprint(model) != before


def test_the_temperature_is_part_of_it():
    model = network(1)
    assert fingerprint(model, 1.0) == fingerprint(model) != fingerprint(model, 1.1)
