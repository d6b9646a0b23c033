import keras
import numpy as np
import pytest

from svhn import detector_input
from svhn.detection.cells import cells_of, number_cells_of
from svhn.models import DETECTOR_NAMES, MODEL_NAMES, build_model, models_of
from svhn.models.detector import STAGES, STRIDES


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    return build_model("detector")


def pictures(count, height=64, width=96):
    random = np.random.default_rng(5)
    return random.uniform(0, 255, (count, height, width, 3)).astype("float32")


def values(outputs):
    return {name: np.asarray(value) for name, value in outputs.items()}


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 160), (96, 32)])
def test_any_size_gives_scores_and_boxes_of_its_cells(model, height, width):
    outputs = values(model(pictures(2, height, width), training=False))
    cells = len(cells_of(height, width).centres)
    assert outputs["class_logits"].shape == (2, cells, 10)
    assert outputs["box_distances"].shape == (2, cells, 4)
    number_cells = len(number_cells_of(height, width).centres)
    assert outputs["number_logits"].shape == (2, number_cells, 1)
    assert outputs["number_distances"].shape == (2, number_cells, 4)
    assert {value.dtype.name for value in outputs.values()} == {"float32"}
    assert all(np.isfinite(value).all() for value in outputs.values())


def test_it_is_small(model):
    assert model.count_params() <= 3_000_000


def test_the_sizes_it_takes_are_those_that_photos_are_padded_to():
    assert 2 * 2 ** len(STAGES) == detector_input.SIZE_MULTIPLE
    assert detector_input.SIZE_MULTIPLE % STRIDES[-1] == 0


def test_before_training_it_sees_hardly_anything(model):
    outputs = values(model(pictures(1), training=False))
    scores = 1 / (1 + np.exp(-outputs["class_logits"]))
    assert 0.002 < np.median(scores) < 0.05
    strides = cells_of(64, 96).strides[:, None]
    assert (outputs["box_distances"][0] > -strides / 2).all()
    assert np.median(outputs["box_distances"][0] / strides) == pytest.approx(2.5, abs=0.5)


def test_it_sees_the_same_wherever_it_is(model):
    """Fully convolutional: what moves by a whole number of cells moves the outputs with it."""
    patch = pictures(1, 32, 32)[0]
    logits = []
    for left in (160, 192):
        picture = np.full((1, 352, 352, 3), 127.5, np.float32)
        picture[0, 160:192, left : left + 32] = patch
        cells = values(model(picture, training=False))["class_logits"][0, : 88 * 88]
        rows = cells.reshape(88, 88, 10)
        logits.append(rows[40:48, left // 4 : left // 4 + 8])
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-4)
    assert np.ptp(logits[0]) > 0.001


def test_each_level_puts_its_cells_where_they_lie(model):
    """A spot in the picture changes the cells about it more than those far away."""
    height, width = 64, 96
    grey = np.full((1, height, width, 3), 127.5, np.float32)
    spot = grey.copy()
    spot[0, 40:48, 72:80] = 255
    before, after = (
        values(model(picture, training=False))["class_logits"][0] for picture in (grey, spot)
    )
    change = np.abs(after - before).max(axis=1)
    cells = cells_of(height, width)
    for level in range(len(STRIDES)):
        of_level = np.flatnonzero(cells.levels == level)
        most = of_level[np.argmax(change[of_level])]
        assert np.abs(cells.centres[most] - [76, 44]).max() < 32


def test_grey_beyond_the_edge_is_what_convolutions_see_there(model):
    stem = keras.Model(model.input, model.get_layer("stem_convolution").output)
    picture = pictures(1, 32, 64)
    padded = np.pad(picture, [(0, 0), (0, 32), (0, 32), (0, 0)], constant_values=127.5)
    inside = np.asarray(stem(padded))[:, :16, :32]
    np.testing.assert_allclose(inside, np.asarray(stem(picture)), atol=1e-4)


def test_a_prediction_does_not_depend_on_its_neighbours(model):
    batch = pictures(3)
    together, alone = (values(model(part, training=False)) for part in (batch, batch[1:2]))
    for name, value in alone.items():
        np.testing.assert_allclose(together[name][1:2], value, atol=2e-4)


def test_outputs_stay_in_float32_under_mixed_precision():
    model = build_model("detector", precision="bfloat16")
    assert model.get_layer("stem_convolution").compute_dtype == "bfloat16"
    outputs = model(pictures(1), training=False)
    assert {keras.backend.standardize_dtype(value.dtype) for value in outputs.values()} == {
        "float32"
    }


def test_it_can_be_made_again_from_its_configuration(model):
    same = keras.Model.from_config(model.get_config())
    same.set_weights(model.get_weights())
    batch = pictures(1)
    for one, other in zip(values(model(batch)).values(), values(same(batch)).values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_models_are_found_by_their_task():
    assert models_of("reader") == MODEL_NAMES
    assert models_of("detector") == DETECTOR_NAMES == ("detector",)
    with pytest.raises(ValueError, match="knitting"):
        models_of("knitting")
