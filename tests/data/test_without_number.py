from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from svhn.data.digit_struct import DIGIT_STRUCT_NAME, compare_with_folder, read_digit_struct
from svhn.data.synthetic import (
    SyntheticConfig,
    fonts,
    render_data_set,
    street_things,
    structures,
    words,
)
from svhn.data.synthetic.data_set import photo_generator
from svhn.data.synthetic.fonts import Typeface
from svhn.data.synthetic.projection import view
from svhn.data.synthetic.sheet import SheetConfig
from svhn.data.synthetic.sheet import main as sheet_main
from svhn.data.synthetic.signs import paint_sign, typefaces_with_letters
from svhn.data.synthetic.without_number import (
    LARGEST_SIDE,
    SMALLEST_SIDE,
    USUAL_SIDE,
    render_photo_without_number,
)
from svhn.evaluation.photos_without_numbers import rendered_scenes

FONTS_DIR = Path(matplotlib.get_data_path(), "fonts", "ttf")
LIGHT = (0.4, 0.8)
PLACE = view(centre=(60.0, 50.0), unit=40.0)


@pytest.fixture(scope="module")
def typefaces():
    return fonts.find_typefaces(str(FONTS_DIR))


@pytest.fixture(scope="module")
def photos(typefaces):
    return [
        render_photo_without_number(photo_generator(8, "empty", index), typefaces)
        for index in range(40)
    ]


def config(out: Path, **changes) -> SyntheticConfig:
    settings = {"train": 0, "test": 0, "extra": 0, "seed": 5, "workers": 1}
    return SyntheticConfig(out=str(out), **{**settings, "fonts_dir": str(FONTS_DIR), **changes})


