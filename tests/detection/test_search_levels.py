from itertools import pairwise

import numpy as np
import pytest

from svhn.detection.search_levels import (
    CANVASES,
    FINEST_AREA,
    OVERLAP,
    SIDES,
    canvas_for,
    level_sides,
    tiles_of,
)
from svhn.detector_input import SIZE_MULTIPLE

SIZES = [
    *[(16, 16), (16, 8000), (57, 128), (50, 100), (256, 256), (300, 300), (480, 640), (640, 480)],
    *[(768, 1024), (1080, 1920), (3000, 4000), (4000, 3000), (8000, 8000), (400, 8000)],
]


@pytest.mark.parametrize(
    ("height", "width", "sides", "tiles"),
    [
        (57, 128, [112, 160, 256], 3),  # the median of SVHN
        (20, 30, [112], 1),  # not enlarged more than four times
        (300, 300, [112, 160, 256], 3),
        (400, 400, [112, 160, 256, 400], 4),
        (480, 640, [112, 160, 256, 640], 4),
        (405, 1945, [154, 220, 351, 878, 1945], 9),  # a strip: all levels larger
        (768, 1024, [112, 160, 256, 640, 1024], 8),
        (1080, 1920, [112, 160, 256, 640, 1600], 13),
        (3000, 4000, [112, 160, 256, 640, 1600], 13),
        (4000, 3000, [112, 160, 256, 640, 1600], 13),
    ],
)
def test_levels_and_tiles_of_common_photos(height, width, sides, tiles):
    assert level_sides(height, width) == sides
    pieces = 0
    for side in sides:
        rows, columns = (round(length * side / max(height, width)) for length in (height, width))
        pieces += len(tiles_of(rows, columns, canvas_for(rows, columns)))
    assert pieces == tiles


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_levels_are_close_enough_and_not_too_large(height, width):
    sides = level_sides(height, width)
    longer, shorter = max(height, width), min(height, width)
    assert sides == sorted(set(sides))
    assert all(finer / side < 2.55 for side, finer in pairwise(sides))
    assert sides[0] <= 4 * longer
    assert sides[0] <= SIDES[0] or sides[0] * shorter / longer <= 33
    assert sides[-1] ** 2 * shorter / longer <= max(FINEST_AREA, 32000 * 64) * 1.01
    # Digits of 24 pixels in 12 megapixels have at least 8 in the picture.
    if longer * shorter <= 12_000_000:
        assert sides[-1] / longer * 24 >= 8


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_tiles_cover_the_picture_and_overlap(height, width):
    for side in level_sides(height, width):
        scale = side / max(height, width)
        rows, columns = max(round(height * scale), 1), max(round(width * scale), 1)
        canvas = canvas_for(rows, columns)
        tiles = tiles_of(rows, columns, canvas)
        seen = np.zeros((rows, columns), np.uint8)
        for tile in tiles:
            assert tile.height <= canvas[0]
            assert tile.width <= canvas[1]
            assert tile.top + tile.height <= rows
            assert tile.left + tile.width <= columns
            seen[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] += 1
        assert (seen > 0).all()
        for starts, size in (
            (sorted({tile.left for tile in tiles}), tiles[0].width),
            (sorted({tile.top for tile in tiles}), tiles[0].height),
        ):
            steps = np.diff(starts)
            assert (size - steps >= OVERLAP - 1).all()


@pytest.mark.parametrize(
    ("height", "width"), [(16, 8000), (10, 100_000), (8, 15_000_000), (1, 120_000_000)]
)
def test_the_longest_strip_has_a_bound(height, width):
    tiles = pixels = 0
    for side in level_sides(height, width):
        rows = max(round(height * side / width), 1)
        tiles += len(tiles_of(rows, side, canvas_for(rows, side)))
        pixels += rows * side
    assert tiles < 350
    assert pixels < 4_000_000


def test_canvases_suit_the_network_and_common_photos():
    assert all(side % SIZE_MULTIPLE == 0 for canvas in CANVASES for side in canvas)
    assert canvas_for(50, 112) == (64, 128)
    assert canvas_for(84, 112) == (96, 128)
    assert canvas_for(71, 160) == (96, 160)
    assert canvas_for(160, 71) == (160, 160)
    assert canvas_for(120, 160) == (128, 160)
    assert canvas_for(114, 256) == (128, 256)
    assert canvas_for(192, 256) == (192, 256)
    assert canvas_for(256, 100) == (256, 256)
    assert canvas_for(480, 640) == (480, 640)
    assert canvas_for(640, 480) == (640, 480)
    assert canvas_for(1249, 1665) == (480, 640)
    assert canvas_for(1665, 1249) == (640, 480)


def test_canvases_come_with_the_smallest_first():
    areas = [height * width for height, width in CANVASES]
    assert all(
        not (later[0] <= sooner[0] and later[1] <= sooner[1])
        for place, sooner in enumerate(CANVASES)
        for later in CANVASES[place + 1 :]
    )
    assert areas[-1] == max(areas)


@pytest.mark.parametrize(("height", "width"), [(57, 128), (240, 320), (480, 640), (3000, 4000)])
def test_each_digit_is_seen_at_a_size_that_the_detector_knows(height, width):
    sides = level_sides(height, width)
    finest = sides[-1] / max(height, width)
    largest = 0.6 * min(height, width)
    for size in np.geomspace(14 / finest, largest, 50):
        seen = [size * side / max(height, width) for side in sides]
        assert any(14 <= each <= 70.5 for each in seen)


def test_one_tile_where_it_fits():
    assert tiles_of(100, 200, (128, 256)) == [(0, 0, 100, 200)]
