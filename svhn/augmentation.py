"""The random twin of `svhn.preprocessing.crop`, for training.

Every number that is drawn comes from the key alone, so a photo and a key give the same picture
whatever the order, the parallelism or the batch.
"""

import math

import tensorflow as tf

from svhn import preprocessing
from svhn.augmentation_config import Augmentation
from svhn.preprocessing import CROP_SIZE, INPUT_SIZE, MARGIN

_LARGEST_CUT = 0.2
"""No patch cuts more than this fraction off the first or the last digit, nor off the height: the
label must stay true."""

_OVERSAMPLING = 1.25
"""Resolution to which a large photo is reduced before it is turned, in input pixels' terms."""

_LUMINANCE = (0.299, 0.587, 0.114)


def random_crop(
    photo: tf.Tensor, digit_boxes: tf.Tensor, key: tf.Tensor, augmentation: Augmentation
) -> tf.Tensor:
    """Returns what the network might have seen of the same number on another day.

    The photo is turned and slanted about the number, the box is drawn anew around the digits as
    they then lie, jittered, and a patch of it taken; then come loss of resolution, blur, colour,
    contrast, brightness and noise; at last the standardisation of `crop`.

    Args:
        photo: uint8 [H, W, 3], RGB.
        digit_boxes: float32 [N, 4], N ≥ 1: left, top, width, height of each digit, pixels.
        key: int64 [2]; all that is random follows from it.
        augmentation: How far the changes go. At strength 0 the picture is `crop`'s.

    Returns:
        float32 [54, 54, 3], mean 0.
    """
    if augmentation.strength == 0:
        return preprocessing.crop(photo, preprocessing.tight_box(digit_boxes))
    draws = iter(tf.unstack(tf.random.stateless_uniform([18], key, -1.0, 1.0, alg="philox")))
    picture = _random_view(photo, digit_boxes, draws, augmentation)
    picture = _blurred(picture, draws, augmentation)
    picture = _recoloured(picture, draws, augmentation)
    picture += _noise(key, draws, augmentation)
    return preprocessing.standardise(tf.clip_by_value(picture, 0.0, 255.0))


def _random_view(photo, digit_boxes, draws, augmentation) -> tf.Tensor:
    """Returns float32 [54, 54, 3], grey levels: the number, turned, slanted and jittered."""
    strength = augmentation.strength
    angle = next(draws) * math.radians(augmentation.rotation * strength)
    slant = next(draws) * (augmentation.shear * strength)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    # From the turned photo to the photo: a rotation after a shear; its determinant is 1.
    turn = [[cosine, cosine * slant - sine], [sine, sine * slant + cosine]]
    turn_back = tf.stack([[turn[1][1], -turn[0][1]], [-turn[1][0], turn[0][0]]])
    turn = tf.stack(turn)

    halves = digit_boxes[:, 2:] * 0.5
    centres = digit_boxes[:, :2] + halves
    pivot = (tf.reduce_min(centres, axis=0) + tf.reduce_max(centres, axis=0)) * 0.5
    # Where the digits lie in the turned photo, relative to the pivot. A digit fills about the
    # ellipse in its box, so the box around the turned ellipse is the turned digit's.
    centres = tf.matmul(centres - pivot, turn_back, transpose_b=True)
    halves = tf.sqrt(tf.matmul(halves * halves, turn_back * turn_back, transpose_b=True))
    start = tf.reduce_min(centres - halves, axis=0)
    end = tf.reduce_max(centres + halves, axis=0)
    size = tf.maximum(end - start, 1.0)

    zoom = next(draws) * (augmentation.scale * strength)
    widening = next(draws) * (augmentation.aspect * strength * 0.5)
    patch = (
        size * (INPUT_SIZE / CROP_SIZE * (1 + MARGIN)) * tf.exp([zoom + widening, zoom - widening])
    )
    digit_size = size / tf.stack([tf.cast(tf.shape(digit_boxes)[0], tf.float32), 1.0])
    offset = tf.stack([next(draws), next(draws)]) * (
        augmentation.patch_offset * strength * (1 + MARGIN) / CROP_SIZE
    )
    shift = tf.stack([next(draws), next(draws)]) * (augmentation.shift * strength)
    centre = (start + end) * 0.5 + size * offset + digit_size * shift
    patch_start = tf.minimum(centre - patch * 0.5, start + digit_size * _LARGEST_CUT)
    patch_end = tf.maximum(centre + patch * 0.5, end - digit_size * _LARGEST_CUT)

    step = (patch_end - patch_start) * (1 / INPUT_SIZE)
    # Photo pixel = to_photo · output pixel + origin, both counted from pixel centres.
    to_photo = turn * step
    origin = pivot + tf.linalg.matvec(turn, patch_start + step * 0.5)
    resolution = 1 - tf.abs(next(draws)) * (augmentation.resolution_loss * strength)
    return _warped(photo, to_photo, origin, resolution)


