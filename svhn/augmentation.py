"""The random twin of `svhn.preprocessing.crop`, for training.

Every number that is drawn comes from the key alone, so a photo and a key give the same picture
whatever the order, the parallelism or the batch. The order of the steps is that of their cost:
the photo's own pixels under the crop and no others, once through the geometry, and all the rest
on the 54×54 pixels that remain.
"""

import math

import numpy as np
import tensorflow as tf

from svhn import preprocessing
from svhn.augmentation_config import Augmentation
from svhn.preprocessing import CROP_SIZE, INPUT_SIZE, MARGIN

_LARGEST_CUT = 0.12
"""No patch cuts more than this fraction off the first or the last digit, nor off the height: the
label must stay true."""

_LARGEST_STEP = 1.5
"""Photo pixels from one input pixel to the next; a finer photo is reduced first, lest it alias."""

_NOISE_SIZE = 128
"""Height and width of the field of noise of which each picture gets a random part, pixels."""

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def random_crop(
    photo: tf.Tensor, digit_boxes: tf.Tensor, key: tf.Tensor, augmentation: Augmentation
) -> tf.Tensor:
    """Returns what the network might have seen of the same number on another day.

    The photo is turned and slanted about the number, the box is drawn anew around the digits as
    they then lie, jittered, and a patch of it taken; then come blur, saturation, colour cast,
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
    photo = tf.convert_to_tensor(photo)
    # The raw op costs a tenth of tf.random.stateless_uniform, and it is Philox on every device.
    draws = tf.raw_ops.StatelessRandomUniform(shape=[18], seed=key) * 2 - 1
    picture = _random_view(photo, digit_boxes, draws[:8], augmentation)
    picture = _blurred(picture, draws[8], augmentation)
    picture = _recoloured(picture, draws[9:15], augmentation)
    picture += _noise(draws[15:18], augmentation)
    return preprocessing.standardise(tf.clip_by_value(picture, 0.0, 255.0))


def _random_view(
    photo: tf.Tensor, digit_boxes: tf.Tensor, draws: tf.Tensor, augmentation: Augmentation
) -> tf.Tensor:
    """Returns the number turned, slanted and jittered: float32 [54, 54, 3], grey levels.

    `draws` are float32 [8], from -1 to 1.
    """
    strength = augmentation.strength
    patch_offset = augmentation.patch_offset * (1 + MARGIN) / CROP_SIZE
    limits = np.array(
        [
            math.radians(augmentation.rotation),
            augmentation.shear,
            augmentation.scale,
            augmentation.aspect / 2,
            *[patch_offset] * 2,
            *[augmentation.shift] * 2,
        ],
        np.float32,
    )
    draws = draws * (limits * strength)
    angle, slant, zoom, widening = tf.unstack(draws[:4])
    cosine, sine = tf.cos(angle), tf.sin(angle)
    # From the turned photo to the photo: a rotation after a shear; its determinant is 1.
    xx, xy, yx, yy = cosine, cosine * slant - sine, sine, sine * slant + cosine
    turn = tf.stack([[xx, xy], [yx, yy]])
    turn_back = tf.stack([[yy, -xy], [-yx, xx]])

    halves = digit_boxes[:, 2:] * 0.5
    centres = digit_boxes[:, :2] + halves
    pivot = tf.reduce_mean(centres, axis=0)
    # Where the digits lie in the turned photo, relative to the pivot. A digit fills about the
    # ellipse in its box, so the box around the turned ellipse is the turned digit's.
    centres = _turned(centres - pivot, turn_back)
    halves = tf.sqrt(_turned(halves * halves, turn_back * turn_back))
    start = tf.reduce_min(centres - halves, axis=0)
    end = tf.reduce_max(centres + halves, axis=0)
    size = tf.maximum(end - start, 1.0)
    digit_size = size / tf.stack([tf.cast(tf.shape(digit_boxes)[0], tf.float32), 1.0])

    patch = size * tf.exp(tf.stack([zoom + widening, zoom - widening]))
    patch *= (1 + MARGIN) * INPUT_SIZE / CROP_SIZE
    centre = (start + end) * 0.5 + size * draws[4:6] + digit_size * draws[6:8]
    patch_start = tf.minimum(centre - patch * 0.5, start + digit_size * _LARGEST_CUT)
    patch_end = tf.maximum(centre + patch * 0.5, end - digit_size * _LARGEST_CUT)

    step = (patch_end - patch_start) * (1 / INPUT_SIZE)
    origin = pivot + _turned(patch_start + step * 0.5, turn)
    return _warped(photo, turn * step, origin)


def _turned(points: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """Returns the points [..., 2], each multiplied by the matrix [2, 2]."""
    return tf.reduce_sum(points[..., tf.newaxis, :] * matrix, axis=-1)


def _warped(photo: tf.Tensor, to_photo: tf.Tensor, origin: tf.Tensor) -> tf.Tensor:
    """Returns the patch of a photo under an affine map; beyond the photo its edge is repeated.

    Args:
        photo: uint8 [H, W, 3].
        to_photo: float32 [2, 2]: steps (x, y) in the photo for a step (x, y) in the patch.
        origin: float32 [2]: where the centre of the patch's first pixel lies in the photo.

    Returns:
        float32 [54, 54, 3], grey levels.
    """
    corner = to_photo * (INPUT_SIZE - 1.0)
    low = origin + tf.reduce_sum(tf.minimum(corner, 0.0), axis=1)
    high = origin + tf.reduce_sum(tf.maximum(corner, 0.0), axis=1)
    # A slice with a negative step would do, but the graph optimizer prints an error about it.
    photo_size = tf.cast(tf.gather(tf.shape(photo), [1, 0]), tf.float32)  # width, height
    step = tf.linalg.diag_part(to_photo)
    reach = tf.maximum(step, 1.0)
    first = tf.clip_by_value(tf.floor(low - reach), 0.0, photo_size - 1)
    last = tf.clip_by_value(tf.math.ceil(high + reach), first + 1, photo_size)
    length = last - first
    left, top, width, height = tf.unstack(tf.cast(tf.concat([first, length], axis=0), tf.int32))
    pixels = photo[top : top + height, left : left + width]

    # Averages over areas do not alias, at a third of the cost of a triangle kernel.
    is_fine = tf.reduce_any(step > _LARGEST_STEP)
    reduced_length = tf.where(is_fine, tf.math.ceil(length * tf.minimum(1 / step, 1.0)), length)
    reduction = reduced_length / length
    width, height = tf.unstack(tf.cast(reduced_length, tf.int32))
    reduced = tf.raw_ops.ResizeArea(images=pixels[tf.newaxis], size=[height, width])
    matrix = to_photo * reduction[:, tf.newaxis]
    start = (origin - first) * reduction - 0.5
    affine = tf.concat([matrix, start[:, tf.newaxis]], axis=1)
    picture = tf.raw_ops.ImageProjectiveTransformV3(
        images=reduced,
        transforms=tf.pad(tf.reshape(affine, [1, 6]), [[0, 0], [0, 2]]),
        output_shape=[INPUT_SIZE, INPUT_SIZE],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )
    return tf.ensure_shape(picture[0], [INPUT_SIZE, INPUT_SIZE, 3])


def _blurred(picture: tf.Tensor, draw: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Returns the picture under a Gaussian of five taps for each axis.

    Sums of shifted pictures: for so small a picture that is half the cost of a product with a
    band matrix, and a tenth of a convolution's.
    """
    deviation = tf.abs(draw) * (augmentation.blur * augmentation.strength) + 0.05
    near, far = tf.exp(-0.5 / deviation**2), tf.exp(-2.0 / deviation**2)
    middle = 1 / (1 + 2 * near + 2 * far)
    near, far = near * middle, far * middle
    # Rows of pixels times channels: the neighbour in the row is three numbers away.
    flat = tf.reshape(picture, [INPUT_SIZE, INPUT_SIZE * 3])
    first, last = flat[:1], flat[-1:]
    wide = tf.concat([first, first, flat, last, last], axis=0)
    flat = flat * middle + (wide[1:-3] + wide[3:-1]) * near + (wide[:-4] + wide[4:]) * far
    first, last = flat[:, :3], flat[:, -3:]
    wide = tf.concat([first, first, flat, last, last], axis=1)
    neighbours = wide[:, 3:-9] + wide[:, 9:-3]
    flat = flat * middle + neighbours * near + (wide[:, :-12] + wide[:, 12:]) * far
    return tf.reshape(flat, [INPUT_SIZE, INPUT_SIZE, 3])


