from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from svhn.data.records import ConvertedPhoto
from svhn.data.synthetic.fonts import Typeface
from svhn.evaluation.photos_without_numbers import (
    part_beside_number,
    parts_without_digits,
    rendered_scenes,
)


def numbered_photo(height, width):
    """Each pixel says where it is: red its column, green its row."""
    photo = np.zeros((height, width, 3), np.uint8)
    photo[..., 0], photo[..., 1] = np.arange(width), np.arange(height)[:, None]
    return photo


@pytest.mark.parametrize(
    ("box", "columns", "rows"),
    [
        ((100, 20, 40, 40), (0, 94), (0, 80)),  # left of it
        ((10, 20, 40, 40), (56, 200), (0, 80)),  # right
        ((60, 50, 90, 20), (0, 200), (0, 47)),  # above
        ((60, 2, 90, 20), (0, 200), (25, 80)),  # below
    ],
)
def test_the_largest_part_beside_the_number(box, columns, rows):
    part = part_beside_number(numbered_photo(80, 200), np.array([box], np.float32))
    assert (part[..., 0].min(), part[..., 0].max() + 1) == columns
    assert (part[..., 1].min(), part[..., 1].max() + 1) == rows


def test_none_where_the_number_fills_the_photo():
    boxes = np.array([[10, 5, 20, 70], [35, 5, 20, 70]], np.float32)
    assert part_beside_number(numbered_photo(80, 65), boxes) is None


def test_boxes_beyond_the_edge():
    part = part_beside_number(numbered_photo(80, 200), np.array([[-5, -5, 40, 100]], np.float32))
    assert part[..., 0].min() == 50


def test_parts_of_the_first_photos_that_have_one():
    def photo(width, name):
        file = BytesIO()
        Image.fromarray(numbered_photo(80, width)).save(file, "PNG")
        boxes = np.array([[10, 5, 20, 70]], np.float32)
        return ConvertedPhoto(file.getvalue(), (7,), boxes, "train", name)

    photos = [photo(width, f"{width}.png") for width in (40, 150, 50, 160, 170)]
    assert [part.shape[1] for part in parts_without_digits(photos, 2)] == [109, 119]
    assert len(parts_without_digits(photos, 9)) == 3
    # The part beside this one's number shows a number, too.
    assert [part.shape[1] for part in parts_without_digits([photo(150, "1729.png")], 1)] == []


def test_rendered_scenes_are_photos_that_follow_from_the_seed():
    typefaces = (Typeface(""),)
    scenes = rendered_scenes(12, 3, typefaces)
    again = rendered_scenes(12, 3, typefaces)
    assert all(np.array_equal(*pair) for pair in zip(scenes, again, strict=True))
    other = rendered_scenes(1, 4, typefaces)[0]
    assert other.shape != scenes[0].shape or (other != scenes[0]).any()
    for scene in scenes:
        assert scene.dtype == np.uint8
        assert scene.shape[2] == 3
        assert 64 <= max(scene.shape[:2]) <= 640
        assert min(scene.shape[:2]) >= 24
        assert scene.std() > 2


def test_words_in_scenes_are_written_in_fonts_that_have_letters(monkeypatch):
    built_in, without_letters = Typeface(""), Typeface("without letters")
    monkeypatch.setattr(
        "svhn.data.synthetic.signs._has_letters", lambda typeface: typeface == built_in
    )
    # The other file doesn't exist: whoever draws with it gets an OSError.
    mixed = rendered_scenes(12, 3, (without_letters, built_in))
    plain = rendered_scenes(12, 3, (built_in,))
    assert all(np.array_equal(*pair) for pair in zip(mixed, plain, strict=True))
    with pytest.raises(OSError, match="cannot open"):
        rendered_scenes(12, 3, (without_letters,))
