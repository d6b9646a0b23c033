import numpy as np
import pytest
from PIL import ImageColor

from svhn.drawing import (
    BACKGROUND,
    DrawnNumber,
    contact_sheet,
    draw_numbers,
    draw_reading,
    preview,
)

GREY = np.full((40, 60, 3), 128, np.uint8)


def text_columns(drawing, colour: str) -> np.ndarray:
    """The columns of a drawing in which something of that colour stands."""
    pixels = np.asarray(drawing).astype(int)
    close = np.abs(pixels - ImageColor.getrgb(colour)).sum(axis=-1) < 120
    return np.flatnonzero(close.any(axis=0))


def ink(drawing, colour: str) -> int:
    pixels = np.asarray(drawing).astype(int)
    return int((np.abs(pixels - ImageColor.getrgb(colour)).sum(axis=-1) < 120).sum())


def test_sheet_has_a_tile_for_each_picture_in_rows():
    four = contact_sheet([GREY] * 4, ["75"] * 4, columns=4)
    eight = contact_sheet([GREY] * 8, ["75"] * 8, columns=4)
    assert four.width == eight.width
    assert eight.height > 1.9 * (four.height - 8)
    assert contact_sheet([GREY], ["75"], columns=10).width < four.width / 2


def test_sheet_shows_small_and_large_pictures_in_full():
    white = [np.full((height, width, 3), 255, np.uint8) for height, width in [(7, 5), (900, 4000)]]
    sheet = np.asarray(contact_sheet(white, ["", ""], columns=2, tile_size=100))
    white_pixels = (sheet == 255).all(axis=-1)
    left, right = white_pixels[:, :110], white_pixels[:, 110:]
    assert left.any(axis=1).sum() == 100  # the tall one fills its tile from top to bottom
    assert right.any(axis=0).sum() == 100  # the wide one from side to side


@pytest.mark.parametrize(
    "caption",
    ["wrong: 12345, confidence 97.3 %, photo 10000.png", "x" * 120, "two\nlines", "75"],
)
def test_captions_stay_within_their_tile(caption):
    middle = contact_sheet(
        [GREY] * 3, ["", caption, ""], columns=3, tile_size=100, colours=["red", "lime", "red"]
    )
    columns = text_columns(middle, "lime")
    assert columns.min() >= 112  # the gap is 6 pixels
    assert columns.max() < 212


def test_long_captions_lose_no_text():
    once = ink(contact_sheet([GREY], ["m" * 60], columns=1, colours=["lime"]), "lime")
    twice = ink(contact_sheet([GREY], ["m" * 120], columns=1, colours=["lime"]), "lime")
    assert twice > 1.8 * once > 0


def test_sheet_refuses_what_does_not_match():
    for pictures, captions, columns, colours in [
        ([], [], 3, None),
        ([GREY], [], 3, None),
        ([GREY], ["75"], 0, None),
        ([GREY], ["75"], 3, ["red", "red"]),
    ]:
        with pytest.raises(ValueError, match="Received"):
            contact_sheet(pictures, captions, columns, colours=colours)


@pytest.mark.parametrize(
    ("height", "width"), [(30, 30), (12, 30), (30, 6), (480, 640), (3000, 4000), (1, 4000)]
)
def test_reading_is_legible_whatever_the_size_of_the_photo(height, width):
    drawing = draw_reading(
        np.zeros((height, width, 3), np.uint8), None, "75  97.3 %", colour="lime"
    )
    assert 160 <= max(drawing.size) <= 1500
    columns = text_columns(drawing, "lime")
    assert columns.max() - columns.min() > 70  # about 10 pixels a character
    assert columns.min() >= 2
    assert columns.max() < drawing.width - 2


def test_long_reading_is_not_cut_off():
    drawing = draw_reading(GREY, None, "more than 5 digits  97.3 % " * 5, colour="lime")
    columns = text_columns(drawing, "lime")
    assert columns.min() >= 2
    assert columns.max() < drawing.width - 2


def test_box_is_drawn_where_it_is():
    photo = np.zeros((100, 400, 3), np.uint8)
    drawing = np.asarray(draw_reading(photo, (100, 25, 50, 50), "", colour="lime"))
    green = (drawing == [0, 255, 0]).all(axis=-1)
    rows, columns = np.flatnonzero(green.any(axis=1)), np.flatnonzero(green.any(axis=0))
    assert (rows.min(), rows.max()) == (25, 75)
    assert (columns.min(), columns.max()) == (100, 150)
    assert not green[40:60, 110:140].any()


