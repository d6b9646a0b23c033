"""A part of a picture that a look sees: one tile of a search, or a close look."""

from typing import NamedTuple

import numpy as np

from svhn.geometry import corners


class Part(NamedTuple):
    """Of a photo, or of a picture of it at some size, pixels: whole ones where it is cut out."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, boxes: np.ndarray) -> np.ndarray:
        """Returns which boxes, float [N, 4] (left, top, width, height), lie in it: bool [N]."""
        edges = corners(boxes)
        return ((edges[:, :2] >= self[:2]) & (edges[:, 2:] <= self[2:])).all(axis=1)

    def without_edges(self, cut: float, height: int, width: int) -> "Part":
        """Returns where digits are whole in this part: not where its edge may cut them.

        The photo's own edges cut nothing that the photo shows: beyond them it is endless.

        Args:
            cut: A digit that comes closer to an edge may go on beyond it, pixels.
            height: Of the whole photo or picture, pixels.
            width: Likewise.
        """
        return Part(
            self.left + cut if self.left > 0 else -np.inf,
            self.top + cut if self.top > 0 else -np.inf,
            self.right - cut if self.right < width else np.inf,
            self.bottom - cut if self.bottom < height else np.inf,
        )
