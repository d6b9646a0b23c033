import numpy as np
import pytest
import tensorflow as tf

from svhn.augmentation_config import Augmentation
from svhn.occlusion import DRAWS, occlude

PICTURES = np.random.default_rng(1).uniform(0, 255, (40, 30, 50, 3)).astype(np.float32)


def draws(count: int = len(PICTURES)) -> np.ndarray:
    return np.random.default_rng(2).uniform(-1, 1, (count, DRAWS)).astype(np.float32)


def test_what_is_hidden_is_a_rectangle_of_one_grey_level_and_not_too_large():
    augmentation = Augmentation(occlusion=0.4)
    after = occlude(PICTURES, draws(), augmentation).numpy()
    shares = []
    for before, picture in zip(PICTURES, after, strict=True):
        is_hidden = (before != picture).any(axis=2)
        shares.append(is_hidden.mean())
        if not is_hidden.any():
            continue
        rows, columns = np.flatnonzero(is_hidden.any(axis=1)), np.flatnonzero(is_hidden.any(axis=0))
        rectangle = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert np.unique(rectangle).size == 1 and 0 <= rectangle[0, 0, 0] <= 255
        assert len(rows) <= 0.4 * 30 + 1 and len(columns) <= 0.4 * 50 + 1
    assert max(shares) > 0.08 and np.mean(shares) == pytest.approx(0.4**2 / 4, rel=0.4)


def test_the_middle_is_where_the_draws_say():
    one = np.array([[0.5, -0.5, 1.0, 1.0, 1.0]], np.float32)
    picture = occlude(np.zeros((1, 20, 40, 3), np.float32), one, Augmentation(occlusion=0.2))
    rows, columns, _ = np.nonzero(picture[0].numpy())
    assert (rows.min(), rows.max()) == (13, 16)
    assert (columns.min(), columns.max()) == (6, 13)
    assert picture[0].numpy().max() == 255


@pytest.mark.parametrize("nothing", [Augmentation(strength=0.0), Augmentation(occlusion=0.0)])
def test_nothing_is_hidden_without_it(nothing):
    assert np.array_equal(occlude(PICTURES, draws(), nothing), PICTURES)


def test_a_picture_does_not_depend_on_its_place_in_the_batch():
    whole = occlude(PICTURES, draws(), Augmentation()).numpy()
    graph = tf.function(occlude)(PICTURES[7:9], draws()[7:9], Augmentation()).numpy()
    assert np.array_equal(whole[7:9], graph)
