import numpy as np
import tensorflow as tf

from svhn.random_window import Window
from svhn.window_collage import background, laid_over
from svhn.window_config import IGNORED, MOST_DIGITS, NO_LABEL, NUMBER, WindowConfig

SIZE = 32


def window(level, columns, digits=(), number=(NO_LABEL, [0, 0, 0, 0])):
    """A window of one grey level in the columns given, with (label, box) each."""
    is_photo = np.zeros((SIZE, SIZE, 1), np.float32)
    is_photo[:, columns] = 1
    labels = np.full(MOST_DIGITS, NO_LABEL, np.int32)
    boxes = np.zeros((MOST_DIGITS, 4), np.float32)
    for place, (label, box) in enumerate(digits):
        labels[place], boxes[place] = label, box
    picture = np.where(is_photo, level, 127.5).astype(np.float32) * np.ones(3, np.float32)
    number_label, number_box = np.array([number[0]], np.int32), np.array([number[1]], np.float32)
    parts = (picture, is_photo, labels, boxes, number_label, number_box)
    return Window(*map(tf.constant, parts))


def digits_of(window):
    labels = window.digit_labels.numpy()
    return [
        (label, box.tolist())
        for label, box in zip(labels, window.digit_boxes.numpy(), strict=True)
        if label != NO_LABEL
    ]


def test_the_lower_shows_where_the_upper_has_no_photo():
    upper, lower = window(10.0, slice(0, 12)), window(200.0, slice(4, 20))
    both = laid_over(upper, lower)
    row = both.picture.numpy()[5, :, 1]
    np.testing.assert_array_equal(row, [10] * 12 + [200] * 8 + [127.5] * 12)
    np.testing.assert_array_equal(both.is_photo.numpy()[5, :, 0], [1] * 20 + [0] * 12)


def test_digits_that_are_covered_are_ignored_or_gone():
    upper = window(10.0, slice(0, 12), [(3, [1, 2, 6, 10])])
    free, most_free = (5, [13, 2, 6, 10]), (6, [10, 2, 10, 10])
    half, covered = (7, [6, 2, 12, 10]), (8, [2, 2, 10, 10])
    both = laid_over(upper, window(200.0, slice(0, 32), [free, covered, half, most_free]))
    assert digits_of(both) == [(3, [1, 2, 6, 10]), free, (IGNORED, half[1]), most_free]


def test_a_number_that_is_covered_is_ignored_or_gone():
    upper = window(10.0, slice(0, 12), number=(NUMBER, [1, 2, 9, 10]))
    for box, expected in (
        ([13, 2, 12, 10], NUMBER),
        ([8, 2, 20, 10], IGNORED),  # a fifth of it: some of its digits are there no more
        ([1, 2, 11, 10], NO_LABEL),
    ):
        both = laid_over(upper, window(200.0, slice(0, 32), number=(NUMBER, box)))
        assert both.number_labels.numpy().tolist() == [NUMBER, expected]
        assert both.number_boxes.numpy().tolist() == [[1, 2, 9, 10], box]


def test_the_uppers_digits_stay_when_there_are_too_many():
    upper = window(10.0, slice(0, 12), [(1, [1, 2, 4, 8])] * 8)
    lower = window(10.0, slice(0, 32), [(2, [20, 2, 4, 8])] * 8)
    labels = laid_over(upper, lower).digit_labels.numpy().tolist()
    assert labels == [1] * 8 + [2] * (MOST_DIGITS - 8)


def test_the_background_is_the_part_beside_the_number():
    photo = np.full((40, 60, 3), 50, np.uint8)
    photo[:, 40:] = 220  # the number's place
    boxes = tf.constant([[42.0, 5, 10, 20]])
    key = tf.constant([1, 2], tf.int64)
    cut = background(tf.constant(photo), boxes, key, WindowConfig(size=64, grey_backgrounds=0))
    np.testing.assert_allclose(cut.is_photo, 1, atol=1e-5)
    np.testing.assert_allclose(cut.picture, 50, atol=1e-3)
    assert digits_of(cut) == []
    grey = background(tf.constant(photo), boxes, key, WindowConfig(size=64, grey_backgrounds=1))
    assert (grey.is_photo.numpy() == 0).all()


def test_a_photo_that_is_all_number_gives_no_background():
    photo = np.full((20, 30, 3), 50, np.uint8)
    cut = background(
        tf.constant(photo),
        tf.constant([[0.0, 0, 30, 20]]),
        tf.constant([1, 2], tf.int64),
        WindowConfig(size=64, grey_backgrounds=0),
    )
    assert (cut.is_photo.numpy() == 0).all()


def test_a_photo_without_any_number_is_all_background():
    photo = tf.constant(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))
    key = tf.constant([1, 2], tf.int64)
    config = WindowConfig(size=64, grey_backgrounds=0)
    cut = background(photo, tf.zeros([0, 4]), key, config)
    assert (cut.is_photo.numpy() == 1).all() and digits_of(cut) == []
    whole = tf.image.resize(photo, [64, 64], antialias=True)
    np.testing.assert_allclose(cut.picture.numpy(), whole.numpy(), atol=1e-3)
