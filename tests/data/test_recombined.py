"""Composed photos of real digits; the "real" ones here are rendered."""

import collections
import dataclasses
import json
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from svhn.data.converter import drawn_for_val
from svhn.data.digit_struct import DIGIT_STRUCT_NAME, LabelledPhoto, read_digit_struct
from svhn.data.photo_check import check_photo
from svhn.data.recombined import RecombinedConfig, composition, data_set, recombine
from svhn.data.recombined.data_set import find_sources
from svhn.data.recombined.donors import DonorIndex
from svhn.data.recombined.sources import examine
from svhn.data.recombined.strips import matched
from svhn.data.synthetic import SyntheticConfig, render_data_set
from svhn.errors import UserError
from svhn.geometry import union_box
from tests.data.folders import labelled, write_numbered_folder

FONTS_DIR = Path(matplotlib.get_data_path(), "fonts", "ttf")


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> Path:
    """A folder that stands for SVHN."""
    out = tmp_path_factory.mktemp("svhn")
    settings = SyntheticConfig(
        str(out), train=60, test=0, seed=3, fonts_dir=str(FONTS_DIR), workers=1
    )
    render_data_set(settings)
    return out


@pytest.fixture(scope="module")
def config(real, tmp_path_factory) -> RecombinedConfig:
    out = tmp_path_factory.mktemp("recombined")
    return RecombinedConfig(str(real), str(out), photos=40, seed=2, workers=1)


@pytest.fixture(scope="module")
def composed(config) -> Path:
    assert recombine(config) > 10
    return Path(config.out, "extra")


def plain_number(number: str, light: bool = False) -> tuple[np.ndarray, LabelledPhoto]:
    """A photo of bars: digit d is a bar of brightness 10 d on grey 200 (or 255 - d on 40)."""
    pixels = np.full((40, 20 + 12 * len(number), 3), 40 if light else 200, np.uint8)
    boxes = []
    for place, digit in enumerate(number):
        left = 10 + 12 * place
        pixels[10:30, left + 2 : left + 8] = 255 - int(digit) if light else 10 * int(digit)
        boxes.append([left, 10, 10, 20])
    return pixels, labelled(f"{number}.png", number, boxes)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class TestFolder:
    def test_same_bytes_whatever_the_workers(self, config, composed, tmp_path):
        recombine(dataclasses.replace(config, out=str(tmp_path), workers=2))
        first, second = files(composed), files(tmp_path / "extra")
        assert first.keys() == second.keys()
        assert [name for name in first if first[name] != second[name]] == []

    def test_another_seed_gives_other_photos(self, config, composed, tmp_path):
        recombine(dataclasses.replace(config, out=str(tmp_path), seed=5, photos=2))
        assert (tmp_path / "extra/1.png").read_bytes() != (composed / "1.png").read_bytes()

    def test_photos_can_be_converted_and_boxes_lie_inside(self, composed):
        photos = read_digit_struct(composed / DIGIT_STRUCT_NAME)
        assert [photo.file_name for photo in photos] == [f"{n}.png" for n in range(1, 41)]
        for photo in photos:
            data = (composed / photo.file_name).read_bytes()
            checked = check_photo(data, photo)
            assert not checked.reencoded
            left, top, width, height = union_box(photo.boxes)
            assert left >= 0 and top >= 0
            assert left + width <= checked.width and top + height <= checked.height
            assert (np.diff(photo.boxes[:, 0]) > 0).all()

    def test_all_lengths_occur_as_asked(self, config, tmp_path):
        settings = dataclasses.replace(
            config, out=str(tmp_path), photos=30, lengths=["0", "0", "0", "1", "1"]
        )
        recombine(settings)
        photos = read_digit_struct(tmp_path / "extra" / DIGIT_STRUCT_NAME)
        counts = collections.Counter(len(photo.digits) for photo in photos)
        assert counts.keys() == {4, 5}

    def test_val_photos_are_never_sources(self, real, config, tmp_path, monkeypatch):
        loaded = set()
        load = data_set.load_picture
        monkeypatch.setattr(
            data_set, "load_picture", lambda path: loaded.add(path.name) or load(path)
        )
        recombine(dataclasses.replace(config, out=str(tmp_path), val_fraction_train=0.5))
        names = {photo.file_name for photo in read_digit_struct(real / "train" / DIGIT_STRUCT_NAME)}
        val = {name for name in names if drawn_for_val("train", name, 0.5)}
        assert 15 < len(val) < 45
        assert loaded and not loaded & val

    def test_settings_are_written_and_foreign_folders_left_alone(self, config, composed, tmp_path):
        settings = json.loads((composed / "recombined.json").read_text())
        assert settings["seed"] == 2 and settings["val_fraction_train"] == 0.1
        with pytest.raises(UserError, match="--overwrite"):
            recombine(config)
        (tmp_path / "extra").mkdir()
        with pytest.raises(UserError, match="was not made by this program"):
            recombine(dataclasses.replace(config, out=str(tmp_path), overwrite=True))

    def test_no_list_and_no_usable_photo(self, config, tmp_path):
        with pytest.raises(UserError, match=r"--data_dir=.*digitStruct.mat"):
            recombine(dataclasses.replace(config, data_dir=str(tmp_path), out=str(tmp_path)))
        write_numbered_folder(tmp_path / "train", 4)
        with pytest.raises(UserError, match="none of its 0 photos"):
            find_sources(tmp_path, ["train"], 1.0)

    def test_weights_that_make_no_sense(self, config, tmp_path):
        with pytest.raises(UserError, match=r"--lengths=1,2: give five weights"):
            recombine(dataclasses.replace(config, out=str(tmp_path / "new"), lengths=["1", "2"]))
        assert not (tmp_path / "new").exists()


