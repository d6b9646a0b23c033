"""What hides a part of training pictures, for whole batches: a twig, a post, a shadow's edge.

Cutout (DeVries & Taylor 2017, arXiv 1708.04552): a network that learns from pictures of which a
part is hidden rests on more than one trait of a digit. As in `svhn.photometry`, what happens to a
picture follows from its own draws, to the last bit.
"""

import numpy as np
import tensorflow as tf

from svhn.augmentation_config import Augmentation

DRAWS = 5
"""Random numbers that a picture takes."""


def occlude(pictures: tf.Tensor, draws: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Returns the pictures, in each a rectangle of one grey level, which may be as good as nothing.

    Args:
        pictures: float32 [B, H, W, 3], grey levels; H and W are known.
        draws: float32 [B, 5], from -1 to 1: the rectangle's middle (y, x), height, width and level.
        augmentation: How large it is at most.

    Returns:
        float32 [B, H, W, 3].
    """
    _, height, width, _ = pictures.shape
    largest = min(augmentation.occlusion * augmentation.strength, 1.0)
    is_hidden = (
        _within(height, draws[:, 0], draws[:, 2] * largest)[:, :, tf.newaxis]
        & _within(width, draws[:, 1], draws[:, 3] * largest)[:, tf.newaxis]
    )
    level = (draws[:, 4] + 1.0) * 127.5
    return tf.where(
        is_hidden[..., tf.newaxis], level[:, tf.newaxis, tf.newaxis, tf.newaxis], pictures
    )


def _within(length: int, middle: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """Returns which pixels of an axis are hidden, bool [B, length].

    Args:
        length: Of the axis, pixels.
        middle: float32 [B], -1 to 1: the middle of what is hidden, from start to end of the axis.
        share: float32 [B]: how much of the axis is hidden; the sign means nothing.
    """
    # From the middle of the axis to the middles of the pixels.
    places = np.arange(length, dtype=np.float32) - (length - 1) / 2
    distances = tf.abs(places - (middle * (length / 2))[:, tf.newaxis])
    return distances < (tf.abs(share) * (length / 2))[:, tf.newaxis]
