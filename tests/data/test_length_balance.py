import numpy as np
import pytest

from svhn.data.length_balance import MOST_COPIES, balanced_examples

OFFICIAL_TRAIN = [0, 5137, 18130, 8691, 1434, 9, 1]


@pytest.mark.parametrize("balance", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("photos", [OFFICIAL_TRAIN, [0, 7, 0, 2, 1, 0, 0], [0, 0, 5], [3, 3, 3]])
def test_an_epoch_keeps_its_size_and_no_photo_comes_too_often(photos, balance):
    examples = balanced_examples(photos, balance)
    assert sum(examples) == sum(photos)
    assert all(0 <= w <= MOST_COPIES * n for w, n in zip(examples, photos, strict=True))
    if balance == 0:
        assert examples == photos


def test_every_length_equally_often():
    assert balanced_examples([0, 200, 700, 300, 0, 0, 0], 1.0) == [0, 400, 400, 400, 0, 0, 0]
    assert sorted(balanced_examples([50, 40, 10], 1.0)) == [33, 33, 34]


def test_the_rarest_come_as_often_as_allowed_and_the_others_share_what_is_over():
    examples = balanced_examples(OFFICIAL_TRAIN, 1.0)
    assert examples[5:] == [90, 10]
    assert max(examples[1:5]) - min(examples[1:5]) <= 1


def test_between_the_ends_the_weight_is_a_power_of_the_share():
    photos = np.array([100, 400, 1600])
    examples = balanced_examples(photos.tolist(), 0.5)
    expected = np.sqrt(photos) / np.sqrt(photos).sum() * photos.sum()
    assert np.abs(examples - expected).max() < 1


def test_lifting_one_length_over_the_limit_may_lift_another():
    """A share of 1/1000 would come about 333 times as often, the one of 1/16 more than ten."""
    examples = balanced_examples([1, 60, 939], 1.0)
    assert examples == [10, 495, 495]
    assert balanced_examples([1, 45, 954], 1.0) == [10, 450, 540]
