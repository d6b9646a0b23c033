"""Boxes as SVHN's annotators draw them: whole pixels, one height for a number, a little loose."""

import numpy as np


def draw_boxes(
    random: np.random.Generator, edges: np.ndarray, photo_size: tuple[int, int]
) -> np.ndarray:
    """Returns the boxes that an annotator would draw.

    In 99 % of SVHN's numbers all boxes have one height; neighbours' boxes often touch, since they
    share the space between the digits.

    Args:
        random: The annotator's hand.
        edges: float (N, 4): left, top, right, bottom edge of each digit's ink, photo pixels.
        photo_size: (width, height). Boxes leave the photo only where the ink does.

    Returns:
        float32 (N, 4): left, top, width, height in whole pixels.
    """
    count = len(edges)
    ink_height = edges[:, 3] - edges[:, 1]
    height = ink_height.max() * (1 + min(abs(random.normal(0.08, 0.095)), 0.28))
    middle = (edges[:, 1] + edges[:, 3]) / 2
    middle = middle + (random.normal(0, 0.018) + random.normal(0, 0.012, count)) * height
    space = 0.02 * height + 0.1 * (edges[:, 2] - edges[:, 0]).mean()
    left = edges[:, 0] - np.abs(random.normal(0.6, 0.5, count)) * space
    right = edges[:, 2] + np.abs(random.normal(0.6, 0.5, count)) * space
    left, right = np.floor(left + 0.3), np.ceil(right - 0.3)
    left = np.maximum(left, np.minimum(np.floor(edges[:, 0]), 0))
    right = np.minimum(right, np.maximum(np.ceil(edges[:, 2]), photo_size[0]))
    height = max(round(height), 1)
    top = np.round(middle - height / 2)
    top = np.minimum(top, np.maximum(np.ceil(edges[:, 3]), photo_size[1]) - height)
    top = np.maximum(top, np.minimum(np.floor(edges[:, 1]), 0))
    rows = [left, top, np.maximum(right - left, 1), np.full(count, height)]
    return np.stack(rows, axis=1).astype(np.float32)
