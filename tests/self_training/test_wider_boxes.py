import numpy as np
import pytest

from svhn.self_training.wider_boxes import wider_boxes

DIGITS = np.array([[30, 10, 10, 16], [42, 11, 12, 16]], np.float32)
BOX = np.array([30, 10, 24, 17], np.float32)


def test_room_at_either_side():
    left, right = wider_boxes(BOX, DIGITS, 100)
    room = 0.6 * 11
    np.testing.assert_allclose(left, [30 - room, 10, 24 + room, 17], rtol=1e-6)
    np.testing.assert_allclose(right, [30, 10, 24 + room, 17], rtol=1e-6)


def test_a_one_counts_as_wider_than_it_is():
    left, _ = wider_boxes([30, 10, 3, 20], np.array([[30, 10, 3, 20]]), 100)
    assert left[0] == pytest.approx(30 - 0.6 * 10)


def test_boxes_end_with_the_photo_but_lose_nothing():
    at_the_edge = np.array([2, 10, 24, 17], np.float32)
    boxes = wider_boxes(at_the_edge, DIGITS, 28)
    np.testing.assert_array_equal(boxes, [[0, 10, 26, 17], [2, 10, 26, 17]])
    beyond = np.array([-3, 10, 24, 17], np.float32)
    np.testing.assert_array_equal(wider_boxes(beyond, DIGITS, 15), [beyond, beyond])
