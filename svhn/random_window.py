"""The random twin of `svhn.detector_input`: windows of photos, for training the detector.

Every number that is drawn comes from the key alone, and each photo is worked on by itself, so that
a photo and a key give the same window whatever the order, the parallelism or the batch.
"""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from svhn.detector_input import PADDING_LEVEL
from svhn.stateless_draws import uniform_draws
from svhn.window_config import IGNORED, MOST_DIGITS, NO_LABEL, NUMBER, WindowConfig

DRAWS = 12
"""Random numbers that a window takes."""

KEPT_SHARE = 0.75
"""A digit that is visible to this share of its area is still that digit."""

IGNORED_SHARE = 0.15
"""A digit that is visible to less is gone."""

NUMBER_KEPT_SHARE = 0.9
"""A number that is visible to this share of its area is seen as a whole."""

_SMALLEST_KEPT = 0.75
"""Digits less high than this share of the smallest that is aimed at are ignored."""

_LARGEST_STEP = 1.5
"""Photo pixels from one pixel of the window to the next; a finer photo is reduced first, lest it
alias."""

SHORTEST_STRIP = 8.0
"""Pixels. Narrower parts of a photo don't make a window without digits."""

_STRIP_MARGIN = 0.1
"""How far such parts stay away from the number, as a fraction of a digit's height."""


class Window(NamedTuple):
    """A window of a photo, and the digits in it."""

    picture: tf.Tensor
    """float32 [size, size, 3], grey levels."""

    is_photo: tf.Tensor
    """float32 [size, size, 1]: 1 where the photo is, 0 beyond its edge."""

    digit_labels: tf.Tensor
    """int32 [MOST_DIGITS]: 0 to 9, `IGNORED`, or `NO_LABEL` for a place without a digit."""

    digit_boxes: tf.Tensor
    """float32 [MOST_DIGITS, 4]: left, top, width, height in pixels of the window, cut off at its
    edges; 0 for a place without a digit."""

    number_labels: tf.Tensor
    """int32 [N], a place for each photo that may show its number: `NUMBER` where all of it is to be
    seen, `IGNORED` where a part is, else `NO_LABEL`."""

    number_boxes: tf.Tensor
    """float32 [N, 4]: likewise, around the number's digits, cut off at the window's edges."""


def random_window(
    photo: tf.Tensor,
    digit_labels: tf.Tensor,
    digit_boxes: tf.Tensor,
    key: tf.Tensor,
    config: WindowConfig,
) -> Window:
    """Returns a window of a photo that is turned, slanted and scaled at random.

    Most windows show the number, or as much of it as fits; some a part of the photo beside it. A
    photo without a digit gives windows from anywhere.

    Args:
        photo: uint8 [H, W, 3], RGB.
        digit_labels: int [N], 0 to 9; N may be 0.
        digit_boxes: float32 [N, 4]: left, top, width, height of each digit, pixels.
        key: int64 [2]; all that is random follows from it.
        config: What windows there are.
    """
    draws = tf.unstack(uniform_draws(key[tf.newaxis], DRAWS)[0])
    turn, turn_back = _turns(draws[0] * math.radians(config.rotation), draws[1] * config.shear)
    region, subject, height, has_digits = _subject(
        digit_boxes, tf.cast(tf.shape(photo)[1::-1], tf.float32), draws[2], config
    )
    region = _cut(region, subject, height, has_digits, tf.stack(draws[7:]), config)
    scale = _scale(height, draws[3], draws[4], config)
    pivot = (subject[:2] + subject[2:]) * 0.5

    # From here on in pixels of the window, about the pivot.
    region_bounds, subject_bounds = (
        (edges - tf.tile(pivot, [2])) * tf.tile(scale, [2]) for edges in (region, subject)
    )
    centres, halves = _turned(digit_boxes, pivot, turn_back, scale)
    starts, ends = centres - halves, centres + halves
    number_bounds = tf.concat([tf.reduce_min(starts, axis=0), tf.reduce_max(ends, axis=0)], axis=0)
    bounds = tf.where(has_digits, number_bounds, subject_bounds)
    corner = _corner(bounds, region_bounds, tf.stack(draws[5:7]), config)
    labels, boxes = _visible_digits(
        tf.where(has_digits, tf.cast(digit_labels, tf.int32), NO_LABEL),
        centres - corner,
        halves,
        config,
    )
    numbers = _visible_number(number_bounds - tf.tile(corner, [2]), labels, has_digits, config)
    to_photo = turn / scale
    origin = pivot + tf.linalg.matvec(to_photo, corner + 0.5)
    picture, is_photo = look_up(photo, region, to_photo, origin, config.size)
    return Window(picture, is_photo, labels, boxes, *numbers)


