import keras
import numpy as np
import pytest

from svhn.labels import HEAD_NAMES
from svhn.models import DEFAULT_MODEL, MODEL_NAMES, build_model
from svhn.models.goodfellow import LocallyConnected2D, Maxout, SubtractiveNormalization


@pytest.fixture(scope="module", params=MODEL_NAMES)
def model(request):
    keras.utils.set_random_seed(3)
    return build_model(request.param)


def images(model, count):
    shape = (count, *model.input_shape[1:])
    return np.random.default_rng(5).normal(size=shape).astype("float32")


def test_six_heads_of_float32_logits(model):
    logits = model(images(model, 2), training=False)
    assert tuple(logits) == HEAD_NAMES
    for name, values in logits.items():
        assert tuple(values.shape) == (2, 7 if name == "length" else 10)
        assert keras.backend.standardize_dtype(values.dtype) == "float32"
        assert np.isfinite(np.asarray(values)).all()


def test_a_prediction_does_not_depend_on_its_neighbours(model):
    batch = images(model, 5)
    together, alone = model(batch, training=False), model(batch[3:4], training=False)
    for name in HEAD_NAMES:
        np.testing.assert_allclose(together[name][3:4], alone[name], atol=1e-4)


def test_dropout_is_on_in_training_and_only_there(model):
    batch = images(model, 2)
    first, second = (np.asarray(model(batch, training=True)["length"]) for _ in range(2))
    assert np.abs(first - second).max() > 1e-4
    first, second = (np.asarray(model(batch, training=False)["length"]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_heads_stay_in_float32_under_mixed_precision():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = build_model(DEFAULT_MODEL)
        assert {model.get_layer(name).compute_dtype for name in HEAD_NAMES} == {"float32"}
        assert model.get_layer("dense").compute_dtype == "bfloat16"
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_the_default_model_is_small():
    assert DEFAULT_MODEL == "compact"
    assert build_model("compact").count_params() <= 4_000_000


def test_the_digits_of_compact_share_a_classifier_of_what_lies_where_they_are():
    keras.utils.set_random_seed(4)
    model = build_model("compact")
    heads = keras.Model(
        model.inputs[0], {name: model.get_layer(name).output for name in HEAD_NAMES}
    )
    shared = model.get_layer("shared_digit_logits")
    batch = images(model, 2)

    def opinions():
        logits, own = model(batch, training=False), heads(batch, training=False)
        return [np.asarray(logits[name]) - np.asarray(own[name]) for name in HEAD_NAMES[1:]]

    np.testing.assert_array_equal(opinions(), 0)  # none before training
    kernel, bias = shared.get_weights()
    shared.set_weights([np.random.default_rng(1).normal(size=kernel.shape), bias])
    # The second and the fifth digit are at the same place, the others each elsewhere.
    attention = model.get_layer("attention_logits")
    kernel, bias = attention.get_weights()
    places = bias.reshape(5, 49)
    places[range(5), [3, 20, 30, 44, 20]] = 50.0
    attention.set_weights([kernel * 0, places.ravel()])
    first, second, third, fourth, fifth = opinions()
    np.testing.assert_allclose(second, fifth, atol=1e-4)
    for other in (first, third, fourth):
        assert np.abs(second - other).max() > 0.01


def test_an_unknown_model_is_named():
    with pytest.raises(ValueError, match="resnet999"):
        build_model("resnet999")


def test_goodfellow_is_the_papers_network():
    layers = build_model("goodfellow").layers
    convolutions = [layer for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    channels = [layer.filters for layer in convolutions]
    assert channels == [48 * 3, 64, 128, 160, 192, 192, 192, 192]
    assert {layer.kernel_size for layer in convolutions} == {(5, 5)}
    pools = [layer for layer in layers if isinstance(layer, keras.layers.MaxPooling2D)]
    assert [layer.strides[0] for layer in pools] == [2, 1, 2, 1, 2, 1, 2, 1]
    assert {layer.pool_size for layer in pools} == {(2, 2)}
    dense = [layer.units for layer in layers if isinstance(layer, keras.layers.Dense)]
    assert dense[:2] == [3072, 3072]
    assert sum(isinstance(layer, SubtractiveNormalization) for layer in layers) == 8
    assert sum(isinstance(layer, LocallyConnected2D) for layer in layers) == 1
    assert sum(isinstance(layer, keras.layers.Dropout) for layer in layers) == 11


def test_maxout_takes_the_largest_filter_of_each_unit():
    inputs = np.random.default_rng(0).normal(size=(2, 4, 4, 6)).astype("float32")
    expected = np.maximum(np.maximum(inputs[..., 0:2], inputs[..., 2:4]), inputs[..., 4:6])
    np.testing.assert_array_equal(Maxout(3)(inputs), expected)


def test_subtractive_normalisation_takes_the_local_mean_away():
    inputs = np.random.default_rng(0).normal(size=(1, 5, 6, 4)).astype("float32")
    outputs = np.asarray(SubtractiveNormalization(3)(inputs))
    inner = inputs[0, 2, 3] - inputs[0, 1:4, 2:5].mean()
    corner = inputs[0, 0, 0] - inputs[0, :2, :2].mean()
    np.testing.assert_allclose(outputs[0, 2, 3], inner, atol=1e-6)
    np.testing.assert_allclose(outputs[0, 0, 0], corner, atol=1e-6)


def test_locally_connected_weights_differ_from_place_to_place():
    inputs = np.random.default_rng(0).normal(size=(2, 4, 3, 2)).astype("float32")
    layer = LocallyConnected2D(5, 3)
    outputs = np.asarray(layer(inputs))
    kernel = np.asarray(layer.kernel).reshape(4, 3, 3, 3, 2, 5)
    padded = np.pad(inputs, [(0, 0), (1, 1), (1, 1), (0, 0)])
    for row in range(4):
        for column in range(3):
            patch = padded[:, row : row + 3, column : column + 3]
            expected = np.einsum("bhwc,hwco->bo", patch, kernel[row, column])
            np.testing.assert_allclose(outputs[:, row, column], expected, atol=1e-5)
    assert np.abs(kernel[0, 0] - kernel[1, 1]).max() > 0


@pytest.mark.parametrize("size", [2, 3, 5])
def test_the_patches_are_those_of_keras(size):
    inputs = np.random.default_rng(0).normal(size=(2, 4, 3, 2)).astype("float32")
    expected = keras.ops.image.extract_patches(inputs, size, strides=1, padding="same")
    np.testing.assert_array_equal(LocallyConnected2D(1, size)._patches(inputs), expected)