def _warped(photo, to_photo, origin, resolution) -> tf.Tensor:
    """Returns the patch of a photo under an affine map, sampled without aliasing.

    Args:
        photo: uint8 [H, W, 3].
        to_photo: float32 [2, 2]: steps (x, y) in the photo for a step (x, y) in the patch.
        origin: float32 [2]: where the centre of the patch's first pixel lies in the photo.
        resolution: float32 scalar: how fine the photo may stay, 1 is the patch's resolution.
    """
    photo_size = tf.reverse(tf.shape(photo)[:2], [0])  # width, height
    corners = INPUT_SIZE - 1.0
    low = origin + tf.reduce_sum(tf.minimum(to_photo * corners, 0.0), axis=1)
    high = origin + tf.reduce_sum(tf.maximum(to_photo * corners, 0.0), axis=1)
    step = tf.linalg.diag_part(to_photo)
    reach = tf.maximum(step, 1.0) + 1.0
    limit = tf.cast(photo_size, tf.float32)
    first = tf.cast(tf.clip_by_value(tf.floor(low - reach), 0.0, limit - 1), tf.int32)
    last = tf.cast(tf.clip_by_value(tf.math.ceil(high + reach), 1.0, limit), tf.int32)
    length = tf.maximum(last - first, 1)
    pixels = photo[first[1] : first[1] + length[1], first[0] : first[0] + length[0]]

    reduction = tf.minimum(resolution * _OVERSAMPLING / step, 1.0)
    length = tf.cast(length, tf.float32)
    reduced_length = tf.math.ceil(length * reduction)
    reduction = reduced_length / length
    reduced = tf.raw_ops.ScaleAndTranslate(
        images=pixels[tf.newaxis],
        size=tf.cast(tf.reverse(reduced_length, [0]), tf.int32),
        scale=tf.reverse(reduction, [0]),
        translation=[0.0, 0.0],
        kernel_type="triangle",
        antialias=True,
    )
    matrix = to_photo * reduction[:, tf.newaxis]
    start = (origin - tf.cast(first, tf.float32)) * reduction - 0.5
    affine = tf.reshape(tf.concat([matrix, start[:, tf.newaxis]], axis=1), [6])
    picture = tf.raw_ops.ImageProjectiveTransformV3(
        images=reduced,
        transforms=tf.concat([affine, [0.0, 0.0]], axis=0)[tf.newaxis],
        output_shape=[INPUT_SIZE, INPUT_SIZE],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )[0]
    return tf.ensure_shape(picture, [INPUT_SIZE, INPUT_SIZE, 3])


def _blurred(picture, draws, augmentation) -> tf.Tensor:
    """Returns the picture under a Gaussian: two multiplications by a band matrix."""
    deviation = tf.abs(next(draws)) * (augmentation.blur * augmentation.strength) + 0.1
    position = tf.range(INPUT_SIZE, dtype=tf.float32)
    distance = (position[:, tf.newaxis] - position) / deviation
    weights = tf.exp(distance * distance * -0.5)
    weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
    rows = tf.matmul(weights, tf.reshape(picture, [INPUT_SIZE, INPUT_SIZE * 3]))
    columns = tf.transpose(tf.reshape(rows, [INPUT_SIZE, INPUT_SIZE, 3]), [1, 0, 2])
    columns = tf.matmul(weights, tf.reshape(columns, [INPUT_SIZE, INPUT_SIZE * 3]))
    return tf.transpose(tf.reshape(columns, [INPUT_SIZE, INPUT_SIZE, 3]), [1, 0, 2])


def _recoloured(picture, draws, augmentation) -> tf.Tensor:
    """Returns the picture with other saturation, cast, contrast and brightness."""
    strength = augmentation.strength
    saturation = 1 + next(draws) * min(augmentation.saturation * strength, 1.0)
    cast = 1 + tf.stack([next(draws) for _ in range(3)]) * (augmentation.colour_cast * strength)
    contrast = tf.exp(next(draws) * (augmentation.contrast * strength))
    brightness = next(draws) * (augmentation.brightness * strength)
    grey = tf.constant(_LUMINANCE)[:, tf.newaxis]
    matrix = (saturation * tf.eye(3) + (1 - saturation) * grey) * cast * contrast
    offset = 127.5 * (1 - contrast) + brightness
    return tf.reshape(tf.matmul(tf.reshape(picture, [-1, 3]), matrix), picture.shape) + offset


def _noise(key, draws, augmentation) -> tf.Tensor:
    """Returns float32 [54, 54, 3], grey levels around 0."""
    deviation = tf.abs(next(draws)) * (augmentation.noise * augmentation.strength)
    shape = [INPUT_SIZE, INPUT_SIZE, 3]
    return (
        tf.random.stateless_normal(shape, key + tf.constant([0, 1], tf.int64), alg="philox")
        * deviation
    )
