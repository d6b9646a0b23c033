"""Boxes, in NumPy: rows of (left, top, width, height) in pixels, floats, the y axis downwards.

The pixel in column 0 covers the x positions 0 to 1, so a box (0, 0, W, H) is the whole photo.
"""

import numpy as np


def union_box(boxes: np.ndarray) -> np.ndarray:
    """Returns the tight box around all boxes.

    The right edge is the largest of all right edges, not the last digit's: they differ in 29 of
    the official train photos.

    Args:
        boxes: Float array of shape (N, 4), N ≥ 1.

    Returns:
        float32 array of shape (4,).

    Raises:
        ValueError: If there is no box.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    if not len(boxes):
        raise ValueError("The tight box around no boxes at all is undefined. Received: 0 boxes")
    left_top = boxes[:, :2].min(axis=0)
    right_bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    return np.concatenate([left_top, right_bottom - left_top]).astype(np.float32)


def grow_box(box: np.ndarray, fraction: float) -> np.ndarray:
    """Returns the box grown about its centre: width and height each times 1 + `fraction`.

    The paper grows by 0.3 (section 4).
    """
    left, top, width, height = (float(value) for value in box)
    return np.array(
        [
            left - width * fraction / 2,
            top - height * fraction / 2,
            width * (1 + fraction),
            height * (1 + fraction),
        ],
        np.float32,
    )


def resized_boxes(boxes: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Returns boxes of another size with the same centres.

    Args:
        boxes: Float array of shape (N, 4).
        size: Float array of shape (N, 2): widths and heights.

    Returns:
        Float array of shape (N, 4).
    """
    return np.concatenate([boxes[:, :2] + (boxes[:, 2:] - size) / 2, size], axis=1)


def corners(boxes: np.ndarray) -> np.ndarray:
    """Returns left, top, right and bottom of boxes, float64 of shape (N, 4).

    Args:
        boxes: Float array of shape (N, 4).
    """
    boxes = np.asarray(boxes, np.float64)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def clip_boxes(boxes: np.ndarray, photo_width: float, photo_height: float) -> np.ndarray:
    """Returns the parts of the boxes that lie within the photo.

    Args:
        boxes: Float array of shape (N, 4).
        photo_width: Pixels.
        photo_height: Pixels.

    Returns:
        float32 array of shape (N, 4); a box wholly outside has width or height 0.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    limit = np.array([photo_width, photo_height], np.float64)
    left_top = np.clip(boxes[:, :2], 0, limit)
    right_bottom = np.clip(boxes[:, :2] + boxes[:, 2:], 0, limit)
    return np.concatenate([left_top, right_bottom - left_top], axis=1).astype(np.float32)
