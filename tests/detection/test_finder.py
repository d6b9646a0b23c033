"""The finder with a detector that sees plain rectangles: what is tested is the search."""

import numpy as np
import pytest
import tensorflow as tf

from svhn.detection.box_scale import BoxScale
from svhn.detection.cells import cells_of, number_cells_of
from svhn.detection.finder import NumberFinder
from svhn.detection.search_levels import CANVASES

RED = 200
"""Rectangles of this red are digits; their green says which."""

BLUE = 200
"""Rectangles of this blue are regions, all of whose digits are too blurred to be told."""


class RectangleDetector:
    """Sees rectangles of 8 to 200 pixels exactly, and the larger the surer."""

    def __init__(self):
        self.sizes = []

    def __call__(self, pictures, training):
        assert training is False
        names = ("class_logits", "box_distances", "number_logits", "number_distances")
        values = tf.numpy_function(self._see, [pictures], [tf.float32] * 4)
        return dict(zip(names, values, strict=True))

    def _see(self, pictures):
        (picture,) = pictures
        self.sizes.append(picture.shape[:2])
        digit_labels = np.round(picture[..., 1] / 25).astype(int)
        digits = _cells_in(picture[..., 0] > RED - 20, cells_of(*picture.shape[:2]), digit_labels)
        regions = _cells_in(
            picture[..., 2] > BLUE - 20, number_cells_of(*picture.shape[:2]), 0 * digit_labels
        )
        return *digits, regions[0][..., :1], regions[1]


def _cells_in(is_there, cells, labels):
    """The logits of ten classes and the distances of cells in the middle of rectangles."""
    rows, columns = (np.floor(cells.centres[:, axis]).astype(int) for axis in (1, 0))
    left, right = (_run(is_there, way)[rows, columns] for way in (1, -1))
    up, down = (_run(is_there.T, way).T[rows, columns] for way in (1, -1))
    size = up + down - 1
    is_middle = (np.abs(left - right) <= cells.strides) & (np.abs(up - down) <= cells.strides)
    sees = is_there[rows, columns] & is_middle & (size >= 8) & (size <= 200)
    logits = np.full((1, len(rows), 10), -9, np.float32)
    logits[0, np.flatnonzero(sees), labels[rows, columns][sees]] = 3 + size[sees] / 1000
    offsets = cells.centres - np.stack([columns, rows], axis=1)
    sides = np.stack([left - 1, up - 1, right, down], axis=1).astype(np.float32)
    sides += np.concatenate([offsets, -offsets], axis=1)
    return logits, sides[None].astype(np.float32)


def _run(mask, way):
    """How many pixels are set without a break to the left of each (way 1) or right, with it."""
    mask = mask[:, ::way]
    places = np.arange(mask.shape[1])
    last_unset = np.maximum.accumulate(np.where(mask, -1, places), axis=1)
    return (places - last_unset)[:, ::way]


def photo_with(height, width, digits):
    """A grey photo with rectangles (label, left, top, width, height)."""
    photo = np.full((height, width, 3), 60, np.uint8)
    for label, left, top, digit_width, digit_height in digits:
        place = photo[top : top + digit_height, left : left + digit_width]
        place[...] = (RED, 25 * label, 0)
    return photo


