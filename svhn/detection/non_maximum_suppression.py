"""Of boxes that show the same digit, the one with the best score."""

import numpy as np
import tensorflow as tf

IOU_THRESHOLD = 0.45
"""Boxes that overlap more show the same digit: neighbours in a number hardly overlap."""


def suppress(
    boxes: np.ndarray,
    scores: np.ndarray,
    iou_threshold: float = IOU_THRESHOLD,
    most: int = 100,
) -> np.ndarray:
    """Returns which boxes stay, the best first: greedy non-maximum suppression.

    All boxes compete, whatever their class: a place shows one digit.

    Args:
        boxes: float [N, 4]: left, top, width, height, pixels.
        scores: float [N].
        iou_threshold: A box goes where its intersection over union with a better one is larger.
        most: Boxes that stay, at most.

    Returns:
        int [M], places in `boxes`.
    """
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    corners = np.concatenate([boxes[:, 1::-1], (boxes[:, :2] + boxes[:, 2:])[:, ::-1]], axis=1)
    return tf.image.non_max_suppression(
        corners, np.asarray(scores, np.float32), most, iou_threshold
    ).numpy()
