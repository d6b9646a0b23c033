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
from svhn.reading.output import BAND_COLOURS, OutputFolder, drawing_names
from svhn.reading.results import ABSTAINED, SURE, UNSURE, PhotoResult, Reading
from tests.reading.conftest import random_photo

READING = Reading((2, 7, 5, 10, 10, 10), 0.9731, (0.99, 0.98, 0.0, 0.0, 0.0))


def read(path: str) -> PhotoResult:
    return PhotoResult(Path(path), (READING,), preview=random_photo(1))


def failed(path: str) -> PhotoResult:
    return PhotoResult(Path(path), error=f"{path}: the file is empty")


def write(folder: Path, results: list[PhotoResult], root: str = "photos") -> None:
    output = OutputFolder(folder, [result.path for result in results], Path(root))
    assert output.resume("settings", lambda _: "") == {}
    for result in results:
        output.add(result)
    output.finish()
    output.close()


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
    best = {key: house[key] for key in house["numbers"][0]}
    assert house.pop("numbers") == [best]
    assert house == {
        "path": "photos/house.jpg",
        "number": "75",
        "label": [2, 7, 5, 10, 10, 10],
        "confidence": 0.9731,
        "sure": None,
        "digit_probabilities": [0.99, 0.98, 0.0, 0.0, 0.0],
        "box": None,
        "digit_boxes": [],
        "detected": None,
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
    reading = Reading(READING.label, confidence, (0.1,) * 5)
    result = PhotoResult(Path("photos/1.png"), (reading,))
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

    def disk_full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", disk_full)
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


FOUND = dataclasses.replace(
    READING,
    box=(4.0, 4.5, 20.0, 12.0),
    digit_boxes=((4.0, 4.5, 10.0, 12.0), (14.0, 4.5, 10.0, 12.0)),
    detected="76",
)


def colours_of(path: Path) -> set[tuple[int, ...]]:
    with Image.open(path) as drawing:
        return {colour for _, colour in drawing.convert("RGB").getcolors(1 << 20)}


def test_what_is_not_sure_keeps_number_and_confidence_and_has_another_colour(tmp_path):
    results = []
    bands = {}
    for name, sure, confidence, band in (
        ("sure", True, 0.5, SURE),
        ("abstained", False, 0.95, ABSTAINED),
        ("open", None, 0.95, SURE),
        ("doubtful", None, 0.5, UNSURE),
    ):
        reading = dataclasses.replace(FOUND, sure=sure, confidence=confidence)
        photo = np.zeros((24, 36, 3), np.uint8)
        results.append(PhotoResult(Path(f"photos/{name}.png"), (reading,), preview=photo))
        bands[name] = band
    write(tmp_path, results)
    records = json.loads((tmp_path / "predictions.json").read_text())
    assert [record["sure"] for record in records] == [True, False, None, None]
    assert [record["confidence"] for record in records] == [0.5, 0.95, 0.95, 0.5]
    assert {record["number"] for record in records} == {"75"}
    with (tmp_path / "predictions.csv").open(newline="") as stream:
        assert [row["sure"] for row in csv.DictReader(stream)] == ["true", "false", "", ""]
    assert BAND_COLOURS[SURE] == BOX_COLOUR
    assert len(set(BAND_COLOURS.values())) == 3
    for name, band in bands.items():
        colours = colours_of(tmp_path / "annotated" / f"{name}.png")
        for other, colour in BAND_COLOURS.items():
            assert (ImageColor.getrgb(colour) in colours) == (other == band)


def test_boxes_of_number_and_digits_are_in_both_tables_and_on_the_drawing(tmp_path):
    photo = np.zeros((24, 36, 3), np.uint8)
    results = [
        PhotoResult(Path("photos/boxes.png"), (FOUND,), preview=photo),
        PhotoResult(
            Path("photos/no_boxes.png"), (dataclasses.replace(FOUND, digit_boxes=()),), None, photo
        ),
        PhotoResult(Path("photos/nothing.png"), (READING,), preview=photo),
    ]
    write(tmp_path, results)
    record, *_ = json.loads((tmp_path / "predictions.json").read_text())
    with (tmp_path / "predictions.csv").open(newline="") as stream:
        row, _, without = csv.DictReader(stream)
    assert record["box"] == [4, 4.5, 20, 12]
    assert [float(row[name]) for name in ("left", "top", "width", "height")] == record["box"]
    assert record["digit_boxes"] == [list(box) for box in FOUND.digit_boxes]
    assert json.loads(row["digit_boxes"]) == record["digit_boxes"]
    assert row["detected"] == record["detected"] == "76"
    assert without["left"] == without["digit_boxes"] == without["detected"] == ""

    amber = np.array(ImageColor.getrgb(BOX_COLOUR))
    inked = []
    for result in results:
        with Image.open(tmp_path / "annotated" / result.path.name) as drawing:
            pixels = np.asarray(drawing.convert("RGB")).astype(int)
        on_photo = pixels[: 24 * 320 // 36]
        inked.append((np.abs(on_photo - amber).sum(axis=-1) < 30).sum())
    assert inked[0] > inked[1] > inked[2] == 0


def test_several_numbers_of_a_photo_and_none(tmp_path):
    second = dataclasses.replace(READING, label=(1, 3, 10, 10, 10, 10), confidence=0.4)
    photo = np.full((60, 90, 3), 200, np.uint8)
    results = [
        PhotoResult(Path("photos/two.png"), (FOUND, second), preview=photo),
        PhotoResult(Path("photos/none.png"), preview=photo),
    ]
    write(tmp_path, results)
    two, none = json.loads((tmp_path / "predictions.json").read_text())
    assert [number["number"] for number in two["numbers"]] == ["75", "3"]
    assert (two["number"], none["number"], none["numbers"]) == ("75", "", [])
    with (tmp_path / "predictions.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["path"], row["rank"], row["number"], row["length"]) for row in rows] == [
        ("photos/two.png", "1", "75", "2"),
        ("photos/two.png", "2", "3", "1"),
        ("photos/none.png", "", "", "0"),
    ]
    colours = colours_of(tmp_path / "annotated" / "two.png")
    assert {ImageColor.getrgb(BAND_COLOURS[band]) for band in (SURE, UNSURE)} <= colours
    assert (tmp_path / "annotated" / "none.png").is_file()


PATHS = [Path(f"photos/{name}.png") for name in ("1", "2", "3")]


def identify(path: Path) -> str:
    return f"{path} of today"


def opened(folder: Path, paths: list[Path] = PATHS) -> OutputFolder:
    return OutputFolder(folder, paths, Path("photos"))


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_call_goes_on_where_another_was_ended(tmp_path):
    whole, parts = opened(tmp_path / "whole"), opened(tmp_path / "parts")
    whole.resume("flags", identify)
    for path in PATHS:
        whole.add(read(str(path)))
    whole.finish()

    assert parts.resume("flags", identify) == {}
    parts.add(read(str(PATHS[1])))
    parts.journal.path.write_bytes(parts.journal.path.read_bytes() + b'{"photo": "phot')  # killed
    assert not (tmp_path / "parts" / "predictions.json").exists()

    again = opened(tmp_path / "parts")
    earlier = again.resume("flags", identify)
    assert list(earlier) == [PATHS[1]]
    assert earlier[PATHS[1]].readings == (READING,)
    for path in (PATHS[0], PATHS[2]):
        again.add(read(str(path)))
    again.finish()
    assert files(tmp_path / "parts") == files(tmp_path / "whole")

    complete = opened(tmp_path / "parts")
    assert list(complete.resume("flags", identify)) == PATHS
    complete.finish()
    assert files(tmp_path / "parts") == files(tmp_path / "whole")


def test_what_no_longer_holds_is_read_anew(tmp_path):
    paths = [
        Path(f"photos/{name}.png") for name in ("same", "changed", "failed", "undrawn", "gone")
    ]
    output = opened(tmp_path, paths)
    output.resume("flags", identify)
    for path in paths:
        output.add(failed(str(path)) if path.stem == "failed" else read(str(path)))
    output.finish()
    (tmp_path / "annotated" / "undrawn.png").unlink()

    def changed(path: Path) -> str:
        return "other" if path.stem == "changed" else identify(path)

    left = [path for path in paths if path.stem != "gone"]
    assert list(opened(tmp_path, left).resume("flags", changed)) == [paths[0]]
    assert "gone" not in (tmp_path / "predictions.jsonl").read_text()
    assert opened(tmp_path, left).resume("flags", lambda _: "") == {}


def test_other_settings_read_everything_anew(tmp_path):
    output = opened(tmp_path)
    output.resume("flags", identify)
    for path in PATHS:
        output.add(read(str(path)))
    output.finish()
    assert opened(tmp_path).resume("other flags", identify) == {}
    assert json.loads((tmp_path / "predictions.json").read_text())  # until the new ones are there


def test_a_drawing_of_another_photo_is_not_taken(tmp_path):
    # 1.jpg alone is drawn as 1.png; beside 1.bmp, which comes first, as 1.jpg.png.
    alone, both = [Path("photos/1.jpg")], [Path("photos/1.bmp"), Path("photos/1.jpg")]
    output = opened(tmp_path, alone)
    output.resume("flags", identify)
    output.add(read("photos/1.jpg"))
    output.finish()
    assert opened(tmp_path, both).resume("flags", identify) == {}
