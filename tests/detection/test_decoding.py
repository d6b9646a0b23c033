import numpy as np
import pytest

from svhn.detection.cells import cells_of
from svhn.detection.decoding import decode_cells, find_digits
from svhn.detection.targets import assign

CELLS = cells_of(64, 96)
BOXES = [[10, 12, 9, 20], [22, 12, 8, 20], [50, 4, 30, 54]]
DIGITS = [7, 1, 0]


def outputs_for(labels, boxes, logit=4.0):
    """What a detector that has learnt its lesson gives for one picture."""
    targets = assign(np.array([labels]), np.array([boxes], np.float32), CELLS)
    classes = np.asarray(targets.classes)
    logits = np.full((*classes.shape, 10), -9.0, np.float32)
    for place in np.flatnonzero(classes[0] >= 0):
        logits[0, place, classes[0, place]] = logit
    return {"class_logits": logits, "box_distances": np.asarray(targets.distances)}


def test_what_was_assigned_is_found():
    (found,) = find_digits(outputs_for(DIGITS, BOXES), 64, 96)
    assert sorted(found.labels.tolist()) == sorted(DIGITS)
    order = [found.labels.tolist().index(digit) for digit in DIGITS]
    np.testing.assert_allclose(found.boxes[order], BOXES, atol=1e-3)
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp(-4)), rtol=1e-5)
    np.testing.assert_allclose(found.class_scores.max(axis=1), found.scores)
    assert found.labels.dtype == np.int32


def test_each_picture_by_itself():
    both = {
        name: np.concatenate([values, outputs_for([5], [[30, 30, 12, 20]])[name]])
        for name, values in outputs_for(DIGITS, BOXES).items()
    }
    first, second = find_digits(both, 64, 96)
    assert len(first.labels) == 3
    assert second.labels.tolist() == [5]


def test_of_two_classes_at_a_place_the_better():
    outputs = outputs_for([3], [[30, 20, 12, 20]])
    outputs["class_logits"][..., 8] = np.where(outputs["class_logits"][..., 3] > 0, 5.0, -9.0)
    (found,) = find_digits(outputs, 64, 96)
    assert found.labels.tolist() == [8]
    assert found.class_scores[0, 3] == pytest.approx(1 / (1 + np.exp(-4)), rel=1e-5)


def test_the_surest_first_and_unsure_ones_left_out():
    outputs = outputs_for(DIGITS, BOXES)
    for digit, logit in zip(DIGITS, (0.0, 2.0, -1.0), strict=True):
        values = outputs["class_logits"][..., digit]
        values[values > 0] = logit
    (found,) = find_digits(outputs, 64, 96, score_threshold=0.4)
    assert found.labels.tolist() == [1, 7]
    (found,) = find_digits(outputs, 64, 96, score_threshold=0.0, most=2)
    assert found.labels.tolist() == [1, 7]
    (found,) = find_digits(outputs, 64, 96, score_threshold=0.9)
    assert found.labels.shape == (0,)
    assert found.boxes.shape == (0, 4)


def test_sides_are_never_negative():
    outputs = {
        "class_logits": np.zeros((1, len(CELLS.centres), 10), np.float32),
        "box_distances": np.full((1, len(CELLS.centres), 4), -2.0, np.float32),
    }
    boxes, scores = decode_cells(outputs, CELLS)
    assert (np.asarray(boxes)[..., 2:] == 0).all()
    np.testing.assert_allclose(scores, 0.5)


def test_scores_are_the_sigmoid_of_any_logit():
    cells = len(CELLS.centres)
    logits = np.linspace(-80, 80, 10 * cells, dtype=np.float32).reshape(1, cells, 10)
    distances = np.ones((1, cells, 4), np.float32)
    with np.errstate(all="raise"):
        _, scores = decode_cells({"class_logits": logits, "box_distances": distances}, CELLS)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, 1 / (1 + np.exp(-logits.astype(np.float64))), rtol=1e-6)


def test_boxes_in_the_photo_are_scaled_back_and_cut_off():
    (found,) = find_digits(outputs_for([0], [[50, 4, 30, 54]]), 64, 96)
    in_photo = found.in_photo(np.array([2.0, 0.5]), (35, 1000))
    np.testing.assert_allclose(in_photo.boxes, [[25, 8, 10, 108]], atol=1e-3)
    np.testing.assert_array_equal(in_photo.labels, found.labels)
