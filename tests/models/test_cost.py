import keras
import pytest
import tensorflow as tf
from keras import layers

from svhn.models import MODEL_NAMES, build_model
from svhn.models.cost import count_multiply_adds
from svhn.models.goodfellow import LocallyConnected2D


def small_model(*parts):
    return keras.Sequential([keras.Input((10, 8, 3)), *parts])


def test_each_kind_of_layer_by_hand():
    assert count_multiply_adds(small_model(layers.Conv2D(5, 3, strides=2, padding="same"))) == (
        5 * 4 * 3 * 3 * 3 * 5
    )
    assert count_multiply_adds(small_model(layers.Conv2D(6, 3, groups=3))) == 8 * 6 * 3 * 3 * 1 * 6
    dense = small_model(layers.Flatten(), layers.BatchNormalization(), layers.Dense(7))
    assert count_multiply_adds(dense) == 10 * 8 * 3 * 7
    assert count_multiply_adds(small_model(layers.Dense(7))) == 10 * 8 * 3 * 7
    assert count_multiply_adds(small_model(LocallyConnected2D(4, 5))) == 10 * 8 * 5 * 5 * 3 * 4


def test_a_layer_that_is_not_known_is_not_counted_as_nothing():
    with pytest.raises(TypeError, match="DepthwiseConv2D"):
        count_multiply_adds(small_model(layers.DepthwiseConv2D(3)))


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_half_of_what_tensorflows_profiler_counts(name):
    model = build_model(name)
    graph = tf.function(lambda images: model(images, training=False)).get_concrete_function(
        tf.TensorSpec([1, *model.input_shape[1:]])
    )
    options = {**tf.compat.v1.profiler.ProfileOptionBuilder.float_operation(), "output": "none"}
    profile = tf.compat.v1.profiler.profile(graph.graph, cmd="op", options=options)
    # The profiler adds biases, activations and normalisation.
    assert count_multiply_adds(model) == pytest.approx(profile.total_float_ops / 2, rel=0.03)
