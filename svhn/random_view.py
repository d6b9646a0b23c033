"""The geometry of training pictures: where in the photo each of their pixels is looked up.

In two steps: what to look up, for a batch of numbers without their photos (`plan_views`), and the
look-up in one photo (`look_up`).
"""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from svhn.augmentation_config import Augmentation
from svhn.picture_size import PAPER_SIZE, PictureSize
from svhn.preprocessing import MARGIN, PATCH_SHARE

DRAWS = 9
"""Random numbers that a view takes."""

_PAPERS_PIXELS = 64
"""Of the grown box, in which `Augmentation.patch_offset` is counted."""

_LARGEST_CUT = 0.12
"""No patch cuts more than this fraction off the first or the last digit, nor off the height: the
label must stay true."""

_WITH_ROOM = 1 / 3
"""The share of views that go on beyond an end of the number."""

_LARGEST_STEP = 1.5
"""Photo pixels from one input pixel to the next; a finer photo is reduced first, lest it alias."""


class ViewPlan(NamedTuple):
    """Where to look up the pixels of a picture; in a batch, each field has one more axis."""

    window: tf.Tensor
    """int32 [4]: left, top, width, height: what must be reduced, pixels of the photo."""

    reduced_size: tf.Tensor
    """int32 [2]: the width and height to which the window is reduced."""

    is_reduced: tf.Tensor
    """bool: Whether pixels are looked up in the reduced window; else it is in the photo itself."""

    neighbours: tf.Tensor
    """int32 [4, 1]: from a place to itself, the next right, below, and right and below."""

    places: tf.Tensor
    """int32 [height · width]: the place of each pixel's upper left neighbour in the photo or the
    reduced window: row times its width + column."""

    weights: tf.Tensor
    """uint16 [4, height · width]: what the neighbours count, 256 in all."""


def plan_views(
    digit_boxes: tf.Tensor,
    is_digit: tf.Tensor,
    photo_sizes: tf.Tensor,
    draws: tf.Tensor,
    augmentation: Augmentation,
    size: PictureSize = PAPER_SIZE,
) -> ViewPlan:
    """Returns how to see each number turned and slanted, its box drawn anew, jittered and cut.

    Args:
        digit_boxes: float32 [B, N, 4]: left, top, width, height of each digit, pixels.
        is_digit: bool [B, N]: False for padding; at least one is True for each number.
        photo_sizes: int64 or int32 [B, 2]: width and height, pixels.
        draws: float32 [B, 9], from -1 to 1.
        augmentation: How far the changes go.
        size: Of the network's pictures.

    Returns:
        The plan of each view, whose pixels lie on a grid of that size in the turned photo.
    """
    strength = augmentation.strength
    patch_offset = augmentation.patch_offset * (1 + MARGIN) / _PAPERS_PIXELS
    # A half angle's tangent gives sine and cosine by arithmetic alone (see `exponential`); up to
    # the angles that matter, it is uniform where the angle is.
    limits = strength * np.array(
        [
            math.tan(math.radians(augmentation.rotation) * strength / 2) / max(strength, 1e-9),
            augmentation.shear,
            augmentation.scale,
            augmentation.aspect / 2,
            *[patch_offset] * 2,
            *[augmentation.shift] * 2,
        ]
    )
    room_draw = draws[:, 8]
    draws = draws[:, :8] * limits.astype(np.float32)
    tangent, slant, zoom, widening = tf.unstack(draws[:, :4], axis=1)
    turn, turn_back = _turns(tangent, slant)
    pivot, start, end = _turned_bounds(digit_boxes, is_digit, turn_back)
    number_size = tf.maximum(end - start, 1.0)
    count = tf.reduce_sum(tf.cast(is_digit, tf.float32), axis=1)
    digit_size = number_size / tf.stack([count, tf.ones_like(count)], axis=1)

    patch = number_size * exponential(tf.stack([zoom + widening, zoom - widening], axis=1))
    patch *= (1 + MARGIN) * PATCH_SHARE
    # Differences, as the graph optimizer may reorder a sum of three, and with it the last bits.
    centre = (start + end) * 0.5 - number_size * draws[:, 4:6] - digit_size * draws[:, 6:8]
    patch_start = tf.minimum(centre - patch * 0.5, start + digit_size * _LARGEST_CUT)
    patch_end = tf.maximum(centre + patch * 0.5, end - digit_size * _LARGEST_CUT)
    room = _room(room_draw, digit_size, augmentation.room * strength)
    patch_start -= tf.where(room_draw[:, tf.newaxis] < 0, room, 0.0)
    patch_end += tf.where(room_draw[:, tf.newaxis] < 0, 0.0, room)

    step = (patch_end - patch_start) * _along_axes(1 / size.width, 1 / size.height)
    origin = pivot + _turned(patch_start + step * 0.5, turn)
    return _plan_lookups(turn * step[:, tf.newaxis], origin, tf.cast(photo_sizes, tf.float32), size)


