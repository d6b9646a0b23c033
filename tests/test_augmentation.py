import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from svhn.augmentation import make_pictures, plan_pictures, random_crop
from svhn.augmentation_config import Augmentation
from svhn.picture_size import PAPER_SIZE, PictureSize
from svhn.preprocessing import crop, tight_box
from svhn.random_view import look_up
from tests.test_preprocessing import photo

BOXES = np.array([[30, 15, 14, 28], [47, 16, 13, 29]], np.float32)

MULTIPLIERS = ("strength", "photometric_share")
NOTHING = Augmentation(
    **{
        field.name: 0.0
        for field in dataclasses.fields(Augmentation)
        if field.name not in MULTIPLIERS
    }
)
GEOMETRY = ("patch_offset", "shift", "scale", "aspect", "rotation", "shear", "room")
COLOURS = ("brightness", "contrast", "saturation", "colour_cast", "inversion", "blur", "noise")
ALL = (*GEOMETRY, *COLOURS, "occlusion")


def key(number: int) -> tf.Tensor:
    return tf.constant([17, number], tf.int64)


def random_crops(pixels: np.ndarray, boxes: np.ndarray, count: int, augmentation: Augmentation):
    """The pictures of the first keys, made together as in training: much sooner than one by one."""
    digit_boxes = tf.tile(boxes[np.newaxis], [count, 1, 1])
    height, width, _ = pixels.shape
    plans = plan_pictures(
        digit_boxes,
        tf.ones_like(digit_boxes[..., 0], tf.bool),
        tf.tile([[width, height]], [count, 1]),
        tf.stack([key(number) for number in range(count)]),
        augmentation,
    )
    padded = tf.pad(pixels, [[0, 0], [0, 0], [0, 1]])
    views = tf.stack(
        [
            look_up(padded, tf.nest.map_structure(lambda part: part[number], plans.view))  # noqa: B023
            for number in range(count)
        ]
    )
    return make_pictures(views, plans.appearance_draws, augmentation).numpy()


def test_strength_0_is_the_evaluation_crop():
    pixels = photo(0)
    picture = random_crop(pixels, BOXES, key(1), Augmentation(strength=0.0))
    assert np.array_equal(picture, crop(pixels, tight_box(BOXES)))


@pytest.mark.parametrize("size", [PAPER_SIZE, PictureSize(40, 72), PictureSize(60, 30)], ids=str)
@pytest.mark.parametrize("scale", [1, 4])
def test_without_changes_the_way_of_training_shows_what_evaluation_shows(scale, size):
    pixels = np.asarray(photo(3, 90 * scale, 60 * scale))
    boxes = BOXES * scale
    expected = crop(pixels, tight_box(boxes), size).numpy()
    picture = random_crop(pixels, boxes, key(1), NOTHING, size).numpy()
    assert picture.shape == (*size, 3)
    # Other kernels: what differs is noise of a pixel, not a shift.
    difference = np.abs(picture - expected).mean()
    shifted = np.abs(picture[:, 1:] - expected[:, :-1]).mean()
    assert difference < 0.05
    assert difference < shifted / 2


def test_a_key_gives_the_same_picture_anywhere():
    pixels = photo(1)
    keys = tf.stack([tf.fill([12], 17), tf.range(12)], axis=1)
    keys = tf.cast(keys, tf.int64)
    expected = [random_crop(pixels, BOXES, each, Augmentation()) for each in keys]
    data_set = tf.data.Dataset.from_tensor_slices(keys).map(
        lambda each: random_crop(pixels, BOXES, each, Augmentation()), num_parallel_calls=4
    )
    for batch_size in (5, 12):
        pictures = np.concatenate(list(data_set.batch(batch_size).as_numpy_iterator()))
        assert np.array_equal(pictures, expected)
    assert np.array_equal(random_crops(pixels, BOXES, 12, Augmentation()), expected)


def test_other_keys_give_other_pictures():
    keys = [key(0), key(1), tf.constant([18, 0], tf.int64), tf.constant([0, 17], tf.int64)]
    pictures = [random_crop(photo(1), BOXES, each, Augmentation()).numpy() for each in keys]
    for index, picture in enumerate(pictures):
        for other in pictures[:index]:
            assert np.abs(picture - other).mean() > 0.05


@pytest.mark.parametrize("effect", ALL)
def test_each_change_changes_something_and_less_at_half_strength(effect):
    pixels = photo(2)
    plain = random_crop(pixels, BOXES, key(0), NOTHING)

    def mean_change(strength: float) -> float:
        only = dataclasses.replace(
            NOTHING, strength=strength, **{effect: getattr(Augmentation(), effect)}
        )
        return float(np.mean(np.abs(random_crops(pixels, BOXES, 24, only) - plain)))

    whole = mean_change(1.0)
    assert whole > 0.005
    assert mean_change(0.5) < whole


def test_every_change_of_the_recipe_is_tested():
    names = {field.name for field in dataclasses.fields(Augmentation)}
    assert names == {*MULTIPLIERS, *ALL}


