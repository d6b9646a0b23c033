import math

import numpy as np
import pytest
import tensorflow as tf

from svhn.detection.loss import (
    BOX_WEIGHT,
    NUMBER_WEIGHT,
    detection_loss,
    focal_loss,
    generalised_iou,
)
from svhn.detection.targets import Targets
from svhn.window_config import IGNORED, NO_LABEL, NUMBER


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def test_the_focal_loss_is_the_papers():
    logits = np.full((1, 1, 10), -3.0, np.float32)
    logits[0, 0, 4], logits[0, 0, 7] = 0.5, 1.0
    of_others = 0.75 * sigmoid(-3) ** 2 * -math.log(1 - sigmoid(-3))
    wrong = 0.75 * sigmoid(1) ** 2 * -math.log(1 - sigmoid(1))
    right = 0.25 * (1 - sigmoid(0.5)) ** 2 * -math.log(sigmoid(0.5))
    np.testing.assert_allclose(
        focal_loss(logits, np.array([[4]])), [[8 * of_others + wrong + right]], rtol=1e-5
    )
    missed = 0.75 * sigmoid(0.5) ** 2 * -math.log(1 - sigmoid(0.5))
    np.testing.assert_allclose(
        focal_loss(logits, np.array([[NO_LABEL]])), [[8 * of_others + wrong + missed]], rtol=1e-5
    )


def test_sure_and_wrong_is_still_finite():
    logits = np.full((1, 2, 10), 1e4, np.float32)
    loss = np.asarray(focal_loss(logits, np.array([[NO_LABEL, 1]])))
    assert np.isfinite(loss).all()
    assert (loss > 1e3).all()


@pytest.mark.parametrize(
    ("distances", "others", "expected"),
    [
        ([2, 3, 4, 5], [2, 3, 4, 5], 1.0),
        ([2, 2, 2, 2], [2, 2, 0, 2], 0.5),  # half of it
        ([4, 2, 0, 2], [2, 2, 2, 2], 8 / 24),  # moved by half a width
        ([2, 2, 0, 2], [0, 2, 2, 2], 0.0),  # side by side
        ([3, 2, -1, 2], [-1, 2, 3, 2], -8 / 24),  # a gap of 2 between widths of 2
        ([1, 1, 1, 1], [2, 2, 2, 2], 0.25),  # inside
    ],
)
def test_generalised_iou(distances, others, expected):
    for one, other in ((distances, others), (others, distances)):
        value = generalised_iou(np.array(one, np.float32), np.array(other, np.float32))
        assert float(value) == pytest.approx(expected, abs=1e-5)


def test_boxes_far_apart_have_a_gradient_towards_each_other():
    distances = tf.Variable([[3.0, 2.0, -1.0, 2.0]])
    with tf.GradientTape() as tape:
        value = generalised_iou(distances, np.array([[-1, 2, 3, 2]], np.float32))
    gradient = tape.gradient(value, distances).numpy()[0]
    assert gradient[2] > 0  # further to the right is better


@pytest.fixture
def batch():
    """Two pictures of five cells: two of a digit, one ignored, two empty; and none of a digit. Of
    their three cells for numbers the first picture has one with a number.
    """
    random = np.random.default_rng(0)
    classes = np.array([[NO_LABEL, 3, IGNORED, 8, NO_LABEL], [NO_LABEL] * 5])
    number_classes = np.array([[NO_LABEL, NUMBER, IGNORED], [NO_LABEL] * 3])
    outputs = {
        "class_logits": tf.Variable(random.normal(size=(2, 5, 10)), dtype="float32"),
        "box_distances": tf.Variable(random.uniform(2, 9, (2, 5, 4)), dtype="float32"),
        "number_logits": tf.Variable(random.normal(size=(2, 3, 1)), dtype="float32"),
        "number_distances": tf.Variable(random.uniform(2, 9, (2, 3, 4)), dtype="float32"),
    }
    return (
        outputs,
        Targets(classes, random.uniform(2, 9, (2, 5, 4)).astype("float32")),
        Targets(number_classes, random.uniform(2, 9, (2, 3, 4)).astype("float32")),
    )


def test_the_loss_of_a_picture_is_over_its_cells_with_a_digit(batch):
    outputs, targets, _ = batch
    loss = detection_loss(*batch)
    cells = np.asarray(focal_loss(outputs["class_logits"], targets.classes))
    iou = np.asarray(generalised_iou(outputs["box_distances"], targets.distances))
    np.testing.assert_allclose(loss.classes, [cells[0].sum() / 2, cells[1].sum()], rtol=1e-5)
    np.testing.assert_allclose(loss.boxes, [(2 - iou[0, 1] - iou[0, 3]) / 2, 0], rtol=1e-5)


def test_numbers_are_one_class_with_boxes_of_their_own(batch):
    outputs, _, targets = batch
    loss = detection_loss(*batch)
    cells = np.asarray(focal_loss(outputs["number_logits"], targets.classes))
    iou = np.asarray(generalised_iou(outputs["number_distances"], targets.distances))
    expected = [cells[0].sum() + BOX_WEIGHT * (1 - iou[0, 1]), cells[1].sum()]
    np.testing.assert_allclose(loss.numbers, expected, rtol=1e-5)
    np.testing.assert_allclose(
        loss.total,
        loss.classes + BOX_WEIGHT * loss.boxes + NUMBER_WEIGHT * loss.numbers,
        rtol=1e-6,
    )


def test_gradient_flows_only_where_it_should(batch):
    outputs, targets, number_targets = batch
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(detection_loss(outputs, targets, number_targets).total)
    gradients = {
        name: (np.abs(gradient.numpy()).max(axis=-1) > 0).tolist()
        for name, gradient in tape.gradient(loss, outputs).items()
    }
    assert gradients["class_logits"] == [[True, True, False, True, True], [True] * 5]
    assert gradients["box_distances"] == [[False, True, False, True, False], [False] * 5]
    assert gradients["number_logits"] == [[True, True, False], [True] * 3]
    assert gradients["number_distances"] == [[False, True, False], [False] * 3]


def test_a_pictures_loss_does_not_depend_on_its_neighbours(batch):
    outputs, *both = batch
    alone = detection_loss(
        {name: values[1:] for name, values in outputs.items()},
        *(Targets(targets.classes[1:], targets.distances[1:]) for targets in both),
    )
    np.testing.assert_allclose(alone.total, np.asarray(detection_loss(*batch).total)[1:], rtol=1e-6)
