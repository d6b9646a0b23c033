import numpy as np
import pytest
import tensorflow as tf

from svhn.stateless_draws import uniform_draws


def keys(first: int, second: np.ndarray) -> tf.Tensor:
    return tf.constant(np.stack([np.full_like(second, first), second], axis=1), tf.int64)


def by_plain_integers(first: int, second: int, count: int) -> list[float]:
    """SplitMix64 with Python's integers, as its authors print it."""

    def mixed(state):
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB % 2**64
        return state ^ (state >> 31)

    step = 0x9E3779B97F4A7C15
    state = mixed((mixed((first + step) % 2**64) + second) % 2**64)
    outputs = [mixed((state + step * (place + 1)) % 2**64) for place in range(count)]
    return [(output >> 40) / 2**23 - 1 for output in outputs]


@pytest.mark.parametrize("number", [0, 5, 2**62 - 1, -7])
def test_the_numbers_are_splitmixs_eagerly_and_in_graphs(number):
    expected = by_plain_integers(3 * 2**32 + 1, number, 7)
    key = keys(3 * 2**32 + 1, np.array([number]))
    in_graph = tf.function(lambda key: uniform_draws(key, 7))
    data_set = tf.data.Dataset.from_tensors(key).map(in_graph)
    for draws in (uniform_draws(key, 7), in_graph(key), next(iter(data_set))):
        assert draws.numpy()[0].tolist() == expected


def test_neighbours_in_the_batch_change_nothing():
    several = keys(1, np.arange(37))
    together = uniform_draws(several, 18).numpy()
    for place in range(37):
        assert np.array_equal(together[place], uniform_draws(several[place : place + 1], 18)[0])


@pytest.mark.parametrize("axis", ["epochs", "names"])
def test_uniform_and_independent(axis):
    """Of keys that follow one another, the hardest: by number, by neighbour and by place."""
    count = 20000
    several = keys(9, np.arange(count))
    if axis == "epochs":
        several = several[:, ::-1]
    draws = uniform_draws(several, 18).numpy().astype(np.float64)
    assert draws.min() >= -1
    assert draws.max() < 1
    counts = np.stack([np.histogram(column, 50, (-1, 1))[0] for column in draws.T])
    chi_square = ((counts - count / 50) ** 2 / (count / 50)).sum(axis=1)
    assert chi_square.max() < 100  # 49 degrees of freedom: 1 in 50,000 exceeds 100
    side_by_side = np.concatenate([draws[:-1], draws[1:]], axis=1)
    correlations = np.corrcoef(side_by_side.T) - np.eye(36)
    assert np.abs(correlations).max() < 5 / np.sqrt(count)
