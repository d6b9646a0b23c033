import numpy as np
import pytest
import tensorflow as tf

from svhn.data.mixing import parse_mix, split_of, taken
from svhn.errors import UserError

SPLITS = ["train", "extra"]


@pytest.mark.parametrize(
    ("parts", "weights"),
    [
        (["train:1", "extra:2"], [1, 2]),
        (["extra:2", "train:1"], [1, 2]),
        (["train:10", "extra:4"], [5, 2]),
        (["train:0.1", "extra:0.35"], [2, 7]),
        (["train:1e-3", "extra:1"], [1, 1000]),
        ([], None),
    ],
)
def test_a_mix_is_whole_numbers_in_lowest_terms_in_the_order_of_the_splits(parts, weights):
    assert parse_mix(parts, SPLITS) == weights


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (["train:1"], "--mix=train:1 must name just .*: train, extra"),
        (["train:1", "extra:1", "val:1"], "must name just"),
        (["train:1", "extra:1", "train:2"], "names train twice"),
        (["train:1", "extra"], "'extra' is not a split and a positive number"),
        (["train:1", "extra:0"], "'extra:0' is not"),
        (["train:1", "extra:-1"], "'extra:-1' is not"),
        (["train:1", "extra:nan"], "'extra:nan' is not"),
        (["train:1", "extra:1e999999999"], "'extra:1e999999999' is not"),
        (["train:1", "extra:many"], "'extra:many' is not"),
        (["train:1", "extra:1:2"], "'extra:1:2' is not"),
        (["train:1", "extra:0.12345678912345"], "fewer digits"),
    ],
)
def test_a_wrong_mix_is_one_line(parts, words):
    with pytest.raises(UserError, match=words) as caught:
        parse_mix(parts, SPLITS)
    assert "\n" not in str(caught.value)
    assert "--mix=" in str(caught.value)


@pytest.mark.parametrize(
    "weights", [[1], [1, 2], [7, 3], [999_999, 1], [1, 1, 1], [5, 1, 9], [3, 1, 4, 159]], ids=str
)
def test_every_beginning_has_the_ratio_to_within_one(weights):
    examples = np.arange(10_000)
    counts = np.stack(taken(weights, examples))
    exact = examples * np.array(weights)[:, np.newaxis] / sum(weights)
    assert np.abs(counts - exact).max() < 1
    assert np.array_equal(counts.sum(axis=0), examples)


@pytest.mark.parametrize("weights", [[1], [1, 2], [5, 1, 9], [3, 1, 4, 15]], ids=str)
def test_the_pattern_and_its_counts_agree(weights):
    splits = [split_of(weights, example) for example in range(200)]
    for example in range(200):
        expected = [splits[:example].count(split) for split in range(len(weights))]
        assert taken(weights, example) == expected


def test_numbers_too_large_for_64_bits_are_exact():
    """What is left over of them is small, and the counts are worked out in Python."""
    weights = [2**29 - 1, 2**29]
    before = 10**15
    examples = range(before, before + 50)
    in_graph = split_of(weights, tf.range(before, before + 50, dtype=tf.int64)).numpy()
    assert in_graph.tolist() == [split_of(weights, example) for example in examples]
    counts = np.array([taken(weights, example) for example in (before, before + 50)])
    assert (counts[1] - counts[0]).tolist() == np.bincount(in_graph).tolist()
    exact = before * weights[0] // sum(weights)
    assert counts[0, 0] in (exact, exact + 1)
