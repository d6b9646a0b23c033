"""From the wall to the picture: the flat wall is seen at a slant, turned and sheared.

Wall coordinates have their origin at the centre of the number, x to the right, y downwards; the
unit is the height of a digit. Canvas coordinates are pixels of the picture that is being painted.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Projection:
    """A homography from wall to canvas.

    Attributes:
        matrix: float64 (3, 3), wall to canvas.
    """

    matrix: np.ndarray

    def to_canvas(self, points: np.ndarray) -> np.ndarray:
        """Returns wall points, shape (N, 2), as canvas points, shape (N, 2)."""
        return _apply(self.matrix, points)

    def wall_coordinates(self, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns (x, y): for each pixel of a canvas its place on the wall, float32 (H, W)."""
        inverse = np.linalg.inv(self.matrix).astype(np.float32)
        columns = np.arange(width, dtype=np.float32)[None] + np.float32(0.5)
        rows = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
        depth = inverse[2, 0] * columns + (inverse[2, 1] * rows + inverse[2, 2])
        x = (inverse[0, 0] * columns + (inverse[0, 1] * rows + inverse[0, 2])) / depth
        y = (inverse[1, 0] * columns + (inverse[1, 1] * rows + inverse[1, 2])) / depth
        return x, y

    def after(self, wall_change: np.ndarray) -> "Projection":
        """Returns the projection of a thing that is first moved on the wall by a 3×3 matrix."""
        return Projection(self.matrix @ wall_change)


def view(
    centre: tuple[float, float],
    unit: float,
    turn: float = 0.0,
    shear: float = 0.0,
    slant_x: float = 0.0,
    slant_y: float = 0.0,
) -> Projection:
    """Returns the projection of a wall seen by a camera.

    Args:
        centre: Canvas point of the wall's origin.
        unit: Canvas pixels of one wall unit at the origin.
        turn: Turn of the camera, radians.
        shear: How much verticals lean, x per y.
        slant_x: Perspective: how fast things shrink to the right, per unit.
        slant_y: Perspective: how fast things shrink downwards, per unit.
    """
    cosine, sine = np.cos(turn), np.sin(turn)
    turned = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    sheared = np.array([[1, shear, 0], [0, 1, 0], [slant_x, slant_y, 1]])
    scaled = np.array([[unit, 0, centre[0]], [0, unit, centre[1]], [0, 0, 1]])
    return Projection(scaled @ turned @ sheared)


def move(x: float, y: float, turn: float = 0.0) -> np.ndarray:
    """Returns the matrix that turns by `turn` radians about the origin and moves to (x, y)."""
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.array([[cosine, -sine, x], [sine, cosine, y], [0, 0, 1.0]])


def _apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    points = np.asarray(points, np.float64).reshape(-1, 2)
    homogeneous = points @ matrix[:, :2].T + matrix[:, 2]
    return homogeneous[:, :2] / homogeneous[:, 2:]
