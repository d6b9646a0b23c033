from itertools import islice

import numpy as np
import pytest
import tensorflow as tf

from svhn import photometry
from svhn.augmentation_config import Augmentation
from svhn.data import sampling
from svhn.data.detection_pipeline import evaluation_photos, training_windows
from svhn.detector_input import PADDING_LEVEL
from svhn.errors import UserError
from svhn.window_config import IGNORED, MOST_DIGITS, NO_LABEL, NUMBER, WindowConfig
from tests.small_conversion import write_conversion

TRAIN = 23
NUMBERS = {
    "train": [f"{100 + index}" for index in range(TRAIN)],
    "extra": [f"{200 + index}" for index in range(11)],
    "empty": [""] * 13,
    "val": ["7", *(f"{10 + index}" for index in range(8)), "12345"],
}
SMALL = WindowConfig(size=64, largest_digit=40)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return write_conversion(tmp_path_factory.mktemp("data"), NUMBERS)


def taken(data_dir, count, batch_size=4, splits=("train",), seed=3, **arguments):
    batches = training_windows(
        data_dir, list(splits), batch_size, seed, **{"windows": SMALL, **arguments}
    )
    return [tuple(part.numpy() for part in batch) for batch in islice(batches, count)]


@pytest.fixture(scope="module")
def in_fours(data_dir):
    """120 examples: more than five epochs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "SHUFFLED_AT_ONCE", 8)
        tf.random.set_seed(1)
        return taken(data_dir, 10)


def same(ones, others):
    return len(ones) == len(others) and all(
        np.array_equal(one, other)
        for batch, batch_of_others in zip(ones, others, strict=True)
        for one, other in zip(batch, batch_of_others, strict=True)
    )


def test_shapes_types_and_ranges(in_fours):
    for images, labels, boxes, numbers, number_boxes in in_fours:
        assert images.shape == (4, 64, 64, 3)
        assert labels.shape == (4, MOST_DIGITS)
        assert boxes.shape == (4, MOST_DIGITS, 4)
        assert (images.dtype, labels.dtype, boxes.dtype) == (np.float32, np.int32, np.float32)
        assert images.min() >= 0
        assert images.max() <= 255
        assert boxes.min() >= 0
        assert labels.min() >= -2
        assert labels.max() <= 9
        # One place for each of the two photos that may show theirs.
        assert (numbers.shape, number_boxes.shape) == ((4, 2), (4, 2, 4))
        assert (numbers.dtype, number_boxes.dtype) == (np.int32, np.float32)
        assert set(numbers.ravel()) <= {NUMBER, NO_LABEL, IGNORED}
        assert number_boxes.min() >= 0 and number_boxes.max() <= 64
    assert any((labels >= 0).any() for _, labels, *_ in in_fours)
    assert any((numbers == NUMBER).any() for *_, numbers, _ in in_fours)


@pytest.mark.parametrize("done", [1, 4, 7])
def test_a_resumed_run_gets_the_very_windows_that_were_to_come(
    data_dir, in_fours, done, monkeypatch
):
    monkeypatch.setattr(sampling, "SHUFFLED_AT_ONCE", 8)
    tf.random.set_seed(done)  # another than the first run's: it must not matter
    assert same(taken(data_dir, 10 - done, start_example=4 * done), in_fours[done:])


def test_windows_do_not_depend_on_the_batch_size(data_dir, in_fours, monkeypatch):
    monkeypatch.setattr(sampling, "SHUFFLED_AT_ONCE", 8)
    (joined,) = taken(data_dir, 1, batch_size=20)
    apart = tuple(np.concatenate(parts[:5]) for parts in zip(*in_fours, strict=True))
    assert same([joined], [apart])


def test_seed_and_epoch_make_other_windows(data_dir, in_fours):
    assert not same(taken(data_dir, 1, seed=4), in_fours[:1])
    images = np.concatenate([images for images, *_ in in_fours])
    assert len({image.tobytes() for image in images}) == len(images)


def test_splits_are_mixed_as_asked_for(data_dir):
    """Digits in the hundreds' place tell the splits apart."""
    config = WindowConfig(size=64, photos=1, negatives=0, smallest_digit=12, largest_digit=12)
    shares = []
    for mix in ([1, 2], [2, 1]):
        arguments = {"windows": config, "splits": ["train", "extra"], "mix": mix}
        labels = np.concatenate([labels for _, labels, *_ in taken(data_dir, 30, **arguments)])
        firsts = labels[:, 0]
        shares.append((firsts == 2).sum() / np.isin(firsts, (1, 2)).sum())
    # As the photos are there it would be 11 to 23.
    assert shares == pytest.approx([2 / 3, 1 / 3], abs=0.12)


def test_photos_of_each_split_take_each_place_of_a_window(data_dir):
    """A mix of three and windows of three photos, the last of them the background."""
    config = WindowConfig(size=64, negatives=0, smallest_digit=12, largest_digit=12)
    arguments = {"windows": config, "splits": ["train", "extra"], "mix": [1, 2]}
    labels = np.concatenate([labels for _, labels, *_ in taken(data_dir, 10, **arguments)])
    assert {1, 2} <= set(labels[:, 0].tolist())
    resumed = taken(data_dir, 2, start_example=20, **arguments)
    assert same(resumed, taken(data_dir, 7, **arguments)[5:])


