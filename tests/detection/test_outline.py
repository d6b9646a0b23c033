import numpy as np
import pytest

from svhn.detection.average_precision import LabelledDigits
from svhn.detection.decoding import DetectedDigits
from svhn.detection.numbers import FoundNumber, Region, made_of
from svhn.detection.outline import LEAST_SHARE, Outline, fit_outline
from svhn.geometry import union_box


def detected(boxes, scores=None, labels=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    labels = np.zeros(len(boxes), np.int32) if labels is None else np.array(labels, np.int32)
    scores = np.linspace(0.9, 0.8, len(boxes)) if scores is None else np.array(scores)
    return DetectedDigits(
        labels, scores.astype(np.float32), boxes, np.eye(10, dtype=np.float32)[labels]
    )


def test_sides_gain_a_share_of_the_photos_height_and_keep_their_centre():
    drawn = Outline(1.5, 2.0, width_room=0.02, height_room=0.1)
    digits = drawn.digits(detected([[40, 40, 8, 30]]), 100, 200)
    # (8 + 0.02 · 100) · 1.5 = 15 and (30 + 0.1 · 100) · 2 = 80 about (44, 55): down to 95.
    np.testing.assert_allclose(digits.boxes, [[36.5, 15, 15, 80]])
    assert digits.boxes.dtype == np.float32


def test_digits_that_are_small_in_their_photo_gain_no_more_than_known_ones():
    drawn = Outline(height_room=0.1)
    [small] = drawn.digits(detected([[40, 400, 8, 10]]), 1000, 1000).boxes
    assert small[3] == pytest.approx(10 + 0.1 * 10 / LEAST_SHARE)


def test_boxes_end_where_the_photo_does():
    [box] = Outline(2, 2).digits(detected([[0, 90, 10, 10]]), 100, 50).boxes
    np.testing.assert_allclose(box, [0, 85, 15, 15])


def test_no_digits_stay_none():
    assert Outline(2, 2).digits(detected([]), 100, 100).boxes.shape == (0, 4)


def test_a_number_grows_as_its_outer_digits_do():
    found = made_of(detected([[20, 30, 10, 20], [34, 28, 8, 20]]))
    drawn = Outline(1.2, 1.4, 0.01, 0.02)
    told = drawn.number(found, 100, 100)
    np.testing.assert_allclose(told.box, union_box(told.digits.boxes), rtol=1e-6)
    np.testing.assert_array_equal(told.digits.boxes, drawn.digits(found.digits, 100, 100).boxes)
    assert (told.number, told.score) == (found.number, found.score)


def test_a_number_without_digits_grows_as_a_digit_does():
    box = np.array([40, 40, 30, 30], np.float32)
    found = FoundNumber(box, detected([]), 0.0, (Region(box, 0.9),), is_region=True)
    told = Outline(1.1, 1.2, 0.05, 0.1).number(found, 100, 100)
    # (30 + 0.05 · 100) · 1.1 = 38.5 and (30 + 0.1 · 100) · 1.2 = 48 about (55, 55).
    np.testing.assert_allclose(told.box, [35.75, 31, 38.5, 48])
    assert told.is_region


def test_regions_are_told_as_the_numbers_that_they_are_compared_with():
    box = np.array([40, 40, 30, 30], np.float32)
    regions = (Region(box, 0.9), Region(np.array([45, 40, 30, 30], np.float32), 0.2))
    found = FoundNumber(box, detected([]), 0.0, regions, is_region=True)
    told = Outline(1.1, 1.2, 0.05, 0.1).number(found, 100, 100)
    np.testing.assert_array_equal(told.regions[0].box, told.box)
    assert [region.score for region in told.regions] == [0.9, 0.2]
    assert told.region_evidence == found.region_evidence == pytest.approx(0.9)


def test_room_beside_a_number_stays():
    found = made_of(detected([[20, 30, 10, 20]]))
    with_room = type(found)(np.array([10, 30, 20, 20], np.float32), found.digits, found.score)
    told = Outline(1.2, 1.5).number(with_room, 100, 100)
    np.testing.assert_allclose(told.box, [9, 25, 22, 30])


def people(drawn, count, seed):
    """Photos of one digit each, its box as found, and as it is labelled about as `drawn` says."""
    random = np.random.default_rng(seed)
    found, labelled, heights = [], [], []
    for _ in range(count):
        photo_height = random.uniform(40, 200)
        height = random.uniform(0.25, 0.75) * photo_height
        digits = detected([[100, (photo_height - height) / 2, 0.5 * height, height]])
        [box] = drawn.digits(digits, photo_height, 1e4).boxes
        box[2:] *= np.exp(random.normal(0, 0.05, 2))
        found.append(digits)
        labelled.append(LabelledDigits(np.array([0]), box[np.newaxis]))
        heights.append(photo_height)
    return found, labelled, heights


def test_the_fitted_outline_is_how_people_drew():
    drawn = Outline(0.9, 1.05, 0.05, 0.02)
    found, labelled, heights = people(drawn, 600, seed=1)
    fitted = fit_outline(found, labelled, heights)
    assert fitted == pytest.approx(drawn, abs=0.02)


def test_boxes_grow_until_most_overlap_with_loose_labels_by_half():
    found = [detected([[100, 100, 20, 40]])] * 20
    sides = [(20, 40)] * 14 + [(29.5, 59)] * 6  # so large that half of them isn't overlapped
    labelled = [
        LabelledDigits(
            np.array([0]), np.array([[110 - width / 2, 120 - height / 2, width, height]])
        )
        for width, height in sides
    ]
    drawn = fit_outline(found, labelled, [200] * 20)
    # 29.5 · 59 / 2 = 870 square pixels; 20 · 40 · 1.04² = 865, and 1.05² is the first with more.
    [box] = drawn.digits(found[0], 200, 200).boxes
    np.testing.assert_allclose(box[2:], [21, 42], rtol=1e-4)


def test_digits_of_another_class_far_off_or_unsure_tell_nothing():
    found, labelled, heights = people(Outline(), 200, seed=2)
    alone = fit_outline(found, labelled, heights)
    misleading = LabelledDigits(np.array([0]), np.array([[100.0, 100, 20, 20]]))
    others = (
        detected([[100, 100, 10, 40]], labels=[1]),
        detected([[300, 100, 10, 40]]),
        detected([[100, 100, 10, 40]], scores=[0.1]),
        detected([]),
    )
    assert alone == fit_outline(
        [*found, *others * 50], [*labelled, *[misleading] * 200], [*heights, *[50] * 200]
    )


def test_boxes_without_area_tell_nothing():
    found, labelled, heights = people(Outline(), 50, seed=4)
    nothing = detected([[100, 100, 0, 40]])
    flat = LabelledDigits(np.array([0]), np.array([[100.0, 100, 0, 40]]))
    assert fit_outline([*found, nothing], [*labelled, flat], [*heights, 50]) == fit_outline(
        found, labelled, heights
    )


def test_the_surest_of_two_tells():
    found, labelled, heights = people(Outline(), 200, seed=3)
    twice = [
        detected([*digits.boxes, digits.boxes[0] * (1, 1, 1.5, 1.5)], scores=[0.9, 0.5])
        for digits in found
    ]
    assert fit_outline(twice, labelled, heights) == fit_outline(found, labelled, heights)


def test_without_a_match_boxes_stay_as_they_are():
    assert fit_outline([], [], []) == Outline()
    labelled = LabelledDigits(np.array([0]), np.array([[10.0, 10, 5, 5]]))
    assert fit_outline([detected([])], [labelled], [50]) == Outline()


def test_what_is_kept_with_a_network():
    assert Outline.of({"outline": [1.03, 1.1, 0.02, 0.03]}) == (1.03, 1.1, 0.02, 0.03)
    assert Outline.of({}) == (1, 1, 0, 0)
