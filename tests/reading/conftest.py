import functools
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from svhn.checkpoints import Checkpoints
from svhn.labels import DIGIT_CLASSES, HEAD_NAMES, LENGTH_CLASSES
from svhn.models import build_model
from svhn.reading.reader import Reader


@functools.cache
def small_model() -> keras.Model:
    """A convolutional network with random weights and the six heads."""
    keras.utils.set_random_seed(7)
    images = keras.Input((54, 54, 3))
    features = layers.Conv2D(16, 5, strides=3, activation="relu")(images)
    features = layers.Conv2D(24, 3, strides=2, activation="relu")(features)
    features = layers.Dense(96, activation="relu")(layers.Flatten()(features))
    heads = {
        name: layers.Dense(LENGTH_CLASSES if name == "length" else DIGIT_CLASSES)(features)
        for name in HEAD_NAMES
    }
    return keras.Model(images, heads)


@functools.cache
def reader_of(batch_size: int) -> Reader:
    return Reader(small_model(), batch_size)


@pytest.fixture
def reader() -> Reader:
    return reader_of(8)


@pytest.fixture(scope="session")
def checkpoint_folder(tmp_path_factory) -> Path:
    """A run's folder with a checkpoint of an untrained network."""
    folder = tmp_path_factory.mktemp("run")
    keras.utils.set_random_seed(3)
    state = {"step": 5, "config": {"model": "compact"}}
    Checkpoints(folder, build_model("compact")).save(state)
    return folder


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory) -> Path:
    """Likewise, of a network that starts faster."""
    folder = tmp_path_factory.mktemp("small_run")
    keras.utils.set_random_seed(4)
    state = {"step": 5, "config": {"model": "plain"}}
    Checkpoints(folder, build_model("plain")).save(state)
    return folder


@pytest.fixture(autouse=True)
def no_packaged_reader(monkeypatch, tmp_path) -> Path:
    """Where the packaged reader would lie; the tests put their own there, or none."""
    path = tmp_path / "package" / "reader.npz"
    monkeypatch.setattr("svhn.reading.inference.PACKAGED_READER", path)
    return path


@pytest.fixture(autouse=True)
def no_packaged_detector(monkeypatch, tmp_path) -> Path:
    """Where the packaged detector would lie."""
    path = tmp_path / "package" / "detector.npz"
    monkeypatch.setattr("svhn.reading.inference.PACKAGED_DETECTOR", path)
    return path


def random_photo(seed: int, height: int = 24, width: int = 36) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def save_photo(path: Path, seed: int, height: int = 24, width: int = 36) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(random_photo(seed, height, width)).save(path)
    return path
