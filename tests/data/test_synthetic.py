import collections
import dataclasses
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from fontTools import subset
from PIL import Image

from svhn.data import photo_folder
from svhn.data.digit_struct import DIGIT_STRUCT_NAME, compare_with_folder, read_digit_struct
from svhn.data.synthetic import SyntheticConfig, data_set, fonts, render_data_set, scene
from svhn.data.synthetic.data_set import photo_generator, png_bytes
from svhn.data.synthetic.digits import Lettering, digit_mask, put_on_wall
from svhn.data.synthetic.enamel import EnamelStyle, draw_enamel_style, enamel_mask
from svhn.data.synthetic.layout import LENGTH_FREQUENCIES, draw_layout, draw_number
from svhn.data.synthetic.likeness import LikenessConfig, measure_folder, wasserstein
from svhn.data.synthetic.likeness import main as likeness_main
from svhn.data.synthetic.projection import view
from svhn.data.synthetic.scene import render_photo
from svhn.data.synthetic.sheet import SheetConfig
from svhn.data.synthetic.sheet import main as sheet_main
from svhn.data.synthetic.stroke_measures import STROKE_MEASURES, measure_strokes
from svhn.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
FONTS_DIR = Path(matplotlib.get_data_path(), "fonts", "ttf")
REAL_DIR = ROOT.parent / "shared" / "data" / "svhn" / "train"


def config(out: Path, **changes) -> SyntheticConfig:
    settings = {"train": 0, "test": 0, "extra": 0, "seed": 5, "workers": 1}
    return SyntheticConfig(out=str(out), **{**settings, "fonts_dir": str(FONTS_DIR), **changes})


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """A small whole data set, by one process."""
    out = tmp_path_factory.mktemp("synthetic")
    assert render_data_set(config(out, train=34, test=3)) == {"train": 34, "test": 3}
    return out


@pytest.fixture(scope="module")
def typefaces():
    return fonts.find_typefaces(str(FONTS_DIR))


@pytest.fixture(scope="module")
def many_photos(typefaces):
    return [render_photo(photo_generator(9, "train", index), typefaces) for index in range(150)]


