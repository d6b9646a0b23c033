import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from svhn.reading.results import Reading
from svhn.self_training import judgement
from svhn.self_training.judgement import Demands, Judgement, judge

GOOD = Judgement(
    "7.png",
    None,
    digits=(7, 5),
    digit_boxes=np.array([[1, 2, 5, 9], [7, 2, 5, 9]], np.float32),
    box=(1, 2, 11, 9),
    score=0.8,
    reading="75",
    confidence=0.9,
    twin_readings=("75", "75", "75", "15"),
)
PHOTO = np.zeros((20, 30, 3), np.uint8)


def found(number: str) -> SimpleNamespace:
    """As `svhn.detection.finder.FoundNumber`."""
    boxes = np.array([[1 + 6 * place, 2, 5, 9] for place in range(len(number))], np.float32)
    digits = SimpleNamespace(labels=np.array([int(digit) for digit in number]), boxes=boxes)
    box = np.array([1, 2, 6 * len(number) - 1, 9], np.float32)
    return SimpleNamespace(box=box, digits=digits, score=np.float32(0.75), number=number)


class ScriptedReader:
    """Reads what it is told, the plain picture first."""

    def __init__(self, *numbers: str):
        self.numbers, self.boxes = numbers, []

    def prepare_all(self, photo, boxes):
        self.boxes += map(tuple, boxes)
        return ["picture"] * len(boxes)

    def read(self, pictures):
        assert len(pictures) == len(self.numbers)
        return [
            Reading((len(n), *map(int, n), *[10] * (5 - len(n))), 0.95, (1.0,) * 5)
            for n in self.numbers
        ]


class NoTwins:
    def __init__(self, count: int):
        self.count = count

    def pictures(self, photo, digit_boxes, name):
        return ["twin"] * self.count


@pytest.mark.parametrize(
    ("changes", "demands", "objection"),
    [
        ({}, (0.9, 0.75), None),
        ({}, (0.91, 0.75), judgement.NOT_CONFIDENT),
        ({}, (0.9, 0.76), judgement.NOT_CONSISTENT),
        ({"twin_readings": ()}, (0.9, 1.0), None),
        ({"wider_readings": ("75", "75")}, (0.9, 0.75), None),
        ({"wider_readings": ("275", "755")}, (0.0, 0.0), judgement.MISSED_DIGIT),
        ({"wider_readings": ("735", "5")}, (0.9, 0.75), None),
        ({"wider_readings": ("75", "751")}, (0.0, 0.0), judgement.MISSED_DIGIT),
        ({"wider_readings": ("175", "75")}, (0.0, 0.0), judgement.MISSED_DIGIT),
        ({"reading": "15"}, (0.0, 0.0), judgement.DISAGREEMENT),
        ({"digits": ()}, (0.0, 0.0), judgement.NOTHING_FOUND),
        ({}, (0.9, 0.75, "number", 2), None),
        ({}, (0.9, 0.75, "number", 3), judgement.TOO_SHORT),
        ({"digits": (1,) * 6}, (0.0, 0.0), judgement.TOO_LONG),
        (
            {"digit_boxes": np.array([[1, 2, 5, 9], [7, 2, 0, 9]], np.float32)},
            (0.0, 0.0),
            judgement.NO_AREA,
        ),
        ({"confidence": float("nan")}, (0.0, 0.0), judgement.NOT_CONFIDENT),
    ],
)
def test_what_speaks_against_a_number(changes, demands, objection):
    assert Demands(*demands).objection(dataclasses.replace(GOOD, **changes)) == objection


@pytest.mark.parametrize(
    ("reading", "objection"),
    [("75", None), ("15", None), ("175", judgement.DISAGREEMENT), ("", judgement.DISAGREEMENT)],
)
def test_agreement_on_the_length_alone(reading, objection):
    changed = dataclasses.replace(GOOD, reading=reading, twin_readings=())
    assert Demands(0.0, 0.0, "length").objection(changed) == objection
    if objection is None:
        assert changed.label == tuple(map(int, reading))


@pytest.mark.parametrize("shape", [(15, 40, 3), (40, 8001, 3)])
def test_photos_of_odd_sizes_are_not_searched(shape):
    result = judge("7.png", np.zeros(shape, np.uint8), None, None, None, Demands(0, 0))
    assert result.reason == judgement.WRONG_SIZE


def test_the_best_number_is_read_in_its_box():
    reader = ScriptedReader("75", "7", "5", "75", "15")
    result = judge(
        "a/7.png",
        PHOTO,
        lambda photo: [found("75"), found("15")],
        reader,
        NoTwins(2),
        Demands(0.9, 0.5),
    )
    assert result.kept and result.number == result.reading == "75" and result.digits == (7, 5)
    assert reader.boxes[0] == (1, 2, 11, 9) == result.box
    assert reader.boxes[1:] == [(0, 2, 12, 9), (1, 2, 14, 9)]
    assert result.wider_readings == ("7", "5")
    assert (result.score, result.confidence, result.consistency) == (0.75, 0.95, 0.5)
    record = json.loads(json.dumps(result.as_record()))
    assert record["kept"] and record["digit_boxes"] == [[1, 2, 5, 9], [7, 2, 5, 9]]


def test_where_nothing_is_found_nothing_is_read():
    result = judge("7.png", PHOTO, lambda photo: [], ScriptedReader(), NoTwins(2), Demands(0, 0))
    assert result.reason == judgement.NOTHING_FOUND and not result.kept
    assert result.as_record()["consistency"] is None
