import numpy as np
import pytest

from svhn.labels import label_array, length_name, number_text


@pytest.mark.parametrize(
    ("digits", "expected", "text"),
    [
        ([], [0, 10, 10, 10, 10, 10], ""),
        ([7, 5], [2, 7, 5, 10, 10, 10], "75"),
        ([0, 0, 1, 0, 9], [5, 0, 0, 1, 0, 9], "00109"),
        ([1, 2, 3, 4, 5, 6], [6, 10, 10, 10, 10, 10], "more than 5 digits"),
    ],
)
def test_label_array_and_back(digits, expected, text):
    array = label_array(digits)
    assert array.dtype == np.int32
    assert array.tolist() == expected
    assert number_text(array) == text


@pytest.mark.parametrize("digits", [[10], [1, -1]])
def test_what_is_no_digit_is_refused(digits):
    with pytest.raises(ValueError, match="0 to 9"):
        label_array(digits)


def test_lengths_in_words():
    assert [length_name(length) for length in (0, 1, 5, 6, 7)] == ["0", "1", "5"] + 2 * [
        "more than 5"
    ]
