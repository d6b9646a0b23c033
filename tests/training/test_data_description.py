import pytest

from svhn.errors import UserError
from svhn.training.config import TrainingConfig
from svhn.training.data_description import describe_data
from tests.small_conversion import write_conversion


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    numbers = {"train": ["1", "2"], "extra": ["3"], "val": ["4"], "test": ["5"]}
    return str(write_conversion(tmp_path_factory.mktemp("data"), numbers))


def test_train_and_extra_are_trained_on_unless_splits_are_named(data_dir):
    data = describe_data(TrainingConfig(data_dir))
    assert data["splits"] == ["train", "extra"] and data["photos"] == 3
    assert describe_data(TrainingConfig(data_dir, splits=["extra"]))["photos"] == 1


def test_photos_that_a_machine_labelled_are_trained_on_by_default(tmp_path):
    numbers = {"train": ["1", "2"], "extra": ["3"], "pseudo": ["6", "7", "8"], "val": ["4"]}
    data_dir = str(write_conversion(tmp_path, numbers))
    data = describe_data(TrainingConfig(data_dir, mix=["train:2", "pseudo:2", "extra:3"]))
    assert data["splits"] == ["train", "extra", "pseudo"] and data["photos"] == 6


def test_another_conversion_is_described_otherwise(data_dir, tmp_path):
    other = write_conversion(tmp_path, {"train": ["1", "2"], "extra": ["9"], "val": ["44"]})
    (other / "tfrecords" / "manifest.json").write_text(
        (other / "tfrecords" / "manifest.json").read_text() + " "
    )
    one, two = (describe_data(TrainingConfig(str(folder))) for folder in (data_dir, other))
    assert one["photos"] == two["photos"] and one != two


def test_a_split_that_is_named_twice_is_refused(data_dir):
    with pytest.raises(UserError, match=r"--splits=train,train names a split twice"):
        describe_data(TrainingConfig(data_dir, splits=["train", "train"]))


@pytest.fixture(scope="module")
def with_empty(tmp_path_factory):
    numbers = {"train": ["1", "2"], "extra": ["3"], "empty": ["", "", ""], "val": ["4"]}
    return str(write_conversion(tmp_path_factory.mktemp("data"), numbers))


def test_a_detector_is_trained_on_photos_without_any_number(with_empty):
    detector = describe_data(TrainingConfig(with_empty, task="detector"))
    assert detector["splits"] == ["train", "extra", "empty"] and detector["photos"] == 6


def test_a_reader_is_trained_on_them_where_they_are_named(with_empty):
    reader = describe_data(TrainingConfig(with_empty))
    assert reader["splits"] == ["train", "extra"] and reader["photos"] == 3
    reader = describe_data(TrainingConfig(with_empty, splits=["train", "empty"]))
    assert reader["splits"] == ["train", "empty"] and reader["photos"] == 5


def test_nothing_but_them_is_refused(with_empty, tmp_path):
    alone = str(write_conversion(tmp_path, {"empty": ["", ""], "val": ["4"]}))
    for data_dir, splits in ((with_empty, ["empty"]), (alone, [])):
        with pytest.raises(UserError, match=r"empty alone .*--splits=train,empty"):
            describe_data(TrainingConfig(data_dir, splits=splits, task="detector"))
    with pytest.raises(UserError, match=r"empty alone a reader .*--splits=train,empty"):
        describe_data(TrainingConfig(with_empty, splits=["empty"]))
    with pytest.raises(UserError, match="neither train nor extra"):
        describe_data(TrainingConfig(alone))
