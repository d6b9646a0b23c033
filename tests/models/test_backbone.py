import hashlib

import keras
import numpy as np
import pytest

from svhn.data import resumable_download
from svhn.errors import UserError
from svhn.models import backbone, build_model
from svhn.models.vgg16 import BACKBONE_LAYERS


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """VGG16 as keras.applications has it, with biases that are not zero, and its two files."""
    keras.utils.set_random_seed(8)
    network = keras.applications.VGG16(include_top=False, weights=None)
    random = np.random.default_rng(2)
    for name in BACKBONE_LAYERS:
        kernel, bias = network.get_layer(name).get_weights()
        network.get_layer(name).set_weights([kernel, random.normal(size=bias.shape)])
    folder = tmp_path_factory.mktemp("weights")
    network.save_weights(folder / "vgg16.weights.h5")
    return network, folder


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(9)
    return build_model("vgg16")


def test_the_convolutions_are_those_of_keras_applications(model, pretrained):
    theirs = [layer for layer in pretrained[0].layers if isinstance(layer, keras.layers.Conv2D)]
    ours = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.name for layer in ours] == [layer.name for layer in theirs]
    assert len(ours) == 13
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.kernel.shape == other.kernel.shape


def test_they_see_the_picture_in_the_range_of_imagenet(model, pretrained):
    network, folder = pretrained
    head = np.asarray(model.get_layer("length").kernel)
    backbone.load_backbone(model, str(folder / "vgg16.weights.h5"))

    picture = np.random.default_rng(1).normal(size=(2, 54, 54, 3)).astype("float32")
    ours = keras.Model(model.inputs, model.get_layer("block5_conv3").output)
    theirs = keras.Model(network.inputs, network.get_layer("block5_conv3").output)
    caffe = 58 * picture[..., ::-1]  # blue, green, red, less the mean, in grey levels
    expected = np.asarray(theirs(caffe, training=False))
    assert expected.shape == (2, 3, 3, 512)
    np.testing.assert_allclose(
        np.asarray(ours(picture, training=False)), expected, atol=1e-4 * np.abs(expected).max()
    )
    np.testing.assert_array_equal(np.asarray(model.get_layer("length").kernel), head)


def test_the_range_is_that_of_keras_own_preprocessing():
    # A picture with ImageNet's mean and deviation, standardised as this project's pictures are.
    mean, deviation = np.array([123.68, 116.779, 103.939]), 58.0
    standardised = np.random.default_rng(3).normal(size=(1, 3, 3, 3)).astype("float32")
    levels = standardised * deviation + mean
    caffe = keras.applications.vgg16.preprocess_input(levels.copy())
    kernel = np.random.default_rng(4).normal(size=(3, 3, 3, 5)).astype("float32")
    there = np.einsum("bhwc,hwcf->bf", caffe, kernel)
    here = np.einsum("bhwc,hwcf->bf", standardised, backbone.for_standardised_pictures(kernel))
    np.testing.assert_allclose(here, there, rtol=1e-4)


@pytest.mark.parametrize("kind", ["missing", "empty", "other_network", "with_top", "no_h5"])
def test_a_file_that_does_not_fit_is_named_with_the_one_to_fetch(kind, model, tmp_path):
    path = tmp_path / f"{kind}.weights.h5"
    if kind == "empty":
        path.touch()
    elif kind == "no_h5":
        path.write_bytes(b"PK\x03\x04 not HDF5 at all" * 100)
    elif kind == "other_network":
        build_model("plain").save_weights(path)
    elif kind == "with_top":
        inputs = keras.Input((32, 32, 3))
        features = keras.applications.VGG16(include_top=False, weights=None)(inputs)
        outputs = keras.layers.Dense(4)(keras.layers.Flatten()(features))
        keras.Model(inputs, outputs).save_weights(path)
    with pytest.raises(UserError) as error:
        backbone.load_backbone(model, str(path))
    assert str(path) in str(error.value)
    assert backbone.WEIGHTS_URL in str(error.value)
    assert "\n" not in str(error.value)


def test_a_legacy_file_as_keras_applications_has_them(model, tmp_path, pretrained):
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    network, _ = pretrained
    path = tmp_path / backbone.WEIGHTS_NAME
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)
    backbone.load_backbone(model, str(path))
    np.testing.assert_array_equal(
        model.get_layer("block3_conv2").get_weights()[0],
        network.get_layer("block3_conv2").get_weights()[0],
    )


def test_a_download_is_checked_and_kept_where_keras_keeps_it(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    fetched = []

    def fetch(url, part):
        fetched.append(url)
        part.write_bytes(b"weights")

    monkeypatch.setattr(backbone, "fetch", fetch)
    with pytest.raises(UserError, match="MD5"):
        backbone.download_imagenet_weights()
    assert not list((tmp_path / "models").iterdir())
    md5 = hashlib.md5(b"weights").hexdigest()
    path = backbone.download_imagenet_weights(md5=md5)
    assert path == tmp_path / "models" / backbone.WEIGHTS_NAME
    assert path.read_bytes() == b"weights"
    backbone.download_imagenet_weights(md5=md5)
    assert fetched == [backbone.WEIGHTS_URL] * 2


@pytest.mark.parametrize("refused", [False, True])
def test_without_a_download_the_file_to_fetch_by_hand_is_named(refused, tmp_path, monkeypatch):
    def refuse(url, part):
        raise UserError("the server answers 403")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(resumable_download, "ATTEMPTS", 1)
    if refused:
        monkeypatch.setattr(backbone, "fetch", refuse)
    with pytest.raises(UserError) as error:
        backbone.download_imagenet_weights("http://127.0.0.1:9/weights.h5")
    message = str(error.value)
    assert "http://127.0.0.1:9/weights.h5" in message and "--backbone_weights" in message
    assert str(tmp_path / "models" / backbone.WEIGHTS_NAME) in message
