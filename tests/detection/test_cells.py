import numpy as np
import pytest

from svhn.detection.cells import cells_of
from svhn.models import detector


def test_each_level_row_by_row_the_finest_first():
    cells = cells_of(32, 64)
    counts = [8 * 16, 4 * 8, 2 * 4]
    assert cells.levels.tolist() == [level for level in range(3) for _ in range(counts[level])]
    assert cells.strides.tolist() == [4.0 * 2**level for level in cells.levels]
    np.testing.assert_array_equal(cells.centres[:2], [[2, 2], [6, 2]])
    np.testing.assert_array_equal(cells.centres[16], [2, 6])
    np.testing.assert_array_equal(cells.centres[counts[0]], [4, 4])
    np.testing.assert_array_equal(cells.centres[-1], [56, 24])


def test_there_are_as_many_as_the_detector_has_outputs():
    model = detector.build()
    for height, width in ((32, 32), (64, 96)):
        outputs = model(np.zeros((1, height, width, 3), np.float32))
        assert outputs["class_logits"].shape[1] == len(cells_of(height, width).centres)


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="height 32, width 40"):
        cells_of(32, 40)
