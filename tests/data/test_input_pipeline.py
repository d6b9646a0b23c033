import inspect
import io
import itertools
from itertools import islice

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from svhn import labels
from svhn.augmentation_config import Augmentation
from svhn.data import records, sampling
from svhn.data.input_pipeline import (
    evaluation_batches,
    label_array,
    naming_damage,
    training_batches,
)
from svhn.errors import UserError
from svhn.geometry import union_box
from svhn.images import load_picture
from svhn.picture_size import PAPER_SIZE, PictureSize
from svhn.preprocessing import crop
from tests.small_conversion import write_conversion

TRAIN, EXTRA = 23, 11
NUMBERS = {
    "train": [f"{100 + index}" for index in range(TRAIN)],
    "extra": [f"{200 + index}" for index in range(EXTRA)],
    "val": ["7", *(f"{10 + index}" for index in range(9))],
}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Photos that their numbers tell apart."""
    return write_conversion(tmp_path_factory.mktemp("data"), NUMBERS)


def taken(data_dir, count, batch_size=5, splits=("train",), seed=3, **arguments):
    """The first batches as (images, numbers as text)."""
    batches = training_batches(data_dir, list(splits), batch_size, seed, **arguments)
    return [
        (images.numpy(), [labels.number_text(label) for label in numbers.numpy()])
        for images, numbers in islice(batches, count)
    ]


def numbers_of(batches):
    return [number for _, numbers in batches for number in numbers]


@pytest.fixture(scope="module")
def in_fives(data_dir):
    """90 examples, almost four epochs, of several shuffled blocks each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "SHUFFLED_AT_ONCE", 8)
        tf.random.set_seed(1)
        return taken(data_dir, 18)


@pytest.fixture(scope="module")
def whole_epochs(data_dir):
    """Three epochs, a batch each."""
    return taken(data_dir, 3, TRAIN)


@pytest.fixture(scope="module")
def other_seed(data_dir):
    return taken(data_dir, 1, TRAIN, seed=4)


def test_each_photo_once_an_epoch_and_none_is_dropped(in_fives, whole_epochs):
    for numbers in (numbers_of(in_fives), numbers_of(whole_epochs)):
        for epoch in range(3):
            assert sorted(numbers[epoch * TRAIN : (epoch + 1) * TRAIN]) == NUMBERS["train"]


def test_shapes_and_types(data_dir):
    for size in (PAPER_SIZE, PictureSize(40, 72)):
        for batches in (
            training_batches(data_dir, ["train"], 5, 0, size=size),
            training_batches(data_dir, ["train"], 5, 0, augmentation=Augmentation(0.0), size=size),
            evaluation_batches(data_dir, "train", 5, size),
        ):
            images, numbers, *_ = batches.element_spec
            assert (images.shape[1:], images.dtype) == ([*size, 3], tf.float32)
            assert (numbers.shape[1:], numbers.dtype) == ([6], tf.int32)


