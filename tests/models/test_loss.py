import numpy as np
import pytest
import tensorflow as tf

from svhn.labels import HEAD_NAMES, label_array
from svhn.models.loss import number_loss, soft_number_loss


@pytest.fixture
def logits():
    random = np.random.default_rng(1)
    return {
        name: tf.Variable(random.normal(size=(4, 7 if name == "length" else 10)), dtype="float32")
        for name in HEAD_NAMES
    }


LABELS = np.stack([label_array(digits) for digits in ([3], [1, 9], [1] * 5, [2] * 6)])


def log_softmax(values):
    values = np.asarray(values, np.float64)
    return values - np.log(np.exp(values).sum(axis=-1, keepdims=True))


def test_it_is_minus_the_log_likelihood_of_length_and_present_digits(logits):
    expected = []
    for row, label in enumerate(LABELS):
        likelihood = log_softmax(logits["length"])[row, label[0]]
        for position in range(1, label[0] + 1 if label[0] <= 5 else 1):
            likelihood += log_softmax(logits[f"digit_{position}"])[row, label[position]]
        expected.append(-likelihood)
    np.testing.assert_allclose(number_loss(logits, LABELS), expected, rtol=1e-5)


def test_absent_digits_send_back_no_gradient_and_more_than_five_train_the_length_alone(logits):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(number_loss(logits, LABELS))
    gradients = tape.gradient(loss, logits)
    present = {
        name: [bool(np.abs(row).max() > 0) for row in gradients[name].numpy()]
        for name in HEAD_NAMES
    }
    assert present == {
        "length": [True, True, True, True],
        "digit_1": [True, True, True, False],
        "digit_2": [False, True, True, False],
        "digit_3": [False, False, True, False],
        "digit_4": [False, False, True, False],
        "digit_5": [False, False, True, False],
    }


def test_label_smoothing_spreads_the_target(logits):
    label = LABELS[:1]
    first = {name: value[:1] for name, value in logits.items()}
    expected = 0.0
    for name, target, classes in (("length", 1, 7), ("digit_1", 3, 10)):
        targets = np.full(classes, 0.1 / classes)
        targets[target] += 0.9
        expected -= (targets * log_softmax(first[name])[0]).sum()
    np.testing.assert_allclose(number_loss(first, label, 0.1), [expected], rtol=1e-5)


def test_sure_probabilities_give_the_loss_of_the_labels(logits):
    sure = {}
    for position, name in enumerate(HEAD_NAMES):
        # Where there is no digit, what is said of it must count for nothing.
        classes = np.minimum(LABELS[:, position], 9) if position else LABELS[:, 0]
        sure[name] = np.eye(10 if position else 7, dtype="float32")[classes]
    given = soft_number_loss(logits, sure)
    np.testing.assert_allclose(given, number_loss(logits, LABELS), rtol=1e-6)


def test_probabilities_weigh_every_digit_by_how_probable_it_is_that_there_is_one(logits):
    random = np.random.default_rng(2)
    soft = {
        name: random.dirichlet(np.ones(value.shape[1]), size=4).astype("float32")
        for name, value in logits.items()
    }
    expected = -(soft["length"] * log_softmax(logits["length"])).sum(axis=1)
    for position in range(1, 6):
        name = f"digit_{position}"
        there = sum(soft["length"][:, length] for length in range(position, 6))
        expected -= there * (soft[name] * log_softmax(logits[name])).sum(axis=1)
    np.testing.assert_allclose(soft_number_loss(logits, soft), expected, rtol=1e-5)
