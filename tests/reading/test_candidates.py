import numpy as np
import pytest

from svhn.detection.decoding import DetectedDigits
from svhn.detection.numbers import made_of
from svhn.reading.candidates import candidates

WIDE = (100, 400)
"""Height and width of a photo that is larger than all that is found in it here."""


def found(number: str, *scores: float, left: float = 0, step: tuple[float, float] = (10, 0)):
    """Digits of 10×20 pixels, each a step from the one before."""
    labels = np.array(list(map(int, number)), np.int32)
    boxes = [[left + step[0] * i, 5 + step[1] * i, 10, 20] for i in range(len(number))]
    boxes = np.array(boxes, np.float32)
    scores = np.array(scores, np.float32)
    return made_of(
        DetectedDigits(labels, scores, boxes, scores[:, None] * np.eye(10, dtype="f4")[labels])
    )


@pytest.mark.parametrize(
    ("number", "scores", "expected"),
    [
        ("123", (0.5, 0.2, 0.4), ["123", "12", "23", "2"]),
        ("123", (0.95, 0.2, 0.4), ["123", "12"]),
        ("123", (0.5, 0.2, 0.95), ["123", "23"]),
        ("123", (0.95, 0.2, 0.95), ["123"]),  # what lies between stays
        ("12", (0.5, 0.5), ["12", "1", "2"]),
        ("7", (0.3,), ["7"]),  # nothing would be left
        ("1234567", [0.3] * 7, ["1234567", "123456", "234567", "23456"]),
    ],
)
def test_doubtful_ends_may_be_left_out(number, scores, expected):
    whole = found(number, *scores)
    ways = candidates(whole, 30, 10 * len(number))  # no room for more
    assert [way.number for way in ways] == expected
    assert ways[0] is whole


def test_a_candidate_is_a_number_of_its_own():
    _, shorter = candidates(found("123", 0.95, 0.8, 0.3), 30, 30)
    assert shorter.box.tolist() == [0, 5, 20, 20]
    assert shorter.score == pytest.approx(1 - 0.05 * 0.2)


def test_there_may_be_room_for_a_digit_that_was_not_found():
    whole, before, after = candidates(found("23", 0.95, 0.95, left=50), *WIDE)
    assert before.box.tolist() == [40, 5, 30, 20]
    assert after.box.tolist() == [50, 5, 30, 20]
    for way in (before, after):
        assert way.digits is whole.digits
        assert way.score == whole.score


def test_the_room_is_as_far_away_as_the_digits_are_from_each_other():
    _, before, after = candidates(found("234", *[0.95] * 3, left=50, step=(18, 6)), *WIDE)
    assert before.box.tolist() == [32, 0, 64, 37]  # it ends with the photo
    assert after.box.tolist() == [50, 5, 64, 38]


@pytest.mark.parametrize(("left", "boxes"), [(4, []), (6, [[0, 5, 16, 20]])])
def test_half_of_the_room_lies_in_the_photo(left, boxes):
    _, *longer = candidates(found("8", 0.95, left=left), 100, left + 10)
    assert [way.box.tolist() for way in longer] == boxes


def test_a_column_has_no_room_beside_it():
    assert len(candidates(found("23", 0.95, 0.95, left=50, step=(0, 25)), *WIDE)) == 1