class TestFolder:
    def test_photos_without_labels_whatever_the_workers(self, typefaces, tmp_path):
        for name, workers in (("one", 1), ("two", 2)):
            out = tmp_path / name
            assert render_data_set(config(out, empty=20, workers=workers)) == {"empty": 20}
        folder, other = tmp_path / "one" / "empty", tmp_path / "two" / "empty"
        assert [path.name for path in (tmp_path / "one").iterdir()] == ["empty"]
        for path in folder.iterdir():
            assert path.read_bytes() == (other / path.name).read_bytes()
        photos = read_digit_struct(folder / DIGIT_STRUCT_NAME, may_lack_digits=True)
        assert [photo.file_name for photo in photos] == [f"{n}.png" for n in range(1, 21)]
        assert all(photo.digits == () and photo.boxes.shape == (0, 4) for photo in photos)
        differences = compare_with_folder(photos, folder)
        assert differences.missing == differences.unlisted == ()
        expected = render_photo_without_number(photo_generator(5, "empty", 16), typefaces)
        with Image.open(folder / "17.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), expected)

    def test_they_can_be_looked_at(self, tmp_path, capsys):
        render_data_set(config(tmp_path, empty=3))
        sheet = str(tmp_path / "sheet.png")
        folder = str(tmp_path / "empty")
        assert sheet_main(SheetConfig(folder, crops=True, columns=3, sheet_path=sheet)) == 0
        assert "3 pictures" in capsys.readouterr().out

    def test_other_folders_stay_as_they_were(self):
        """The generators of SVHN's folders don't know of a further one."""
        for place, split in enumerate(("train", "test", "extra", "empty")):
            expected = np.random.default_rng([9, place, 4]).random()
            assert photo_generator(9, split, 4).random() == expected


class TestPhotos:
    def test_sizes(self, photos):
        longer = np.array([max(photo.shape[:2]) for photo in photos])
        assert longer.min() >= SMALLEST_SIDE and longer.max() <= LARGEST_SIDE
        assert 0.75 < (longer <= USUAL_SIDE).mean() < 1
        assert min(min(photo.shape[:2]) for photo in photos) >= SMALLEST_SIDE // 2

    def test_they_show_something_and_differ(self, photos):
        assert all(photo.dtype == np.uint8 and photo.shape[2] == 3 for photo in photos)
        assert np.mean([photo.std() > 6 for photo in photos]) > 0.9
        assert len({photo.tobytes() for photo in photos}) == len(photos)

    def test_the_scenes_on_which_false_numbers_are_counted_are_others(self, typefaces):
        scene = rendered_scenes(1, 8, typefaces)[0]
        photo = render_photo_without_number(np.random.default_rng([8, 0]), typefaces)
        assert scene.shape != photo.shape or (scene != photo).any()


class TestWords:
    def test_no_line_can_be_a_number(self):
        random = np.random.default_rng(3)
        signs = [words.draw_words(random) for _ in range(4000)]
        lines = [line for sign in signs for line in sign]
        for line in lines:
            assert not any(letter.isdigit() for letter in line)
            clear = sum(c.isalpha() and c not in words.LOOK_ALIKES for c in line)
            assert clear >= min(2, len(line)), line
        assert len(set(lines)) > 1000
        assert {len(sign) for sign in signs} >= {1, 2, 3}
        assert {len(line) for line in lines} >= {1, 2, 3, 9}
        assert 0.1 < np.mean([len(line) <= 2 for line in lines]) < 0.2
        letters = [letter for line in lines for letter in line]
        alike = np.mean([letter in words.LOOK_ALIKES for letter in letters])
        assert 0.2 < alike < 0.5

    @pytest.mark.parametrize(("text", "is_text"), [("BOBO", False), ("Sol", False), ("MOLE", True)])
    def test_what_is_clearly_text(self, text, is_text):
        assert words.is_clearly_text(text) == is_text

    def test_made_up_words_have_no_row_of_look_alikes(self):
        random = np.random.default_rng(4)
        for _ in range(500):
            word = words.made_up_word(random)
            alike = "".join("#" if letter in words.LOOK_ALIKES else " " for letter in word)
            assert "###" not in alike and 3 <= len(word) <= 9

    def test_fonts_without_letters_write_none(self, typefaces, monkeypatch):
        assert typefaces_with_letters(typefaces) == typefaces
        absent = Typeface("absent")

        def no_letters(typeface, text, size):
            return np.zeros((0, 0), np.uint8) if typeface == absent else fonts_text(typeface, text)

        def fonts_text(typeface, text):
            return fonts.text_mask(typeface, text, 24)

        monkeypatch.setattr("svhn.data.synthetic.signs.text_mask", no_letters)
        typefaces_with_letters.cache_clear()
        assert typefaces_with_letters((absent, typefaces[0])) == (typefaces[0],)
        assert typefaces_with_letters((absent,)) == (absent,)
        typefaces_with_letters.cache_clear()

    def test_a_sign_stays_as_small_as_it_shall(self, typefaces):
        """In 1.5 wall units to either side of the middle, its plaque and shadow not counted."""
        for seed in range(12):
            picture = np.full((3, 100, 400), 0.5, np.float32)
            place = view(centre=(200.0, 50.0), unit=40.0)
            ground = np.full(3, 0.5, np.float32)
            random = np.random.default_rng(seed)
            largest = (0.5, 1.5)
            paint_sign(random, picture, typefaces, place, ground, LIGHT, largest, ("HOTEL",))
            changed = np.flatnonzero((np.abs(picture - 0.5) > 1e-3).any(axis=(0, 1)))
            assert len(changed)
            assert changed[0] >= 200 - 40 * 4 and changed[-1] <= 200 + 40 * 4


@pytest.mark.parametrize(
    "paint",
    [
        street_things.paint_ring,
        street_things.paint_scrollwork,
        street_things.paint_hardware,
        street_things.paint_letter_box,
        street_things.paint_bin,
        street_things.paint_bells,
    ],
)
def test_things_are_painted_where_they_are_placed(paint):
    for seed in range(4):
        picture = np.full((3, 100, 120), 0.5, np.float32)
        paint(np.random.default_rng(seed), picture, PLACE, LIGHT)
        assert np.isfinite(picture).all()
        assert (np.abs(picture - 0.5).max(axis=0) > 0.01).mean() > 0.002
        # Nothing of it is left where it lies far outside.
        picture = np.full((3, 100, 120), 0.5, np.float32)
        paint(np.random.default_rng(seed), picture, PLACE.moved(60, 0), LIGHT)
        assert (picture == 0.5).all()


def test_structures_are_painted():
    x, y = PLACE.wall_coordinates((slice(0, 100), slice(0, 120)))
    for seed in range(6):
        for paint in (
            lambda random, picture: structures.paint_window(random, picture, PLACE, 0.8, 1.0),
            lambda random, picture: structures.paint_door(random, picture, PLACE, 0.8, 1.0),
            lambda random, picture: structures.paint_foliage(random, picture, 40.0),
        ):
            picture = np.full((3, 100, 120), 0.5, np.float32)
            paint(np.random.default_rng(seed), picture)
            assert np.isfinite(picture).all() and (picture != 0.5).any()
    changed = []
    for seed in range(12):  # each may by chance lie beside the photo
        for paint in (structures.paint_railing, structures.paint_wires):
            picture = np.full((3, 100, 120), 0.5, np.float32)
            paint(np.random.default_rng(seed), picture, x, y, 40.0)
            assert np.isfinite(picture).all()
            changed.append((picture != 0.5).any())
    assert np.mean(changed) > 0.7