class TestFolders:
    def test_same_bytes_whatever_the_workers(self, rendered, tmp_path):
        render_data_set(config(tmp_path, train=34, test=3, workers=2))
        first, second = files(rendered), files(tmp_path)
        assert list(first) == list(second)
        assert [name for name in first if first[name] != second[name]] == []

    def test_a_photo_does_not_depend_on_how_many_there_are(self, rendered, tmp_path):
        render_data_set(config(tmp_path, test=2))
        assert (tmp_path / "test/2.png").read_bytes() == (rendered / "test/2.png").read_bytes()

    def test_seeds_splits_and_indices_give_different_photos(self, typefaces):
        keys = [(1, "train", 0), (2, "train", 0), (1, "test", 0), (1, "train", 1)]
        seen = {png_bytes(render_photo(photo_generator(*key), typefaces)) for key in keys}
        assert len(seen) == len(keys)

    def test_labels_and_photos_go_together(self, rendered, typefaces):
        photos = read_digit_struct(rendered / "train" / DIGIT_STRUCT_NAME)
        assert [photo.file_name for photo in photos] == [f"{n}.png" for n in range(1, 35)]
        differences = compare_with_folder(photos, rendered / "train")
        assert differences.missing == differences.unlisted == ()
        for index in (0, 20, 33):
            expected = render_photo(photo_generator(5, "train", index), typefaces)
            assert photos[index].digits == expected.digits
            np.testing.assert_array_equal(photos[index].boxes, expected.boxes)
            with Image.open(rendered / "train" / photos[index].file_name) as picture:
                assert picture.mode == "RGB"
                np.testing.assert_array_equal(np.asarray(picture), expected.pixels)

    def test_a_whole_split_is_replaced_only_when_asked(self, rendered, tmp_path):
        render_data_set(config(tmp_path, test=3))
        with pytest.raises(UserError, match=r"already holds what this .* made.*--overwrite"):
            render_data_set(config(tmp_path, test=2))
        assert len(list((tmp_path / "test").glob("*.png"))) == 3
        render_data_set(config(tmp_path, test=2, overwrite=True))
        assert len(list((tmp_path / "test").glob("*.png"))) == 2
        assert [path.name for path in tmp_path.iterdir()] == ["test"]

    def test_a_folder_of_someone_else_is_never_replaced(self, tmp_path):
        (tmp_path / "train").mkdir()
        (tmp_path / "train/1.png").write_bytes(b"a real photo")
        for overwrite in (False, True):
            with pytest.raises(UserError, match="was not made by this program"):
                render_data_set(config(tmp_path, train=1, overwrite=overwrite))
        assert (tmp_path / "train/1.png").read_bytes() == b"a real photo"

    def test_nothing_to_render(self, tmp_path):
        with pytest.raises(UserError, match="nothing to render"):
            render_data_set(config(tmp_path))

    def test_lengths_as_asked(self, tmp_path):
        render_data_set(config(tmp_path, train=12, lengths=["0", "0", "1", "0", "3"]))
        photos = read_digit_struct(tmp_path / "train" / DIGIT_STRUCT_NAME)
        counts = collections.Counter(len(photo.digits) for photo in photos)
        assert set(counts) == {3, 5} and counts[5] > counts[3]

    def test_lengths_that_make_no_sense(self, tmp_path):
        with pytest.raises(UserError, match=r"--lengths=1,2: give five weights"):
            render_data_set(config(tmp_path / "new", train=1, lengths=["1", "2"]))
        assert not (tmp_path / "new").exists()

    def test_a_place_that_cannot_be_written(self, tmp_path):
        place = tmp_path / "file"
        place.write_text("")
        with pytest.raises(UserError, match=r"--out=.*give a folder that can be written") as error:
            render_data_set(config(place, train=1))
        assert "\n" not in str(error.value)

    def test_an_error_leaves_nothing_that_looks_whole(self, tmp_path, monkeypatch):
        def fail(*_):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(photo_folder, "write_digit_struct", fail)
            with pytest.raises(UserError, match="No space left on device"):
                render_data_set(config(tmp_path, test=2))
        assert list(tmp_path.iterdir()) == []
        render_data_set(config(tmp_path, test=2))
        assert len(read_digit_struct(tmp_path / "test" / DIGIT_STRUCT_NAME)) == 2

    def test_killed_and_run_again(self, rendered, tmp_path):
        command = [sys.executable, "-m", "svhn.data.synthetic", f"--out={tmp_path}", "--seed=5"]
        command += ["--train=100000", "--test=0", "--workers=2", f"--fonts_dir={FONTS_DIR}"]
        process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        try:
            deadline = time.monotonic() + 60
            while not list(tmp_path.glob("*/*.png")):
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert not (tmp_path / "train").exists()
        assert not list(tmp_path.rglob(DIGIT_STRUCT_NAME))
        render_data_set(config(tmp_path, train=34))
        assert [path.name for path in tmp_path.iterdir()] == ["train"]
        assert files(tmp_path / "train") == files(rendered / "train")


class TestStatistics:
    def test_lengths_and_leading_digits_are_those_of_svhn(self):
        random = np.random.default_rng(1)
        numbers = [draw_number(random) for _ in range(20_000)]
        lengths = collections.Counter(map(len, numbers))
        total = sum(LENGTH_FREQUENCIES.values())
        for length, frequency in LENGTH_FREQUENCIES.items():
            assert lengths[length] / 20_000 == pytest.approx(frequency / total, abs=0.012)
        leading = collections.Counter(number[0] for number in numbers if len(number) == 3)
        assert leading[1] / lengths[3] == pytest.approx(0.45, abs=0.03)
        assert leading[0] / lengths[3] < 0.01
        assert {digit for number in numbers for digit in number} == set(range(10))

    def test_sizes_are_those_of_svhn(self):
        random = np.random.default_rng(2)
        layouts = [draw_layout(random) for _ in range(4000)]
        # Medians of the 33,402 official train labels.
        assert np.median([layout.photo_width for layout in layouts]) == pytest.approx(104, rel=0.06)
        assert np.median([layout.photo_height for layout in layouts]) == pytest.approx(47, rel=0.06)
        assert np.median([layout.digit_height for layout in layouts]) == pytest.approx(30, rel=0.08)
        shares = [layout.centre[0] / layout.photo_width for layout in layouts]
        assert np.median(shares) == pytest.approx(0.5, abs=0.01)

    def test_digits_may_stand_far_apart(self):
        for spaced, least, most in ((0.0, 0, 0.08), (0.5, 0.45, 0.58), (1.0, 1, 1)):
            random = np.random.default_rng(2)
            layouts = [draw_layout(random, spaced=spaced) for _ in range(1000)]
            assert least <= np.mean([layout.gap >= 0.4 for layout in layouts]) <= most

    def test_photos_are_muted_and_show_a_number(self, many_photos):
        colourfulness = [np.ptp(photo.pixels.astype(int), axis=2).mean() for photo in many_photos]
        assert np.median(colourfulness) < 32  # of 255; SVHN has 16, and 41 in the 95th percentile
        for photo in many_photos:
            assert photo.pixels.std() > 3

    @pytest.mark.skipif(not REAL_DIR.is_dir(), reason=f"{REAL_DIR} is absent")
    def test_photos_measure_like_real_ones(self, rendered):
        ours = measure_folder(str(rendered / "train"), 34)
        real = measure_folder(str(REAL_DIR), 60)
        for name in ("crop luminance", "number contrast", "sharpness across"):
            assert np.median(ours[name]) == pytest.approx(np.median(real[name]), rel=0.35)