@pytest.mark.parametrize("effect", ALL)
def test_the_photometric_share_is_that_of_light_and_colour_alone(effect):
    def pictures(**multipliers: float) -> np.ndarray:
        only = dataclasses.replace(NOTHING, **{effect: getattr(Augmentation(), effect)})
        return random_crops(photo(2), BOXES, 6, dataclasses.replace(only, **multipliers))

    half = pictures(strength=0.5) if effect in COLOURS else pictures()
    assert np.array_equal(pictures(photometric_share=0.5), half)


def test_negatives_are_a_share_of_the_pictures_and_exact():
    pixels = photo(2)
    plain = random_crop(pixels, BOXES, key(0), NOTHING).numpy()
    only = dataclasses.replace(NOTHING, inversion=0.25)
    pictures = random_crops(pixels, BOXES, 60, only)
    is_negative = [np.abs(picture + plain).max() < 1e-3 for picture in pictures]
    is_positive = [np.abs(picture - plain).max() < 1e-3 for picture in pictures]
    assert all(np.add(is_negative, is_positive) == 1)
    assert 6 <= sum(is_negative) <= 24


def test_a_third_of_the_pictures_have_room_beyond_one_end():
    boxes = np.array([[100 + 20 * i, 50, 20, 32] for i in range(3)], np.float32)
    count = 300
    keys = tf.stack([tf.fill([count], 17), tf.range(count)], axis=1)

    def windows(augmentation: Augmentation) -> np.ndarray:
        plans = plan_pictures(
            np.tile(boxes, (count, 1, 1)),
            np.ones((count, 3), bool),
            np.tile([300, 200], (count, 1)),
            tf.cast(keys, tf.int64),
            augmentation,
        )
        left, top, width, height = np.moveaxis(plans.view.window.numpy(), -1, 0)
        return np.stack([left, top, left + width, top + height], axis=1)

    more = windows(dataclasses.replace(NOTHING, room=1.0)) - windows(NOTHING)
    assert not more[:, 1].any() and not more[:, 3].any()
    before, behind = -more[:, 0], more[:, 2]
    assert not (before * behind).any()
    assert 60 <= ((before > 0) | (behind > 0)).sum() <= 140
    for room in (before, behind):
        assert room.min() == 0 and 17 <= room.max() <= 21  # a digit's width, in whole pixels
        assert 5 <= room[room > 0].mean() <= 15


@pytest.mark.parametrize("count", [1, 2, 4])
def test_no_digit_leaves_the_picture(count):
    """White ellipses on black, the inner half of the digits' boxes, never touch the border."""
    pixels = np.zeros((90, 200, 3), np.uint8)
    boxes = np.array([[50 + 22 * i, 30 + 4 * i, 20, 32] for i in range(count)], np.float32)
    y, x = np.mgrid[0.5:90, 0.5:200]
    for left, top, width, height in boxes:
        inside = ((x - left - width / 2) / (0.25 * width)) ** 2 + (
            (y - top - height / 2) / (0.25 * height)
        ) ** 2 < 1
        pixels[inside] = 255
    geometry = dataclasses.replace(
        NOTHING, **{name: getattr(Augmentation(), name) for name in GEOMETRY}
    )
    for picture in random_crops(pixels, boxes, 40, geometry):
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert picture.max() > 1
        assert border.max() < picture.min() + 0.4 * np.ptp(picture)


def test_a_fine_photo_does_not_alias():
    checks = (np.indices((400, 600)).sum(axis=0) % 2 * 255).astype(np.uint8)
    pixels = np.repeat(checks[..., np.newaxis], 3, axis=2)
    boxes = np.array([[100, 50, 400, 300]], np.float32)
    picture = random_crop(pixels, boxes, key(3), dataclasses.replace(NOTHING, rotation=8.0))
    # Grey all over; 1 would be 4 grey levels.
    assert np.abs(picture).max() < 3


@pytest.mark.parametrize("box", [[-300, 20, 9, 9], [30, 20, 0, 0], [0, 0, 5000, 4000]], ids=str)
def test_strange_boxes_give_finite_pictures(box):
    picture = random_crop(photo(3), np.array([box], np.float32), key(1), Augmentation())
    assert np.isfinite(picture).all()


def test_standardised():
    picture = random_crop(photo(1), BOXES, key(5), Augmentation()).numpy()
    assert (picture.dtype, picture.shape) == (np.float32, (54, 54, 3))
    assert picture.mean() == pytest.approx(0, abs=1e-5)
    assert picture.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("dark", "light"), [(4, 24), (225, 250)], ids=str)
def test_the_number_on_a_dark_or_a_bright_photo_survives(dark, light):
    pixels = np.full((60, 90, 3), dark, np.uint8)
    pixels[20:36, 34:40] = light
    only = dataclasses.replace(NOTHING, brightness=0.5, contrast=0.4, saturation=0.6)
    for picture in random_crops(pixels, BOXES, 20, only):
        assert picture.std() > 0.8
