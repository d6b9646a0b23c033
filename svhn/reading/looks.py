"""Several looks at one number: its box, and others a little beside it."""

import numpy as np

_SHIFT = 0.04
"""Of the box's width and height."""

_SCALE = 1.08

_CHANGES = (
    (0, 0, 1),
    (-1, 0, 1),
    (1, 0, 1),
    (0, -1, 1),
    (0, 1, 1),
    (0, 0, _SCALE),
    (0, 0, 1 / _SCALE),
    (-1, -1, 1),
    (1, 1, 1),
    (1, -1, 1),
    (-1, 1, 1),
)
"""Shift to the right and down in steps of `_SHIFT`, and scale, of each crop, in order."""

MOST_CROPS = len(_CHANGES)


def crop_boxes(box: np.ndarray, crops: int) -> np.ndarray:
    """Returns the boxes of several crops: the box itself, shifted ones, wider and narrower ones.

    Args:
        box: float [4], the tight box.
        crops: 1 to `MOST_CROPS`.

    Returns:
        float32 [crops, 4]; the first is `box`, and fewer crops are the first of more.

    Raises:
        ValueError: If there are no so many.
    """
    if not 1 <= crops <= MOST_CROPS:
        raise ValueError(f"crops must be 1 to {MOST_CROPS}. Received: {crops}")
    box = np.asarray(box, np.float64)
    size = box[2:]
    boxes = []
    for right, down, scale in _CHANGES[:crops]:
        centre = box[:2] + size / 2 + np.multiply((right, down), _SHIFT) * size
        boxes.append(np.concatenate([centre - scale * size / 2, scale * size]))
    boxes[0] = box  # not to rounding, but itself
    return np.array(boxes, np.float32)
