import numpy as np
import pytest

from svhn.detection.decoding import DetectedDigits
from svhn.detection.merging import BEST_SIZE, joined, merged
from svhn.detection.part import Part


def seen(*digits):
    """What a look sees: (label, score, box) each."""
    scores = np.zeros((len(digits), 10), np.float32)
    for place, (label, score, _) in enumerate(digits):
        scores[place, label] = score
    return DetectedDigits(
        np.array([label for label, _, _ in digits], np.int32),
        np.array([score for _, score, _ in digits], np.float32),
        np.array([box for _, _, box in digits], np.float32).reshape(-1, 4),
        scores,
    )


def box(left, height=40.0):
    return [left, 10, height / 2, height]


SAME = (BEST_SIZE / 40, BEST_SIZE / 40)
"""Scales of two looks in which digits of 40 pixels have the best size."""


def test_pieces_of_a_look_have_each_digit_once():
    digits = joined([seen((7, 0.8, box(10))), seen((1, 0.9, box(11)), (3, 0.5, box(60)))])
    assert digits.labels.tolist() == [1, 3]
    assert digits.scores.tolist() == pytest.approx([0.9, 0.5])


def test_a_look_of_one_piece_stays_as_it_is():
    whole = seen((7, 0.8, box(10)), (3, 0.5, box(60)))
    assert joined([whole]) is whole


def test_a_digit_that_two_looks_see_is_one_between_them():
    first, second = seen((7, 0.8, box(10)), (2, 0.6, box(60))), seen((7, 0.4, box(13)))
    digits = merged([first, second], SAME)
    assert digits.labels.tolist() == [7, 2]
    assert digits.scores.tolist() == pytest.approx([0.6, 0.3])
    assert digits.scores.dtype == digits.boxes.dtype == digits.class_scores.dtype == np.float32
    np.testing.assert_allclose(digits.boxes[0], box(11), rtol=1e-5)
    np.testing.assert_allclose(digits.boxes[1], box(60), rtol=1e-5)


def test_what_both_take_for_possible_wins_over_what_one_is_sure_of():
    first, second = (seen((label, 0.5, box(10))) for label in (7, 1))
    first.class_scores[0, 4] = second.class_scores[0, 4] = 0.4
    digits = merged([first, second], SAME)
    assert digits.labels.tolist() == [4]
    assert digits.scores.tolist() == pytest.approx([0.4])


@pytest.mark.parametrize("height", [10.0, 40.0, 400.0])
def test_a_look_at_a_better_size_has_more_say(height):
    scales = (BEST_SIZE / height, BEST_SIZE / height * 4)
    sure, blind = seen((7, 0.9, box(10, height))), seen()
    assert merged([sure, blind], scales).scores[0] > 0.85
    assert merged([blind, sure], scales).scores[0] < 0.1
    other = seen((1, 0.9, box(11, height)))
    assert merged([other, sure], scales).labels.tolist() == [1]


def test_the_order_of_the_looks_does_not_matter():
    looks = [seen((7, 0.8, box(10))), seen((1, 0.7, box(12)), (3, 0.5, box(70))), seen()]
    scales = [0.5, 1.0, 2.0]
    one, other = merged(looks, scales), merged(looks[::-1], scales[::-1])
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_allclose(one.class_scores, other.class_scores, rtol=1e-5)
    np.testing.assert_allclose(one.boxes, other.boxes, rtol=1e-5)


def test_one_look_changes_nothing():
    look = seen((7, 0.8, box(10)), (2, 0.6, box(60)))
    digits = merged([look], [0.3])
    np.testing.assert_array_equal(digits.labels, look.labels)
    np.testing.assert_allclose(digits.scores, look.scores, rtol=1e-5)
    np.testing.assert_allclose(digits.boxes, look.boxes, rtol=1e-5)


def test_a_look_at_a_part_says_nothing_about_the_rest():
    everywhere = seen((7, 0.8, box(10)), (2, 0.6, box(60)))
    part = Part(50, 0, 100, 60)
    digits = merged([everywhere, seen((2, 0.9, box(60)))], SAME, [None, part])
    assert digits.labels.tolist() == [7, 2]
    assert digits.scores.tolist() == pytest.approx([0.8, 0.75])
    blind = merged([everywhere, seen()], SAME, [None, part])
    assert blind.scores.tolist() == pytest.approx([0.8, 0.3])


def test_a_look_at_a_part_says_nothing_about_what_its_edge_cuts():
    everywhere = seen((7, 0.8, box(60)), (2, 0.6, box(10)))
    for part in (Part(65, 0, 100, 60), Part(0, 0, 75, 60), Part(50, 15, 100, 60)):
        digits = merged([everywhere, seen()], SAME, [None, part])
        assert digits.scores[0] == pytest.approx(0.8)


def test_no_digit_in_any_look():
    assert len(merged([seen(), seen()], SAME).scores) == 0
