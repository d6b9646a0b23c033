import numpy as np
import pytest
import tensorflow as tf

from svhn.augmentation import random_crop
from svhn.augmentation_config import Augmentation
from svhn.picture_size import PictureSize
from svhn.self_training.twins import TwinCrops, twin_keys

WIDE = PictureSize(40, 72)
BOXES = np.array([[12, 8, 9, 20], [23, 10, 10, 19]], np.float32)


@pytest.fixture(scope="module")
def photo():
    return np.random.default_rng(1).integers(0, 256, (44, 60, 3), np.uint8)


def test_twins_are_what_training_would_see(photo):
    twins = TwinCrops(3, 5, Augmentation(), WIDE).pictures(photo, BOXES, "7.png")
    assert twins.shape == (3, *WIDE, 3) and twins.dtype == np.float32
    for twin, key in zip(twins, twin_keys("7.png", 5, 3), strict=True):
        expected = random_crop(tf.constant(photo), tf.constant(BOXES), key, Augmentation(), WIDE)
        np.testing.assert_allclose(twin, expected, atol=1e-5)
    assert not np.allclose(twins[0], twins[1], atol=0.1)


def test_name_and_seed_decide_and_fewer_twins_are_the_first_of_more(photo):
    three = TwinCrops(3, 5, Augmentation())
    pictures = three.pictures(photo, BOXES, "7.png")
    np.testing.assert_array_equal(three.pictures(photo, BOXES, "7.png"), pictures)
    assert not np.allclose(three.pictures(photo, BOXES, "8.png"), pictures, atol=0.1)
    keys = twin_keys("7.png", 5, 3)
    np.testing.assert_array_equal(twin_keys("7.png", 5, 2), keys[:2])
    assert (twin_keys("7.png", 6, 3) != keys)[:, 1].all()


def test_no_twins(photo):
    assert TwinCrops(0, 1, Augmentation()).pictures(photo, BOXES, "7.png").shape == (0, 54, 54, 3)
