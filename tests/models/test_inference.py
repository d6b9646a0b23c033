import keras
import numpy as np
import pytest
from keras import layers

from svhn.models import DETECTOR_NAMES, MODEL_NAMES, build_model, picture_size_of
from svhn.models.inference import for_inference

SIZES = {name: picture_size_of(name) for name in MODEL_NAMES} | dict.fromkeys(
    DETECTOR_NAMES, (64, 96)
)


def pictures(count: int, height: int = 8, width: int = 8, channels: int = 3) -> np.ndarray:
    shape = (count, height, width, channels)
    return np.random.default_rng(5).normal(size=shape).astype("float32")


def trained(model: keras.Model) -> keras.Model:
    """The model with statistics, scales and offsets that differ between channels, some below 0."""
    random = np.random.default_rng(9)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            for weight in layer.weights:
                values = random.normal(size=weight.shape)
                is_variance = "variance" in weight.name
                weight.assign(np.exp(values) if is_variance else 0.5 * values)
        elif layer.weights:  # biases, too, are not 0
            layer.set_weights(
                [weight + 0.01 * random.normal(size=weight.shape) for weight in layer.get_weights()]
            )
    return model


def model_of(inputs, outputs) -> keras.Model:
    return trained(keras.Model(inputs, outputs))


def kinds(model: keras.Model) -> list[type]:
    return [type(layer) for layer in model.layers]


def assert_same(model: keras.Model, converted: keras.Model, inputs: np.ndarray) -> None:
    expected, given = model(inputs, training=False), converted(inputs, training=False)
    keras.tree.assert_same_structure(expected, given)
    for wanted, values in zip(keras.tree.flatten(expected), keras.tree.flatten(given), strict=True):
        wanted, values = np.asarray(wanted), np.asarray(values)
        assert wanted.std() > 1e-3  # the weights are such that something can be seen
        np.testing.assert_allclose(values, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("name", MODEL_NAMES + DETECTOR_NAMES)
def test_every_model_gives_the_same_with_less(name):
    keras.utils.set_random_seed(3)
    model = trained(build_model(name))
    weights = model.get_weights()
    converted = for_inference(model)
    assert_same(model, converted, pictures(3, *SIZES[name]))
    for kind in (layers.BatchNormalization, layers.Dropout):
        assert not any(isinstance(layer, kind) for layer in converted.layers)
    assert converted.name == model.name
    assert converted.input_shape == model.input_shape
    assert converted.output_shape == model.output_shape
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_in_the_detector_every_normalisation_becomes_part_of_a_convolution():
    converted = for_inference(build_model("detector"))
    assert layers.DepthwiseConv2D not in kinds(converted)
    assert kinds(converted).count(layers.Conv2D) == kinds(build_model("detector")).count(
        layers.Conv2D
    )


def test_it_does_not_follow_the_training_of_the_other():
    model = trained(build_model("plain"))
    converted = for_inference(model)
    before = np.asarray(converted(pictures(1, 54, 54))["length"])
    model.set_weights([0 * weight for weight in model.get_weights()])
    np.testing.assert_array_equal(converted(pictures(1, 54, 54))["length"], before)


@pytest.mark.parametrize("layer", [layers.Conv2D(6, 3), layers.Conv2D(6, 3, use_bias=False)])
def test_after_a_convolution(layer):
    inputs = keras.Input((8, 8, 3))
    model = model_of(inputs, layers.BatchNormalization()(layer(inputs)))
    converted = for_inference(model)
    assert kinds(converted) == [layers.InputLayer, layers.Conv2D]
    assert_same(model, converted, pictures(2))


def test_without_scale_or_offset():
    inputs = keras.Input((8, 8, 3))
    features = layers.BatchNormalization(scale=False)(layers.Dense(4)(inputs))
    model = model_of(inputs, layers.BatchNormalization(center=False)(features))
    converted = for_inference(model)
    assert kinds(converted) == [layers.InputLayer, layers.Dense, layers.DepthwiseConv2D]
    assert_same(model, converted, pictures(2))


@pytest.mark.parametrize("is_output", [False, True])
def test_a_convolution_whose_outputs_go_elsewhere_too_stays_as_it_is(is_output):
    inputs = keras.Input((8, 8, 3))
    features = layers.Conv2D(6, 3)(inputs)
    normalised = layers.BatchNormalization()(features)
    outputs = [features, normalised] if is_output else layers.Add()([features, normalised])
    model = model_of(inputs, outputs)
    converted = for_inference(model)
    assert kinds(converted).count(layers.Conv2D) == 1
    assert kinds(converted).count(layers.DepthwiseConv2D) == 1
    assert_same(model, converted, pictures(2))


def test_a_convolution_with_an_activation_stays_as_it_is():
    inputs = keras.Input((8, 8, 3))
    features = layers.Conv2D(6, 3, activation="relu")(inputs)
    model = model_of(inputs, layers.BatchNormalization()(features))
    assert_same(model, for_inference(model), pictures(2))


def test_what_no_other_layer_can_do_stays():
    inputs = keras.Input((8, 8, 3))
    features = layers.BatchNormalization(axis=1)(layers.Conv2D(6, 3, padding="same")(inputs))
    features = layers.Dropout(0.5)(layers.Flatten()(features))
    model = model_of(inputs, layers.BatchNormalization()(features))
    converted = for_inference(model)
    assert kinds(converted).count(layers.BatchNormalization) == 2
    assert_same(model, converted, pictures(2))


def test_layers_that_are_applied_twice():
    inputs = keras.Input((8, 8, 3))
    convolution, normalisation = layers.Conv2D(3, 3, padding="same"), layers.BatchNormalization()
    once = normalisation(convolution(inputs))
    twice = normalisation(convolution(layers.Activation("relu")(once)))
    model = model_of(inputs, layers.Subtract()([normalisation(twice), once]))
    assert_same(model, for_inference(model), pictures(2))


def test_a_model_in_a_model():
    inner_inputs = keras.Input((8, 8, 3))
    inner = keras.Model(
        inner_inputs, layers.BatchNormalization()(layers.Conv2D(4, 3)(inner_inputs))
    )
    trained(inner)
    inputs = keras.Input((8, 8, 3))
    model = model_of(inputs, layers.BatchNormalization()(inner(2 * inputs)))
    converted = for_inference(model)
    assert layers.BatchNormalization not in kinds(converted)
    assert layers.BatchNormalization not in kinds(converted.get_layer(inner.name))
    assert_same(model, converted, pictures(2))


def test_a_model_whose_layers_cannot_be_seen_is_returned():
    class Own(keras.Model):
        def call(self, inputs):
            return inputs

    model = Own()
    assert for_inference(model) is model