def _recoloured(picture: tf.Tensor, draws: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Returns the picture with another saturation, cast, contrast and brightness.

    All four are one matrix and one offset. What then leaves 0 to 255 is clipped, as in a photo,
    or the standardisation would undo the last two. `draws` are float32 [6], from -1 to 1.
    """
    strength = augmentation.strength
    saturation = 1 + draws[0] * min(augmentation.saturation * strength, 1.0)
    contrast = tf.exp(draws[1] * (augmentation.contrast * strength))
    gain = (1 + draws[2:5] * (augmentation.colour_cast * strength)) * contrast
    grey = np.repeat(_LUMINANCE[:, np.newaxis], 3, axis=1)
    matrix = (saturation * (np.eye(3, dtype=np.float32) - grey) + grey) * gain
    pixels = tf.matmul(tf.reshape(picture, [INPUT_SIZE**2, 3]), matrix)
    # About the picture's own mean, and less where there is less room to black or white: a dark
    # photo must not become black, as its number would be gone.
    contrasted_mean = tf.reduce_mean(pixels)
    mean = contrasted_mean / contrast
    room = tf.maximum(tf.minimum(mean, 255.0 - mean), 0.0)
    brightened = mean + room * draws[5] * (augmentation.brightness * strength)
    return tf.reshape(pixels + (brightened - contrasted_mean), [INPUT_SIZE, INPUT_SIZE, 3])


def _noise(draws: tf.Tensor, augmentation: Augmentation) -> tf.Tensor:
    """Returns float32 [54, 54, 3], grey levels: a random part of a field of Gaussian noise.

    To draw as many numbers anew would cost as much as to decode a photo. `draws` are float32
    [3], from -1 to 1.
    """
    field = np.random.default_rng(0).standard_normal((_NOISE_SIZE, _NOISE_SIZE, 3), np.float32)
    places = (_NOISE_SIZE - INPUT_SIZE) / 2
    y, x = tf.unstack(tf.cast((draws[:2] + 1) * places, tf.int32))
    part = tf.slice(tf.constant(field), tf.stack([y, x, 0]), [INPUT_SIZE, INPUT_SIZE, 3])
    return part * (draws[2] * (augmentation.noise * augmentation.strength))
