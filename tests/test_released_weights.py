"""A file of released weights gives back the network, in half precision, and all that was said."""

import keras
import numpy as np
import pytest

from svhn.checkpoints import load_model, load_weights
from svhn.errors import UserError
from svhn.loaded_model import LoadedModel
from svhn.models import build_model
from svhn.released_weights import (
    add_to_released,
    is_released,
    load_released,
    write_released,
)
from svhn.stored_calibration import StoredCalibration

STORED = StoredCalibration(0.75, {0.95: 0.5, 0.98: None}, photos=12)
ABOUT = {"config": {"model": "plain", "learning_rate": 0.5}, "scores": {"value": 0.9}}


def a_network(seed: int, name: str = "plain") -> LoadedModel:
    keras.utils.set_random_seed(seed)
    model = build_model(name)
    random = np.random.default_rng(seed)
    for weight in model.weights:  # vectors too: they are zeros and ones at first
        weight.assign(weight.numpy() + 0.01 * random.random(weight.shape))
    return LoadedModel(model, 7, {"model": name}, {}, "logs/model.ckpt-7", STORED)


@pytest.fixture(scope="module")
def network():
    return a_network(1)


@pytest.fixture
def path(tmp_path, network):
    write_released(tmp_path / "reader.npz", network, ABOUT)
    return tmp_path / "reader.npz"


def test_kernels_come_back_in_half_precision_and_vectors_whole(path, network):
    loaded = load_released(path)
    kinds = set()
    for ours, theirs in zip(loaded.model.weights, network.model.weights, strict=True):
        expected = theirs.numpy()
        if expected.ndim > 1:
            expected = expected.astype(np.float16).astype(np.float32)
            assert not np.array_equal(expected, theirs.numpy())
        kinds.add(expected.ndim > 1)
        np.testing.assert_array_equal(ours.numpy(), expected)
        assert ours.dtype == "float32"
    assert kinds == {True, False}
    assert path.stat().st_size < 2.1 * network.model.count_params()


def test_everything_that_was_said_comes_back(path):
    loaded = load_released(path)
    assert (loaded.step, loaded.calibration, loaded.path) == (7, STORED, str(path))
    assert loaded.config == ABOUT["config"]
    assert loaded.state["scores"] == {"value": 0.9}


def test_a_second_release_has_the_same_answers_and_bytes(path, tmp_path):
    """Rounding twice is rounding once."""
    again = tmp_path / "again.npz"
    write_released(again, load_released(path), ABOUT)
    assert again.read_bytes() == path.read_bytes()


def test_more_can_be_said_later_with_the_same_bytes_as_at_once(path, network, tmp_path):
    later, at_once = tmp_path / "later.npz", tmp_path / "at_once.npz"
    add_to_released(path, {"agreement": {"reader": "abcd"}, "scores": {"value": 1}}, later)
    write_released(
        at_once, network, {**ABOUT, "agreement": {"reader": "abcd"}, "scores": {"value": 1}}
    )
    assert later.read_bytes() == at_once.read_bytes() != path.read_bytes()
    add_to_released(path, {"agreement": {"reader": "abcd"}, "scores": {"value": 1}})
    assert path.read_bytes() == later.read_bytes()
    with pytest.raises(UserError, match="is not there"):
        add_to_released(tmp_path / "absent.npz", {})


def test_it_is_taken_wherever_a_checkpoint_is(path):
    assert is_released(path) and not is_released(path.parent)
    assert load_model(path).step == 7
    model = a_network(2).model
    load_weights(model, path)
    for ours, theirs in zip(model.weights, load_released(path).model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_packaged_reader_is_the_default(path, monkeypatch):
    monkeypatch.setattr("svhn.released_weights.PACKAGED_READER", path)
    assert load_released().path == str(path)


def test_weights_that_half_precision_cannot_hold_are_refused(tmp_path):
    network = a_network(3)
    kernel = next(weight for weight in network.model.weights if weight.ndim > 1)
    for value in (1e6, np.nan):
        kernel.assign(np.full(kernel.shape, value))
        with pytest.raises(UserError, match=r"model\.ckpt-7.*half precision"):
            write_released(tmp_path / "reader.npz", network, {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("contents", "words"),
    [(b"", "can't be read"), (b"no archive", "can't be read"), (None, "is not there")],
)
def test_a_file_that_is_none_is_one_line(tmp_path, contents, words):
    path = tmp_path / "reader.npz"
    if contents is not None:
        path.write_bytes(contents)
    with pytest.raises(UserError, match=words) as caught:
        load_model(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.99])
def test_a_damaged_file_is_one_line(path, place):
    contents = bytearray(path.read_bytes())
    start = int(place * len(contents))
    contents[start : start + 40] = b"\xff" * 40
    path.write_bytes(contents)
    with pytest.raises(UserError, match="can't be read") as caught:
        load_released(path)
    assert "\n" not in str(caught.value)
    path.write_bytes(contents[:start])
    with pytest.raises(UserError, match="can't be read"):
        load_released(path)


def test_other_archives_and_versions_are_named(path, tmp_path):
    np.savez(tmp_path / "other.npz", values=np.zeros(3))
    with pytest.raises(UserError, match="another program"):
        load_released(tmp_path / "other.npz")
    for about, words in (
        (b'{"format": "svhn released weights 9"}', "has the format 'svhn released weights 9'"),
        (b'{"format": "svhn released weights 1", "model": "vgg99"}', "a model named 'vgg99'"),
    ):
        with np.load(path) as archive:
            arrays = dict(archive)
        np.savez(tmp_path / "other.npz", **{**arrays, "about": np.frombuffer(about, np.uint8)})
        with pytest.raises(UserError, match=words):
            load_released(tmp_path / "other.npz")


def test_a_file_of_another_model_does_not_fit(path):
    with pytest.raises(UserError, match="doesn't fit"):
        load_weights(build_model("compact"), path)


def test_a_folder_that_is_not_there(network, tmp_path):
    with pytest.raises(UserError, match=r"--output=.*can't be written"):
        write_released(tmp_path / "absent" / "reader.npz", network, {})
