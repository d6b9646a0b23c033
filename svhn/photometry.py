"""Light, colour, negatives, blur and noise of training pictures, for whole batches.

What happens to a picture follows from its own draws and does not depend, to the last bit, on its
place in the batch: sums over its pixels are sums of whole numbers that float64 holds exactly.
"""

import numpy as np
import tensorflow as tf

from svhn.augmentation_config import Augmentation
from svhn.images import LUMINANCE
from svhn.random_view import exponential

DRAWS = 11
"""Random numbers that a picture takes."""

_DEVIATIONS = 256
"""Strengths of blur from which one is drawn."""

_NOISE_ROWS = 512
"""Rows in the field of noise from which pictures take theirs; a power of two, and more than any
picture has."""


def vary_pictures(pictures: tf.Tensor, draws: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Returns the pictures blurred, with other colours and light, as negatives, and with noise.

    Args:
        pictures: float32 [B, H, W, 3], grey levels; H and W are known, H at most 512.
        draws: float32 [B, 11], from -1 to 1.
        augmentation: How far the changes go.

    Returns:
        float32 [B, H, W, 3], grey levels, 0 to 255.
    """
    _, height, width, channels = pictures.shape
    rows = tf.reshape(pictures, [-1, height, width * channels])
    rows = _blurred(rows, draws[:, 0], augmentation)
    rows = _recoloured(rows, draws[:, 1:7], augmentation)
    rows = _inverted(rows, draws[:, 10], augmentation)
    # A difference, as the graph optimizer may reorder a sum of three, and with it the last bits.
    rows -= _noise(draws[:, 7:10], height, width * channels, augmentation)
    # What leaves the range is clipped, as in a photo, or the standardisation would undo the
    # changes of contrast and brightness.
    return tf.reshape(tf.clip_by_value(rows, 0.0, 255.0), [-1, height, width, channels])


def _blurred(rows: tf.Tensor, draws: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Returns the pictures, float32 [B, H, 3 W], under Gaussians of five taps for each axis."""
    strongest = augmentation.blur * augmentation.photometric_strength
    deviations = np.linspace(0.05, 0.05 + strongest, _DEVIATIONS)
    near, far = np.exp(-0.5 / deviations**2), np.exp(-2 / deviations**2)
    taps = np.stack([np.ones(_DEVIATIONS), near, far]) / (1 + 2 * near + 2 * far)
    chosen = tf.cast(tf.abs(draws) * (_DEVIATIONS - 1) + 0.5, tf.int32)
    weights = tf.gather(taps.astype(np.float32), chosen, axis=1)
    middle, near, far = tf.unstack(weights[..., tf.newaxis, tf.newaxis])

    # Sums of shifted pictures; the neighbour in the row is three numbers away.
    first, last = rows[:, :1], rows[:, -1:]
    wide = tf.concat([first, first, rows, last, last], axis=1)
    neighbours = wide[:, 1:-3] + wide[:, 3:-1]
    rows = rows * middle + neighbours * near + (wide[:, :-4] + wide[:, 4:]) * far
    first, last = rows[..., :3], rows[..., -3:]
    wide = tf.concat([first, first, rows, last, last], axis=2)
    neighbours = wide[..., 3:-9] + wide[..., 9:-3]
    return rows * middle + neighbours * near + (wide[..., :-12] + wide[..., 12:]) * far


def _recoloured(rows: tf.Tensor, draws: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Returns the pictures, [B, H, 3 W], with other saturation, cast, contrast and brightness.

    All four are one matrix and one offset for a picture. `draws` are float32 [B, 6], -1 to 1.
    """
    strength = augmentation.photometric_strength
    saturation = 1 + draws[:, 0] * min(augmentation.saturation * strength, 1.0)
    contrast = exponential(draws[:, 1:2] * (augmentation.contrast * strength))
    gain = (1 + draws[:, 2:5] * (augmentation.colour_cast * strength)) * contrast
    grey = np.repeat(LUMINANCE[:, np.newaxis], 3, axis=1)
    colours = saturation[:, tf.newaxis, tf.newaxis] * (np.eye(3, dtype=np.float32) - grey) + grey
    _, height, row = rows.shape
    pixels = tf.reshape(rows, [-1, height * row // 3, 3])
    rows = tf.reshape(tf.matmul(pixels, colours * gain[:, tf.newaxis]), [-1, height, row])
    # About the picture's own mean, and less where there is less room to black or white: a dark
    # photo must not become black, as its number would be gone.
    total = tf.reduce_sum(tf.cast(tf.round(rows), tf.float64), axis=[1, 2])
    contrasted_mean = tf.cast(total, tf.float32)[:, tf.newaxis] * (1 / (height * row))
    mean = contrasted_mean / contrast
    room = tf.maximum(tf.minimum(mean, 255.0 - mean), 0.0)
    brightened = mean + room * draws[:, 5:6] * (augmentation.brightness * strength)
    return rows + (brightened - contrasted_mean)[:, tf.newaxis]


def _inverted(rows: tf.Tensor, draws: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Returns some of the pictures, [B, H, 3 W], as negatives. `draws` are float32 [B], -1 to 1."""
    share = min(augmentation.inversion * augmentation.photometric_strength, 1.0)
    is_negative = draws < 2 * share - 1
    return tf.where(is_negative[:, tf.newaxis, tf.newaxis], 255.0 - rows, rows)


def _noise(draws: tf.Tensor, height: int, row: int, augmentation: Augmentation) -> tf.Tensor:
    """Returns Gaussian noise, float32 [B, height, row], grey levels.

    Each row of a picture takes a row of one field; where the first lies and how far apart they
    are is drawn, and how strong the noise is, and its sign. `draws` are float32 [B, 3], -1 to 1.
    """
    field = np.random.default_rng(0).standard_normal((_NOISE_ROWS, row), np.float32)
    start, apart = tf.unstack(tf.cast((draws[:, :2] + 1) * (_NOISE_ROWS / 2), tf.int32), axis=1)
    # An odd distance meets no row twice.
    places = start[:, tf.newaxis] + (apart[:, tf.newaxis] | 1) * np.arange(height)
    rows = tf.gather(tf.constant(field), places % _NOISE_ROWS)
    deviations = draws[:, 2] * (augmentation.noise * augmentation.photometric_strength)
    return rows * deviations[:, tf.newaxis, tf.newaxis]
