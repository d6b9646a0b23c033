import keras
import numpy as np
import pytest
import tensorflow as tf

from svhn.models.heads import six_heads
from svhn.models.loss import number_loss
from svhn.training.train_step import make_train_step

LABELS = np.array([[2, 7, 5, 10, 10, 10], [1, 3, 10, 10, 10, 10]], np.int32)
IMAGES = np.random.default_rng(0).normal(size=(2, 54, 54, 3)).astype("float32")


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    images = keras.Input((54, 54, 3))
    pooled = keras.layers.Flatten()(keras.layers.AveragePooling2D(27)(images))
    return keras.Model(images, six_heads(pooled))


def make_step(model, learning_rate, label_smoothing=0.0):
    optimizer = keras.optimizers.SGD(learning_rate)
    optimizer.build(model.trainable_variables)
    return make_train_step(
        tf.distribute.get_strategy(), model, optimizer, len(IMAGES), label_smoothing
    )


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_a_step_goes_down_the_gradient_of_the_mean_loss(model, label_smoothing):
    before = model.get_weights()
    with tf.GradientTape() as tape:
        losses = number_loss(model(IMAGES, training=True), LABELS, label_smoothing)
        mean = tf.reduce_mean(losses)
    gradients = tape.gradient(mean, [weight.value for weight in model.trainable_weights])
    loss, _ = make_step(model, 0.1, label_smoothing)(IMAGES, LABELS)
    assert float(loss) == pytest.approx(float(mean), rel=1e-5)
    for old, gradient, new in zip(before, gradients, model.get_weights(), strict=True):
        np.testing.assert_allclose(new, old - 0.1 * gradient.numpy(), atol=1e-6)


def test_numbers_count_as_right_only_as_a_whole(model):
    step = make_step(model, 0.0)
    for weights in model.trainable_weights:
        weights.assign(np.zeros(weights.shape))
    for name, wanted in zip(("length", "digit_1", "digit_2"), (2, 7, 5), strict=True):
        bias = np.zeros(model.get_layer(name).bias.shape)
        bias[wanted] = 5
        model.get_layer(name).bias.assign(bias)
    _, right = step(IMAGES, LABELS)
    assert float(right) == 1
    model.get_layer("digit_2").bias.assign(np.zeros(10))
    _, right = step(IMAGES, LABELS)
    assert float(right) == 0
