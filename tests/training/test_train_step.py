import keras
import numpy as np
import pytest
import tensorflow as tf

from svhn.models.heads import six_heads
from svhn.models.loss import number_loss, soft_number_loss
from svhn.training.config import TrainingConfig
from svhn.training.optimizers import make_optimizer
from svhn.training.reader_task import reading_figures
from svhn.training.train_step import make_train_step, make_train_steps

LABELS = np.array([[2, 7, 5, 10, 10, 10], [1, 3, 10, 10, 10, 10]], np.int32)
IMAGES = np.random.default_rng(0).normal(size=(2, 54, 54, 3)).astype("float32")


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    images = keras.Input((54, 54, 3))
    pooled = keras.layers.Flatten()(keras.layers.AveragePooling2D(27)(images))
    return keras.Model(images, six_heads(pooled))


def make_step(model, learning_rate, label_smoothing=0.0, **flags):
    flags = {"optimizer": "sgd", "weight_decay": 0.0, "schedule": "constant", **flags}
    config = TrainingConfig("", learning_rate=learning_rate, warmup_steps=0, **flags)
    return make_train_step(
        tf.distribute.get_strategy(),
        model,
        make_optimizer(config, model, total_steps=10),
        len(IMAGES),
        reading_figures(label_smoothing),
    )


def gradient_of_the_mean_loss(model, label_smoothing=0.0):
    with tf.GradientTape() as tape:
        losses = number_loss(model(IMAGES, training=True), LABELS, label_smoothing)
        mean = tf.reduce_mean(losses)
    gradients = tape.gradient(mean, [weight.value for weight in model.trainable_weights])
    return float(mean), [gradient.numpy() for gradient in gradients]


@pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
def test_a_step_goes_down_the_gradient_of_the_mean_loss(model, label_smoothing):
    before = model.get_weights()
    mean, gradients = gradient_of_the_mean_loss(model, label_smoothing)
    result = make_step(model, 0.1, label_smoothing)(IMAGES, LABELS)
    assert float(result["loss"]) == pytest.approx(mean, rel=1e-5)
    length = np.sqrt(sum(np.square(gradient).sum() for gradient in gradients))
    assert float(result["gradient_norm"]) == pytest.approx(length, rel=1e-5)
    for old, gradient, new in zip(before, gradients, model.get_weights(), strict=True):
        np.testing.assert_allclose(new, old - 0.1 * gradient, atol=1e-6)


def test_further_truth_has_its_share_of_the_loss(model):
    word = {name: tf.nn.softmax(logits) for name, logits in model(IMAGES).items()}
    word["length"] = tf.roll(word["length"], 1, axis=1)
    seen = []

    def further_truth(images):
        seen.append(images.shape)
        return word

    config = TrainingConfig("", learning_rate=0.1, optimizer="sgd", weight_decay=0.0)
    step = make_train_step(
        tf.distribute.get_strategy(),
        model,
        make_optimizer(config, model, total_steps=10),
        len(IMAGES),
        reading_figures(teacher_share=0.3),
        further_truth=further_truth,
    )
    logits = model(IMAGES, training=True)
    expected = 0.7 * number_loss(logits, LABELS) + 0.3 * soft_number_loss(logits, word)
    loss = float(step(IMAGES, LABELS)["loss"])
    assert loss == pytest.approx(float(tf.reduce_mean(expected)), rel=1e-5)
    assert loss != pytest.approx(float(tf.reduce_mean(number_loss(logits, LABELS))), rel=1e-2)
    assert seen == [IMAGES.shape]


def test_a_long_gradient_is_shortened_as_a_whole(model):
    before = model.get_weights()
    _, gradients = gradient_of_the_mean_loss(model)
    result = make_step(model, 0.1, gradient_clip=0.5)(IMAGES, LABELS)
    length = float(result["gradient_norm"])
    assert length > 0.5
    for old, gradient, new in zip(before, gradients, model.get_weights(), strict=True):
        np.testing.assert_allclose(new, old - 0.1 * gradient * 0.5 / length, atol=1e-6)


def test_half_precision_gradients_are_those_of_the_loss_itself(model):
    before = model.get_weights()
    _, gradients = gradient_of_the_mean_loss(model)
    result = make_step(model, 0.1, precision="float16", gradient_clip=0.5)(IMAGES, LABELS)
    length = float(result["gradient_norm"])
    assert length == pytest.approx(
        np.sqrt(sum(np.square(gradient).sum() for gradient in gradients)), rel=1e-4
    )
    for old, gradient, new in zip(before, gradients, model.get_weights(), strict=True):
        np.testing.assert_allclose(new, old - 0.1 * gradient * 0.5 / length, atol=1e-5)


def test_several_steps_in_a_call_are_the_steps_one_by_one(model):
    first = model.get_weights()
    batches = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).repeat().batch(2)
    runs = []
    for counts in ([1] * 5, [3, 2]):
        steps = make_train_steps(make_step(model, 0.1), ("loss", "right"))
        for variable, value in zip(model.weights, first, strict=True):
            variable.assign(value)
        iterator = iter(batches)
        results = [steps(iterator, tf.constant(count)) for count in counts]
        names = ("loss", "right", "gradient_norm")
        columns = [np.concatenate([result[name] for result in results]) for name in names]
        runs.append([*columns, *model.get_weights()])
    assert [len(column) for column in runs[0][:3]] == [5] * 3
    for one, other in zip(*runs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_numbers_count_as_right_only_as_a_whole(model):
    step = make_step(model, 0.0)
    for weights in model.trainable_weights:
        weights.assign(np.zeros(weights.shape))
    for name, wanted in zip(("length", "digit_1", "digit_2"), (2, 7, 5), strict=True):
        bias = np.zeros(model.get_layer(name).bias.shape)
        bias[wanted] = 5
        model.get_layer(name).bias.assign(bias)
    assert float(step(IMAGES, LABELS)["right"]) == 0.5
    model.get_layer("digit_2").bias.assign(np.zeros(10))
    assert float(step(IMAGES, LABELS)["right"]) == 0