def _room(draw: tf.Tensor, digit_size: tf.Tensor, largest: float) -> tf.Tensor:
    """Returns how far a view goes on beyond one end of the number: float32 [B, 2], 0 downwards.

    Args:
        draw: float32 [B], -1 to 1; its sign is the end's.
        digit_size: float32 [B, 2]: width and height of a digit, pixels.
        largest: In widths of a digit; of a narrow one, in halves of its height.
    """
    share = tf.maximum(tf.abs(draw) - (1 - _WITH_ROOM), 0.0) * (1 / _WITH_ROOM)
    width = share * largest * tf.maximum(digit_size[:, 0], digit_size[:, 1] * 0.5)
    return tf.stack([width, tf.zeros_like(width)], axis=1)


def look_up(photo: tf.Tensor, plan: ViewPlan) -> tf.Tensor:
    """Returns the picture that lies between the pixels of a photo.

    The four channels of a pixel are 16 bits each of one number: so one look-up and one product
    serve them all, and the weighted sum has eight bits before the point and eight behind.

    Args:
        photo: uint8 [H, W, 4]; four channels, as only so a pixel is one number.
        plan: The plan of one view, made for a photo of this size.

    Returns:
        uint16 [height · width, 4], 1/256 grey levels.
    """

    def reduced() -> tf.Tensor:
        # Averages over areas do not alias.
        left, top, width, height = tf.unstack(plan.window)
        pixels = photo[top : top + height, left : left + width]
        averages = tf.raw_ops.ResizeArea(
            images=pixels[tf.newaxis], size=tf.reverse(plan.reduced_size, [0])
        )
        return tf.cast(tf.round(averages[0]), tf.uint8)

    levels = tf.cond(plan.is_reduced, reduced, lambda: photo)
    pixels = tf.reshape(tf.bitcast(tf.cast(levels, tf.uint16), tf.int64), [-1])
    weights = tf.cast(plan.weights, tf.int64)
    weighted = tf.gather(pixels, plan.places + plan.neighbours) * weights
    return tf.bitcast(tf.reduce_sum(weighted, axis=0), tf.uint16)


def exponential(exponents: tf.Tensor) -> tf.Tensor:
    """Returns e to the power of small exponents (to 1e-5 up to 0.4), positive for all.

    Arithmetic alone: IEEE 754 fixes its bits. The library's vectorised functions may give other
    bits at the end of a tensor, so that a picture would depend on its place in the batch.
    """
    even, odd = 1 + exponents * exponents * (1 / 12), exponents * 0.5
    return (even + odd) / (even - odd)


