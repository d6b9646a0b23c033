import dataclasses
import json
from pathlib import Path

import pytest

from svhn.reading.results import ABSTAINED, SURE, UNSURE, PhotoResult, Reading

READING = Reading(
    (2, 7, 5, 10, 10, 10),
    0.9731,
    (0.99, 0.98, 0.0, 0.0, 0.0),
    sure=True,
    box=(1.5, 2.25, 30.0, 20.0),
    digit_boxes=((1.5, 2.25, 14.0, 20.0), (16.0, 2.25, 15.5, 20.0)),
    detected="76",
)
PLAIN = Reading((1, 3, 10, 10, 10, 10), 0.5, (0.6, 0.0, 0.0, 0.0, 0.0))
NO_DIGIT = Reading((0, 10, 10, 10, 10, 10), 0.8, (0.0,) * 5)


@pytest.mark.parametrize(
    "result",
    [
        PhotoResult(Path("a/b.png"), (READING,)),
        PhotoResult(Path("a/b.png"), (PLAIN, READING)),
        PhotoResult(Path("a/b.png"), (NO_DIGIT,)),
        PhotoResult(Path("a/b.png")),
        PhotoResult(Path("a/b.png"), error="a/b.png: is empty"),
    ],
)
def test_a_result_survives_its_record(result):
    again = PhotoResult.from_record(json.loads(json.dumps(result.as_record())))
    assert (again.path, again.readings, again.error) == (
        result.path,
        result.readings,
        result.error,
    )
    assert again.texts == result.texts


def test_record_of_a_photo_with_several_numbers():
    record = PhotoResult(Path("p.png"), (READING, PLAIN)).as_record()
    assert [number["number"] for number in record["numbers"]] == ["75", "3"]
    assert record["number"] == "75"
    assert record["box"] == [1.5, 2.25, 30.0, 20.0]
    assert record["digit_boxes"] == [[1.5, 2.25, 14.0, 20.0], [16.0, 2.25, 15.5, 20.0]]
    assert record["detected"] == "76"
    assert record["numbers"][1]["box"] is None


def test_record_of_a_photo_without_a_number():
    record = PhotoResult(Path("p.png")).as_record()
    assert record["numbers"] == []
    assert record["number"] == ""
    assert record["label"] == [0, 10, 10, 10, 10, 10]
    assert record["confidence"] is None
    assert record["error"] is None
    assert PhotoResult(Path("p.png"), (NO_DIGIT,)).as_record()["numbers"] == []


def test_texts():
    assert PhotoResult(Path("p.png"), (READING, PLAIN)).texts == ("75  97.3 %", "3  50.0 %")
    assert PhotoResult(Path("p.png")).texts == ("no number found",)
    assert PhotoResult(Path("p.png"), (NO_DIGIT,)).texts == ("no number  80.0 %",)
    assert PhotoResult(Path("p.png"), error="p.png: is empty").texts == ()


def test_bands():
    def band(confidence: float, sure: bool | None) -> str:
        return dataclasses.replace(PLAIN, confidence=confidence, sure=sure).band

    assert [band(0.9, None), band(0.89, None)] == [SURE, UNSURE]
    assert [band(0.3, True), band(0.99, False)] == [SURE, ABSTAINED]
