from pathlib import Path

import numpy as np
import pytest

from svhn.data.digit_struct import DIGIT_STRUCT_NAME, LabelledPhoto
from svhn.data.photo_folder import make_folder
from svhn.files import locked


def make_photo(task):
    folder, name = task
    (folder / name).write_text("a photo")
    return [LabelledPhoto(name, (1,), np.ones((1, 4), np.float32))]


def make(place):
    def tasks(folder):
        return [(Path(folder), "1.png")]

    make_folder(place, make_photo, tasks, 1, 1, "made.json", {"seed": 1}, "Making")


@pytest.fixture
def place(tmp_path):
    return tmp_path / "extra"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_is_whole_and_alone(place):
    make(place)
    assert names(place.parent) == ["extra"]
    assert names(place) == ["1.png", DIGIT_STRUCT_NAME, "made.json"]


def test_what_killed_runs_have_left_goes(place):
    left_over = place.with_name("extra.unfinished-999999")
    left_over.mkdir()
    (left_over / "1.png").write_text("half")
    replaced = place.with_name("extra.replaced")  # killed between the two renamings
    replaced.mkdir()
    make(place)
    assert names(place.parent) == ["extra"]
    replaced.mkdir()
    make(place)  # likewise where there is a folder already
    assert names(place.parent) == ["extra"]


def test_what_another_run_is_making_stays(place):
    others = place.with_name("extra.unfinished-999999")
    others.mkdir()
    with locked(others) as is_alone:
        assert is_alone
        make(place)
    assert names(place.parent) == ["extra", others.name]
