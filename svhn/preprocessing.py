"""The one way from a photo and a box to what the network sees.

Evaluation, inference and an exported model all call `crop`, so the same photo and box give the
same picture, bit for bit, wherever they meet (`svhn.augmentation.random_crop` is its random twin
for training). Three choices keep it so. The place to sample is a multiple of 1/1024 pixel, worked
out in float64, where such sums are exact and no graph optimizer can change them. The resizing
kernel runs in one thread. The mean and the deviation are sums of float64 numbers that are exact
too, so that no order of summation, and no number of threads, changes a bit.
"""

import tensorflow as tf

from svhn.picture_size import PAPER_SIZE, PictureSize

PATCH_SHARE = 54 / 64
"""Of the grown box's width and height, what the network sees: the paper resizes it to 64×64 pixels
and takes a patch of 54×54 (Goodfellow et al. 2013, section 4)."""

MARGIN = 0.3
"""How much wider and higher than the digits the crop is, as a fraction (paper, section 4)."""

MINIMUM_DEVIATION = 4.0
"""Grey levels: pictures flatter than this are not stretched further, lest noise become digits."""

_STEPS_IN_A_LEVEL = 256.0
"""Steps to which a grey level is rounded before its picture's mean and deviation are taken."""

_STEPS_IN_A_PIXEL = 1024.0
"""Steps to which the place of a crop in its photo is rounded."""


def crop(photo: tf.Tensor, box: tf.Tensor, size: PictureSize = PAPER_SIZE) -> tf.Tensor:
    """Returns the network's input for the number within a box: the same bits everywhere.

    The box grown by `MARGIN`, its centre patch (`PATCH_SHARE`), resized with anti-aliasing (the
    aspect ratio is not kept) and standardised (`standardise`). Only the pixels under that patch are
    touched. Where the patch leaves the photo, the photo's edge is repeated.

    Args:
        photo: uint8 [H, W, 3], RGB, H and W at least 1.
        box: float32 [4]: left, top, width, height, pixels: the tight box around all digits.
            Sides shorter than a pixel count as one; a box that reaches further beyond the photo
            than the photo's own size is clipped there.
        size: Of the network's pictures (`svhn.picture_size.picture_size`).

    Returns:
        float32 [height, width, 3], mean 0, finite.
    """
    left, top, width, height = tf.unstack(tf.cast(box, tf.float64))
    photo_size = tf.shape(photo)
    rows, scale_y, shift_y = _sampled_pixels(top, height, photo_size[0], size.height)
    columns, scale_x, shift_x = _sampled_pixels(left, width, photo_size[1], size.width)
    pixels = tf.gather(tf.gather(photo, rows, axis=0), columns, axis=1)
    # Unlike tf.image.resize, this op takes a fractional position; its loops run in one thread.
    picture = tf.raw_ops.ScaleAndTranslate(
        images=pixels[tf.newaxis],
        size=size,
        scale=tf.stack([scale_y, scale_x]),
        translation=tf.stack([shift_y, shift_x]),
        kernel_type="triangle",
        antialias=True,
    )[0]
    return standardise(tf.ensure_shape(picture, [*size, 3]))


def standardise(picture: tf.Tensor) -> tf.Tensor:
    """Returns the picture less its mean, divided by its standard deviation.

    The paper subtracts each image's mean; the division makes photos in shade and in sun alike. A
    deviation below `MINIMUM_DEVIATION` counts as that. Grey levels are first rounded to steps of
    1/256: so every partial sum is exact, and no order of summation changes a bit of the result.

    Args:
        picture: float32 [..., height, width, channels], grey levels 0 to 255; the mean and the
            deviation are taken over the last three axes.

    Returns:
        float32 of the same shape.
    """
    levels = tf.cast(tf.round(picture * _STEPS_IN_A_LEVEL), tf.float64)
    count = tf.cast(tf.reduce_prod(tf.shape(picture)[-3:]), tf.float64)
    axes = [-3, -2, -1]
    mean = tf.reduce_sum(levels, axes, keepdims=True) / count
    mean_square = tf.reduce_sum(levels * levels, axes, keepdims=True) / count
    variance = tf.maximum(mean_square - mean * mean, (MINIMUM_DEVIATION * _STEPS_IN_A_LEVEL) ** 2)
    # A root and a division are rounded alike on every path; a reciprocal root is not.
    return tf.cast((levels - mean) / tf.sqrt(variance), tf.float32)


def tight_box(digit_boxes: tf.Tensor) -> tf.Tensor:
    """Returns the tight box around all digits: `svhn.geometry.union_box` in the graph.

    Args:
        digit_boxes: float32 [N, 4], N ≥ 1: left, top, width, height, pixels.

    Returns:
        float32 [4], the same bits as `union_box` gives.
    """
    boxes = tf.cast(digit_boxes, tf.float64)
    left_top = tf.reduce_min(boxes[:, :2], axis=0)
    right_bottom = tf.reduce_max(boxes[:, :2] + boxes[:, 2:], axis=0)
    return tf.cast(tf.concat([left_top, right_bottom - left_top], axis=0), tf.float32)


def _sampled_pixels(
    start: tf.Tensor, length: tf.Tensor, photo_length: tf.Tensor, input_length: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns which rows (or columns) of the photo the crop needs, and how to sample them.

    Args:
        start: float64 scalar: where the box starts on this axis, pixels.
        length: float64 scalar: how long it is.
        photo_length: int32 scalar: how long the photo is.
        input_length: How long the network's picture is.

    Returns:
        int32 [n] indices in the photo, its edge repeated; float32 scalars: input pixels per photo
        pixel, and where the first index starts in the input, pixels.
    """
    limit = tf.cast(photo_length, tf.float64)
    centre = start + length * 0.5
    half = tf.maximum(length, 1.0) * ((1 + MARGIN) * PATCH_SHARE / 2)
    half, centre = _rounded(half), _rounded(centre)
    patch_start = tf.clip_by_value(centre - half, -limit, 2 * limit - 1)
    patch_end = tf.clip_by_value(centre + half, 1 - limit, 2 * limit)
    patch_length = patch_end - patch_start
    scale = input_length / patch_length
    # The triangle kernel reaches one input pixel, or one photo pixel where it enlarges.
    reach = tf.maximum(patch_length * (1 / input_length), 1.0)
    first = tf.floor(patch_start - reach)
    last = tf.math.ceil(patch_end + reach)
    indices = tf.range(tf.cast(first, tf.int32), tf.cast(last, tf.int32))
    return (
        tf.clip_by_value(indices, 0, photo_length - 1),
        tf.cast(scale, tf.float32),
        tf.cast((first - patch_start) * scale, tf.float32),
    )


def _rounded(coordinate: tf.Tensor) -> tf.Tensor:
    return tf.round(coordinate * _STEPS_IN_A_PIXEL) * (1 / _STEPS_IN_A_PIXEL)
