import collections
import json
from itertools import pairwise

import pytest
import tensorflow as tf

from svhn.data import records, sampling
from svhn.data.length_balance import balanced_examples
from svhn.data.manifest import photo_count, photos_by_length
from svhn.errors import UserError
from tests.small_conversion import write_conversion

NUMBERS = {
    "train": [
        "7",
        *(str(10 + index) for index in range(30)),
        *(str(100 + index) for index in range(6)),
        "1234567",
        "7654321",
    ],
    "extra": [*(str(50 + index) for index in range(11)), "3", "4"],
}
TRAIN, EXTRA = len(NUMBERS["train"]), len(NUMBERS["extra"])
WAYS = {
    "mix": {"splits": ["train", "extra"], "mix": [2, 3]},
    "balance": {"splits": ["train", "extra"], "balance_lengths": 0.8},
    "both": {"splits": ["train", "extra"], "mix": [2, 3], "balance_lengths": 0.8},
}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Photos that their numbers tell apart."""
    return write_conversion(tmp_path_factory.mktemp("data"), NUMBERS)


@pytest.fixture(scope="module", autouse=True)
def several_blocks_an_epoch():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "SHUFFLED_AT_ONCE", 16)
        patch.setattr(sampling, "_LENGTHS_AT_ONCE", 5)
        patch.setattr(sampling, "_CHOICES_AT_ONCE", 7)
        yield


@pytest.fixture(scope="module")
def whole_runs(data_dir, several_blocks_an_epoch):
    """About four epochs in each of the ways."""
    tf.random.set_seed(1)
    return {way: examples(data_dir, 220, **arguments) for way, arguments in WAYS.items()}


def examples(data_dir, count, splits=("train",), seed=3, **arguments):
    """The first examples as (number, key)."""
    data_set = sampling.serialized_examples(data_dir, list(splits), seed, **arguments)
    taken = []
    for serialized, keys in data_set.take(count).batch(64):
        numbers = records.parse_records(serialized)["number"].numpy()
        taken += zip((number.decode() for number in numbers), keys.numpy().tolist(), strict=True)
    return taken


def numbers_of(taken):
    return [number for number, _ in taken]


def test_by_default_the_order_is_that_of_earlier_versions(data_dir, monkeypatch):
    """Or a run that was begun with one of them could not go on."""
    monkeypatch.setattr(sampling, "SHUFFLED_AT_ONCE", 4096)
    taken = examples(data_dir, 10, ["extra"], start_example=EXTRA)
    in_order = ["50", "52", "53", "60", "57", "54", "56", "59", "58", "51"]
    assert taken == [(number, 3 * 2**32 + 1) for number in in_order]


@pytest.mark.parametrize("way", ["mix", "both"])
def test_a_mix_is_kept_from_the_first_example_on(whole_runs, way):
    extra = 0
    for count, number in enumerate(numbers_of(whole_runs[way]), start=1):
        extra += number in NUMBERS["extra"]
        assert abs(extra - count * 3 / 5) < 1


def test_in_a_mix_each_split_has_epochs_of_its_own(data_dir, whole_runs):
    for split, numbers in NUMBERS.items():
        own = [example for example in whole_runs["mix"] if example[0] in numbers]
        assert own == examples(data_dir, len(own), [split])
        for start in range(0, len(own) - len(numbers), len(numbers)):
            epoch = numbers_of(own[start : start + len(numbers)])
            assert sorted(epoch) == sorted(numbers)


@pytest.mark.parametrize(
    ("way", "start"), [("mix", 137), ("balance", 137), *(("both", s) for s in (1, 52, 137))]
)
def test_from_any_example_on_all_is_as_without_a_break(data_dir, whole_runs, way, start):
    tf.random.set_seed(2)  # another than the whole run's: it must not matter
    resumed = examples(data_dir, 220 - start, start_example=start, **WAYS[way])
    assert resumed == whole_runs[way][start:]


@pytest.mark.parametrize("balance", [0.3, 1.0])
def test_each_length_and_photo_come_as_often_as_said(data_dir, balance):
    epochs = 3
    taken = numbers_of(examples(data_dir, epochs * TRAIN, balance_lengths=balance))
    photos = photos_by_length(data_dir, "train")
    expected = balanced_examples(photos, balance)
    assert expected != photos
    for epoch in range(epochs):
        times = collections.Counter(taken[epoch * TRAIN : (epoch + 1) * TRAIN])
        lengths = [0] * 7
        for number in NUMBERS["train"]:
            length = min(len(number), 6)
            lengths[length] += times[number]
            copies = expected[length] / photos[length]
            assert copies - 1 < times[number] < copies + 1
        assert lengths == expected


def test_a_photo_that_an_epoch_leaves_out_comes_in_another(tmp_path):
    """Even from a single shard, in which photos are always in the same order."""
    one_shard = write_conversion(tmp_path, {"train": [*map(str, range(10, 40)), "1", "2", "3"]})
    path = one_shard / "tfrecords" / "manifest.json"
    manifest = json.loads(path.read_text())
    in_shards = [
        record
        for shard in records.shard_paths(one_shard, "train")
        for record in tf.data.TFRecordDataset(shard).as_numpy_iterator()
    ]
    shard = path.parent / "all"
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for record in in_shards:
            writer.write(record)
    entry = {"file": shard.name, "photos": len(in_shards), "bytes": shard.stat().st_size}
    manifest["splits"]["train"]["shards"] = [entry]
    path.write_text(json.dumps(manifest))

    photos = photo_count(one_shard, "train")
    times = collections.Counter(numbers_of(examples(one_shard, 10 * photos, balance_lengths=1.0)))
    # 16 or 17 of the 30 come in each epoch.
    assert all(4 <= times[str(number)] <= 7 for number in range(10, 40))


def test_copies_have_keys_of_their_own_and_the_first_that_of_the_photo(data_dir):
    alone = dict(examples(data_dir, TRAIN))
    taken = examples(data_dir, 2 * TRAIN, balance_lengths=1.0)
    by_number = collections.defaultdict(list)
    for number, key in taken[:TRAIN]:
        by_number[number].append(key)
    assert len(by_number["1234567"]) > 1
    for number, keys in by_number.items():
        assert len(set(keys)) == len(keys)
        assert min(keys) == alone[number]
    other_seed = examples(data_dir, TRAIN, balance_lengths=1.0, seed=4)
    for number, key in taken[TRAIN:] + other_seed:
        assert key not in by_number[number]


def test_copies_are_shuffled_apart(data_dir, monkeypatch):
    monkeypatch.setattr(sampling, "SHUFFLED_AT_ONCE", 4096)
    epochs = 10
    taken = numbers_of(examples(data_dir, epochs * TRAIN, balance_lengths=1.0))
    beside = sum(one == other == "7" for one, other in pairwise(taken))
    copies = taken.count("7")
    assert copies > 5 * epochs
    # By chance a neighbour is the same photo in about 9 of 38 cases; side by side, 8 of 9 are.
    assert beside < copies / 2


def test_wrong_splits_are_one_line(data_dir):
    for arguments in ({"mix": [1, 1]}, {"balance_lengths": 1.0}):
        with pytest.raises(UserError, match="'val'") as caught:
            examples(data_dir, 1, ["train", "val"], **arguments)
        assert "\n" not in str(caught.value)
