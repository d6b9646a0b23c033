import numpy as np
import pytest

from svhn.detection.cells import cells_of, number_cells_of
from svhn.detection.targets import assign, assign_numbers, number_of_digits
from svhn.window_config import IGNORED, NO_LABEL, NUMBER

CELLS = cells_of(128, 128)


def classes_of(labels, boxes):
    """Classes and distances for one picture."""
    targets = assign(np.array([labels]), np.array([boxes], np.float32), CELLS)
    return np.asarray(targets.classes)[0], np.asarray(targets.distances)[0]


def places(classes, digit):
    return np.flatnonzero(classes == digit)


def test_a_digit_belongs_to_the_cells_about_its_middle_at_the_level_of_its_size():
    classes, distances = classes_of([3], [[40, 30, 20, 40]])  # centre (50, 50), size 40
    taken = places(classes, 3)
    assert set(CELLS.levels[taken]) == {1}
    # The middle: 46 to 54 along x, 42 to 58 along y; cells lie at 44, 52, 60.
    assert CELLS.centres[taken].tolist() == [[52, 44], [52, 52]]
    np.testing.assert_allclose(distances[taken], [[12, 14, 8, 26], [12, 22, 8, 18]])
    assert (np.delete(classes, taken) == NO_LABEL).all()


@pytest.mark.parametrize(
    ("size", "levels"),
    [(8, {0}), (19.9, {0}), (24, {0, 1}), (28, {1}), (60, {1, 2}), (72, {2}), (120, {2})],
)
def test_the_level_follows_from_the_longer_side(size, levels):
    for box in ([4, 4, size, size / 2], [4, 4, size / 2, size]):
        taken = places(classes_of([7], [box])[0], 7)
        assert set(CELLS.levels[taken]) == levels


@pytest.mark.parametrize("left", [30.0, 31.3, 33.0, 34.0])
def test_a_digit_narrower_than_a_cell_has_one_in_each_row(left):
    """Wherever it lies; its box may then be wholly beside the cell's centre."""
    classes, distances = classes_of([1], [[left, 40, 1, 12]])
    taken = places(classes, 1)
    rows = CELLS.centres[taken, 1]
    assert len(rows) == len(set(rows)) >= 1
    widths = distances[taken, 0] + distances[taken, 2]
    np.testing.assert_allclose(widths, 1, atol=1e-5)
    assert (distances[taken] >= -2).all()


def test_two_digits_that_claim_a_cell_the_nearer_has_it():
    first, second = [36, 40, 10, 20], [38.5, 40, 10, 20]  # centres at x 41 and 43.5
    for labels, boxes in (([4, 5], [first, second]), ([5, 4], [second, first])):
        classes, distances = classes_of(labels, boxes)
        at = {tuple(CELLS.centres[place]): place for place in np.flatnonzero(CELLS.levels == 0)}
        assert classes[at[42, 50]] == 4
        assert distances[at[42, 50], 0] == 6
        # Within the middle of the second alone, as it ends at 43 for the first.
        assert classes[at[46, 50]] == NO_LABEL
    first, second = [36, 40, 10, 20], [40.5, 40, 10, 20]  # centres at x 41 and 45.5
    classes, _ = classes_of([4, 5], [first, second])
    assert classes[at[42, 50]] == 4
    assert classes[at[46, 50]] == 5


def test_cells_in_an_ignored_box_learn_nothing_but_those_of_a_digit_learn_it():
    classes, _ = classes_of([IGNORED, 2], [[20, 20, 60, 60], [40, 40, 10, 16]])
    ignored = places(classes, IGNORED)
    assert set(CELLS.levels[ignored]) == {0, 1, 2}
    assert ((CELLS.centres[ignored] >= 20) & (CELLS.centres[ignored] <= 80)).all()
    inside = ((CELLS.centres >= 20) & (CELLS.centres <= 80)).all(axis=1)
    assert set(classes[inside]) == {IGNORED, 2}
    assert set(classes[~inside]) == {NO_LABEL}


def test_padding_and_other_pictures_change_nothing():
    box = [40, 30, 20, 40]
    alone, _ = classes_of([3], [box])
    targets = assign(
        np.array([[NO_LABEL, 3], [NO_LABEL, NO_LABEL]]),
        np.array([[[0, 0, 0, 0], box], [[0, 0, 0, 0], [40, 30, 20, 40]]], np.float32),
        CELLS,
    )
    np.testing.assert_array_equal(targets.classes[0], alone)
    assert (np.asarray(targets.classes[1]) == NO_LABEL).all()


@pytest.mark.parametrize(("size", "levels"), [(12, {1}), (60, {1, 2}), (72, {2}), (126, {2})])
def test_numbers_belong_to_the_coarser_levels(size, levels):
    cells = number_cells_of(128, 128)
    assert set(cells.levels) == {1, 2}
    box = [[[1, 40, size, size / 3]]]
    targets = assign_numbers(np.array([[NUMBER]]), np.array(box, np.float32), cells)
    taken = np.flatnonzero(np.asarray(targets.classes)[0] == NUMBER)
    assert set(cells.levels[taken]) == levels
    distances = np.asarray(targets.distances)[0, taken]
    np.testing.assert_allclose(distances[:, 0] + distances[:, 2], size, rtol=1e-5)


def test_all_digits_of_a_picture_make_one_number():
    labels = np.array([[3, 0, NO_LABEL], [NO_LABEL] * 3])
    boxes = np.zeros((2, 3, 4), np.float32)
    boxes[0, :2] = [[40, 30, 20, 40], [65, 25, 10, 30]]
    numbers, number_boxes = map(np.asarray, number_of_digits(labels, boxes))
    assert numbers.tolist() == [[NUMBER], [NO_LABEL]]
    assert number_boxes.tolist() == [[[40, 25, 35, 45]], [[0, 0, 0, 0]]]
