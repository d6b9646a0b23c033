import numpy as np
import pytest

from svhn.detection.decoding import DetectedDigits
from svhn.detection.numbers import made_of
from svhn.reading.end_digits import end_stays, without_doubtful_end
from tests.reading.numbers import says


def found(number: str, *scores: float):
    """Digits 10 pixels wide, side by side."""
    labels = np.array(list(map(int, number)), np.int32)
    boxes = np.array([[10 * place, 5, 10, 20] for place in range(len(number))], np.float32)
    scores = np.array(scores, np.float32)
    return made_of(
        DetectedDigits(labels, scores, boxes, scores[:, None] * np.eye(10, dtype="f4")[labels])
    )


def test_the_less_sure_end_is_in_doubt():
    shorter = without_doubtful_end(found("123", 0.6, 0.2, 0.4))
    assert shorter.number == "12"
    assert shorter.box.tolist() == [0, 5, 20, 20]
    assert shorter.score == pytest.approx(1 - 0.4 * 0.8)
    shorter = without_doubtful_end(found("123", 0.4, 0.2, 0.6))
    assert shorter.number == "23"
    assert shorter.box.tolist() == [10, 5, 20, 20]


@pytest.mark.parametrize(
    "number",
    [
        found("7", 0.3),  # nothing would be left
        found("123", 0.9, 0.2, 0.8),  # its ends are sure
        found("123456", *[0.3] * 6),  # the reader can't tell six from seven
    ],
)
def test_of_some_numbers_no_end_is_in_doubt(number):
    assert without_doubtful_end(number) is None


@pytest.mark.parametrize(
    ("score", "whole", "shorter", "stays"),
    [
        (0.6, 0.9, 0.05, True),  # both see it
        (0.3, 0.05, 0.9, False),  # neither does
        (0.35, 0.999, 1e-6, True),  # a sure reader and a detector in doubt
        (0.65, 1e-6, 0.999, False),
        (0.65, 0.45, 0.55, True),  # a reader in doubt
        (0.35, 0.55, 0.45, False),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_both_networks_decide(score, whole, shorter, stays, is_first):
    scores = (score, 0.9, 0.9) if is_first else (0.9, 0.9, score)
    number = "123"
    reader = says((number, whole), (number[:2], shorter))
    assert end_stays(found(number, *scores), reader) == stays


def test_certainty_is_no_error():
    reader = says(("12", 1.0))
    assert end_stays(found("12", 1.0, 0.7), reader)
    assert not end_stays(found("12", 0.9, 0.0), says(("1", 1.0)))
