import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

from svhn.detector_input import PADDING_LEVEL
from svhn.random_window import random_window, strip_beside_number
from svhn.window_config import IGNORED, MOST_DIGITS, NO_LABEL, NUMBER, WindowConfig

LEVEL = WindowConfig(
    size=128, largest_digit=60, negatives=0, tight=0, rotation=0, shear=0, aspect=0
)
"""Nothing but scale and place is random."""

TURNED = dataclasses.replace(LEVEL, rotation=20, shear=0.3, aspect=0.3)

BOXES = np.array([[30, 20, 14, 24], [50, 22, 16, 24]], np.float32)
LABELS = [4, 7]


def photo_with_blobs(boxes=BOXES, height=60, width=100):
    """A dark photo; each digit is a light ellipse that fills its box, in a colour of its own."""
    photo = np.full((height, width, 3), 20, np.uint8)
    y, x = np.mgrid[:height, :width] + 0.5
    for channel, (left, top, box_width, box_height) in enumerate(boxes):
        inside = ((x - left) / box_width * 2 - 1) ** 2 + ((y - top) / box_height * 2 - 1) ** 2 <= 1
        photo[inside, channel] = 250
    return photo


@functools.cache
def compiled(config):
    """A graph for photos of any size, as the input pipeline has it."""
    return tf.function(
        lambda *shown_and_key: random_window(*shown_and_key, config),
        input_signature=[
            tf.TensorSpec([None, None, 3], tf.uint8),
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([None, 4], tf.float32),
            tf.TensorSpec([2], tf.int64),
        ],
        autograph=False,
    )


def windows(config, count, photo=None, labels=LABELS, boxes=BOXES):
    photo = photo_with_blobs() if photo is None else photo
    shown = tf.constant(photo), tf.constant(labels, tf.int64), tf.constant(boxes)
    return [
        tf.nest.map_structure(
            lambda part: part.numpy(), compiled(config)(*shown, tf.constant([seed, 5], tf.int64))
        )
        for seed in range(count)
    ]


@pytest.mark.parametrize("config", [LEVEL, TURNED], ids=["level", "turned"])
def test_boxes_move_with_their_digits(config):
    """Each box holds its digit's colour, and as tightly as its edges are sharp."""
    seen = 0
    for window in windows(config, 25):
        for digit, box in zip(window.digit_labels, window.digit_boxes, strict=True):
            if digit < 0 or box[3] < 16:
                continue
            seen += 1
            coloured = window.picture[..., LABELS.index(digit)] > 135
            coloured &= window.is_photo[..., 0] == 1
            rows, columns = np.nonzero(coloured)
            found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            np.testing.assert_allclose(found, [*box[:2], *(box[:2] + box[2:])], atol=2.5)
    assert seen > 20


def test_digits_have_all_heights_that_are_asked_for():
    heights = np.concatenate(
        [window.digit_boxes[window.digit_labels >= 0, 3] for window in windows(LEVEL, 120)]
    )
    assert heights.min() < 13
    assert heights.max() > 45
    assert heights.min() > 9.9
    assert heights.max() < 60.1
    # 10 to 60 has its middle, in octaves, at 24.5, and its middle half from 15.7 to 38.3.
    assert 0.35 < (heights < 24.5).mean() < 0.65
    assert 0.6 < ((heights > 15.7) & (heights < 38.3)).mean() < 0.9


def test_no_photo_is_enlarged_further_than_allowed():
    config = dataclasses.replace(LEVEL, largest_digit=1000, largest_enlargement=2)
    heights = [window.digit_boxes[:, 3].max() for window in windows(config, 60)]
    assert 40 < max(heights) < 48.1


def test_the_number_lies_anywhere():
    """And where the photo is larger than the window, there is nothing else in it."""
    config = dataclasses.replace(LEVEL, smallest_digit=20, largest_digit=20)
    large = np.random.default_rng(0).integers(0, 255, (400, 600, 3), np.uint8)
    boxes = BOXES + np.array([300, 200, 0, 0], np.float32)
    cut = windows(config, 60, photo=large, boxes=boxes)
    left_tops = np.array([window.digit_boxes[0, :2] for window in cut])
    assert (np.ptp(left_tops, axis=0) > 60).all()
    assert all((window.is_photo == 1).all() for window in cut)