def strip_beside_number(
    digit_boxes: tf.Tensor, photo_size: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the largest part of a photo left of, above, right of or below its number.

    Args:
        digit_boxes: float32 [N, 4]: left, top, width, height, pixels; without digits, the whole
            photo is that part.
        photo_size: float32 [2]: width and height, pixels.

    Returns:
        float32 [4]: left, top, right, bottom, pixels; and its shorter side, 0 if there is none.
    """
    start, end = _number_bounds(digit_boxes)
    margin = _mean_height(digit_boxes) * _STRIP_MARGIN
    left, top = tf.unstack(tf.clip_by_value(start - margin, 0.0, photo_size))
    right, bottom = tf.unstack(tf.clip_by_value(end + margin, 0.0, photo_size))
    width, height = tf.unstack(photo_size)
    none = tf.zeros([])
    strips = tf.stack(
        [
            [none, none, left, height],
            [none, none, width, top],
            [right, none, width, height],
            [none, bottom, width, height],
        ]
    )
    sides = strips[:, 2:] - strips[:, :2]
    largest = tf.argmax(tf.reduce_prod(sides, axis=1))
    return strips[largest], tf.reduce_min(sides[largest])


def look_up(
    photo: tf.Tensor, region: tf.Tensor, to_photo: tf.Tensor, origin: tf.Tensor, size: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the pixels of the window, grey beyond the region, and where the region is.

    Args:
        photo: uint8 [H, W, 3].
        region: float32 [4]: left, top, right, bottom, pixels.
        to_photo: float32 [2, 2]: steps (x, y) in the photo for a step (x, y) in the window.
        origin: float32 [2]: where the centre of the window's first pixel lies in the photo.
        size: Of the window, pixels.
    """
    steps = to_photo * (size - 1.0)
    reach = tf.maximum(tf.reduce_max(tf.abs(to_photo)), 1.0)
    low = origin + tf.reduce_sum(tf.minimum(steps, 0.0), axis=1) - reach
    high = origin + tf.reduce_sum(tf.maximum(steps, 0.0), axis=1) + reach
    region_start, region_end = tf.math.ceil(region[:2]), tf.floor(region[2:])
    first = tf.clip_by_value(tf.floor(low), region_start, region_end - 1)
    last = tf.clip_by_value(tf.math.ceil(high), first + 1, region_end)
    (left, top), (right, bottom) = (tf.unstack(tf.cast(edge, tf.int32)) for edge in (first, last))
    pixels = photo[top:bottom, left:right]

    step = tf.abs(tf.linalg.diag_part(to_photo))
    length = last - first
    is_fine = tf.reduce_any(step > _LARGEST_STEP)
    reduced_length = tf.where(is_fine, tf.math.ceil(length * tf.minimum(1 / step, 1.0)), length)

    def reduced() -> tf.Tensor:
        new_size = tf.reverse(tf.cast(reduced_length, tf.int32), [0])
        averages = tf.raw_ops.ResizeArea(images=pixels[tf.newaxis], size=new_size)[0]
        return tf.cast(tf.round(averages), tf.uint8)

    pixels = tf.cond(is_fine, reduced, lambda: pixels)
    reduction = reduced_length / length
    levels = _between_pixels(
        pixels, to_photo * reduction[:, tf.newaxis], (origin - first) * reduction, size
    )
    is_photo = levels[..., 3:] * (1 / 255)
    return levels[..., :3] + PADDING_LEVEL * (1 - is_photo), is_photo


def _between_pixels(
    pixels: tf.Tensor, to_pixels: tf.Tensor, origin: tf.Tensor, size: int
) -> tf.Tensor:
    """Returns the grey levels between pixels: float32 [size, size, 4], in steps of 1/256.

    The fourth channel is 255 where there are pixels. Beyond their edge all four fall to 0 within a
    pixel; only where they are not 0 is anything looked up. As in `svhn.random_view.look_up`, the
    four channels of a pixel are 16 bits each of one number, so that one look-up and one product
    serve them all.

    Args:
        pixels: uint8 [h, w, 3].
        to_pixels: float32 [2, 2]: steps (x, y) among them for a step (x, y) in the window.
        origin: float32 [2]: where the centre of the window's first pixel lies among them.
        size: Of the window, pixels.
    """
    pixels = tf.pad(pixels, [[0, 0], [0, 0], [0, 1]], constant_values=255)
    pixels = tf.pad(pixels, [[1, 1], [1, 1], [0, 0]])  # the edge from which they fall
    row_length = tf.shape(pixels)[1]
    # The centre of the first pixel within the edge is place 1.
    origin = origin + 0.5
    part = _part_with_pixels(tf.shape(pixels)[1::-1], to_pixels, origin, size)
    steps = tf.range(size, dtype=tf.float32)
    columns, rows = (steps[part[axis, 0] : part[axis, 1]] for axis in range(2))
    before, beyond = [], []
    for axis in range(2):
        last = tf.cast(tf.shape(pixels)[1 - axis] - 1, tf.float32)
        by_row = to_pixels[axis, 1] * rows + origin[axis]
        where = to_pixels[axis, 0] * columns + by_row[:, tf.newaxis]
        where = tf.clip_by_value(where, 0.0, last)
        floor = tf.minimum(tf.floor(where), last - 1)
        before.append(tf.cast(floor, tf.int32))
        beyond.append(tf.cast(tf.round((where - floor) * 256), tf.int32))
    places = before[1] * row_length + before[0]
    right, below = beyond
    both = tf.bitwise.right_shift(right * below, 8)
    numbers = tf.reshape(tf.bitcast(tf.cast(pixels, tf.uint16), tf.int64), [-1])
    weighted = [
        tf.gather(numbers, places + offset) * tf.cast(weight, tf.int64)
        for offset, weight in (
            (0, 256 - right - below + both),
            (1, right - both),
            (row_length, below - both),
            (row_length + 1, both),
        )
    ]
    levels = tf.cast(tf.bitcast(tf.add_n(weighted), tf.uint16), tf.float32) * (1 / 256)
    around = tf.stack([part[:, 0], size - part[:, 1]], axis=1)
    levels = tf.pad(levels, tf.concat([tf.reverse(around, [0]), [[0, 0]]], axis=0))
    return tf.ensure_shape(levels, [size, size, 4])


def _part_with_pixels(
    lengths: tf.Tensor, to_pixels: tf.Tensor, origin: tf.Tensor, size: int
) -> tf.Tensor:
    """Returns what part of the window has pixels, int32 [2, 2]: along x and y, from and below.

    Args:
        lengths: int32 [2]: how many pixels there are along x and y.
        to_pixels: As in `_between_pixels`.
        origin: Likewise, but as a place: 0 is the centre of the first pixel.
        size: Of the window, pixels.
    """
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    offsets = corners * tf.cast(lengths - 1, tf.float32) - origin
    (xx, xy), (yx, yy) = (tf.unstack(row) for row in tf.unstack(to_pixels))
    back = tf.stack([[yy, -xy], [-yx, xx]]) / (xx * yy - xy * yx)
    in_window = tf.linalg.matmul(offsets, back, transpose_b=True)
    low = tf.clip_by_value(tf.floor(tf.reduce_min(in_window, axis=0)), 0.0, size)
    high = tf.clip_by_value(tf.math.ceil(tf.reduce_max(in_window, axis=0)) + 1, low, size)
    return tf.cast(tf.stack([low, high], axis=1), tf.int32)


def in_places(
    labels: tf.Tensor, boxes: tf.Tensor, is_seen: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the digits that are seen, in as many places as a window has."""
    labels, boxes = (tf.boolean_mask(tensor, is_seen)[:MOST_DIGITS] for tensor in (labels, boxes))
    free = MOST_DIGITS - tf.shape(labels)[0]
    labels = tf.pad(labels, [[0, free]], constant_values=NO_LABEL)
    boxes = tf.pad(boxes, [[0, free], [0, 0]])
    return tf.ensure_shape(labels, [MOST_DIGITS]), tf.ensure_shape(boxes, [MOST_DIGITS, 4])


def no_numbers() -> tuple[tf.Tensor, tf.Tensor]:
    """Returns labels and boxes of a window that has no place for a number."""
    return tf.zeros([0], tf.int32), tf.zeros([0, 4])


def _turns(angle: tf.Tensor, slant: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the maps from the turned photo to the photo and back, float32 [2, 2] each.

    A rotation by an angle in radians, after a shear; the determinant is 1.
    """
    cosine, sine = tf.cos(angle), tf.sin(angle)
    xx, xy, yx, yy = cosine, cosine * slant - sine, sine, sine * slant + cosine
    return tf.stack([[xx, xy], [yx, yy]]), tf.stack([[yy, -xy], [-yx, xx]])


def _subject(
    digit_boxes: tf.Tensor, photo_size: tf.Tensor, draw: tf.Tensor, config: WindowConfig
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns what the window is to show.

    Returns:
        The region of the photo that may be seen and, within it, the subject to be placed in the
        window, float32 [4] each: left, top, right, bottom, pixels; the height of a digit in pixels,
        or of what takes its place; and whether the region has digits.
    """
    whole = tf.concat([tf.zeros(2), photo_size], axis=0)
    strip, shorter = strip_beside_number(digit_boxes, photo_size)
    start, end = _number_bounds(digit_boxes)
    is_empty = tf.shape(digit_boxes)[0] == 0
    wants_none = draw < config.negatives * 2 - 1
    is_beside = is_empty | (wants_none & (shorter >= SHORTEST_STRIP))
    return (
        tf.where(is_beside, strip, whole),
        tf.where(is_beside, strip, tf.concat([start, end], axis=0)),
        tf.maximum(tf.where(is_beside, shorter * 0.5, _mean_height(digit_boxes)), 1.0),
        ~is_beside,
    )


def _cut(
    region: tf.Tensor,
    number: tf.Tensor,
    height: tf.Tensor,
    has_digits: tf.Tensor,
    draws: tf.Tensor,
    config: WindowConfig,
) -> tf.Tensor:
    """Returns the region, in some windows cut close round the number; see `WindowConfig.tight`.

    Args:
        region: float32 [4]: left, top, right, bottom, pixels of the photo.
        number: Likewise.
        height: Of its digits, pixels.
        has_digits: Whether there is a number in the region.
        draws: float32 [5], -1 to 1.
        config: How often, and how close.
    """
    margins = (draws[1:] + 1) * (0.5 * config.tight_margin) * height
    cut = tf.concat(
        [
            tf.maximum(region[:2], number[:2] - margins[:2]),
            tf.minimum(region[2:], number[2:] + margins[2:]),
        ],
        axis=0,
    )
    return tf.where(has_digits & (draws[0] < config.tight * 2 - 1), cut, region)


def _number_bounds(digit_boxes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the upper left and the lower right corner, float32 [2]; infinite without digits."""
    starts, sizes = digit_boxes[:, :2], digit_boxes[:, 2:]
    return tf.reduce_min(starts, axis=0), tf.reduce_max(starts + sizes, axis=0)


def _mean_height(digit_boxes: tf.Tensor) -> tf.Tensor:
    """Returns the mean height of the digits in pixels; 0 without digits."""
    return tf.math.divide_no_nan(
        tf.reduce_sum(digit_boxes[:, 3]), tf.cast(tf.shape(digit_boxes)[0], tf.float32)
    )


def _scale(
    height: tf.Tensor, draw: tf.Tensor, aspect_draw: tf.Tensor, config: WindowConfig
) -> tf.Tensor:
    """Returns the pixels of the window for one of the photo, along x and y, float32 [2]."""
    largest = tf.minimum(height * config.largest_enlargement, config.largest_digit)
    octaves = tf.math.log(tf.maximum(largest / config.smallest_digit, 1.0))
    # Triangular: the middle of the range most often, its ends never.
    draw = tf.sign(draw) * (1 - tf.sqrt(1 - tf.abs(draw)))
    aimed_at = config.smallest_digit * tf.exp(octaves * (draw + 1) * 0.5)
    widening = aspect_draw * (config.aspect / 2)
    return aimed_at / height * tf.exp(tf.stack([widening, -widening]))


def _turned(
    digit_boxes: tf.Tensor, pivot: tf.Tensor, turn_back: tf.Tensor, scale: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the centres about the pivot and half the sizes of the turned digits' boxes."""
    halves = digit_boxes[:, 2:] * 0.5
    centres = digit_boxes[:, :2] + halves - pivot
    # A digit fills about the ellipse in its box, so the box around the turned ellipse is the
    # turned digit's.
    centres = tf.linalg.matmul(centres, turn_back, transpose_b=True)
    halves = tf.sqrt(tf.linalg.matmul(halves**2, turn_back**2, transpose_b=True))
    return centres * scale, halves * scale


def _corner(
    bounds: tf.Tensor, region: tf.Tensor, draws: tf.Tensor, config: WindowConfig
) -> tf.Tensor:
    """Returns where the window's upper left corner lies, float32 [2], given `bounds` and `region`
    as left, top, right, bottom.

    The subject lies somewhere in the window, or the window somewhere on the subject; and as far as
    the region goes, the window shows nothing else.
    """
    room = config.size - (bounds[2:] - bounds[:2])
    where = (draws * (1 + config.overhang) + 1) * 0.5
    corner = bounds[:2] - where * room
    start, end = region[:2], region[2:] - config.size
    return tf.clip_by_value(corner, tf.minimum(start, end), tf.maximum(start, end))


def _visible_digits(
    labels: tf.Tensor, centres: tf.Tensor, halves: tf.Tensor, config: WindowConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns labels and boxes of the digits as the window shows them; see `Window`."""
    start = tf.clip_by_value(centres - halves, 0.0, float(config.size))
    end = tf.clip_by_value(centres + halves, 0.0, float(config.size))
    areas = tf.reduce_prod(halves * 2, axis=1)
    visible = tf.reduce_prod(end - start, axis=1) / tf.maximum(areas, 1e-6)
    is_seen = (visible >= IGNORED_SHARE) & (labels != NO_LABEL)
    is_sure = (visible >= KEPT_SHARE) & (halves[:, 1] * 2 >= config.smallest_digit * _SMALLEST_KEPT)
    labels = tf.where(is_sure, labels, IGNORED)
    boxes = tf.concat([start, end - start], axis=1)
    return in_places(labels, boxes, is_seen)


def _visible_number(
    bounds: tf.Tensor, digit_labels: tf.Tensor, has_digits: tf.Tensor, config: WindowConfig
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns label and box of the number as the window shows it, int32 [1] and float32 [1, 4].

    Args:
        bounds: float32 [4]: left, top, right, bottom of all its digits, pixels of the window.
        digit_labels: int32 [MOST_DIGITS]: those that are seen, as `_visible_digits` returns them.
        has_digits: Whether there is a number.
        config: The window's size.
    """
    bounds = tf.where(has_digits, bounds, 0.0)
    start, end = (
        tf.clip_by_value(edge, 0.0, float(config.size)) for edge in (bounds[:2], bounds[2:])
    )
    lengths = tf.maximum(bounds[2:] - bounds[:2], 1e-6)
    visible = tf.reduce_prod((end - start) / lengths)
    is_cut = (visible < NUMBER_KEPT_SHARE) | tf.reduce_any(digit_labels == IGNORED)
    label = tf.where(is_cut, IGNORED, NUMBER)
    label = tf.where(has_digits & (visible >= IGNORED_SHARE), label, NO_LABEL)
    return label[tf.newaxis], tf.concat([start, end - start], axis=0)[tf.newaxis]