def _turns(tangent: tf.Tensor, slant: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the maps from the turned photo to the photo and back: float32 [B, 2, 2] each.

    A rotation, given by the tangent of half its angle, after a shear; the determinant is 1.
    """
    square = tangent * tangent
    cosine, sine = (1 - square) / (1 + square), 2 * tangent / (1 + square)
    xx, xy, yx, yy = cosine, cosine * slant - sine, sine, sine * slant + cosine
    turn, turn_back = (
        tf.reshape(tf.stack(entries, axis=1), [-1, 2, 2])
        for entries in ([xx, xy, yx, yy], [yy, -xy, -yx, xx])
    )
    return turn, turn_back


def _turned_bounds(
    digit_boxes: tf.Tensor, is_digit: tf.Tensor, turn_back: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns about which point the photo turns, and the digits' bounds from there in the turned.

    All three are float32 [B, 2], pixels.
    """
    halves = digit_boxes[..., 2:] * 0.5
    centres = digit_boxes[..., :2] + halves
    start, end = _bounds(centres, halves, is_digit)
    pivot = (start + end) * 0.5
    # A digit fills about the ellipse in its box, so the box around the turned ellipse is the
    # turned digit's. The root of a float64 has the same bits everywhere.
    turn_back = turn_back[:, tf.newaxis]
    centres = _turned(centres - pivot[:, tf.newaxis], turn_back)
    squares = _turned(halves * halves, turn_back * turn_back)
    halves = tf.cast(tf.sqrt(tf.cast(squares, tf.float64)), tf.float32)
    return pivot, *_bounds(centres, halves, is_digit)


def _bounds(
    centres: tf.Tensor, halves: tf.Tensor, is_digit: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns where the digits start and where they end: float32 [B, 2] each."""
    is_digit = is_digit[..., tf.newaxis]
    start = tf.reduce_min(tf.where(is_digit, centres - halves, np.inf), axis=1)
    end = tf.reduce_max(tf.where(is_digit, centres + halves, -np.inf), axis=1)
    return start, end


def _along_axes(x: float, y: float) -> np.ndarray:
    """Returns a factor for each axis, float32 [2]."""
    return np.array([x, y], np.float32)


def _turned(points: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """Returns the points [..., 2], each multiplied by its matrix [..., 2, 2]."""
    return tf.reduce_sum(points[..., tf.newaxis, :] * matrix, axis=-1)


def _plan_lookups(
    to_photo: tf.Tensor, origin: tf.Tensor, photo_sizes: tf.Tensor, size: PictureSize
) -> ViewPlan:
    """Returns the plan of the patches under affine maps; beyond a photo its edge is repeated.

    Args:
        to_photo: float32 [B, 2, 2]: steps (x, y) in the photo for a step (x, y) in the patch.
        origin: float32 [B, 2]: where the centre of the patch's first pixel lies in the photo.
        photo_sizes: float32 [B, 2]: width and height.
        size: Of the patches.
    """
    corner = to_photo * _along_axes(size.width - 1, size.height - 1)
    low = origin + tf.reduce_sum(tf.minimum(corner, 0.0), axis=2)
    high = origin + tf.reduce_sum(tf.maximum(corner, 0.0), axis=2)
    step = tf.linalg.diag_part(to_photo)
    reach = tf.maximum(step, 1.0)
    first = tf.clip_by_value(tf.floor(low - reach), 0.0, photo_sizes - 1)
    last = tf.clip_by_value(tf.math.ceil(high + reach), first + 1, photo_sizes)
    length = last - first
    is_reduced = tf.reduce_any(step > _LARGEST_STEP, axis=1)
    reduced_length = tf.math.ceil(length * tf.minimum(1 / step, 1.0))

    grid_size = tf.where(is_reduced[:, tf.newaxis], reduced_length, photo_sizes)
    first_looked_at = tf.where(is_reduced[:, tf.newaxis], first, 0.0)
    reduction = tf.where(is_reduced[:, tf.newaxis], reduced_length / length, 1.0)
    origin = (origin - first_looked_at) * reduction
    places, weights = _places_and_weights(
        to_photo * reduction[..., tf.newaxis], origin, grid_size, size
    )
    width, height = tf.unstack(tf.cast(grid_size, tf.int32), axis=1)
    right, below = tf.minimum(width - 1, 1), width * tf.minimum(height - 1, 1)
    return ViewPlan(
        window=tf.cast(tf.concat([first, length], axis=1), tf.int32),
        reduced_size=tf.cast(reduced_length, tf.int32),
        is_reduced=is_reduced,
        neighbours=tf.stack([tf.zeros_like(right), right, below, right + below], 1)[
            ..., tf.newaxis
        ],
        places=places,
        weights=weights,
    )


def _places_and_weights(
    to_grid: tf.Tensor, origin: tf.Tensor, grid_size: tf.Tensor, size: PictureSize
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns `places` and `weights` of a plan for grids of pixels of those sizes.

    Args:
        to_grid: float32 [B, 2, 2]: steps (x, y) in the grid for a step (x, y) in the patch.
        origin: float32 [B, 2]: where the centre of the patch's first pixel lies in the grid.
        grid_size: float32 [B, 2]: width and height.
        size: Of the patches.
    """
    row, column = np.indices(size, np.float32).reshape(2, -1)
    step_back = 0.5 - origin[..., tf.newaxis]
    where = to_grid[..., :1] * column + to_grid[..., 1:] * row - step_back
    where = tf.clip_by_value(where, 0.0, grid_size[..., tf.newaxis] - 1)
    before = tf.minimum(tf.floor(where), tf.maximum(grid_size[..., tf.newaxis] - 2, 0.0))
    x, y = tf.unstack(tf.cast(before, tf.int32), axis=1)
    places = y * tf.cast(grid_size[:, :1], tf.int32) + x
    right, below = tf.unstack(tf.cast(tf.round((where - before) * 256), tf.int32), axis=1)
    both = tf.bitwise.right_shift(right * below, 8)
    weights = tf.stack([256 - right - below + both, right - both, below - both, both], axis=1)
    return places, tf.cast(weights, tf.uint16)
