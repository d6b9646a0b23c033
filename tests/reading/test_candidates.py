import numpy as np
import pytest

from svhn.detection.decoding import DetectedDigits
from svhn.detection.numbers import made_of
from svhn.reading.candidates import candidates


def found(number: str, *scores: float):
    """Digits 10 pixels wide, side by side."""
    labels = np.array(list(map(int, number)), np.int32)
    boxes = np.array([[10 * place, 5, 10, 20] for place in range(len(number))], np.float32)
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
    ways = candidates(whole)
    assert [way.number for way in ways] == expected
    assert ways[0] is whole


def test_a_candidate_is_a_number_of_its_own():
    _, shorter = candidates(found("123", 0.95, 0.8, 0.3))
    assert shorter.box.tolist() == [0, 5, 20, 20]
    assert shorter.score == pytest.approx(1 - 0.05 * 0.2)
