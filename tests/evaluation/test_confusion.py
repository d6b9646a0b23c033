import numpy as np
import pytest

from svhn.evaluation.confusion import count_digit_confusions
from svhn.labels import label_array


def rows(*numbers: str) -> np.ndarray:
    return np.stack([label_array([int(digit) for digit in number]) for number in numbers])


@pytest.mark.parametrize(
    ("truth", "prediction", "pairs"),
    [
        ("75", "75", [(7, 7), (5, 5)]),
        ("75", "15", [(7, 1), (5, 5)]),
        ("75", "7", [(7, 7)]),  # the digit that was missed is in no cell
        ("7", "75", [(7, 7)]),  # nor is the one that was made up
        ("121", "21", [(1, 2), (2, 1)]),
        ("123456", "12345", []),
        ("12345", "123456", []),
        ("", "1", []),
        ("00900", "00000", [(0, 0), (0, 0), (9, 0), (0, 0), (0, 0)]),
    ],
)
def test_digits_at_the_same_position_where_both_exist(truth, prediction, pairs):
    expected = np.zeros((10, 10), int)
    for labelled, read in pairs:
        expected[labelled, read] += 1
    np.testing.assert_array_equal(count_digit_confusions(rows(truth), rows(prediction)), expected)


def test_photos_add_up():
    labels, predicted = rows("75", "75", "3"), rows("75", "15", "8")
    counts = count_digit_confusions(labels, predicted)
    assert counts.sum() == 5
    assert (counts[5, 5], counts[7, 1], counts[3, 8]) == (2, 1, 1)


def test_no_photos_and_shapes_that_differ():
    empty = np.empty((0, 6), int)
    assert count_digit_confusions(empty, empty).sum() == 0
    with pytest.raises(ValueError, match=r"\(1, 6\) and \(0, 6\)"):
        count_digit_confusions(rows("1"), empty)
