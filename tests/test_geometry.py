import numpy as np
import pytest

from svhn.geometry import clip_boxes, corners, grow_box, resized_boxes, union_box


def test_the_right_edge_is_the_largest_of_all_digits_not_the_last_ones():
    boxes = [[10, 5, 30, 20], [20, 2, 5, 10]]
    np.testing.assert_array_equal(union_box(boxes), [10, 2, 30, 23])


def test_no_boxes_have_no_union():
    with pytest.raises(ValueError, match="0 boxes"):
        union_box(np.zeros((0, 4)))


def test_growing_keeps_the_centre():
    grown = grow_box([10, 20, 40, 10], 0.3)
    np.testing.assert_allclose(grown, [4, 18.5, 52, 13])


def test_clipping_leaves_what_lies_within_the_photo():
    boxes = [[-5, 2, 10, 4], [90, 40, 30, 30], [200, 0, 5, 5], [10, 10, 5, 5]]
    np.testing.assert_array_equal(
        clip_boxes(boxes, 100, 50),
        [[0, 2, 5, 4], [90, 40, 10, 10], [100, 0, 0, 5], [10, 10, 5, 5]],
    )


def test_resized_boxes_keep_their_centres():
    boxes = np.array([[10.0, 20, 8, 12], [0, 0, 2, 4]])
    resized = resized_boxes(boxes, np.array([[12.0, 24], [3, 8]]))
    np.testing.assert_allclose(resized, [[8, 14, 12, 24], [-0.5, -2, 3, 8]])


def test_corners():
    np.testing.assert_array_equal(corners(np.float32([[1, 2, 3, 5]])), [[1, 2, 4, 7]])
