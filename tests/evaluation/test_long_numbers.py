from collections import Counter
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from svhn.data.converter import convert
from svhn.data.converter_config import ConverterConfig
from svhn.data.digit_struct import DIGIT_STRUCT_NAME, compare_with_folder, read_digit_struct
from svhn.data.records import read_photos
from svhn.data.synthetic.fonts import find_typefaces
from svhn.errors import UserError
from svhn.evaluation.long_numbers import (
    closely_read_by_length,
    difference,
    gap_row,
    independent_row,
    length_rows,
    proportions_by_length,
    write_held_out,
    write_rendered,
)
from svhn.evaluation.metrics import Proportion
from svhn.reading.distribution import NumberDistribution
from svhn.reading.long_numbers import LOOKS, parts_of
from tests.small_conversion import write_conversion

FONTS_DIR = str(Path(matplotlib.get_data_path(), "fonts", "ttf"))


def test_held_out_photos_are_written_as_they_were(tmp_path):
    data_dir = write_conversion(
        tmp_path / "data", {"train": ["1", "2"], "val": ["12", "345"], "extra": ["9"]}
    )
    out = tmp_path / "out"
    out.mkdir()
    assert write_held_out(data_dir, "val", out) == 2
    listed = read_digit_struct(out / "train" / DIGIT_STRUCT_NAME)
    converted = {photo.file_name: photo for photo in read_photos(data_dir, "val")}
    assert {photo.file_name for photo in listed} == set(converted)
    for photo in listed:
        expected = converted[photo.file_name]
        assert photo.digits == expected.digits
        np.testing.assert_array_equal(photo.boxes, expected.boxes)
        assert (out / "train" / photo.file_name).read_bytes() == expected.encoded
    comparison = compare_with_folder(listed, out / "train")
    assert not comparison.missing and not comparison.unlisted


class ReaderOfHalves:
    """Says 12 to all, but for wide boxes: there 12340, and in their parts those of 12345."""

    def prepare(self, photo, box):
        return np.asarray(box)

    def prepare_all(self, photo, boxes):
        if len(boxes) == LOOKS:
            return list(boxes)  # all of the whole
        return ["12345"[part.start : part.end] for part in parts_of(5) for _ in range(LOOKS)]

    def distributions(self, pictures):
        return [self._says(picture) for picture in pictures]

    def _says(self, picture):
        sure = 0.99 if isinstance(picture, str) else 0.5
        if not isinstance(picture, str):
            picture = "12340" if picture[2] > 2 * picture[3] else "12"
        lengths, digits = np.full(7, 1e-6), np.full((5, 10), 1e-6)
        lengths[len(picture)] = sure
        for position, digit in enumerate(picture):
            digits[position, int(digit)] = sure
        return NumberDistribution(np.log(lengths), np.log(digits))


def test_what_is_read_with_a_closer_look_is_counted_by_length(tmp_path):
    data_dir = write_conversion(tmp_path, {"val": ["12", "21", "12", "12345", "54321"]})
    found = closely_read_by_length(ReaderOfHalves(), data_dir, "val")
    assert found == {2: Proportion(2, 3), 5: Proportion(1, 2)}


def test_photos_from_extra_are_not_taken_for_real_ones(tmp_path):
    data_dir = write_conversion(tmp_path / "data", {"extra": ["12", "3"]})
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UserError, match="come from extra"):
        write_held_out(data_dir, "extra", out)


def test_rendered_photos_have_every_length_as_often_and_convert(tmp_path):
    assert write_rendered(tmp_path, 2, 5, find_typefaces(FONTS_DIR)) == 10
    config = ConverterConfig(str(tmp_path), val_fraction_extra=0, shards=1, workers=1)
    assert convert(config) == 0
    photos = list(read_photos(tmp_path, "extra"))
    assert Counter(len(photo.digits) for photo in photos) == dict.fromkeys((1, 2, 3, 4, 5), 2)


RESULTS = {
    "splits": {
        "extra": {
            "sequence_accuracy_by_length": {
                "1": {"correct": 9, "count": 10},
                "3": {"correct": 90, "count": 100},
                "5": {"correct": 80, "count": 100},
                "more than 5": {"correct": 0, "count": 1},
            }
        }
    }
}


def test_rows_by_length():
    kinds = {"composed": proportions_by_length(RESULTS, "extra"), "none": {}}
    rows = length_rows(kinds)
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5"]
    assert rows[2][1].startswith("90.00 % (82.6–94.5), 100")
    assert rows[1][1] == "–" and rows[0][2] == "–"
    assert gap_row(kinds)[1].startswith("+10.0 points")
    assert gap_row(kinds)[2] == "–"


def test_what_five_independent_digits_would_be_read_like():
    kinds = {"composed": {3: Proportion(512, 1000), 5: Proportion(1, 2)}, "rendered": {}}
    # Each digit with 0.8: the cube is 0.512, the fifth power 0.32768.
    assert independent_row(kinds)[1:] == ("32.77 %", "–")


def test_the_interval_of_a_difference_is_newcombes():
    # His table II, example (a): 56/70 against 48/80, method 10.
    gap, low, high = difference(Proportion(56, 70), Proportion(48, 80))
    assert (gap, low, high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    gap, low, high = difference(Proportion(10, 10), Proportion(0, 20))
    assert (gap, low, high) == pytest.approx((1.0, 0.6791, 1.0), abs=1e-4)
