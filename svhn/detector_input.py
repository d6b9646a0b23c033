"""The one way from a photo to what the detector sees, for evaluation and inference alike.

`svhn.random_window` is its random twin for training.
"""

import tensorflow as tf

SIZE_MULTIPLE = 32
"""Height and width of the detector's pictures are multiples of this many pixels."""

PADDING_LEVEL = 127.5
"""The grey level beyond the edge of a photo. The detector turns it into 0, as its convolutions see
beyond the edge of a picture."""

WORKING_SIZE = 256
"""By default photos are resized so that their longer side has as many pixels."""


def detector_input(
    photo: tf.Tensor, longer_side: int | tf.Tensor = WORKING_SIZE
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the picture of a photo, resized with anti-aliasing and padded.

    The photo lies in the picture's upper left corner; to its right and below there is grey up to
    the next multiple of `SIZE_MULTIPLE`.

    Args:
        photo: uint8 [H, W, 3], RGB, H and W at least 1.
        longer_side: The longer side of the resized photo, pixels, an integer or a float64 scalar.
            Smaller photos are enlarged.

    Returns:
        The picture, float32 [height, width, 3], grey levels 0 to 255; and the scale, float32 [2]:
        pixels of the picture for a pixel of the photo, along x and along y (rounding to whole
        pixels makes them differ a little).
    """
    old_size = tf.cast(tf.shape(photo)[:2], tf.float64)
    new_size = tf.round(old_size * (longer_side / tf.reduce_max(old_size)))
    new_size = tf.maximum(tf.cast(new_size, tf.int32), 1)
    # Resizing to the same size would take longest, and change nothing.
    picture = tf.cond(
        tf.reduce_all(new_size == tf.shape(photo)[:2]),
        lambda: tf.cast(photo, tf.float32),
        lambda: tf.image.resize(photo, new_size, antialias=True),
    )
    below, right = tf.unstack(-new_size % SIZE_MULTIPLE)
    picture = tf.pad(picture, [[0, below], [0, right], [0, 0]], constant_values=PADDING_LEVEL)
    scale = tf.cast(tf.cast(new_size, tf.float64) / old_size, tf.float32)
    return tf.ensure_shape(picture, [None, None, 3]), tf.reverse(scale, [0])
