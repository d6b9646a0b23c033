"""Several photos in one training window of the detector.

SVHN's photos are hardly larger than their numbers: scaled so that digits are small, one fills a
corner of the window. What it leaves free shows another photo, and behind all of them lies a piece
of wall.
"""

import numpy as np
import tensorflow as tf

from svhn import random_window
from svhn.detector_input import PADDING_LEVEL
from svhn.random_window import (
    IGNORED_SHARE,
    KEPT_SHARE,
    NUMBER_KEPT_SHARE,
    SHORTEST_STRIP,
    Window,
)
from svhn.stateless_draws import uniform_draws
from svhn.window_config import IGNORED, NO_LABEL, WindowConfig

_POINTS = 10
"""Along each side of a box, at which is looked whether it is covered."""


def background(
    photo: tf.Tensor, digit_boxes: tf.Tensor, key: tf.Tensor, config: WindowConfig
) -> Window:
    """Returns a window without digits, which the part of a photo beside its number fills.

    Args:
        photo: uint8 [H, W, 3], RGB.
        digit_boxes: float32 [N, 4]: left, top, width, height of each digit, pixels.
        key: int64 [2]; all that is random follows from it.
        config: `grey_backgrounds` and `size`.

    Returns:
        The window; empty by chance, or if the photo has no such part.
    """
    photo_size = tf.cast(tf.shape(photo)[1::-1], tf.float32)
    strip, shorter = random_window.strip_beside_number(digit_boxes, photo_size)
    draw = uniform_draws(key[tf.newaxis], 1)[0, 0]
    is_empty = (draw < config.grey_backgrounds * 2 - 1) | (shorter < SHORTEST_STRIP)
    # A strip that is too narrow to be looked at isn't.
    region = tf.where(is_empty, tf.concat([tf.zeros(2), photo_size], axis=0), strip)
    (left, top), (right, bottom) = (
        tf.unstack(tf.cast(corner, tf.int32))
        for corner in (tf.math.ceil(region[:2]), tf.floor(region[2:]))
    )
    picture = tf.image.resize(photo[top:bottom, left:right], [config.size] * 2, antialias=True)
    is_photo = tf.fill([config.size, config.size, 1], tf.where(is_empty, 0.0, 1.0))
    digits = random_window.in_places(
        tf.zeros([0], tf.int32), tf.zeros([0, 4]), tf.zeros([0], tf.bool)
    )
    picture = tf.where(is_empty, PADDING_LEVEL, picture)
    return Window(picture, is_photo, *digits, *random_window.no_numbers())


def laid_over(upper: Window, lower: Window) -> Window:
    """Returns one window of two: the lower shows where the upper has no photo.

    Digits and numbers of the lower one that are covered are ignored or gone, as those that are cut
    off are.
    """
    cover = upper.is_photo
    lower_labels = _uncovered(cover, lower.digit_labels, lower.digit_boxes, KEPT_SHARE)
    labels = tf.concat([upper.digit_labels, lower_labels], axis=0)
    boxes = tf.concat([upper.digit_boxes, lower.digit_boxes], axis=0)
    lower_numbers = _uncovered(cover, lower.number_labels, lower.number_boxes, NUMBER_KEPT_SHARE)
    return Window(
        upper.picture * cover + lower.picture * (1 - cover),
        cover + lower.is_photo * (1 - cover),
        *random_window.in_places(labels, boxes, labels != NO_LABEL),
        tf.concat([upper.number_labels, lower_numbers], axis=0),
        tf.concat([upper.number_boxes, lower.number_boxes], axis=0),
    )


def _uncovered(
    cover: tf.Tensor, labels: tf.Tensor, boxes: tf.Tensor, kept_share: float
) -> tf.Tensor:
    """Returns the labels of what another photo covers in part: ignored or gone, [N].

    Args:
        cover: float32 [size, size, 1]: 1 where the other photo is.
        labels: int32 [N].
        boxes: float32 [N, 4], within the window.
        kept_share: What is visible to less is no longer what it was.
    """
    if not labels.shape[0]:
        return labels
    visible = 1 - _covered_share(tf.round(cover[..., 0]), boxes)
    labels = tf.where((labels != NO_LABEL) & (visible < kept_share), IGNORED, labels)
    return tf.where(visible < IGNORED_SHARE, NO_LABEL, labels)


def _covered_share(cover: tf.Tensor, boxes: tf.Tensor) -> tf.Tensor:
    """Returns the share of each box that is covered, float32 [N].

    Args:
        cover: float32 [size, size]: 1 or 0 for each pixel.
        boxes: float32 [N, 4]: left, top, width, height, within the window.
    """
    places = (np.arange(_POINTS, dtype=np.float32) + 0.5) / _POINTS
    columns = tf.cast(boxes[:, :1] + boxes[:, 2:3] * places, tf.int32)
    rows = tf.cast(boxes[:, 1:2] + boxes[:, 3:] * places, tf.int32)
    points = rows[:, :, tf.newaxis] * cover.shape[1] + columns[:, tf.newaxis]
    return tf.reduce_mean(tf.gather(tf.reshape(cover, [-1]), points), axis=[1, 2])
