"""A detector over a split, and what is drawn of it."""

import numpy as np
import pytest
import tensorflow as tf

from svhn.detection.average_precision import LabelledDigits
from svhn.detection.cells import cells_of, number_cells_of
from svhn.detection.decoding import DetectedDigits
from svhn.detection.loss import detection_loss
from svhn.detection.targets import assign, assign_numbers, number_of_digits
from svhn.errors import UserError
from svhn.evaluation.detect import detect_split, make_detect_step
from svhn.evaluation.detection_pictures import SamplePhoto, detections_sheet
from svhn.evaluation.detection_scores import scores_as_json
from svhn.models import build_model
from tests.small_conversion import write_conversion
from tests.small_detector import shrink_detector

NUMBERS = {"val": ["7", "12", "365", "40", "77"]}
SIZE = 128


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return write_conversion(tmp_path_factory.mktemp("data"), NUMBERS)


def sees_the_truth(images, digit_labels, digit_boxes):
    """A step whose detector gives just what it is taught."""
    targets = assign(digit_labels, digit_boxes, cells_of(SIZE, SIZE))
    numbers = assign_numbers(
        *number_of_digits(digit_labels, digit_boxes), number_cells_of(SIZE, SIZE)
    )
    outputs = {
        "class_logits": 30 * tf.one_hot(targets.classes, 10) - 15,
        "box_distances": targets.distances,
        "number_logits": 30 * tf.one_hot(numbers.classes, 1) - 15,
        "number_distances": numbers.distances,
    }
    return outputs, detection_loss(outputs, targets, numbers)


@pytest.mark.parametrize("batch_size", [2, 5, 100])
def test_one_that_sees_the_truth_has_found_it_in_the_photos_pixels(data_dir, batch_size):
    found = detect_split(None, data_dir, "val", batch_size, SIZE, detect_step=sees_the_truth)
    assert sorted(found.file_names) == [f"train/{place}.png" for place in range(1, 6)]
    assert found.average_precision().at_half == pytest.approx(1)
    assert found.average_precision().mean > 0.99
    assert found.losses.total.shape == (5,)
    assert found.losses.total.max() < 1e-3


def test_photos_are_seen_alike_in_batches_of_any_size(data_dir, monkeypatch):
    shrink_detector(monkeypatch)
    model = build_model("detector")
    step = make_detect_step(model, SIZE)
    twos, all_at_once = (
        detect_split(model, data_dir, "val", size, SIZE, detect_step=step) for size in (2, 5)
    )
    assert twos.file_names == all_at_once.file_names
    for one, other in zip(twos.losses, all_at_once.losses, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4)


def test_a_photo_that_is_missing_is_told(tmp_path):
    data_dir = write_conversion(tmp_path, NUMBERS)
    manifest = tmp_path / "tfrecords" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"photos": 5', '"photos": 6'))
    with pytest.raises(UserError, match="counts 6 photos"):
        detect_split(None, data_dir, "val", 2, SIZE, detect_step=sees_the_truth)


def test_what_is_drawn_tells_right_wrong_and_missed_apart():
    boxes = np.array([[5, 5, 10, 20], [20, 5, 10, 20], [40, 5, 10, 20]], np.float32)
    truth = LabelledDigits(np.array([1, 2, 3]), boxes)
    found = DetectedDigits(
        np.array([1, 7, 3], np.int32),
        np.array([0.9, 0.8, 0.01], np.float32),
        boxes,
        np.zeros((3, 10), np.float32),
    )
    sample = SamplePhoto(np.zeros((40, 64, 3), np.uint8), np.ones(2, np.float32))
    sheet = np.asarray(detections_sheet([sample], [found], [truth])).reshape(-1, 3)
    for colour in ((0x63, 0xD4, 0x71), (0xFF, 0x6B, 0x6B), (0xFF, 0xB0, 0x00)):
        assert (sheet == colour).all(axis=1).any()
    all_right = DetectedDigits(truth.labels, np.ones(3), boxes, np.zeros((3, 10)))
    sheet = np.asarray(detections_sheet([sample], [all_right], [truth])).reshape(-1, 3)
    assert not (sheet == (0xFF, 0x6B, 0x6B)).all(axis=1).any()


def test_a_digit_that_never_occurs_has_no_score(data_dir):
    found = detect_split(None, data_dir, "val", 5, SIZE, detect_step=sees_the_truth)
    scores = scores_as_json(found.average_precision(), 5)
    by_digit = scores["average_precision_at_iou_0.5_by_digit"]
    occurring = set("".join(NUMBERS["val"]))
    assert [value is not None for value in by_digit] == [
        str(digit) in occurring for digit in range(10)
    ]
