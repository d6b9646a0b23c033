import dataclasses

import numpy as np
import pytest

from svhn.detection.decoding import DetectedDigits
from svhn.detection.numbers import made_of
from svhn.reading.candidates import candidates

WIDE = (100, 400)
"""Height and width of a photo that is larger than all that is found in it here."""


def digits_at(left: float, number: str, *scores: float) -> DetectedDigits:
    """Digits 10 pixels wide, side by side."""
    labels = np.array(list(map(int, number)), np.int32)
    boxes = [[left + 10 * place, 5, 10, 20] for place in range(len(number))]
    scores = np.array(scores, np.float32)
    class_scores = scores[:, None] * np.eye(10, dtype=np.float32)[labels]
    return DetectedDigits(labels, scores, np.array(boxes, np.float32), class_scores)


def found(number: str, *scores: float, left: float = 0):
    return made_of(digits_at(left, number, *scores))


def texts(ways) -> list[str]:
    return [way.number for way in ways]


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
    assert texts(ways) == expected
    assert ways[0] is whole


def test_a_candidate_is_a_number_of_its_own():
    _, shorter = candidates(found("123", 0.95, 0.8, 0.3), 30, 30)
    assert shorter.box.tolist() == [0, 5, 20, 20]
    assert shorter.score == pytest.approx(1 - 0.05 * 0.2)


def test_weak_digits_may_belong_to_the_ends():
    number = dataclasses.replace(
        found("23", 0.95, 0.95, left=50),
        before=digits_at(40, "1", 0.1),
        after=digits_at(70, "4", 0.06),
    )
    _, before, after = candidates(number, *WIDE)
    assert texts([before, after]) == ["123", "234"]
    assert before.box.tolist() == [40, 5, 30, 20]
    assert before.score == pytest.approx(1 - 0.05 * 0.05 * 0.9)
    assert after.box.tolist() == [50, 5, 30, 20]
    assert after.digits.scores.tolist() == pytest.approx([0.95, 0.95, 0.06])


def test_the_box_may_have_room_for_a_digit_that_nobody_saw():
    number = found("23", 0.95, 0.95, left=50)
    whole, before, after = candidates(number, *WIDE)
    assert before.box.tolist() == [40, 5, 30, 20]
    assert after.box.tolist() == [50, 5, 30, 20]
    for way in (before, after):
        assert way.digits is whole.digits
        assert way.score == whole.score


@pytest.mark.parametrize(("left", "boxes"), [(4, []), (6, [[0, 5, 16, 20]])])
def test_half_of_the_room_lies_in_the_photo(left, boxes):
    _, *longer = candidates(found("8", 0.95, left=left), 100, left + 10)
    assert [way.box.tolist() for way in longer] == boxes


def test_a_weak_digit_takes_the_place_of_the_room():
    number = dataclasses.replace(found("23", 0.95, 0.95, left=50), before=digits_at(37, "1", 0.1))
    ways = candidates(number, *WIDE)
    assert texts(ways) == ["23", "123", "23"]
    assert [way.box[0] for way in ways] == [50, 37, 50]


def test_a_column_has_no_room_beside_it():
    digits = digits_at(50, "23", 0.95, 0.95)
    column = dataclasses.replace(
        digits, boxes=np.array([[50, 5, 10, 20], [50, 30, 10, 20]], np.float32)
    )
    assert len(candidates(made_of(column), *WIDE)) == 1