class TestBoxes:
    def test_boxes_lie_around_the_ink_and_are_not_much_larger(self, many_photos):
        for photo in many_photos:
            boxes, ink = photo.boxes, photo.ink_boxes
            assert boxes.dtype == np.float32 and boxes.shape == (len(photo.digits), 4)
            np.testing.assert_array_equal(boxes, np.round(boxes))
            assert boxes[:, 2:].min() >= 1
            height = ink[:, 3].max()
            slack = 1.0 + 0.06 * height
            assert (boxes[:, 0] <= ink[:, 0] + slack).all()
            assert (boxes[:, 1] <= ink[:, 1] + slack).all()
            assert (boxes[:, 0] + boxes[:, 2] >= ink[:, 0] + ink[:, 2] - slack).all()
            assert (boxes[:, 1] + boxes[:, 3] >= ink[:, 1] + ink[:, 3] - slack).all()
            assert (boxes[:, 2] <= ink[:, 2] + 0.5 * height + 3).all()
            assert (boxes[:, 3] <= 1.35 * height + 2).all()

    def test_most_numbers_lie_wholly_in_their_photo(self, many_photos):
        outside = 0
        for photo in many_photos:
            height, width = photo.pixels.shape[:2]
            right_bottom = photo.boxes[:, :2] + photo.boxes[:, 2:]
            left_top = photo.boxes[:, :2]
            outside += bool((left_top < 0).any() or (right_bottom > (width, height)).any())
            centres = (photo.boxes[:, :2] + right_bottom) / 2
            assert (centres >= 0).all() and (centres <= (width, height)).all()
        assert outside <= 0.1 * len(many_photos)

    @pytest.mark.parametrize("digit", "0147")
    def test_ink_is_where_the_edges_say(self, typefaces, digit):
        projection = view((60, 45), 40, turn=0.2, shear=0.1, slant_x=0.05, slant_y=-0.04)
        ink = np.zeros((90, 130), np.float32)
        mask = digit_mask(Lettering(typefaces[3], slant=0.1), digit, 40)
        edges = put_on_wall(ink, mask, (-0.3, -0.5, 0.6, 1.0), projection)
        rows, columns = np.flatnonzero((ink > 0.5).any(1)), np.flatnonzero((ink > 0.5).any(0))
        seen = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        np.testing.assert_allclose(edges, seen, atol=1.3)


