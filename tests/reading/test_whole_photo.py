import dataclasses

import numpy as np
import pytest

from svhn.detection.numbers import FoundNumber, Region
from svhn.detection.outline import Outline
from svhn.geometry import union_box
from svhn.reading.agreement import AgreementRule
from svhn.reading.candidates import candidates
from svhn.reading.distribution import NumberDistribution
from svhn.reading.photos import read_photos
from svhn.reading.results import NO_NUMBER_FOUND
from svhn.reading.whole_photo import WholePhotoReader
from tests.reading.conftest import random_photo, save_photo
from tests.reading.finders import PixelFinder, found_number


class FixedFinder:
    def __init__(self, *numbers, outline=None):
        self.numbers = list(numbers)
        self.outline = outline or Outline()

    def find(self, photo):
        return self.numbers


PHOTO = random_photo(1, 60, 90)
LEFT = found_number("12", (5, 6, 30, 20), 0.95)
RIGHT = found_number("345", (57, 30, 30, 20), 0.92)
"""Their ends are sure, and only on one side there is room for a digit: two candidates of each."""


def ways_of(number):
    return candidates(number, *PHOTO.shape[:2])


def test_boxes_are_told_with_room_and_read_without(reader):
    drawn = Outline(1.1, 1.2, 0.05, 0.1)
    plain, told = (
        WholePhotoReader(reader, FixedFinder(LEFT, outline=outline)).read(PHOTO)[0]
        for outline in (Outline(), drawn)
    )
    assert (told.label, told.confidence) == (plain.label, plain.confidence)
    expected = drawn.number(LEFT, *PHOTO.shape[:2])
    np.testing.assert_allclose(told.digit_boxes, expected.digits.boxes)
    assert told.box[2] > plain.box[2] and told.box[3] > plain.box[3]


def test_each_number_is_read_in_the_shared_crop_of_its_box(reader):
    filling = found_number("12", (0, 0, 90, 60), 0.95)  # no room for more
    [reading] = WholePhotoReader(reader, FixedFinder(filling)).read(PHOTO)
    [distribution] = reader.distributions([reader.prepare(PHOTO, filling.box)])
    answer = AgreementRule().answer(distribution, filling.digits.class_scores, filling.score)
    assert reading.label == answer.label
    assert reading.confidence == AgreementRule().choose([answer])[1]
    assert reading.digit_probabilities == distribution.digit_probabilities(answer.label)
    assert reading.box == (0, 0, 90, 60)
    assert reading.digit_boxes == ((0, 0, 45, 60), (45, 0, 45, 60))
    assert reading.detected == "12"
    assert reading.sure is None


@pytest.mark.parametrize(
    ("weights", "order"),
    [
        ((0.0, 0.0, 1.0, 0.0), ["12", "345"]),  # the finder's score
        ((0.0,) * 4, ["345", "12"]),  # equally sure: the finder's order
        (None, ["345", "12"]),
    ],
)
def test_several_numbers_come_with_the_best_first(reader, weights, order):
    rule = AgreementRule(detector_weight=50.0, odds_weights=weights)
    both = WholePhotoReader(reader, FixedFinder(RIGHT, LEFT), rule).read(PHOTO)
    assert [reading.detected for reading in both] == order
    for number in (LEFT, RIGHT):
        [single] = WholePhotoReader(reader, FixedFinder(number), rule).read(PHOTO)
        assert single in both


def test_no_number(reader):
    assert WholePhotoReader(reader, FixedFinder()).read(PHOTO) == []


def test_rule_and_threshold_are_applied(reader):
    heavy = AgreementRule(detector_weight=50.0, odds_weights=(1.0, 0.0, 0.0, 0.0))
    confidence = 2 / (2 + np.exp(-1))  # both candidates speak for the same number
    for threshold, sure in ((0.5, True), (0.9, False)):
        photo_reader = WholePhotoReader(reader, FixedFinder(LEFT, RIGHT), heavy, threshold)
        readings = photo_reader.read(PHOTO)
        assert [reading.number for reading in readings] == ["12", "345"]
        assert [reading.sure for reading in readings] == [sure, sure]
        assert readings[0].confidence == pytest.approx(confidence)


def test_what_both_networks_say_can_be_seen_for_fitting(reader):
    doubtful = found_number("67", (40, 30, 30, 20), 0.6)
    seen = WholePhotoReader(reader, FixedFinder(RIGHT, LEFT, doubtful)).see(PHOTO)
    assert [[way.found.number for way in ways] for ways in seen] == [
        ["345", "345"],
        ["12", "12"],
        ["67", "6", "7", "67", "67"],
    ]
    for ways in seen:
        for way in ways:
            [expected] = reader.distributions([reader.prepare(PHOTO, way.found.box)])
            np.testing.assert_array_equal(way.distribution.lengths, expected.lengths)
            np.testing.assert_array_equal(way.distribution.digits, expected.digits)