@pytest.mark.parametrize("config", [LEVEL, TURNED], ids=["level", "turned"])
def test_the_number_is_around_all_its_digits(config):
    kinds = set()
    for window in windows(config, 60):
        [label] = window.number_labels
        kinds.add(label)
        digits = window.digit_boxes[window.digit_labels >= 0]
        if label == NUMBER:
            assert len(digits) == len(LABELS)
            start, end = digits[:, :2].min(axis=0), (digits[:, :2] + digits[:, 2:]).max(axis=0)
            np.testing.assert_allclose(window.number_boxes[0], [*start, *(end - start)], atol=1e-3)
    assert NUMBER in kinds


def test_a_number_that_is_cut_is_ignored():
    config = dataclasses.replace(LEVEL, size=64, smallest_digit=60, largest_digit=60)
    for window in windows(config, 20):
        assert window.number_labels.tolist() in ([IGNORED], [NO_LABEL])


def test_without_digits_there_is_no_number():
    none = np.zeros((0, 4), np.float32)
    for window in windows(LEVEL, 5, labels=[], boxes=none):
        assert window.number_labels.tolist() == [NO_LABEL]
        assert np.isfinite(window.number_boxes).all()


def test_a_number_larger_than_the_window_is_seen_in_part():
    config = dataclasses.replace(LEVEL, size=64, smallest_digit=60, largest_digit=60)
    labels = np.array([window.digit_labels for window in windows(config, 60)])
    assert {4, 7, IGNORED, NO_LABEL} == set(labels.ravel())
    assert ((labels >= 0).sum(axis=1) <= 1).all()
    assert (labels >= 0).any(axis=1).mean() > 0.3


def test_boxes_end_at_the_windows_edge_and_say_how_much_is_there():
    config = dataclasses.replace(LEVEL, smallest_digit=30, overhang=1.0)
    photo, boxes = np.zeros((300, 500, 3), np.uint8), BOXES + np.array([200, 120, 0, 0], np.float32)
    kept = ignored = 0
    for window in windows(config, 80, photo=photo, boxes=boxes):
        is_digit = window.digit_labels != NO_LABEL
        boxes = window.digit_boxes[is_digit]
        assert (boxes >= 0).all()
        assert (boxes[:, :2] + boxes[:, 2:] <= 128.001).all()
        whole = boxes[:, 2] / boxes[:, 3]
        ratios = np.array([14 / 24 if label == 4 else 16 / 24 for label in LABELS])
        for label, ratio in zip(window.digit_labels[is_digit], whole, strict=True):
            if label >= 0:
                kept += 1
                # Cut by at most a quarter.
                expected = ratios[LABELS.index(label)]
                assert 0.74 * expected < ratio < expected / 0.74
            else:
                ignored += 1
    assert kept > 50
    assert ignored > 0


def test_digits_that_are_too_small_are_ignored():
    boxes = np.array([[10, 10, 20, 40], [40, 30, 4, 6]], np.float32)
    config = dataclasses.replace(LEVEL, smallest_digit=12, largest_digit=12)
    for window in windows(config, 5, boxes=boxes):  # mean 23: the second becomes 3 high
        assert sorted(window.digit_labels[window.digit_labels != NO_LABEL]) == [IGNORED, 4]


def test_windows_without_a_digit_show_what_lies_beside_the_number():
    config = dataclasses.replace(TURNED, negatives=1.0)
    for window in windows(config, 20):
        assert (window.digit_labels == NO_LABEL).all()
        assert (window.digit_boxes == 0).all()
        inside = window.picture[window.is_photo[..., 0] == 1]
        assert len(inside) > 20
        np.testing.assert_allclose(inside, 20, atol=1)  # nothing of the light digits