@pytest.mark.parametrize(
    ("box", "digit_boxes"),
    [
        ((0, 0, 640, 320), ()),
        ((0, 0, 640, 320), ((5, 5, 9, 9),)),
        ((100, 200, 300, 120), ((0,) * 4,)),
    ],
)
def test_a_box_is_seen_where_it_ends_with_the_photo(box, digit_boxes):
    drawing = np.asarray(
        draw_reading(
            np.zeros((320, 640, 3), np.uint8), box, "", digit_boxes=digit_boxes, colour="lime"
        )
    )
    is_drawn = (drawing[:320, :640] == ImageColor.getrgb("lime")).all(axis=-1)
    left, top, width, height = box
    rows = np.flatnonzero(is_drawn.sum(axis=1) >= width - 2)
    columns = np.flatnonzero(is_drawn.sum(axis=0) >= height - 2)
    assert rows[0] <= top + 4 and rows[-1] == 319
    assert columns[0] <= left + 4 and columns[-1] >= left + width - 4


def test_digit_boxes_are_scaled_with_the_photo():
    photo = np.zeros((2048, 2048, 3), np.uint8)
    drawing = draw_reading(photo, None, "", digit_boxes=[(640, 0, 20, 100)], colour="lime")
    assert abs(text_columns(drawing, "lime").min() - 320) <= 1


def test_photo_is_not_changed():
    photo = GREY.copy()
    draw_reading(photo, (0, 0, 60, 40), "75")
    np.testing.assert_array_equal(photo, GREY)


def test_preview_shrinks_large_photos_only():
    assert preview(GREY, 100) is GREY
    assert preview(np.zeros((400, 300, 3), np.uint8), 100).shape == (100, 75, 3)
    assert preview(np.zeros((1, 3000, 3), np.uint8), 100).shape == (1, 100, 3)


def test_background_shows_between_tiles():
    sheet = contact_sheet([GREY], ["75"], columns=1)
    assert sheet.getpixel((0, 0)) == ImageColor.getrgb(BACKGROUND)


def test_each_number_has_its_text_box_and_tag_in_its_colour():
    photo = np.zeros((200, 400, 3), np.uint8)
    numbers = [
        DrawnNumber("75  97.3 %", (50, 80, 60, 40), (), "lime", "75"),
        DrawnNumber("3  50.0 %", (250, 0, 60, 40), (), "red", "3"),
    ]
    drawing = draw_numbers(photo, numbers)
    assert drawing.height > draw_numbers(photo, numbers[:1]).height
    pixels = np.asarray(drawing).astype(int)
    for colour, (left, right), (top, bottom) in (
        ("lime", (45, 115), (60, 125)),  # the tag lies above the box
        ("red", (245, 315), (0, 60)),  # and below it where there is no room
    ):
        close = np.abs(pixels - ImageColor.getrgb(colour)).sum(axis=-1) < 120
        on_photo = np.argwhere(close[:200])
        assert on_photo[:, 1].min() >= left
        assert on_photo[:, 1].max() <= right
        assert on_photo[:, 0].min() >= top
        assert on_photo[:, 0].max() <= bottom
        assert close[200:].any()
    lime, red = (
        np.argwhere(np.abs(pixels[200:] - ImageColor.getrgb(colour)).sum(axis=-1) < 120)[:, 0]
        for colour in ("lime", "red")
    )
    assert lime.max() < red.min()  # the texts stand below each other in their order
    untagged = draw_numbers(photo, [DrawnNumber("75  97.3 %", (50, 80, 60, 40), (), "lime")])
    assert ink(untagged, "lime") < ink(draw_numbers(photo, numbers[:1]), "lime")


def test_a_tag_stays_within_the_photo():
    photo = np.zeros((40, 400, 3), np.uint8)
    drawing = draw_numbers(photo, [DrawnNumber("", (395, 1, 4, 38), (), "lime", "12345")])
    tag = text_columns(drawing, "lime")
    assert tag.max() < 400
    assert tag.max() - tag.min() > 20


def test_the_first_number_lies_on_top():
    photo = np.zeros((100, 100, 3), np.uint8)
    both = [
        DrawnNumber("a", (10, 10, 50, 50), (), "lime"),
        DrawnNumber("b", (10, 10, 50, 50), (), "red"),
    ]
    pixels = np.asarray(draw_numbers(photo, both)).astype(int)
    on_photo = pixels[: int(100 * 3.2)]
    assert (np.abs(on_photo - ImageColor.getrgb("lime")).sum(axis=-1) < 120).any()
    assert not (np.abs(on_photo - ImageColor.getrgb("red")).sum(axis=-1) < 120).any()