def test_splits_are_mixed(data_dir):
    numbers = numbers_of(taken(data_dir, 1, batch_size=TRAIN + EXTRA, splits=("train", "extra")))
    assert sorted(numbers) == NUMBERS["train"] + NUMBERS["extra"]
    from_extra = np.array([number.startswith("2") for number in numbers])
    assert 0 < from_extra[: len(numbers) // 2].sum() < EXTRA


def test_the_order_depends_on_seed_and_epoch(whole_epochs, other_seed):
    orders = {tuple(numbers) for _, numbers in whole_epochs + other_seed}
    assert len(orders) == 4
    assert tuple(NUMBERS["train"]) not in orders


@pytest.mark.parametrize("done", [4, 9, 14])  # just before and well after an epoch's end
def test_a_resumed_run_gets_the_very_batches_that_were_to_come(
    data_dir, in_fives, done, monkeypatch
):
    monkeypatch.setattr(sampling, "SHUFFLED_AT_ONCE", 8)
    tf.random.set_seed(done)  # another than the first run's: it must not matter
    rest = taken(data_dir, 18 - done, start_example=5 * done)
    for (images, numbers), (resumed_images, resumed_numbers) in zip(
        in_fives[done:], rest, strict=True
    ):
        assert numbers == resumed_numbers
        assert np.array_equal(images, resumed_images)


def test_a_picture_depends_on_its_own_photo_epoch_and_seed_alone(
    data_dir, in_fives, whole_epochs, other_seed
):
    def by_number(batches):
        images = np.concatenate([images for images, _ in batches])
        return dict(zip(numbers_of(batches)[:TRAIN], images[:TRAIN], strict=True))

    mixed = taken(data_dir, 1, TRAIN + EXTRA, ["extra", "train"])
    beside_others = dict(zip(numbers_of(mixed), mixed[0][0], strict=True))
    alike = [by_number(in_fives), beside_others]
    different = [by_number(whole_epochs[1:2]), by_number(other_seed)]
    for number, picture in by_number(whole_epochs[:1]).items():
        assert all(np.array_equal(picture, pictures[number]) for pictures in alike)
        assert not any(np.array_equal(picture, pictures[number]) for pictures in different)


def test_copies_of_a_photo_are_different_pictures_and_resume_alike(data_dir, whole_epochs):
    """And who comes once, comes as without a mix."""
    rare = {"splits": ["train", "val"], "mix": [1, 1], "balance_lengths": 1.0}
    ((images, numbers),) = taken(data_dir, 1, 40, **rare)
    alone = dict(zip(numbers_of(whole_epochs[:1]), whole_epochs[0][0], strict=True))
    for number in set(numbers) & set(alone):
        assert np.array_equal(images[numbers.index(number)], alone[number])
    copies = [image for image, number in zip(images, numbers, strict=True) if number == "7"]
    assert len(copies) >= 5
    for one, other in itertools.combinations(copies, 2):
        assert not np.array_equal(one, other)
    ((resumed, rest),) = taken(data_dir, 1, 27, start_example=13, **rare)
    assert rest == numbers[13:]
    assert np.array_equal(resumed, images[13:])


def test_without_augmentation_training_sees_what_evaluation_sees(data_dir):
    plain = taken(data_dir, 1, TRAIN, augmentation=Augmentation(strength=0.0))
    pictures = dict(zip(numbers_of(plain), plain[0][0], strict=True))
    for images, numbers, _ in evaluation_batches(data_dir, "train", 4):
        for image, number in zip(images.numpy(), numbers.numpy(), strict=True):
            assert np.array_equal(image, pictures[labels.number_text(number)])


@pytest.mark.parametrize("batch_size", [1, 4, TRAIN, 50])
def test_evaluation_sees_every_photo_once(data_dir, batch_size):
    def names(batches):
        return [name.decode() for batch in batches for name in batch[2].numpy()]

    batches = list(evaluation_batches(data_dir, "train", batch_size))
    assert sorted(names(batches)) == sorted(f"train/{index + 1}.png" for index in range(TRAIN))
    assert names(batches) == names(evaluation_batches(data_dir, "train", 7))
    whole, rest = divmod(TRAIN, batch_size)
    assert [len(batch[0]) for batch in batches] == [batch_size] * whole + [rest] * (rest > 0)


def test_evaluation_pictures_are_crops_of_the_photos(data_dir):
    """The same bits as a photo that Pillow decodes and a box that NumPy works out."""
    expected = {}
    for path in records.shard_paths(data_dir, "extra"):
        for serialized in tf.data.TFRecordDataset(path):
            record = records.parse_record(serialized)
            pixels = np.asarray(Image.open(io.BytesIO(record["image"].numpy())))
            picture = crop(pixels, union_box(record["digit_boxes"].numpy()))
            name = record["split"].numpy() + b"/" + record["file_name"].numpy()
            expected[name] = picture.numpy(), labels.label_array(record["digit_labels"].numpy())
    for images, numbers, names in evaluation_batches(data_dir, "extra", 4):
        for image, number, name in zip(images.numpy(), numbers.numpy(), names.numpy(), strict=True):
            picture, label = expected.pop(name)
            assert np.array_equal(image, picture)
            assert number.tolist() == label.tolist()
    assert not expected


@pytest.mark.parametrize("digits", [[], [7], [0, 0], [1, 2, 3, 4, 5], [1] * 6, [9] * 8], ids=str)
def test_the_label_is_the_numpy_one(digits):
    array = label_array(tf.constant(digits, tf.int64))
    assert array.dtype == tf.int32
    assert array.numpy().tolist() == labels.label_array(digits).tolist()


@pytest.mark.parametrize("reader", ["training", "evaluation"])
def test_a_corrupted_shard_is_named_with_its_record(tmp_path, reader):
    data_dir = write_conversion(tmp_path, NUMBERS)
    path = records.shard_paths(data_dir, "train")[1]
    with open(path, "r+b") as file:  # noqa: PTH123 - records give text
        file.seek(-40, 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    last = len(NUMBERS["train"][1::3]) - 1
    with (
        pytest.raises(UserError, match=rf"{path} is damaged at record {last} ") as caught,
        naming_damage(data_dir, ["extra", "train"]),
    ):
        if reader == "training":
            taken(data_dir, 5, splits=["extra", "train"], batch_size=10)
        else:
            list(evaluation_batches(data_dir, "train", 4))
    assert "\n" not in str(caught.value)
    assert "convert_to_tfrecords.py" in str(caught.value)


def test_other_errors_are_left_alone(data_dir):
    with (
        pytest.raises(tf.errors.InvalidArgumentError, match="not about the data"),
        naming_damage(data_dir, ["train"]),
    ):
        raise tf.errors.InvalidArgumentError(None, None, "not about the data")


def test_a_split_that_is_absent_is_one_line(data_dir):
    for call in (
        lambda: training_batches(data_dir, ["train", "test"], 4, 0),
        lambda: evaluation_batches(data_dir, "test", 4),
    ):
        with pytest.raises(UserError) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_the_default_augmentation_is_on():
    parameter = inspect.signature(training_batches).parameters["augmentation"]
    assert parameter.default == Augmentation(strength=1.0)


@pytest.fixture(scope="module")
def with_empty(tmp_path_factory):
    numbers = {"train": ["12", "345"], "empty": ["", "", ""]}
    return write_conversion(tmp_path_factory.mktemp("with_empty"), numbers)


def test_of_photos_without_a_number_the_middle_half_is_shown_as_length_0(with_empty):
    pictures, labels, names = next(iter(evaluation_batches(with_empty, "empty", 8)))
    assert labels.numpy().tolist() == [[0, 10, 10, 10, 10, 10]] * 3
    by_name = {
        name.decode(): picture for name, picture in zip(names.numpy(), pictures, strict=True)
    }
    for photo in records.read_photos(with_empty, "empty"):
        pixels = load_picture(photo.encoded, photo.file_name)
        height, width = pixels.shape[:2]
        expected = crop(
            pixels, np.array([width / 4, height / 4, width / 2, height / 2], np.float32)
        )
        assert np.array_equal(by_name[f"empty/{photo.file_name}"], expected)


def test_they_are_trained_on_beside_numbers_each_by_itself(with_empty):
    batches = training_batches(with_empty, ["train", "empty"], 10, seed=3, mix=[1, 1])
    pictures, labels = next(iter(batches))
    assert np.bincount(labels[:, 0].numpy()).tolist() in ([5, 0, 3, 2], [5, 0, 2, 3])
    assert np.isfinite(pictures).all()
    # A batch of nothing else has no room for digits at all.
    pictures, labels = next(iter(training_batches(with_empty, ["empty"], 3, seed=3)))
    assert not labels[:, 0].numpy().any() and np.isfinite(pictures).all()
