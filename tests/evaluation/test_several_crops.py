import keras
import numpy as np
import pytest

from svhn.data.records import read_photos
from svhn.evaluation.pictures import batches_of_pictures
from svhn.evaluation.predict import evaluate_split, make_predict_step, predict
from svhn.evaluation.several_crops import (
    MOST_CROPS,
    averaging_model,
    crop_boxes,
    crops_of_photos,
)
from svhn.labels import HEAD_NAMES
from svhn.picture_size import PAPER_SIZE
from tests.small_conversion import small_model, write_conversion

BOX = np.array([10.5, 20.25, 40.0, 16.0], np.float32)


def test_the_first_crop_is_the_box_and_the_others_lie_around_it():
    boxes = crop_boxes(BOX, MOST_CROPS)
    np.testing.assert_array_equal(boxes[0], BOX)
    assert len({tuple(box) for box in boxes}) == MOST_CROPS
    np.testing.assert_array_equal(crop_boxes(BOX, 3), boxes[:3])
    np.testing.assert_allclose(boxes[1], np.add(BOX, [-1.6, 0, 0, 0]), atol=1e-5)
    np.testing.assert_allclose(boxes[4], np.add(BOX, [0, 0.64, 0, 0]), atol=1e-5)
    np.testing.assert_allclose(boxes[5, 2:], BOX[2:] * 1.08, rtol=1e-5)
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    np.testing.assert_allclose(centres.mean(axis=0), BOX[:2] + BOX[2:] / 2, atol=1e-4)


@pytest.mark.parametrize("crops", [0, MOST_CROPS + 1])
def test_too_many_crops_are_refused(crops):
    with pytest.raises(ValueError, match=str(crops)):
        crop_boxes(BOX, crops)


def test_probabilities_are_averaged_photo_by_photo():
    model = small_model()
    images = np.random.default_rng(0).normal(size=(4, 3, 54, 54, 3)).astype("float32")
    averaged = averaging_model(model, 3)(images, training=False)
    for name in HEAD_NAMES:
        each = [model(images[:, crop], training=False)[name] for crop in range(3)]
        expected = np.mean([keras.ops.softmax(logits) for logits in each], axis=0)
        np.testing.assert_allclose(keras.ops.softmax(averaged[name]), expected, atol=1e-5)
        np.testing.assert_allclose(np.exp(averaged[name]).sum(axis=-1), 1, atol=1e-5)


def test_one_crop_is_the_usual_evaluation(tmp_path):
    data_dir = write_conversion(tmp_path / "data", {"val": ["1", "23", "45", "678", "9012"]})
    model = small_model()
    expected = evaluate_split(model, data_dir, "val", 2)
    photos = list(read_photos(data_dir, "val"))
    step = make_predict_step(averaging_model(model, 1))
    measured = predict(step, batches_of_pictures(photos, crops_of_photos(photos, 1, PAPER_SIZE), 2))
    assert measured.file_names == expected.file_names
    np.testing.assert_array_equal(measured.labels, expected.labels)
    np.testing.assert_array_equal(measured.predicted, expected.predicted)
    np.testing.assert_allclose(measured.confidence, expected.confidence, atol=1e-6)
    np.testing.assert_allclose(measured.loss, expected.loss, atol=1e-5)
