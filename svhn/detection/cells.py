"""The cells of the detector: where in the picture each of its outputs looks."""

import dataclasses
import functools

import numpy as np

from svhn.models.detector import NUMBER_LEVELS, STRIDES


@dataclasses.dataclass(frozen=True, eq=False)
class Cells:
    """All cells of one size of picture, in the order of the detector's outputs."""

    centres: np.ndarray
    """float32 [cells, 2]: x, y in pixels of the picture."""

    strides: np.ndarray
    """float32 [cells]: pixels from the cell to the next one at its level."""

    levels: np.ndarray
    """int32 [cells]: 0 for the finest level."""


@functools.lru_cache(maxsize=32)
def cells_of(height: int, width: int) -> Cells:
    """Returns the cells for pictures of a size, level by level, each row by row.

    Args:
        height: Of the picture, pixels, a multiple of the coarsest stride.
        width: Likewise.

    Raises:
        ValueError: If they are not such multiples.
    """
    if height % STRIDES[-1] or width % STRIDES[-1]:
        raise ValueError(
            f"The detector's pictures have sides that are multiples of {STRIDES[-1]} pixels. "
            f"Received: height {height}, width {width}"
        )
    centres, strides, levels = [], [], []
    for level, stride in enumerate(STRIDES):
        rows, columns = np.indices((height // stride, width // stride), np.float32).reshape(2, -1)
        centres.append((np.stack([columns, rows], axis=1) + 0.5) * np.float32(stride))
        strides.append(np.full(len(rows), stride, np.float32))
        levels.append(np.full(len(rows), level, np.int32))
    joined = [np.concatenate(parts) for parts in (centres, strides, levels)]
    for array in joined:
        array.flags.writeable = False  # all callers share it
    return Cells(*joined)


@functools.lru_cache(maxsize=32)
def number_cells_of(height: int, width: int) -> Cells:
    """Returns the cells that see whole numbers, for pictures of a size.

    Args:
        height: As for `cells_of`.
        width: Likewise.

    Raises:
        ValueError: Likewise.
    """
    cells = cells_of(height, width)
    sees_numbers = np.isin(cells.levels, NUMBER_LEVELS)
    chosen = [part[sees_numbers] for part in (cells.centres, cells.strides, cells.levels)]
    for array in chosen:
        array.flags.writeable = False
    return Cells(*chosen)