class TestEnamelDigits:
    @pytest.mark.parametrize("seed", range(4))
    def test_they_look_like_digits_of_fat_fonts(self, typefaces, seed):
        """Each is more like its own digit of DejaVu Serif Bold than like most others."""
        style = draw_enamel_style(np.random.default_rng(seed), False)
        named = {Path(typeface.path).stem: typeface for typeface in typefaces}
        font = named["DejaVuSerif-Bold"]

        def normalised(mask):
            picture = Image.fromarray(np.ascontiguousarray(mask)).resize((16, 16))
            values = np.asarray(picture, float).ravel() - np.mean(picture)
            return values / np.linalg.norm(values)

        drawn = np.stack([normalised(enamel_mask(style, digit, 40)) for digit in "0123456789"])
        known = np.stack([normalised(fonts.text_mask(font, digit, 56)) for digit in "0123456789"])
        ranks = (-(drawn @ known.T)).argsort(axis=1)
        places = [int(np.flatnonzero(ranks[digit] == digit)[0]) for digit in range(10)]
        assert max(places) <= 3 and places.count(0) >= 7

    def test_uprights_are_fat_and_levels_thin(self):
        style = EnamelStyle(0.55, 0.17, 0.04, 0.09, 0.6, 1.5)
        ink = enamel_mask(style, "0", 100) > 127
        assert ink.shape == pytest.approx((100, 55), abs=2)
        middle_row, middle_column = ink[ink.shape[0] // 2], ink[:, ink.shape[1] // 2]
        assert middle_row.sum() == pytest.approx(2 * 17, abs=4)
        assert 6 <= middle_column.sum() <= 16

    def test_a_lettering_uses_them(self, typefaces):
        style = EnamelStyle(0.55, 0.17, 0.04, 0.09, 0.6, 1.5)
        with_font = digit_mask(Lettering(typefaces[0]), "5", 30)
        drawn = digit_mask(Lettering(typefaces[0], enamel=style), "5", 30)
        assert drawn.shape != with_font.shape or (drawn != with_font).any()
        assert Lettering(typefaces[0], enamel=style).aspect == 0.55


class TestFonts:
    def test_fonts_of_matplotlib(self, typefaces):
        names = {Path(typeface.path).name for typeface in typefaces}
        assert {"DejaVuSans.ttf", "DejaVuSerif-Bold.ttf", "STIXGeneral.ttf"} <= names
        assert not names & {"cmsy10.ttf", "cmex10.ttf", "STIXSizOneSymReg.ttf"}
        assert [typeface.path for typeface in typefaces] == sorted(t.path for t in typefaces)

    def test_fonts_without_digits_and_broken_files_are_left_out(self, tmp_path):
        source = str(FONTS_DIR / "DejaVuSans.ttf")
        for name, text in (("letters.ttf", "abcdefg"), ("nine.ttf", "012345678")):
            subset.main([source, f"--text={text}", f"--output-file={tmp_path / name}"])
        (tmp_path / "broken.ttf").write_bytes(b"not a font")
        (tmp_path / "whole.ttf").write_bytes(Path(source).read_bytes())
        (tmp_path / "again.ttf").write_bytes(Path(source).read_bytes())
        found = fonts.usable_typefaces(tmp_path.glob("*.ttf"))
        assert [Path(typeface.path).name for typeface in found] == ["again.ttf"]

    def test_digits_that_are_not_ten_are_rejected(self, monkeypatch):
        drawn = fonts.text_mask

        def all_threes(typeface, text, size):
            return drawn(typeface, "3" if text.isdigit() else text, size)

        monkeypatch.setattr(fonts, "text_mask", all_threes)
        assert fonts.readable_digits(fonts.BUILT_IN) is None

    def test_built_in_font_is_the_last_resort_and_warns(self, monkeypatch, capsys, tmp_path):
        monkeypatch.setattr(fonts, "_system_font_paths", list)
        assert fonts.find_typefaces() == (fonts.BUILT_IN,)
        warning = capsys.readouterr().err
        assert "Pillow's built-in font" in warning and "--fonts_dir" in warning
        assert fonts.readable_digits(fonts.BUILT_IN) is not None
        photo = render_photo(photo_generator(1, "train", 0), (fonts.BUILT_IN,))
        assert photo.pixels.dtype == np.uint8

    def test_fonts_dir_must_have_fonts(self, tmp_path):
        with pytest.raises(UserError, match="none of its 0 font files"):
            fonts.find_typefaces(str(tmp_path))
        with pytest.raises(UserError, match="no such folder"):
            fonts.find_typefaces(str(tmp_path / "absent"))

    def test_the_order_does_not_depend_on_where_fonts_lie(self, tmp_path):
        for folder, name in (("b", "DejaVuSans.ttf"), ("a", "STIXGeneral.ttf")):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / name).write_bytes((FONTS_DIR / name).read_bytes())
        found = fonts.find_typefaces(str(tmp_path))
        names = [Path(typeface.path).name for typeface in found]
        assert names == ["DejaVuSans.ttf", "STIXGeneral.ttf"]
        digest = data_set.fonts_digest(found)
        assert digest == data_set.fonts_digest(
            [fonts.Typeface(f"/elsewhere/{name}") for name in names]
        )


