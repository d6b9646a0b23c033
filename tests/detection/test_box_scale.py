import numpy as np
import pytest

from svhn.detection.average_precision import LabelledDigits
from svhn.detection.box_scale import BoxScale, fit_box_scale
from svhn.detection.decoding import DetectedDigits


def detected(boxes):
    boxes = np.array(boxes, np.float32)
    return DetectedDigits(
        np.zeros(len(boxes), np.int32),
        np.linspace(0.9, 0.8, len(boxes)).astype(np.float32),
        boxes,
        np.eye(10, dtype=np.float32)[np.zeros(len(boxes), int)],
    )


def test_boxes_keep_their_centres():
    digits = BoxScale(1.5, 2.0).applied(detected([[10, 20, 8, 12], [0, 0, 2, 4]]))
    np.testing.assert_allclose(digits.boxes, [[8, 14, 12, 24], [-0.5, -2, 3, 8]])
    assert digits.boxes.dtype == np.float32
    np.testing.assert_array_equal(digits.labels, [0, 0])


def test_no_digits_stay_none():
    assert BoxScale(1.5, 2.0).applied(detected(np.zeros([0, 4]))).boxes.shape == (0, 4)


def test_the_fitted_scale_makes_up_for_what_the_detector_gets_wrong():
    """Boxes so much too small that some shifted ones count only at the right scale."""
    rng = np.random.default_rng(3)
    found, labelled = [], []
    for _ in range(150):
        left, top = rng.uniform(20, 60, 2)
        width, height = rng.uniform(8, 14), rng.uniform(20, 30)
        shift = rng.normal(0, 0.17, 2) * (width, height)
        small = (width / 1.12, height / 1.12)
        corner = np.array([left, top]) + (np.array([width, height]) - small) / 2 + shift
        found.append(detected([[*corner, *small]]))
        labelled.append(LabelledDigits(np.array([0]), np.array([[left, top, width, height]])))
    scale = fit_box_scale(found, labelled)
    assert scale.width * scale.height == pytest.approx(1.12**2, abs=0.12)


def test_where_nothing_is_gained_boxes_stay_as_they_are():
    boxes = [[10, 20, 8, 12]]
    labelled = LabelledDigits(np.array([0]), np.array(boxes, np.float32))
    assert fit_box_scale([detected(boxes)], [labelled]) == (1, 1)


def test_what_is_kept_with_a_network():
    assert BoxScale.of({"box_scale": [1.03, 1.1]}) == (1.03, 1.1)
    assert BoxScale.of({}) == (1, 1)
