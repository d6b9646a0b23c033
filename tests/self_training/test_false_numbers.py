import json
from types import SimpleNamespace

import numpy as np
import pytest

from svhn.data.digit_struct import DIGIT_STRUCT_NAME, read_digit_struct
from svhn.errors import UserError
from svhn.images import load_picture
from svhn.self_training import false_numbers
from svhn.self_training.false_numbers import cut_false_numbers, part_around
from svhn.self_training.false_numbers_config import FalseNumbersConfig
from tests.data.folders import encode, pixels

BOXES = ([4, 3, 10, 8], [6, 5, 12, 8], [0, 0, 3, 9], [1, 1, 8, 8])


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(3):
        (folder / f"{index}.png").write_bytes(encode(pixels(index)))
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def found(monkeypatch):
    """What the detector finds in each photo, one after the other."""
    numbers = [BOXES, [], BOXES[1:2]]
    left = iter(numbers)
    scores = []

    def load(path, min_score):
        scores.append((path, min_score))
        return lambda photo: [SimpleNamespace(box=np.array(box)) for box in next(left)]

    monkeypatch.setattr(false_numbers, "load_finder", load)
    return scores


def test_what_is_found_becomes_photos_without_digits(photos, found, tmp_path, capsys):
    out = tmp_path / "data/empty"
    config = FalseNumbersConfig(str(photos), "detector.npz", str(out), min_score=0.1)
    assert cut_false_numbers(config) == 0
    assert found == [("detector.npz", 0.1)]
    # Three of the first photo at most, one of which is too narrow to show anything.
    listed = read_digit_struct(out / DIGIT_STRUCT_NAME, may_lack_digits=True)
    assert [(photo.file_name, photo.digits) for photo in listed] == [
        ("1.png", ()),
        ("2.png", ()),
        ("3.png", ()),
    ]
    expected = [part_around(pixels(0), BOXES[0]), part_around(pixels(0), BOXES[1])]
    for number, part in enumerate(expected, start=1):
        assert np.array_equal(load_picture(out / f"{number}.png"), part)
    shown = capsys.readouterr()
    assert "3 parts of 3 photos" in shown.out
    assert "warning: left out: " in shown.err and "broken.png" in shown.err
    settings = json.loads((out / "false_numbers.json").read_text())
    assert settings["parts"] == 3 and settings["min_score"] == 0.1


def test_the_box_is_the_middle_half_and_beyond_the_photo_its_edge_goes_on():
    photo = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    part = part_around(photo, [20, 10, 12, 16])
    assert part.shape == (32, 24, 3)
    assert np.array_equal(part[8:24, 6:18], photo[10:26, 20:32])
    at_the_corner = part_around(photo, [0, 0, 12, 16])
    assert at_the_corner.shape == (32, 24, 3)
    assert np.array_equal(at_the_corner[8:24, 6:18], photo[:16, :12])
    assert (at_the_corner[:8, :6] == photo[0, 0]).all()


def test_nothing_found_is_said_in_one_line(photos, monkeypatch, tmp_path):
    monkeypatch.setattr(false_numbers, "load_finder", lambda path, min_score: lambda photo: [])
    config = FalseNumbersConfig(str(photos), "detector.npz", str(tmp_path / "empty"))
    with pytest.raises(UserError, match=r"Nothing was found in the 3 photos.*--min_score=0.2"):
        cut_false_numbers(config)
    assert not (tmp_path / "empty").exists()


def test_photos_none_of_which_can_be_read_are_named(found, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "broken.png").write_bytes(b"no picture")
    config = FalseNumbersConfig(str(photos), "detector.npz", str(tmp_path / "empty"))
    with pytest.raises(UserError, match="none of the 1 photos can be read"):
        cut_false_numbers(config)


def test_the_photos_can_be_kept_beside_the_parts(photos, found, tmp_path):
    out = tmp_path / "empty"
    config = FalseNumbersConfig(str(photos), "detector.npz", str(out), keep_photos=True)
    assert cut_false_numbers(config) == 0
    listed = read_digit_struct(out / DIGIT_STRUCT_NAME, may_lack_digits=True)
    assert [photo.file_name for photo in listed] == [f"{number}.png" for number in range(1, 7)]
    assert not any(photo.digits for photo in listed)
    assert (out / "1.png").read_bytes() == (photos / "0.png").read_bytes()
    assert np.array_equal(load_picture(out / "4.png"), part_around(pixels(0), BOXES[0]))


def test_what_is_not_its_own_is_left_alone(photos, found, tmp_path):
    (tmp_path / "empty").mkdir()
    config = FalseNumbersConfig(str(photos), "detector.npz", str(tmp_path / "empty"))
    with pytest.raises(UserError, match="not made by this program"):
        cut_false_numbers(config)