class TestTools:
    def test_sheet(self, rendered, tmp_path, capsys):
        place = tmp_path / "sheet.png"
        folder = str(rendered / "train")
        settings = SheetConfig(folder, folder, crops=True, columns=2, rows=3, sheet_path=str(place))
        assert sheet_main(settings) == 0
        assert "12 pictures" in capsys.readouterr().out
        with Image.open(place) as sheet:
            assert sheet.width >= 4 * settings.tile_size
        absent = dataclasses.replace(settings, sheet_path=str(tmp_path / "absent/sheet.png"))
        with pytest.raises(UserError, match="--sheet_path="):
            sheet_main(absent)

    def test_likeness(self, rendered, capsys):
        folder = str(rendered / "train")
        assert likeness_main(LikenessConfig(folder, folder, 20)) == 0
        table = capsys.readouterr().out.splitlines()
        assert len(table) > 20
        assert all(line.endswith(" 0.00") for line in table[2:])

    def test_likeness_of_single_digits_leaves_out_what_they_have_not(self, tmp_path, capsys):
        render_data_set(config(tmp_path, train=3, lengths=["1", "0", "0", "0", "0"]))
        folder = str(tmp_path / "train")
        assert likeness_main(LikenessConfig(folder, folder, 20)) == 0
        assert "no photo in one of the folders has it" in capsys.readouterr().out


class TestStrokeMeasures:
    def drawn(self, light: bool, shear: float = 0.0) -> dict[str, float]:
        """Measures of two upright strokes, 8 pixels thick, in boxes of 20×40 pixels."""
        y, x = np.mgrid[:80, :100].astype(float)
        x = x - shear * (y - 40)
        across = np.minimum(np.abs(x - 36), np.abs(x - 60))
        ink = np.clip(4.5 - across, 0, 1) * np.clip(18 - np.abs(y - 40), 0, 1)
        luminance = 0.2 + 0.7 * ink if light else 0.9 - 0.7 * ink
        return measure_strokes(luminance, np.array([[26, 20, 20, 40], [50, 20, 20, 40]], float))

    @pytest.mark.parametrize("light", [False, True])
    def test_known_strokes(self, light):
        measures = self.drawn(light)
        assert tuple(measures) == STROKE_MEASURES
        assert measures["light digits on dark"] == light
        assert measures["upright strokes/height"] == pytest.approx(8 / 40, abs=0.03)
        assert measures["level strokes/height"] == pytest.approx(35 / 40, abs=0.04)
        assert measures["space beside the ink/height"] == pytest.approx(12 / 40, abs=0.05)
        assert measures["space above and below/height"] == pytest.approx(5 / 40, abs=0.05)
        assert measures["tilt of uprights"] == pytest.approx(0, abs=0.5)

    def test_leaning_strokes_tilt(self):
        right, left = self.drawn(False, -0.15), self.drawn(False, 0.15)
        assert right["tilt of uprights"] == pytest.approx(-left["tilt of uprights"], abs=0.5)
        assert abs(right["tilt of uprights"]) == pytest.approx(8.5, abs=2)

    def test_faint_or_small_digits_have_none(self):
        noise = np.random.default_rng(1).normal(0.5, 0.1, (80, 100))
        boxes = np.array([[26, 20, 20, 40]], float)
        assert np.isnan(list(measure_strokes(noise, boxes).values())).all()
        assert np.isnan(list(measure_strokes(noise, boxes / 4).values())).all()

    def test_wasserstein_counts_in_standard_deviations(self):
        values = np.random.default_rng(2).normal(0, 3, 5000)
        assert wasserstein(values, values) == 0
        assert wasserstein(values + 1.5, values) == pytest.approx(0.5, rel=0.03)


def test_a_number_that_leaves_its_photo_is_drawn_anew(typefaces, monkeypatch):
    layouts = []

    def first_one_outside(random, length_frequencies, spaced):
        layout = draw_layout(random, length_frequencies, spaced)
        if not layouts:
            layout = dataclasses.replace(layout, centre=(-3.0 * layout.photo_width, 5.0))
        layouts.append(layout)
        return layout

    monkeypatch.setattr(scene, "draw_layout", first_one_outside)
    photo = render_photo(np.random.default_rng(4), typefaces)
    assert len(layouts) == 2 and photo.digits == layouts[1].digits
    left, top, width, height = photo.boxes.T
    assert (left < photo.pixels.shape[1]).all() and (left + width > 0).all()
    assert (top < photo.pixels.shape[0]).all() and (top + height > 0).all()


def test_png_bytes_hold_the_pixels(many_photos):
    photo = many_photos[0]
    with Image.open(io.BytesIO(png_bytes(photo))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), photo.pixels)
