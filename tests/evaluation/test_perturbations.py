import numpy as np
import pytest

from svhn.evaluation import perturbations
from svhn.geometry import grow_box, union_box
from svhn.preprocessing import MARGIN

BOX = np.array([20.0, 30.0, 40.0, 16.0], np.float32)


def random():
    return np.random.default_rng(6)


def noise(height=60, width=90):
    return random().integers(0, 256, (height, width, 3), np.uint8)


def edges(box):
    return np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]])


def test_jitter_moves_every_edge_within_its_bounds():
    generator = random()
    moves = np.array(
        [
            (edges(perturbations.jittered_box(BOX, 0.1, generator)) - edges(BOX))
            / (BOX[2], BOX[3], BOX[2], BOX[3])
            for _ in range(2000)
        ]
    )
    assert np.abs(moves).max() <= 0.1 + 1e-6
    assert np.abs(moves).max(axis=0).min() > 0.099
    assert np.abs(moves.mean(axis=0)).max() < 0.01
    assert np.abs(np.corrcoef(moves.T) - np.eye(4)).max() < 0.1


def test_the_margin_is_what_the_crop_shows():
    for margin in (0.0, 0.15, 1.0):
        shown = grow_box(perturbations.box_with_margin(BOX, margin), MARGIN)
        np.testing.assert_allclose(shown, grow_box(BOX, margin), atol=1e-4)
    np.testing.assert_allclose(perturbations.box_with_margin(BOX, MARGIN), BOX, atol=1e-5)


def test_a_photo_that_is_turned_by_nothing_stays():
    photo, boxes = noise(), np.array([[20, 30, 15, 16], [40, 28, 20, 18]], np.float32)
    turned, box = perturbations.turned(photo, boxes, 0)
    np.testing.assert_array_equal(turned, photo)
    np.testing.assert_allclose(box, union_box(boxes), atol=1e-4)


@pytest.mark.parametrize("degrees", [90, -90, 15, -15])
def test_photo_and_box_turn_together_anticlockwise(degrees):
    # Two discs on grey; their boxes are known before and after.
    height, width, radius = 80, 120, 9
    photo = np.full((height, width, 3), 100, np.uint8)
    rows, columns = np.mgrid[:height, :width] + 0.5
    for x in (45, 75):
        photo[(columns - x) ** 2 + (rows - 40) ** 2 <= radius**2] = 255
    boxes = np.array([[x - radius, 40 - radius, 2 * radius, 2 * radius] for x in (45, 75)])
    turned, box = perturbations.turned(photo, boxes, degrees)
    assert turned.shape == photo.shape
    bright = np.argwhere(turned[..., 0] > 177)
    top, left = bright.min(axis=0)
    bottom, right = bright.max(axis=0) + 1
    np.testing.assert_allclose(edges(box), [left, top, right, bottom], atol=1.01)
    # Anticlockwise: what was on the right goes up.
    right_disc = bright[bright[:, 1] > 60] if abs(degrees) == 15 else bright
    if abs(degrees) == 15:
        assert (right_disc[:, 0].mean() < 40) == (degrees > 0)
    assert turned[0, 0, 0] == 100  # edges are repeated, nothing black comes in


def test_edges_are_repeated_where_the_number_lies_in_a_corner():
    photo = np.full((40, 300, 3), 77, np.uint8)
    turned, _ = perturbations.turned(photo, np.array([[0, 0, 10, 12]]), 15)
    assert (turned == 77).all()


def test_blur_spreads_a_point_as_a_gaussian():
    photo = np.zeros((61, 61, 3), np.uint8)
    photo[20:41, 20:41] = 255
    np.testing.assert_array_equal(perturbations.blurred(photo, 0), photo)
    blurred = perturbations.blurred(photo, 3.0)[30, :, 0].astype(float)
    slope = np.abs(np.diff(blurred[:31]))
    places = np.arange(30) + 1
    centre = (slope * places).sum() / slope.sum()
    deviation = np.sqrt((slope * (places - centre) ** 2).sum() / slope.sum())
    assert centre == pytest.approx(20, abs=0.3)
    assert deviation == pytest.approx(3.0, rel=0.1)


def test_low_light_has_the_noise_that_it_says():
    photo = np.full((200, 200, 3), 160, np.uint8)
    dark = perturbations.darkened(photo, 0.25, random()).astype(float)
    assert dark.mean() == pytest.approx(40, abs=0.1)
    # Shot noise of 40 levels, read noise, and that of rounding.
    expected = perturbations.SHOT_NOISE * 40 + perturbations.READ_NOISE**2 + 1 / 12
    assert dark.var() == pytest.approx(expected, rel=0.05)
    black = perturbations.darkened(np.zeros((9, 9, 3), np.uint8), 0.01, random())
    assert black.dtype == np.uint8 and black.max() < 10


def test_low_jpeg_quality_loses_more():
    photo = noise()
    errors = [
        np.abs(perturbations.compressed(photo, quality).astype(int) - photo).mean()
        for quality in (95, 50, 10)
    ]
    assert errors[0] < errors[1] < errors[2]
    flat = np.full((17, 23, 3), 90, np.uint8)
    assert np.abs(perturbations.compressed(flat, 50).astype(int) - 90).max() <= 1


def test_grey_keeps_the_luminance():
    photo = np.array([[[255, 0, 0], [0, 255, 0], [10, 10, 10]]], np.uint8)
    np.testing.assert_array_equal(
        perturbations.without_colour(photo)[0], [[76] * 3, [150] * 3, [10] * 3]
    )
