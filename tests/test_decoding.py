"""The joint maximum, against a search over every length and every digit."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from svhn.decoding import decode
from svhn.labels import HEAD_NAMES, LENGTH_MORE_THAN_FIVE, MAX_DIGITS, label_array


def random_logits(batch_size: int, scale: float, seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        name: (scale * random.normal(size=(batch_size, 7 if name == "length" else 10))).astype(
            np.float32
        )
        for name in HEAD_NAMES
    }


def probabilities(logits: dict[str, np.ndarray], photo: int) -> list[np.ndarray]:
    """The softmax of each head for one photo, in float64."""
    exponentials = [np.exp(logits[name][photo].astype(np.float64)) for name in HEAD_NAMES]
    return [values / values.sum() for values in exponentials]


def most_likely_number(heads: list[np.ndarray], most_digits: int) -> tuple[list[int], float]:
    """Tries each number of at most `most_digits` digits, and "more than five"."""
    length = heads[0]
    best = (label_array([0] * 6).tolist(), length[LENGTH_MORE_THAN_FIVE])
    for count in range(most_digits + 1):
        for digits in itertools.product(range(10), repeat=count):
            probability = length[count]
            for position, digit in enumerate(digits, start=1):
                probability *= heads[position][digit]
            if probability > best[1]:
                best = (label_array(digits).tolist(), probability)
    return best


def most_likely_by_length(heads: list[np.ndarray]) -> tuple[list[int], float]:
    """As `most_likely_number` for five digits, maximising each position by itself."""
    best = (label_array([0] * 6).tolist(), heads[0][LENGTH_MORE_THAN_FIVE])
    for count in range(MAX_DIGITS + 1):
        digits = [int(head.argmax()) for head in heads[1 : 1 + count]]
        probability = heads[0][count] * np.prod([head.max() for head in heads[1 : 1 + count]])
        if probability > best[1]:
            best = (label_array(digits).tolist(), probability)
    return best


def test_matches_the_search_over_every_number():
    # All 111,111 numbers for a few photos; the lengths are kept likely enough to be chosen.
    logits = random_logits(4, scale=3, seed=1)
    logits["length"][0, 5] += 9
    logits["length"][1, LENGTH_MORE_THAN_FIVE] += 9
    decoded = decode(logits)
    for photo in range(4):
        label, probability = most_likely_number(probabilities(logits, photo), MAX_DIGITS)
        assert np.asarray(decoded.label)[photo].tolist() == label
        assert float(decoded.confidence[photo]) == pytest.approx(probability, rel=1e-5)
    assert np.asarray(decoded.label)[0, 0] == 5
    assert np.asarray(decoded.label)[1].tolist() == [6, 10, 10, 10, 10, 10]


@pytest.mark.parametrize(("scale", "favour"), [(0.3, 1.8), (2, 0.8), (10, 0.3)])
def test_matches_the_search_over_lengths_for_many_photos(scale, favour):
    logits = random_logits(500, scale, seed=2)
    # A digit makes a number less likely: favour the long ones so that they win sometimes, too.
    logits["length"] += (favour * np.array([0, 1, 2, 3, 4, 5, 0])).astype(np.float32)
    decoded = decode(logits)
    labels = np.asarray(decoded.label)
    for photo in range(500):
        label, probability = most_likely_by_length(probabilities(logits, photo))
        assert labels[photo].tolist() == label
        assert float(decoded.confidence[photo]) == pytest.approx(probability, rel=1e-4)
    assert len(np.unique(labels[:, 0])) > 3


def test_the_joint_maximum_is_not_the_length_heads_own():
    # Length 2 is the length head's favourite, but its second digit is a toss-up.
    logits = {name: np.zeros((1, 10), np.float32) for name in HEAD_NAMES}
    logits["length"] = np.log(np.array([[1e-9, 0.4, 0.6, 1e-9, 1e-9, 1e-9, 1e-9]], np.float32))
    logits["digit_1"][0, 7] = 20
    decoded = decode(logits)
    assert np.asarray(decoded.label).tolist() == [[1, 7, 10, 10, 10, 10]]
    assert float(decoded.confidence[0]) == pytest.approx(0.4, abs=1e-4)


def test_digit_probabilities_are_each_heads_and_zero_beyond_the_length():
    logits = random_logits(200, scale=2, seed=3)
    decoded = decode(logits)
    labels = np.asarray(decoded.label)
    for photo, (label, row) in enumerate(
        zip(labels, np.asarray(decoded.digit_probabilities), strict=True)
    ):
        count = label[0] if label[0] <= MAX_DIGITS else 0
        heads = probabilities(logits, photo)[1:]
        expected = [heads[i][label[1 + i]] if i < count else 0.0 for i in range(MAX_DIGITS)]
        assert row == pytest.approx(expected, rel=1e-5)


def test_types_and_shapes_also_in_a_graph_and_for_half_precision():
    logits = random_logits(3, scale=1, seed=4)
    in_graph = tf.function(decode)({name: tf.constant(logits[name]) for name in HEAD_NAMES})
    eager = decode(logits)
    for kind, shape, ours, graphs in zip(
        ("int32", "float32", "float32"), ((3, 6), (3,), (3, 5)), eager, in_graph, strict=True
    ):
        assert np.asarray(ours).dtype == np.asarray(graphs).dtype == kind
        assert np.asarray(ours).shape == np.asarray(graphs).shape == shape
        assert np.asarray(graphs) == pytest.approx(np.asarray(ours), rel=1e-6)
    half = decode({name: tf.cast(logits[name], tf.float16) for name in HEAD_NAMES})
    assert half.confidence.dtype == tf.float32


def test_extreme_logits_give_probabilities():
    logits = random_logits(50, scale=1e4, seed=5)
    confidence = np.asarray(decode(logits).confidence)
    assert np.isfinite(confidence).all()
    assert ((confidence >= 0) & (confidence <= 1)).all()


def test_a_photo_is_decoded_the_same_alone_and_among_others():
    logits = random_logits(64, scale=2, seed=6)
    together = decode(logits)
    for photo in (0, 17, 63):
        alone = decode({name: logits[name][photo : photo + 1] for name in HEAD_NAMES})
        assert np.array_equal(np.asarray(alone.label)[0], np.asarray(together.label)[photo])
        # The vectorised exponential may differ in the last bit from the scalar one at the end.
        for ours, theirs in zip(alone[1:], together[1:], strict=True):
            assert np.asarray(ours)[0] == pytest.approx(np.asarray(theirs)[photo], rel=1e-6)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_the_temperature_divides_all_logits_before_anything_else(temperature):
    logits = random_logits(300, scale=3, seed=7)
    divided = {name: values / np.float32(temperature) for name, values in logits.items()}
    for ours, expected in zip(decode(logits, temperature), decode(divided), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-6)


def test_temperature_1_changes_no_bit():
    logits = random_logits(300, scale=3, seed=8)
    for ours, expected in zip(decode(logits, 1.0), decode(logits), strict=True):
        np.testing.assert_array_equal(ours, expected)
