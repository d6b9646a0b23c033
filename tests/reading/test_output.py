import csv
import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from svhn.drawing import BOX_COLOUR
from svhn.errors import UserError
from svhn.reading.output import NOT_SURE_COLOUR, OutputFolder, drawing_names
from svhn.reading.results import PhotoResult, Reading
from tests.reading.conftest import random_photo

READING = Reading((2, 7, 5, 10, 10, 10), 0.9731, (0.99, 0.98, 0.0, 0.0, 0.0))


def read(path: str) -> PhotoResult:
    return PhotoResult(Path(path), READING, preview=random_photo(1))


def failed(path: str) -> PhotoResult:
    return PhotoResult(Path(path), None, f"{path}: the file is empty")


def write(folder: Path, results: list[PhotoResult], root: str = "photos") -> None:
    output = OutputFolder(folder, [result.path for result in results], Path(root))
    for result in results:
        output.add(result)
    output.finish()


def names(*paths: str) -> list[str]:
    return [str(name) for name in drawing_names([Path(path) for path in paths], Path("p"))]


def test_drawings_keep_sub_folders_and_never_share_a_name():
    assert names("p/a/1.jpg", "p/b/1.jpg") == ["annotated/a/1.png", "annotated/b/1.png"]
    assert names("p/1.jpg", "p/1.png", "p/1.webp", "p/1.png.png") == [
        "annotated/1.png",
        "annotated/1.png.png",
        "annotated/1.webp.png",
        "annotated/1.png.png.png",
    ]
    many = names("p/x.png.png", "p/x.png", "p/x.jpg", "p/X.JPG", "p/x.jpg.png", "p/x.jpg_2.png")
    assert len({name.casefold() for name in many}) == 6


def test_json_says_all_of_every_photo(tmp_path):
    write(tmp_path, [read("photos/house.jpg"), failed("photos/no.png")])
    house, no = json.loads((tmp_path / "predictions.json").read_text())
    assert house == {
        "path": "photos/house.jpg",
        "number": "75",
        "label": [2, 7, 5, 10, 10, 10],
        "confidence": 0.9731,
        "sure": None,
        "digit_probabilities": [0.99, 0.98, 0.0, 0.0, 0.0],
        "box": None,
        "drawing": "annotated/house.png",
        "error": None,
    }
    assert no["error"] == "photos/no.png: the file is empty"
    assert {key for key, value in no.items() if value is not None} == {"path", "error"}


def test_csv_says_all_of_every_photo(tmp_path):
    write(tmp_path, [read('photos/a "b", c.jpg'), failed("photos/no.png")])
    with (tmp_path / "predictions.csv").open(newline="") as stream:
        house, no = csv.DictReader(stream)
    assert house["path"] == 'photos/a "b", c.jpg'
    assert house["number"] == "75"
    assert [house["length"], *(house[f"digit_{i}"] for i in range(1, 6))] == (
        ["2", "7", "5", "10", "10", "10"]
    )
    assert float(house["confidence"]) == 0.9731
    assert float(house["digit_2_probability"]) == 0.98
    assert house["drawing"] == 'annotated/a "b", c.png'
    assert house["error"] == ""
    assert {key for key, value in no.items() if value} == {"path", "error"}


def test_confidence_survives_both_tables_bit_for_bit(tmp_path):
    confidence = 0.18317554891109467
    result = PhotoResult(Path("photos/1.png"), Reading(READING.label, confidence, (0.1,) * 5))
    write(tmp_path, [result])
    with (tmp_path / "predictions.csv").open(newline="") as stream:
        assert float(next(csv.DictReader(stream))["confidence"]) == confidence
    assert json.loads((tmp_path / "predictions.json").read_text())[0]["confidence"] == confidence


def test_drawings_are_pictures_of_the_read_photos(tmp_path):
    write(tmp_path, [read("photos/a/1.jpg"), read("photos/1.jpg"), failed("photos/2.jpg")])
    drawn = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.png"))
    assert drawn == ["annotated/1.png", "annotated/a/1.png"]
    with Image.open(tmp_path / "annotated/a/1.png") as drawing:
        assert drawing.width >= 160


def test_names_that_are_no_utf8_survive(tmp_path):
    path = os.fsdecode(b"photos/caf\xe9.jpg")
    write(tmp_path, [failed(path)])
    assert json.loads((tmp_path / "predictions.json").read_text())[0]["path"] == path
    assert b"photos/caf\xe9.jpg" in (tmp_path / "predictions.csv").read_bytes()


def test_tables_are_replaced_as_a_whole_or_not_at_all(tmp_path, monkeypatch):
    write(tmp_path, [read("photos/1.png")])
    before = (tmp_path / "predictions.json").read_bytes()

    def disk_full(self, contents):
        with self.open("wb") as stream:
            stream.write(contents[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", disk_full)
    with pytest.raises(UserError, match="No space left on device") as error:
        write(tmp_path, [failed("photos/2.png")])
    assert str(tmp_path / "predictions.json") in str(error.value)
    assert (tmp_path / "predictions.json").read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="--output_dir"):
        OutputFolder(tmp_path / "file", [], tmp_path)
    with pytest.raises(UserError, match="--output_dir"):
        OutputFolder(tmp_path / "file" / "below", [], tmp_path)


def test_photos_are_never_replaced_by_drawings(tmp_path):
    photo = tmp_path / "annotated" / "1.png"
    with pytest.raises(UserError, match="replace the photos"):
        OutputFolder(tmp_path, [photo], tmp_path / "annotated")


def test_what_is_not_sure_keeps_number_and_confidence_and_has_another_colour(tmp_path):
    results = []
    for name, sure in (("sure", True), ("unsure", False), ("open", None)):
        reading = dataclasses.replace(READING, sure=sure)
        photo = np.zeros((24, 36, 3), np.uint8)
        box = (4.0, 4.0, 20.0, 12.0)
        results.append(PhotoResult(Path(f"photos/{name}.png"), reading, None, box, photo, box))
    write(tmp_path, results)
    records = json.loads((tmp_path / "predictions.json").read_text())
    assert [record["sure"] for record in records] == [True, False, None]
    assert {(record["number"], record["confidence"]) for record in records} == {("75", 0.9731)}
    with (tmp_path / "predictions.csv").open(newline="") as stream:
        assert [row["sure"] for row in csv.DictReader(stream)] == ["true", "false", ""]
    for name, colour in (("sure", BOX_COLOUR), ("unsure", NOT_SURE_COLOUR), ("open", BOX_COLOUR)):
        with Image.open(tmp_path / "annotated" / f"{name}.png") as drawing:
            colours = {colour for _, colour in drawing.convert("RGB").getcolors(1 << 20)}
        assert ImageColor.getrgb(colour) in colours
        assert (ImageColor.getrgb(NOT_SURE_COLOUR) in colours) == (name == "unsure")
