"""Boxes as SVHN's annotators draw them: whole pixels, one height for a number, a little loose."""

import numpy as np


def draw_boxes(random: np.random.Generator, edges: np.ndarray) -> np.ndarray:
    """Returns the boxes that an annotator would draw.

    In 99 % of SVHN's numbers all boxes have one height; neighbours' boxes often touch, since they
    share the space between the digits.

    Args:
        random: The annotator's hand.
        edges: float (N, 4): left, top, right, bottom edge of each digit's ink, photo pixels.

    Returns:
        float32 (N, 4): left, top, width, height in whole pixels.
    """
    count = len(edges)
    ink_height = edges[:, 3] - edges[:, 1]
    height = ink_height.max() * (1 + abs(random.normal(0.03, 0.05)))
    middle = (edges[:, 1] + edges[:, 3]) / 2 + random.normal(0, 0.012, count) * height
    space = 0.07 * height
    left = edges[:, 0] - np.abs(random.normal(0.6, 0.5, count)) * space
    right = edges[:, 2] + np.abs(random.normal(0.6, 0.5, count)) * space
    left, right = np.floor(left + 0.3), np.ceil(right - 0.3)
    top = np.round(middle - height / 2)
    rows = [left, top, right - left, np.full(count, max(round(height), 1))]
    return np.stack(rows, axis=1).astype(np.float32)
