"""What each cell of the detector is taught: which digit's middle it sees, and that digit's box; and
likewise of whole numbers, which are one class of their own.

A digit belongs to the levels that its size fits (two of them where their ranges overlap), and there
to the cells about its middle, at least one. All other cells are taught that they see none, but for
those in boxes that are marked as ignored.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from svhn.detection.cells import Cells
from svhn.window_config import IGNORED, NO_LABEL, NUMBER

LEVEL_SIZES = ((0.0, 28.0), (20.0, 72.0), (52.0, np.inf))
"""At each level the sizes of the digits it learns, from and below, pixels of the picture; a digit's
size is its longer side."""

NUMBER_LEVEL_SIZES = ((0.0, 0.0), (0.0, 72.0), (48.0, np.inf))
"""The same of numbers, which the finest level doesn't see."""

MIDDLE = 0.4
"""The share of a digit's width and height in which cells are about its middle."""


class Targets(NamedTuple):
    """What the cells of a batch are taught."""

    classes: Any
    """int32 [B, cells]: the digit, 0 to 9; `NO_LABEL` for none; `IGNORED` to learn nothing."""

    distances: Any
    """float32 [B, cells, 4]: from the cell's centre to the digit's left, top, right and bottom
    side, pixels; any numbers where there is no digit."""


def assign(
    digit_labels: Any,
    digit_boxes: Any,
    cells: Cells,
    level_sizes: Sequence[tuple[float, float]] = LEVEL_SIZES,
) -> Targets:
    """Returns what each cell is taught.

    Where two digits claim a cell, the one whose centre is nearer has it.

    Args:
        digit_labels: int [B, N], N ≥ 1: 0 to 9; `NO_LABEL` for padding; `IGNORED` for what may or
            may not be a digit.
        digit_boxes: float32 [B, N, 4]: left, top, width, height, pixels of the picture.
        cells: Those of the picture's size.
        level_sizes: As `LEVEL_SIZES`; for numbers, `NUMBER_LEVEL_SIZES`.
    """
    labels = ops.cast(digit_labels, "int32")[:, None]  # [B, 1, N]
    boxes = ops.cast(digit_boxes, "float32")
    left_top, size = boxes[..., :2], boxes[..., 2:]
    # All further tensors are [B, cells, N, …].
    from_start = cells.centres[None, :, None] - left_top[:, None]
    from_end = cells.centres[None, :, None] - (left_top + size)[:, None]
    from_centre = (from_start + from_end) / 2

    reach = ops.maximum(size[:, None] * (MIDDLE / 2), cells.strides[None, :, None, None] / 2)
    # Half open, so that a digit which is narrower than a cell has just one of a row.
    is_middle = ops.all((from_centre >= -reach) & (from_centre < reach), axis=-1)
    low, high = np.array(level_sizes, np.float32)[cells.levels].T
    longer = ops.max(size, axis=-1)[:, None]
    fits = (longer >= low[None, :, None]) & (longer < high[None, :, None])
    claims = is_middle & fits & (labels >= 0)

    squared_distance = ops.sum(ops.square(from_centre), axis=-1)
    nearest = ops.argmin(ops.where(claims, squared_distance, np.inf), axis=-1)  # [B, cells]
    is_digit = ops.any(claims, axis=-1)
    is_inside = ops.all((from_start >= 0) & (from_end <= 0), axis=-1)
    is_ignored = ops.any(is_inside & (labels == IGNORED), axis=-1)
    # Not take_along_axis: on CPUs TensorFlow complains on the screen of how it is made.
    is_nearest = ops.arange(ops.shape(labels)[-1]) == ops.cast(nearest, "int32")[..., None]
    classes = ops.sum(ops.where(is_nearest, labels, 0), axis=-1)
    distances = ops.concatenate([from_start, -from_end], axis=-1)
    return Targets(
        ops.where(is_digit, classes, ops.where(is_ignored, IGNORED, NO_LABEL)),
        ops.sum(ops.where(is_nearest[..., None], distances, 0.0), axis=2),
    )


def assign_numbers(number_labels: Any, number_boxes: Any, cells: Cells) -> Targets:
    """Returns what each cell that sees numbers is taught of them.

    Args:
        number_labels: int [B, N], N ≥ 1: `NUMBER`, `NO_LABEL` or `IGNORED`.
        number_boxes: float32 [B, N, 4], as for `assign`.
        cells: `svhn.detection.cells.number_cells_of` the picture's size.
    """
    return assign(number_labels, number_boxes, cells, NUMBER_LEVEL_SIZES)


def number_of_digits(digit_labels: Any, digit_boxes: Any) -> tuple[Any, Any]:
    """Returns the number that all digits of a picture make.

    Args:
        digit_labels: int [B, N]: 0 to 9, or `NO_LABEL`.
        digit_boxes: float32 [B, N, 4].

    Returns:
        int32 [B, 1]: `NUMBER`, or `NO_LABEL` where there is no digit; and float32 [B, 1, 4], the
        box around the digits.
    """
    boxes = ops.cast(digit_boxes, "float32")
    is_digit = ops.cast(digit_labels, "int32") >= 0
    there = ops.any(is_digit, axis=1, keepdims=True)
    starts, ends = boxes[..., :2], boxes[..., :2] + boxes[..., 2:]
    start = ops.min(ops.where(is_digit[..., None], starts, np.inf), axis=1, keepdims=True)
    end = ops.max(ops.where(is_digit[..., None], ends, -np.inf), axis=1, keepdims=True)
    box = ops.where(there[..., None], ops.concatenate([start, end - start], axis=-1), 0.0)
    return ops.where(there, NUMBER, NO_LABEL), box