def test_photos_without_any_number_give_windows_without_one(data_dir):
    """As first photo of a window, as second and as background: they are all there is."""
    for images, labels, boxes, numbers, _ in taken(data_dir, 4, splits=["empty"]):
        assert (labels == NO_LABEL).all() and not boxes.any()
        assert (numbers == NO_LABEL).all()
        assert np.isfinite(images).all()
        shown = (images != PADDING_LEVEL).any(axis=-1).mean(axis=(1, 2))
        assert (shown > 0.02).all() and shown.mean() > 0.4


@pytest.mark.parametrize("mix", [None, [3, 1]])
def test_a_run_that_mixes_them_in_is_resumed_exactly(data_dir, mix):
    arguments = {"splits": ["train", "empty"], "mix": mix}
    whole = taken(data_dir, 7, **arguments)
    assert same(taken(data_dir, 4, start_example=12, **arguments), whole[3:])
    labels = np.concatenate([labels for _, labels, *_ in whole])
    with_digits = (labels >= 0).any(axis=1)
    assert with_digits.any() and not with_digits.all()


def test_lengths_are_evened_out_with_them_too(data_dir):
    arguments = {"splits": ["train", "empty"], "balance_lengths": 1.0}
    whole = taken(data_dir, 3, **arguments)
    assert same(taken(data_dir, 1, start_example=8, **arguments), whole[2:])


def test_rare_lengths_come_more_often_where_they_are_evened_out(tmp_path):
    write_conversion(tmp_path, {"train": ["7"] * 4 + ["123"] * 28, "val": ["1"]})
    config = WindowConfig(size=64, photos=1, negatives=0, smallest_digit=12, largest_digit=12)
    shares = []
    for balance in (0.0, 1.0):
        arguments = {"windows": config, "balance_lengths": balance}
        batches = taken(tmp_path, 24, **arguments)
        labels = np.concatenate([labels for _, labels, *_ in batches])
        digits = labels[labels >= 0]
        shares.append((digits == 7).mean())
    assert shares[0] < 0.1 and shares[1] > 2.5 * shares[0]


def test_without_augmentation_the_light_is_the_photos(data_dir):
    plain = taken(data_dir, 1, augmentation=Augmentation(strength=0.0))
    varied = taken(data_dir, 1)
    assert np.array_equal(plain[0][1], varied[0][1])
    assert np.array_equal(plain[0][2], varied[0][2])
    assert np.abs(plain[0][0] - varied[0][0]).max() > 5


def test_beyond_the_photo_it_stays_grey_in_any_light(data_dir, monkeypatch):
    varied = taken(data_dir, 1)[0][0]
    # In an even light that no photo has, the windows show how much of each pixel is photo. Pixels
    # that are photo to one part in 256 can be as grey as those that are none.
    monkeypatch.setattr(photometry, "vary_pictures", lambda pictures, *_: pictures * 0 - 1000)
    in_even_light = taken(data_dir, 1)[0][0]
    is_beyond = (in_even_light == PADDING_LEVEL).all(axis=-1)
    assert is_beyond.any()
    assert (varied[is_beyond] == PADDING_LEVEL).all()
    assert (varied[~is_beyond] != PADDING_LEVEL).any(axis=-1).mean() > 0.99


def test_evaluation_sees_every_photo_once_with_the_way_back(data_dir):
    batches = list(evaluation_photos(data_dir, "val", 4, working_size=96))
    assert [len(batch.images) for batch in batches] == [4, 4, 2]
    names = [name.decode() for batch in batches for name in batch.names.numpy()]
    assert sorted(names) == sorted(f"train/{index + 1}.png" for index in range(10))
    for batch in batches:
        assert batch.images.shape[1:] == (96, 96, 3)
        sizes = batch.photo_sizes.numpy() * batch.scales.numpy()
        np.testing.assert_allclose(sizes.max(axis=1), 96, atol=1e-3)
        for image, (width, height), number in zip(
            batch.images.numpy(), sizes, batch.digit_labels.numpy(), strict=True
        ):
            inside = np.zeros((96, 96), bool)
            inside[: round(height), : round(width)] = True
            assert (image[~inside] == PADDING_LEVEL).all()
            assert (image[inside] != PADDING_LEVEL).mean() > 0.9
            assert (number >= 0).any()
    numbers = {
        name: "".join(str(digit) for digit in digits if digit >= 0)
        for batch in batches
        for name, digits in zip(batch.names.numpy(), batch.digit_labels.numpy(), strict=True)
    }
    assert numbers[b"train/10.png"] == "12345"
    assert numbers[b"train/1.png"] == "7"


def test_boxes_of_evaluation_are_in_the_photos_pixels(data_dir):
    batch = next(iter(evaluation_photos(data_dir, "val", 10, working_size=96)))
    is_digit = batch.digit_labels.numpy() >= 0
    right = (batch.digit_boxes[..., 0] + batch.digit_boxes[..., 2]).numpy()
    widths = batch.photo_sizes.numpy()[:, :1]
    assert (right < widths)[is_digit].all()
    assert (np.where(is_digit, right, 0).max(axis=1) > 0.3 * widths[:, 0]).all()


def test_a_split_that_is_absent_is_one_line(data_dir):
    for call in (
        lambda: training_windows(data_dir, ["train", "test"], 4, 0),
        lambda: evaluation_photos(data_dir, "test", 4),
    ):
        with pytest.raises(UserError) as caught:
            call()
        assert "\n" not in str(caught.value)
