import numpy as np

from svhn.detection.part import Part


def test_boxes_in_a_part():
    boxes = np.array([[5, 5, 2, 2], [0, 10, 10, 10], [9, 5, 2, 2], [5, 15, 2, 6], [-1, 5, 2, 2]])
    assert Part(0, 0, 10, 20).holds(boxes).tolist() == [True, True, False, False, False]


def test_only_edges_within_the_photo_cut_digits():
    assert Part(0, 8, 60, 90).without_edges(3, 90, 100) == (-np.inf, 11, 57, np.inf)
    assert Part(8, 0, 100, 90).without_edges(0.5, 200, 100) == (8.5, -np.inf, np.inf, 89.5)
