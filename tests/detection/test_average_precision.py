import contextlib
import io

import numpy as np
import pytest

from svhn.detection.average_precision import (
    LabelledDigits,
    average_precision,
    intersections_over_unions,
)
from svhn.detection.decoding import DetectedDigits


def detections(labels, scores, boxes, others=()):
    """Digits of one class each; `others` are further classes: place, class, score."""
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    labels, scores = np.array(labels, np.int32), np.array(scores, np.float32)
    class_scores = np.eye(10, dtype=np.float32)[labels] * scores[:, None]
    for place, label, score in others:
        class_scores[place, label] = max(class_scores[place, label], score)
    return DetectedDigits(labels, scores, boxes, class_scores)


def truth(labels, boxes):
    return LabelledDigits(np.array(labels, np.int32), np.array(boxes, np.float32).reshape(-1, 4))


def cocos(detected, labelled):
    """AP at 0.5:0.95 and at 0.5, as pycocotools computes them."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    photos = range(1, len(labelled) + 1)
    annotations, results = [], []
    for photo, digits in zip(photos, labelled, strict=True):
        for label, box in zip(digits.labels, digits.boxes.astype(np.float64), strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": photo,
                    "category_id": int(label),
                    "bbox": box.tolist(),
                    "area": float(box[2] * box[3]),
                    "iscrowd": 0,
                }
            )
    for photo, digits in zip(photos, detected, strict=True):
        for place, label in zip(*np.nonzero(digits.class_scores), strict=True):
            results.append(
                {
                    "image_id": photo,
                    "category_id": int(label),
                    "bbox": digits.boxes[place].astype(np.float64).tolist(),
                    "score": float(digits.class_scores[place, label]),
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        ground_truth = COCO()
        ground_truth.dataset = {
            "info": {},
            "images": [{"id": photo} for photo in photos],
            "annotations": annotations,
            "categories": [{"id": digit} for digit in range(10)],
        }
        ground_truth.createIndex()
        evaluation = COCOeval(ground_truth, ground_truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[:2]


def random_photo(random, seen=0.8, moved=0.1, false=1.5, one_class=False):
    count = random.integers(0, 7)
    labels = random.integers(0, 1 if one_class else 10, count)
    boxes = np.concatenate(
        [random.uniform(0, 90, (count, 2)), random.uniform(8, 40, (count, 2))], 1
    )
    kept = random.random(count) < seen
    found = boxes[kept] + random.normal(size=(kept.sum(), 4)) * moved * boxes[kept][:, [2, 3, 2, 3]]
    extra = random.poisson(false)
    others = np.concatenate(
        [random.uniform(0, 90, (extra, 2)), random.uniform(8, 40, (extra, 2))], 1
    )
    guessed = np.where(random.random(kept.sum()) < 0.9, labels[kept], random.integers(0, 10))
    # Scores in tenths: many are equal.
    scores = random.integers(1, 11, kept.sum() + extra) / 10
    all_boxes = np.concatenate([found, others])
    all_boxes[:, 2:] = np.maximum(all_boxes[:, 2:], 1)
    all_labels = np.concatenate([guessed, random.integers(0, 10, extra)])
    others = [
        (place, random.integers(0, 10), random.integers(1, 6) / 10)
        for place in range(0, len(all_labels), 3)
    ]
    return detections(all_labels, scores, all_boxes, others), truth(labels, boxes)


@pytest.mark.parametrize("seed", range(6))
def test_pycocotools_agrees(seed):
    random = np.random.default_rng(seed)
    moved = [0.0, 0.02, 0.05, 0.1, 0.2, 0.05][seed]
    photos = [random_photo(random, moved=moved, one_class=seed == 5) for _ in range(60)]
    detected, labelled = zip(*photos, strict=True)
    precision = average_precision(detected, labelled)
    np.testing.assert_allclose((precision.mean, precision.at_half), cocos(detected, labelled))
    assert 0.1 < precision.at_half < 1


def test_pycocotools_agrees_on_crowded_photos():
    """More of a class than count, and boxes that overlap one another."""
    random = np.random.default_rng(9)
    boxes = np.concatenate([random.uniform(0, 20, (150, 2)), random.uniform(8, 30, (150, 2))], 1)
    labelled = [truth([2] * 130, boxes[:130])]
    moved = boxes + random.normal(size=boxes.shape)
    detected = [detections([2] * 150, random.random(150), moved)]
    precision = average_precision(detected, labelled)
    np.testing.assert_allclose((precision.mean, precision.at_half), cocos(detected, labelled))


def test_all_right_is_1_and_nothing_found_is_0():
    labelled = [truth([1, 2], [[0, 0, 8, 20], [10, 0, 9, 20]]), truth([], [])]
    all_right = [detections([1, 2], [0.3, 0.9], labelled[0].boxes), detections([], [], [])]
    nothing = [detections([], [], [])] * 2
    assert average_precision(all_right, labelled).mean == 1.0
    assert average_precision(nothing, labelled).at_half == 0.0
    assert np.isnan(average_precision(nothing, [truth([], [])] * 2).at_half)


def test_a_second_box_at_the_same_digit_is_wrong():
    labelled = [truth([4, 4], [[0, 0, 10, 20], [50, 0, 10, 20]])]
    twice = detections(
        [4, 4, 4], [0.9, 0.8, 0.7], [[0, 0, 10, 20], [0, 1, 10, 20], [50, 0, 10, 20]]
    )
    # Recall 0 to 0.5 at precision 1, up to 1 at 2/3.
    expected = (51 + 50 * 2 / 3) / 101
    assert average_precision([twice], labelled).at_half == pytest.approx(expected)


def test_a_box_at_the_wrong_class_or_photo_is_wrong():
    labelled = [truth([4], [[0, 0, 10, 20]]), truth([], [])]
    found = detections([4], [0.9], [[0, 0, 10, 20]])
    wrong = detections([5], [0.9], [[0, 0, 10, 20]])
    none = detections([], [], [])
    assert average_precision([found, none], labelled).at_half == 1
    assert average_precision([none, found], labelled).at_half == 0
    assert average_precision([wrong, none], labelled).at_half == 0


@pytest.mark.parametrize(("second", "expected"), [(0.4, 1.0), (0.04, 0.0)])
def test_what_may_be_another_class_counts_for_that_one_too(second, expected):
    labelled = [truth([4], [[0, 0, 10, 20]])]
    found = detections([9], [0.6], [[0, 0, 10, 20]], [(0, 4, second)])
    assert average_precision([found], labelled).at_half == expected


def test_intersections_over_unions():
    overlaps = intersections_over_unions(
        [[0, 0, 2, 2], [0, 0, 0, 0]], [[1, 0, 2, 2], [0, 0, 2, 2], [2, 2, 1, 1]]
    )
    np.testing.assert_allclose(overlaps, [[1 / 3, 1, 0], [0, 0, 0]])
