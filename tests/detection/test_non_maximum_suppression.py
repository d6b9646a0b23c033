import numpy as np

from svhn.detection.non_maximum_suppression import suppress


def test_the_best_of_boxes_that_overlap_stays():
    boxes = [[10, 10, 10, 20], [11, 11, 10, 20], [40, 10, 10, 20], [12, 9, 10, 20]]
    assert suppress(boxes, [0.5, 0.9, 0.3, 0.8]).tolist() == [1, 2]


def test_the_threshold_is_of_the_intersection_over_union():
    boxes = [[0, 0, 10, 10], [0, 5, 10, 10]]  # a third
    assert suppress(boxes, [0.9, 0.8], iou_threshold=0.34).tolist() == [0, 1]
    assert suppress(boxes, [0.9, 0.8], iou_threshold=0.32).tolist() == [0]


def test_who_is_suppressed_suppresses_nobody():
    boxes = [[0, 0, 10, 10], [4, 0, 10, 10], [8, 0, 10, 10]]  # neighbours overlap by 6 of 14
    assert suppress(boxes, [0.9, 0.8, 0.7], iou_threshold=0.4).tolist() == [0, 2]


def test_left_and_top_are_not_mistaken():
    boxes = [[0, 0, 100, 10], [0, 20, 100, 10]]  # two lines, one above the other
    assert suppress(boxes, [0.9, 0.8]).tolist() == [0, 1]


def test_no_more_than_asked_for_and_none_of_none():
    boxes = [[20 * place, 0, 10, 10] for place in range(5)]
    assert suppress(boxes, [0.1, 0.5, 0.3, 0.4, 0.2], most=2).tolist() == [1, 3]
    assert suppress(np.zeros((0, 4)), np.zeros(0)).tolist() == []
