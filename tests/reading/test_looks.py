import numpy as np
import pytest

from svhn.reading.looks import MOST_CROPS, crop_boxes

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
