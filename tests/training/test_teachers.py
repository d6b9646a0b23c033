import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from svhn import command_line
from svhn.checkpoints import load_model, newest_checkpoint, read_state
from svhn.errors import UserError
from svhn.labels import HEAD_NAMES
from svhn.models.heads import six_heads
from svhn.models.inference import for_inference
from svhn.picture_size import PAPER_SIZE, PictureSize
from svhn.preprocessing import standardise
from svhn.released import PACKAGED_DETECTOR, PACKAGED_READER
from svhn.training import reader_task
from svhn.training.config import FREE_FLAGS, TrainingConfig
from svhn.training.loop import train
from svhn.training.teachers import VIEWS, Teachers, load_teachers, resized, views
from tests.small_conversion import small_model, write_conversion

NUMBERS = {"train": [str(number) for number in range(10, 22)], "val": ["7", "12", "123"]}


def pictures(count, size=PAPER_SIZE):
    levels = np.random.default_rng(3).uniform(0, 255, size=(count, *size, 3))
    return standardise(tf.constant(levels, tf.float32))


def shifted(images, right, down):
    """The same with NumPy: a wide edge is put around, and another part is cut out."""
    around = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    height, width = images.shape[1:3]
    return around[:, 2 - down : 2 - down + height, 2 - right : 2 - right + width]


def expected_views(images):
    shifts = [(0, 0), (-2, 0), (2, 0), (0, -2), (0, 2)]
    return [shifted(np.asarray(images), *shift) for shift in shifts]


def test_views_are_shifted_by_two_pixels_and_repeat_the_edge():
    images = pictures(2, PictureSize(5, 7))
    given = views(images).numpy().reshape(VIEWS, 2, 5, 7, 3)
    for view, expected in zip(given, expected_views(images), strict=True):
        np.testing.assert_array_equal(view, expected)
    left, *_, down = given[1:]
    np.testing.assert_array_equal(left[:, :, 0], images[:, :, 2])
    np.testing.assert_array_equal(down[:, 1], images[:, 0])


def wide_model():
    """A reader of pictures of another size."""
    keras.utils.set_random_seed(2)
    images = keras.Input((20, 30, 3))
    features = keras.layers.Flatten()(keras.layers.AveragePooling2D(5)(images))
    return keras.Model(images, six_heads(keras.layers.Rescaling(10.0)(features)))


def softmax(logits):
    values = np.exp(np.asarray(logits, np.float64))
    return values / values.sum(axis=-1, keepdims=True)


def test_their_word_is_the_mean_probability_over_views_and_networks():
    images = pictures(4)
    networks = [small_model(), wide_model()]
    sizes = [(54, 54), (20, 30)]
    given = Teachers(networks)(images)
    assert list(given) == list(HEAD_NAMES)
    for name in HEAD_NAMES:
        words = [
            softmax(network(view, training=False)[name])
            for network, size in zip(networks, sizes, strict=True)
            for view in expected_views(resized(images, PictureSize(*size)))
        ]
        assert np.std(words, axis=0).max() > 0.02  # they don't agree
        np.testing.assert_allclose(given[name], np.mean(words, axis=0), atol=1e-6)