class TestFolders:
    def test_photos_of_all_folders_that_are_named_give_digits(self, tmp_path):
        rendered = SyntheticConfig(
            str(tmp_path), train=12, test=0, extra=12, seed=3, fonts_dir=str(FONTS_DIR), workers=1
        )
        render_data_set(rendered)
        (tmp_path / "extra").rename(tmp_path / "pseudo")
        train = find_sources(tmp_path, ["train"], 0.0)
        both = find_sources(tmp_path, ["train", "pseudo"], 0.0)
        folders = [Path(source.file_name).parent.name for source in both]
        assert folders[: len(train)] == ["train"] * len(train)
        assert folders[len(train) :].count("pseudo") == len(both) - len(train) > 0
        # What isn't of train is never drawn for val.
        assert len(find_sources(tmp_path, ["train", "pseudo"], 1.0)) == len(both) - len(train)

    def test_a_folder_that_is_not_there_is_named(self, real):
        with pytest.raises(UserError, match=r"no pseudo/digitStruct\.mat.*--folders"):
            find_sources(real, ["train", "pseudo"], 0.1)


class TestComposition:
    @pytest.mark.parametrize("seed", range(8))
    def test_rearranged_digits_stand_in_their_boxes(self, seed):
        pixels, photo = plain_number("1359")
        source = examine(pixels, photo)
        made, digits, boxes = composition.compose(
            np.random.default_rng(seed), DonorIndex([source]), lambda _: pixels, [0, 0, 0, 1], 0.0
        )
        assert sorted(digits) == [1, 3, 5, 9]
        for digit, (left, top, width, height) in zip(digits, boxes.astype(int), strict=True):
            middle = made[top + height // 2, left + width // 2]
            np.testing.assert_allclose(middle, 10 * digit, atol=12)
            assert (made[top : top + height, left] > 120).all()

    def test_exchanged_digits_get_the_colours_of_their_new_photo(self):
        photos = {}
        for number in ("11", "55"):
            pixels, photo = plain_number(number)
            photos[photo.file_name] = (pixels if number == "11" else pixels // 2, photo)
        sources = [examine(*photo) for photo in photos.values()]
        donors = DonorIndex(sources)
        seen = set()
        for seed in range(30):
            made, digits, boxes = composition.compose(
                np.random.default_rng(seed), donors, lambda name: photos[name][0], [0, 0, 1], 1.0
            )
            seen |= set(digits)
            ground = made[:5].mean()
            for left, top, width, height in boxes.astype(int):
                part = made[top : top + height, left : left + width].astype(float)
                assert abs(part[:, :1].mean() - ground) < 0.2 * ground + 8
                assert part.min() < 0.5 * ground
        assert seen == {1, 5}

    def test_numbers_go_on_climbing(self):
        pixels, photo = plain_number("25")
        boxes = photo.boxes.copy()
        pixels[6:26, 22:32], pixels[26:30, 22:32] = pixels[10:30, 22:32].copy(), 200
        boxes[1, 1] = 6
        source = examine(pixels, LabelledPhoto("climbing.png", photo.digits, boxes))
        assert source.slope == pytest.approx(-4 / 12)
        _, _, made = composition.compose(
            np.random.default_rng(1), DonorIndex([source]), lambda _: pixels, [0, 0, 0, 0, 1], 0.0
        )
        assert made[-1, 1] - made[0, 1] == pytest.approx(-16, abs=5)


class TestSources:
    def test_what_is_known_of_a_photo(self):
        for light in (False, True):
            source = examine(*plain_number("37", light))
            np.testing.assert_allclose(source.ground, 40 if light else 200)
            assert (source.ink.mean() > source.ground.mean()) == light
            assert source.height == 20 and source.slope == 0

    @pytest.mark.parametrize(
        "boxes",
        [
            [[-1, 10, 10, 20], [22, 10, 10, 20]],  # leaves the photo
            [[22, 10, 10, 20], [10, 10, 10, 20]],  # from right to left
            [[10, 10, 10, 20], [11, 10, 10, 20]],  # over each other
            [[10, 10, 10, 8], [22, 10, 10, 8]],  # too low
            [[10, 2, 10, 20], [22, 18, 10, 20]],  # too steep
        ],
    )
    def test_photos_that_cannot_be_cut(self, boxes):
        pixels, _ = plain_number("37")
        assert examine(pixels, labelled("a.png", "37", boxes)) is None

    def test_faint_digits(self):
        pixels, photo = plain_number("37")
        pixels = (200 + (pixels.astype(float) - 200) * 0.05).astype(np.uint8)
        assert examine(pixels, photo) is None

    def test_colours_are_matched_at_ground_and_ink(self):
        ours = examine(*plain_number("11"))
        pixels, photo = plain_number("44")
        theirs = examine(pixels, photo)
        result = matched(pixels.astype(np.float32), theirs, ours)
        np.testing.assert_allclose(np.unique(result), [10, 200], atol=0.5)


def test_png_is_rgb(composed):
    with Image.open(composed / "1.png") as picture:
        assert picture.mode == "RGB"