def test_as_often_as_asked_for():
    config = dataclasses.replace(LEVEL, negatives=0.3)
    empty = [(window.digit_labels == NO_LABEL).all() for window in windows(config, 150)]
    assert 0.2 < np.mean(empty) < 0.4


def test_where_there_is_no_room_beside_the_number_it_is_shown():
    config = dataclasses.replace(LEVEL, negatives=1.0)
    tight = photo_with_blobs()[16:50, 26:70]
    boxes = BOXES - np.array([26, 16, 0, 0], np.float32)
    for window in windows(config, 5, photo=tight, boxes=boxes):
        assert (window.digit_labels != NO_LABEL).any()


def test_some_windows_are_of_photos_cut_close_round_their_number():
    close = dataclasses.replace(LEVEL, tight=1.0, tight_margin=0.25)
    for config, most in ((close, 0.25), (LEVEL, None)):
        beside = []
        for window in windows(config, 20):
            is_digit = window.digit_labels == LABELS[0]
            if not is_digit.any():
                continue
            box = window.digit_boxes[is_digit][0]
            columns = np.flatnonzero(window.is_photo[..., 0].any(axis=0))
            beside.append((box[0] - columns[0]) / box[3])
        assert len(beside) > 10
        if most is None:
            assert np.median(beside) > 0.5  # 30 pixels of photo, less where the window ends
        else:
            assert -0.05 < min(beside) < 0.1
            assert 0.15 < max(beside) < most + 0.05


def test_a_photo_without_a_number_is_shown_without_one():
    window, *others = windows(LEVEL, 6, labels=[], boxes=np.zeros((0, 4), np.float32))
    assert (window.digit_labels == NO_LABEL).all()
    assert all(np.isfinite(other.picture).all() for other in [window, *others])
    assert window.is_photo.max() == 1


def test_beyond_the_photo_it_is_grey():
    for window in windows(TURNED, 10):
        outside = window.picture[window.is_photo[..., 0] == 0]
        assert len(outside)
        np.testing.assert_array_equal(outside, PADDING_LEVEL)


def test_a_fine_pattern_becomes_grey_when_reduced():
    stripes = np.zeros((240, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    boxes = np.array([[180, 80, 40, 80]], np.float32)
    config = dataclasses.replace(LEVEL, smallest_digit=16, largest_digit=16)  # to a fifth
    (window,) = windows(config, 1, photo=stripes, labels=[1], boxes=boxes)
    rows, columns = np.nonzero(window.is_photo[..., 0])
    inside = window.picture[rows.min() + 2 : rows.max() - 2, columns.min() + 2 : columns.max() - 2]
    np.testing.assert_allclose(inside, 127.5, atol=30)


def test_the_key_decides_everything():
    first, second = windows(TURNED, 3), windows(TURNED, 3)
    for one, other in zip(first, second, strict=True):
        for part, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(part, same)
    assert not np.array_equal(first[0].picture, first[1].picture)


def test_no_more_digits_than_there_are_places():
    boxes = np.array([[3 * place, 10, 3, 20] for place in range(30)], np.float32)
    (window,) = windows(LEVEL, 1, labels=[1] * 30, boxes=boxes)
    assert window.digit_labels.shape == (MOST_DIGITS,)
    assert window.digit_boxes.shape == (MOST_DIGITS, 4)


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([[60, 10, 20, 20]], [0, 0, 58, 50]),
        ([[10, 10, 20, 20]], [32, 0, 100, 50]),
        ([[10, 32, 80, 10]], [0, 0, 100, 31]),
        ([[-5, -5, 110, 30]], [0, 28, 100, 50]),
        ([], [0, 0, 100, 50]),
    ],
)
def test_the_largest_part_beside_the_number(boxes, expected):
    strip, shorter = strip_beside_number(
        tf.reshape(tf.constant(boxes, tf.float32), [-1, 4]), tf.constant([100.0, 50.0])
    )
    np.testing.assert_allclose(strip, expected)
    assert float(shorter) == min(expected[2] - expected[0], expected[3] - expected[1])