def test_pictures_in_another_size_are_standardised_as_they_were():
    images = tf.concat([pictures(2), 0.3 * pictures(1), tf.zeros((1, 54, 54, 3))], axis=0)
    given = resized(images, PictureSize(20, 30)).numpy()
    assert given.shape == (4, 20, 30, 3)
    np.testing.assert_allclose(given.mean(axis=(1, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(given.std(axis=(1, 2, 3)), [1, 1, 0.3, 0], atol=1e-5)
    assert resized(images, PAPER_SIZE) is images


def test_pictures_in_another_size_show_the_same():
    ramp = np.broadcast_to(np.linspace(-1, 1, 54, dtype="float32")[:, None, None], (1, 54, 54, 3))
    given = resized(tf.constant(ramp / ramp.std()), PictureSize(108, 80)).numpy()
    # A quarter down the picture, where row 26 of the new ones ends, is the same level.
    expected = np.interp(27 / 108, (np.arange(54) + 0.5) / 54, ramp[0, :, 0, 0] / ramp.std())
    np.testing.assert_allclose(given[0, 26:28].mean(axis=0), expected, atol=0.01)


def test_they_are_loaded_for_inference_in_the_precision_of_the_run():
    images = pictures(3)
    trained = load_model(PACKAGED_READER).model
    expected = Teachers([for_inference(trained)])(images)
    half = load_teachers([str(PACKAGED_READER)], "bfloat16")
    layers = half._networks[0].layers
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers)
    assert {layer.compute_dtype for layer in layers if layer.weights} == {"bfloat16", "float32"}
    single = load_teachers([str(PACKAGED_READER)])(images)
    for name, values in half(images).items():
        assert values.dtype == tf.float32
        np.testing.assert_allclose(values, expected[name], atol=0.05)
        np.testing.assert_allclose(single[name], expected[name], atol=1e-5)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return str(write_conversion(tmp_path_factory.mktemp("data"), NUMBERS))


@pytest.fixture(autouse=True)
def no_charts(monkeypatch):
    monkeypatch.setattr(reader_task, "draw_charts", lambda *_: {})


def config(data_dir, folder, **changes):
    flags = {"steps": 4, "batch_size": 4, "evaluate_every": 2, "model": "plain"}
    return TrainingConfig(
        data_dir, train_logdir=str(folder), schedule="constant", **{**flags, **changes}
    )


@pytest.fixture(scope="module")
def teacher(data_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader_task, "draw_charts", lambda *_: {})
        train(config(data_dir, folder, steps=1, seed=5))
    return str(folder)


@pytest.mark.slow
def test_a_run_with_teachers_learns_something_else_and_goes_on(data_dir, teacher, tmp_path):
    taught = functools.partial(config, data_dir, teachers=[teacher], teacher_share=1.0)
    assert train(taught(tmp_path / "whole")) == 0
    assert train(taught(tmp_path / "parts", steps=2)) == 0
    assert train(taught(tmp_path / "parts")) == 0
    assert train(config(data_dir, tmp_path / "alone")) == 0
    whole, parts, alone = (
        load_model(newest_checkpoint(tmp_path / name)).model.get_weights()
        for name in ("whole", "parts", "alone")
    )
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)
    assert any((one != other).any() for one, other in zip(whole, alone, strict=True))
    state = read_state(newest_checkpoint(tmp_path / "whole"))
    assert state["config"]["teachers"] == [teacher]
    with pytest.raises(UserError, match=r"--teachers was \[.*\] and is now \[\]"):
        train(config(data_dir, tmp_path / "whole"))


def test_they_are_no_free_flags():
    assert not FREE_FLAGS & {"teachers", "teacher_share"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere", "nowhere is not a folder or a checkpoint. Expected"),
        ("nowhere.npz", "nowhere.npz"),
        (str(PACKAGED_DETECTOR), r"holds a detector .*Expected: a reader"),
    ],
)
def test_teachers_that_are_none_are_refused_in_one_line(data_dir, tmp_path, path, words):
    with pytest.raises(UserError, match=words) as caught:
        train(config(data_dir, tmp_path / "run", teachers=[path]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", ["-0.1", "1.5", "half"])
def test_a_share_that_is_none_is_refused(share, capsys):
    line = ["train.py", "--data_dir=x", "--teachers=a,b", f"--teacher_share={share}"]
    with pytest.raises(SystemExit) as caught:
        command_line.parse(TrainingConfig, line, "train.py")
    assert caught.value.code == 2
    assert "--teacher_share" in capsys.readouterr().err.splitlines()[0]


def test_the_flags_are_a_list_and_a_share_of_a_half():
    flags = command_line.parse(
        TrainingConfig, ["train.py", "--data_dir=x", "--teachers=a,b"], "train.py"
    )
    assert (flags.teachers, flags.teacher_share) == (["a", "b"], 0.5)
    assert TrainingConfig("x").teachers == []
