"""From the wall to the picture: the flat wall is seen at a slant, turned and sheared.

Wall coordinates have their origin at the centre of the number, x to the right, y downwards; the
unit is the height of a digit. Canvas coordinates are pixels of the picture that is being painted.
"""

import dataclasses

import numpy as np

Region = tuple[slice, slice]
"""Rows and columns of a canvas."""


@dataclasses.dataclass(frozen=True, eq=False)
class Projection:
    """A homography from wall to canvas.

    Attributes:
        matrix: float64 (3, 3), wall to canvas.
        unit: Canvas pixels in one wall unit at the origin.
    """

    matrix: np.ndarray
    unit: float

    def to_canvas(self, points: np.ndarray) -> np.ndarray:
        """Returns wall points, shape (N, 2), as canvas points, shape (N, 2)."""
        return apply(self.matrix, points)

    def wall_coordinates(self, region: Region) -> tuple[np.ndarray, np.ndarray]:
        """Returns (x, y), float32 (H, W): for each pixel of a region its place on the wall."""
        inverse = np.linalg.inv(self.matrix).astype(np.float32)
        rows, columns = (
            np.arange(part.start, part.stop, dtype=np.float32) + np.float32(0.5) for part in region
        )
        rows = rows[:, None]
        depth = 1 / (inverse[2, 0] * columns + (inverse[2, 1] * rows + inverse[2, 2]))
        x = (inverse[0, 0] * columns + (inverse[0, 1] * rows + inverse[0, 2])) * depth
        y = (inverse[1, 0] * columns + (inverse[1, 1] * rows + inverse[1, 2])) * depth
        return x, y

    def part_around(
        self, picture: np.ndarray, half_width: float, half_height: float, margin: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Returns the part of a canvas that a rectangle on the wall covers; None if it is outside.

        Args:
            picture: The canvas, float32 (3, H, W).
            half_width: Half the rectangle's width; its centre is the wall's origin.
            half_height: Half its height.
            margin: Further wall units on each side.

        Returns:
            The part, a view of the canvas to paint on, and its pixels' places on the wall: x and y,
            as `wall_coordinates` gives them.
        """
        across, down = half_width + margin, half_height + margin
        corners = [(-across, -down), (across, -down), (across, down), (-across, down)]
        points = self.to_canvas(np.array(corners))
        region = region_of(points.min(axis=0), points.max(axis=0), picture.shape)
        if region is None:
            return None
        return picture[:, *region], *self.wall_coordinates(region)

    def moved(self, x: float, y: float, turn: float = 0.0) -> "Projection":
        """Returns the projection of a thing that hangs at (x, y) on the wall, turned by `turn`."""
        cosine, sine = np.cos(turn), np.sin(turn)
        move = np.array([[cosine, -sine, x], [sine, cosine, y], [0, 0, 1.0]])
        return Projection(self.matrix @ move, self.unit)


def region_of(first: np.ndarray, last: np.ndarray, shape: tuple[int, ...]) -> Region | None:
    """Returns the canvas pixels between two points (x, y); None if there are none."""
    left, top = np.maximum(np.floor(first).astype(int), 0)
    right, bottom = np.minimum(np.ceil(last).astype(int), (shape[-1], shape[-2]))
    if right <= left or bottom <= top:
        return None
    return slice(int(top), int(bottom)), slice(int(left), int(right))


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
        shear: How much horizontals climb, y per x: a wall that is seen from the side.
        slant_x: Perspective: how fast things shrink to the right, per unit.
        slant_y: Perspective: how fast things shrink downwards, per unit.
    """
    cosine, sine = np.cos(turn), np.sin(turn)
    turned = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    slanted = np.array([[1, 0, 0], [shear, 1, 0], [slant_x, slant_y, 1]])
    scaled = np.array([[unit, 0, centre[0]], [0, unit, centre[1]], [0, 0, 1]])
    return Projection(scaled @ turned @ slanted, float(unit))


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Returns points, shape (N, 2), after a homography, shape (3, 3)."""
    points = np.asarray(points, np.float64).reshape(-1, 2)
    homogeneous = points @ matrix[:, :2].T + matrix[:, 2]
    return homogeneous[:, :2] / homogeneous[:, 2:]