@pytest.mark.parametrize("weight", [5.0, -5.0])
def test_the_rule_decides_which_candidate_is_the_number(reader, weight):
    found = dataclasses.replace(found_number("12", (5, 6, 30, 20), 0.6), score=0.84)
    rule = AgreementRule(
        detector_weight=50.0,
        odds_weights=(0.0, 0.0, weight, 0.0),
        confidence_line=(1.0, 0.5),
        least_confidence=0.0,
    )
    [reading] = WholePhotoReader(reader, FixedFinder(found), rule).read(PHOTO)
    ways = ways_of(found)
    distributions = reader.distributions([reader.prepare(PHOTO, way.box) for way in ways])
    answers = [
        rule.answer(distribution, way.digits.class_scores, way.score)
        for way, distribution in zip(ways, distributions, strict=True)
    ]
    place, confidence = rule.choose(answers)
    # The score of the whole is higher than that of its parts, of which the reader has no opinion.
    assert len(ways[place].number) == (2 if weight > 0 else 1)
    assert reading.detected == "12"  # as the detector found it, whatever was chosen
    assert reading.box == tuple(union_box(ways[place].digits.boxes).tolist())
    assert reading.label == answers[place].label
    assert reading.confidence == confidence


class ReaderOfRoom:
    """Reads 12, and where there is room for it a 3 behind or nothing further."""

    batch_size = 4

    def __init__(self, further: bool):
        self.further = further

    def prepare_all(self, photo, boxes):
        return boxes

    def distributions(self, boxes):
        return [self.distribution(left + width > 40) for left, top, width, height in boxes]

    def distribution(self, has_room):
        digits = [1, 2, 3] if has_room and self.further else [1, 2]
        lengths, positions = np.full(7, -9.0), np.full((5, 10), -9.0)
        lengths[len(digits)] = -0.1 if has_room else -0.2
        for position, digit in enumerate(digits):
            positions[position, digit] = -0.01
        return NumberDistribution(lengths, positions)


@pytest.mark.parametrize(("further", "number", "width"), [(True, "123", 45), (False, "12", 30)])
def test_room_belongs_to_the_box_where_a_digit_was_read_in_it(further, number, width):
    rule = AgreementRule(odds_weights=(0.0, 1.0, 0.0, 0.0))
    finder = FixedFinder(found_number("12", (5, 6, 30, 20), 0.95))
    [reading] = WholePhotoReader(ReaderOfRoom(further), finder, rule).read(PHOTO)
    assert reading.number == number
    assert reading.box == (5, 6, width, 20)
    assert reading.detected == "12"


@pytest.mark.parametrize("above", [True, False])
def test_numbers_that_are_unlikely_are_not_shown(reader, above):
    least = 2 / 3 + (-0.01 if above else 0.01)
    rule = AgreementRule(50.0, odds_weights=(0.0,) * 4, least_confidence=least)
    readings = WholePhotoReader(reader, FixedFinder(LEFT, RIGHT), rule).read(PHOTO)
    assert len(readings) == (2 if above else 0)


def test_files_give_the_same_alone_and_together(reader, tmp_path):
    paths = [save_photo(tmp_path / f"{seed}.png", seed, 40, 60) for seed in range(40)]
    finder = PixelFinder()
    photo_reader = WholePhotoReader(reader, finder)
    together = list(read_photos(photo_reader, paths, with_previews=True))
    assert [result.path for result in together] == paths
    assert finder.calls == 40
    counts = [int(random_photo(seed, 40, 60)[0, 0, 0]) % 4 for seed in range(40)]
    assert [len(result.readings) for result in together] == counts
    assert set(counts) == {0, 1, 2, 3}
    for index in (0, 7, 39):
        photo = random_photo(index, 40, 60)
        assert list(together[index].readings) == photo_reader.read(photo)  # floats: bit for bit
    empty = together[counts.index(0)]
    assert empty.texts == (NO_NUMBER_FOUND,)
    assert empty.preview is not None


def test_a_number_that_was_seen_as_a_whole_is_read_in_its_region(reader):
    box = np.array([5, 6, 30, 20], np.float32)
    none = LEFT.digits.chosen(np.zeros(0, int))
    whole = FoundNumber(box, none, 0.0, (Region(box, 0.9),), is_region=True)
    rule = AgreementRule(odds_weights=(0.0, 0.0, 0.0, 1.0))
    [reading] = WholePhotoReader(reader, FixedFinder(whole), rule).read(PHOTO)
    [distribution] = reader.distributions([reader.prepare(PHOTO, box)])
    assert reading.label == max(
        map(distribution.most_likely, range(1, 7)), key=distribution.log_probability
    )
    assert reading.confidence == pytest.approx(0.9)
    assert reading.box == (5, 6, 30, 20)
    assert reading.digit_boxes == ()
    assert reading.detected == ""


def test_a_number_and_what_it_may_be_instead_give_one_reading(reader):
    instead = dataclasses.replace(RIGHT, regions=(Region(RIGHT.box, 0.99),))
    either = dataclasses.replace(LEFT, alternatives=(instead,))
    rule = AgreementRule(detector_weight=50.0, odds_weights=(0.0, 0.0, 0.0, 1.0))
    [reading] = WholePhotoReader(reader, FixedFinder(either), rule).read(PHOTO)
    assert reading.number == "345"
    assert reading.detected == "12"
