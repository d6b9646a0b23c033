import keras
import numpy as np

from svhn.data.records import read_photos
from svhn.evaluation.pictures import batches_of_pictures
from svhn.evaluation.predict import evaluate_split, make_predict_step, predict
from svhn.evaluation.several_crops import averaging_model, crops_of_photos
from svhn.labels import HEAD_NAMES
from svhn.picture_size import PAPER_SIZE
from tests.small_conversion import small_model, write_conversion


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