def line(text, left, top, height):
    """Rectangles of a number; every digit is half as wide as high."""
    step = round(height * 0.62)
    return [
        (int(label), left + place * step, top, height // 2, height)
        for place, label in enumerate(text)
    ]


@pytest.fixture(scope="module")
def finder():
    return NumberFinder(RectangleDetector())


def assert_finds(finder, height, width, text, left, top, digit_height):
    digits = line(text, left, top, digit_height)
    found = finder.find(photo_with(height, width, digits))
    assert [entry.number for entry in found] == [text]
    boxes = np.array(digits)[:, 1:]
    right = boxes[:, 0].max() + digit_height // 2
    tolerance = max(digit_height * 0.12, 1)
    np.testing.assert_allclose(
        found[0].box, [left, top, right - left, digit_height], atol=tolerance
    )
    np.testing.assert_allclose(found[0].digits.boxes, boxes, atol=tolerance)
    assert found[0].box.dtype == np.float32
    assert 0.9 < found[0].score <= 1


@pytest.mark.parametrize(
    ("height", "width", "left", "top", "digit_height"),
    [
        (57, 128, 40, 15, 30),  # as SVHN's are
        (128, 57, 5, 50, 24),
        (16, 40, 3, 2, 12),
        (300, 300, 100, 100, 40),
        (480, 640, 500, 300, 12),  # only at the finer level
        (480, 640, 100, 50, 250),  # only at the coarser one
        (640, 480, 200, 300, 100),
        (768, 1024, 480, 330, 60),  # where tiles meet
        (16, 900, 700, 2, 12),
        (1500, 2000, 20, 1400, 30),
    ],
)
def test_numbers_of_all_sizes_in_photos_of_all_sizes(
    finder, height, width, left, top, digit_height
):
    assert_finds(finder, height, width, "147", left, top, digit_height)


@pytest.mark.parametrize("left", range(440, 661, 22))
def test_tiles_cut_no_digit(finder, left):
    assert_finds(finder, 768, 1024, "365", left, 400, 50)


def test_a_large_photo(finder):
    """12 megapixels, reduced by whole pixels first."""
    assert_finds(finder, 3000, 4000, "28", 3200, 2000, 100)
    assert_finds(finder, 4000, 3000, "28", 100, 300, 900)


def test_two_numbers(finder):
    photo = photo_with(480, 640, line("12", 50, 50, 30) + line("345", 300, 300, 60))
    assert sorted(entry.number for entry in finder.find(photo)) == ["12", "345"]


def test_a_close_look_at_one_line_takes_nothing_from_the_next(finder):
    photo = photo_with(480, 640, line("12", 280, 200, 40) + line("34", 280, 248, 40))
    digits = finder.see(photo).digits
    assert sorted(digits.labels.tolist()) == [1, 2, 3, 4]
    assert digits.scores.min() > 0.94


@pytest.mark.parametrize(
    ("height", "width", "region"),
    [(57, 128, (40, 15, 45, 30)), (480, 640, (100, 50, 400, 190)), (768, 1024, (460, 330, 90, 60))],
)
def test_a_number_whose_digits_can_not_be_told_is_found_as_a_whole(finder, height, width, region):
    left, top, region_width, region_height = region
    photo = photo_with(height, width, [])
    photo[top : top + region_height, left : left + region_width, 2] = BLUE
    (found,) = finder.find(photo)
    np.testing.assert_allclose(found.box, region, atol=max(region_height * 0.12, 1))
    assert found.is_region
    assert found.number == ""
    assert found.region_evidence > 0.7


def test_no_number(finder):
    assert finder.find(photo_with(100, 200, [])) == []


def test_numbers_that_are_not_sure_are_none():
    photo = photo_with(57, 128, line("1", 40, 15, 30))
    assert len(NumberFinder(RectangleDetector(), number_score=0.9).find(photo)) == 1
    assert NumberFinder(RectangleDetector(), number_score=0.97).find(photo) == []


def test_digits_at_the_edge_stay_in_the_photo(finder):
    photo = photo_with(57, 130, [(5, 110, 20, 20, 37)])
    (found,) = finder.find(photo)
    assert found.box[0] + found.box[2] <= 130
    assert found.box[1] + found.box[3] <= 57


def test_the_network_sees_few_shapes():
    detector = RectangleDetector()
    finder = NumberFinder(detector)
    random = np.random.default_rng(1)
    for _ in range(12):
        height, width = (int(side) for side in random.integers(16, 700, 2))
        finder.find(photo_with(height, width, []))
    assert set(detector.sizes) <= set(CANVASES)
    assert finder._detect.experimental_get_tracing_count() == 1
    assert finder._picture.experimental_get_tracing_count() == 1


def test_boxes_are_scaled_and_stay_in_the_photo():
    photo = photo_with(96, 160, [(4, 40, 30, 20, 40), (7, 66, 50, 20, 46)])
    plain = NumberFinder(RectangleDetector()).see(photo).digits
    scaled = NumberFinder(RectangleDetector(), box_scale=BoxScale(1.1, 1.2)).see(photo).digits
    order = np.argsort(plain.labels), np.argsort(scaled.labels)
    first, second = plain.boxes[order[0]], scaled.boxes[order[1]]
    np.testing.assert_allclose(second[:, 2], first[:, 2] * 1.1, rtol=0.02)
    np.testing.assert_allclose(second[0, 3], first[0, 3] * 1.2, rtol=0.02)
    # The lower one touches the photo's edge: it grows upwards alone.
    assert second[1, 1] < first[1, 1]
    assert second[1, 1] + second[1, 3] == pytest.approx(96)


class FarSightedDetector(RectangleDetector):
    """Sees no digits but those of about 40 pixels."""

    def __call__(self, pictures, training):
        outputs = super().__call__(pictures, training)
        heights = outputs["box_distances"][..., 1] + outputs["box_distances"][..., 3]
        is_seen = (heights > 33) & (heights < 47)
        logits = tf.where(is_seen[..., None], outputs["class_logits"], outputs["class_logits"] - 9)
        # What is too small or too large may be something.
        return {**outputs, "class_logits": tf.where(logits > -7, tf.maximum(logits, -0.8), logits)}


def test_a_number_is_looked_at_again_at_the_size_that_the_detector_sees_best():
    finder = NumberFinder(FarSightedDetector())
    (found,) = finder.find(photo_with(100, 256, line("147", 100, 30, 23)))
    assert found.number == "147"
    # No look at the whole photo shows it so large.
    assert found.digits.scores.min() > 0.5


def test_what_is_applied_is_the_network_for_inference(monkeypatch):
    detector = RectangleDetector()
    monkeypatch.setattr("svhn.detection.finder.for_inference", {"trained": detector}.get)
    (found,) = NumberFinder("trained").find(photo_with(57, 128, line("147", 40, 15, 30)))
    assert found.number == "147"
    assert detector.sizes
