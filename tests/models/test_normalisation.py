import keras
import numpy as np
import pytest
import tensorflow as tf

from svhn.models import build_model
from svhn.models.normalisation import MOMENTUM, FusedBatchNormalization

FEATURES = (3 + 2 * np.random.default_rng(0).normal(size=(4, 5, 6, 3))).astype("float32")

WEIGHTS = np.array([[1, 2, 0.5], [0, -1, 1], [0, 1, 2], [1, 2, 3]], "float32")
"""Scales, offsets, moving means and variances."""


def both(dtype: str = "float32") -> list[keras.layers.Layer]:
    """Ours and Keras's own, with weights that differ between the channels."""
    layers = []
    for kind in (FusedBatchNormalization, keras.layers.BatchNormalization):
        layer = kind(momentum=MOMENTUM, synchronized=True, dtype=dtype)
        layer.build(FEATURES.shape)
        layer.set_weights(WEIGHTS)
        layers.append(layer)
    return layers


def trained(layer: keras.layers.Layer, features: np.ndarray = FEATURES) -> tuple:
    """What a step computes: outputs, gradients of inputs and weights, weights after it."""
    inputs = tf.constant(features)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
        loss = tf.reduce_sum(tf.sin(tf.cast(outputs, "float32")))
    gradients = tape.gradient(loss, [inputs, *layer.trainable_variables])
    return outputs, *gradients, *layer.weights


@pytest.fixture
def kernels(monkeypatch) -> list:
    """Grows with each call of the fused kernel."""
    calls, kernel = [], tf.raw_ops.FusedBatchNormV3
    monkeypatch.setattr(
        tf.raw_ops, "FusedBatchNormV3", lambda **given: calls.append(given) or kernel(**given)
    )
    return calls


def test_a_step_is_that_of_keras(kernels):
    ours, theirs = both()
    for _ in range(2):
        for value, expected in zip(trained(ours), trained(theirs), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
    assert len(kernels) == 2


def test_sizes_that_the_graph_does_not_know_make_the_same_step(kernels):
    ours, theirs = both()
    signature = [tf.TensorSpec((None, None, None, 3))]
    tf.function(lambda features: ours(features, training=True), input_signature=signature)(FEATURES)
    theirs(FEATURES, training=True)
    assert len(kernels) == 1
    for value, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-5)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_keeps_type_and_exact_statistics(kernels, precision):
    ours, theirs = both(f"mixed_{precision}")
    features = FEATURES.astype(precision)
    outputs, *_ = trained(ours, features)
    expected, *_ = trained(theirs, features)
    assert keras.backend.standardize_dtype(outputs.dtype) == precision
    np.testing.assert_allclose(tf.cast(outputs, "float32"), tf.cast(expected, "float32"), atol=0.05)
    for value, same in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(value, same, rtol=1e-5)
    assert len(kernels) == 1


@pytest.mark.parametrize("what", ["inference", "frozen", "matrix"])
def test_all_else_is_left_to_keras(kernels, what):
    ours, theirs = both()
    features = FEATURES[:, 0, 0] if what == "matrix" else FEATURES
    ours.trainable = theirs.trainable = what != "frozen"
    training = what != "inference"
    if what == "matrix":
        ours, theirs = FusedBatchNormalization(), keras.layers.BatchNormalization()
    np.testing.assert_array_equal(
        ours(features, training=training), theirs(features, training=training)
    )
    assert not kernels


@pytest.mark.parametrize("name", ["compact", "vgg16", "detector"])
def test_the_networks_have_no_other(name):
    kinds = {
        type(layer)
        for layer in build_model(name).layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
    assert kinds == {FusedBatchNormalization}


def test_it_can_be_made_again_from_its_configuration():
    layer = FusedBatchNormalization(momentum=0.5, name="normalisation")
    same = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (type(same), same.momentum, same.name) == (
        FusedBatchNormalization,
        0.5,
        "normalisation",
    )
