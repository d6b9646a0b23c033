import numpy as np
import pytest

from svhn.detection.close_look import (
    BESIDE,
    DIGIT_HEIGHT,
    LONGEST_SIDE,
    MOST,
    close_looks,
)
from svhn.detection.decoding import DetectedDigits
from svhn.detection.numbers import made_of


def number(left, height, digits=2, score=0.9):
    boxes = [[left + place * height / 2, 100, height / 2, height] for place in range(digits)]
    scores = np.full(digits, score, np.float32)
    return made_of(
        DetectedDigits(
            np.arange(digits, dtype=np.int32),
            scores,
            np.array(boxes, np.float32),
            np.eye(10, dtype=np.float32)[:digits] * score,
        )
    )


@pytest.mark.parametrize("height", [10, 40, 300])
def test_digits_become_as_high_as_they_should_be(height):
    (look,) = close_looks([number(500, height)], 1000, 2000, 100.0)
    part = look.part
    assert look.longer_side / max(part.right - part.left, part.bottom - part.top) == pytest.approx(
        DIGIT_HEIGHT / height, rel=0.05
    )
    assert 500 - part.left == pytest.approx(BESIDE * height, abs=1)
    assert part.right - (500 + height) == pytest.approx(BESIDE * height, abs=1)
    assert part.top < 100 < 100 + height < part.bottom


def test_parts_end_with_the_photo():
    (look,) = close_looks([number(3, 40)], 150, 60, 4.0)
    assert look.part == (0, 68, 60, 150)


def test_nothing_is_enlarged_more_than_makes_sense():
    (look,) = close_looks([number(100, 8)], 300, 300, 4.0)
    assert look.longer_side == pytest.approx(4 * (look.part.right - look.part.left), abs=1)


def test_long_numbers_are_shown_smaller():
    (look,) = close_looks([number(100, 40, digits=10)], 300, 1000, 4.0)
    assert look.longer_side == LONGEST_SIDE


def test_only_the_best_numbers_are_worth_it():
    assert len(close_looks([number(100, 40)] * (MOST + 2), 300, 1000, 4.0)) == MOST
    assert close_looks([], 300, 1000, 4.0) == []
