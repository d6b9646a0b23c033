import numpy as np
import pytest

from svhn.detector_input import PADDING_LEVEL, detector_input


def photo_of(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("height", "width", "longer_side", "resized", "padded"),
    [
        (47, 104, 256, (116, 256), (128, 256)),
        (480, 640, 640, (480, 640), (480, 640)),
        (200, 50, 100, (100, 25), (128, 32)),
        (1, 500, 64, (1, 64), (32, 64)),
    ],
)
def test_the_longer_side_and_the_multiple(height, width, longer_side, resized, padded):
    picture, scale = detector_input(photo_of(height, width), longer_side)
    assert tuple(picture.shape) == (*padded, 3)
    np.testing.assert_allclose(scale, [resized[1] / width, resized[0] / height], rtol=1e-6)
    outside = np.ones(padded, bool)
    outside[: resized[0], : resized[1]] = False
    assert (picture.numpy()[outside] == PADDING_LEVEL).all()


def test_at_its_own_size_a_photo_is_itself():
    photo = photo_of(64, 96)
    np.testing.assert_array_equal(detector_input(photo, 96)[0], photo)


def test_a_fine_pattern_becomes_grey_when_reduced():
    """Anti-aliased: columns of black and white don't become black or white."""
    stripes = np.zeros((64, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    inside = detector_input(stripes, 64)[0].numpy()[:16, 2:-2]
    np.testing.assert_allclose(inside, 127.5, atol=8)


def test_a_place_in_the_photo_is_found_by_the_scale():
    photo = np.zeros((50, 70, 3), np.uint8)
    photo[20:30, 40:60] = 255
    picture, scale = detector_input(photo, 210)
    rows, columns = np.nonzero(picture.numpy()[..., 0] > 127.5 + 1)
    found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    np.testing.assert_allclose(found / np.tile(scale, 2), [40, 20, 60, 30], atol=0.5)
