"""Chains of digits and regions, by hand."""

import numpy as np
import pytest

from svhn.detection.decoding import DetectedDigits
from svhn.detection.numbers import group_digits
from svhn.detection.regions import with_regions


def digits_of(*entries):
    """(label, score, left, top, width, height) each."""
    labels = np.array([entry[0] for entry in entries], np.int32)
    scores = np.array([entry[1] for entry in entries], np.float32)
    boxes = np.array([entry[2:] for entry in entries], np.float32).reshape(-1, 4)
    class_scores = np.zeros((len(labels), 10), np.float32)
    class_scores[np.arange(len(labels)), labels] = scores
    return DetectedDigits(labels, scores, boxes, class_scores)


def regions_of(*entries):
    """(score, left, top, width, height) each, the surest first."""
    scores = np.array([entry[0] for entry in entries], np.float32)
    boxes = np.array([entry[1:] for entry in entries], np.float32).reshape(-1, 4)
    return DetectedDigits(np.zeros(len(scores), np.int32), scores, boxes, scores[:, np.newaxis])


def found(digits, regions):
    return with_regions(digits, regions)


TWO = ((4, 0.8, 20, 10, 20, 30), (2, 0.7, 42, 10, 20, 30))


def test_without_regions_numbers_are_chains_of_digits():
    [number] = found(digits_of(*TWO), regions_of())
    assert number.number == "42"
    assert number.region_evidence == 0
    assert number.alternatives == ()


def test_a_chain_gets_the_region_that_it_fills():
    [number] = found(digits_of(*TWO), regions_of((0.9, 20, 10, 42, 30)))
    assert number.number == "42"
    assert not number.is_region
    assert number.region_evidence == pytest.approx(0.9)
    assert number.alternatives == ()


def test_a_region_with_another_box_is_what_the_number_may_be_instead():
    """There may be one more digit before it that was not seen."""
    for score, surest in ((0.9, "region"), (0.6, "chain")):
        [number] = found(digits_of(*TWO), regions_of((score, 0, 10, 62, 30)))
        [other] = number.alternatives
        chain, region = (number, other) if surest == "chain" else (other, number)
        assert not chain.is_region and region.is_region
        assert chain.number == region.number == "42"
        assert region.box.tolist() == [0, 10, 62, 30]
        assert region.region_evidence == pytest.approx(score)
        assert chain.region_evidence == pytest.approx(score * 42 / 62)


def test_a_region_without_digits_is_a_number_if_it_is_sure_enough():
    [number] = found(digits_of(), regions_of((0.6, 0, 10, 62, 30)))
    assert number.is_region
    assert number.number == ""
    assert number.score == 0
    assert number.region_evidence == pytest.approx(0.6)
    assert found(digits_of(), regions_of((0.1, 0, 10, 62, 30))) == []


def test_digits_too_weak_for_a_chain_are_seen_in_their_region():
    weak = [(label, 0.1, *box) for label, _, *box in TWO]
    [number] = found(digits_of(*weak), regions_of((0.6, 18, 8, 46, 34)))
    assert number.number == "42"
    assert number.box.tolist() == [18, 8, 46, 34]


def test_chains_in_a_surer_region_are_alternatives():
    """Digits on a steep line are not joined."""
    steep = digits_of((8, 0.6, 10, 40, 20, 30), (0, 0.5, 25, 5, 20, 30))
    assert len(group_digits(steep)) == 2
    [number] = found(steep, regions_of((0.7, 10, 5, 35, 65)))
    assert number.is_region
    assert sorted(other.number for other in number.alternatives) == ["0", "8"]


def test_a_region_in_a_surer_chain_is_an_alternative():
    """Two numbers side by side were joined, or something beside a number to it."""
    [number] = found(digits_of(*TWO), regions_of((0.5, 20, 10, 20, 30)))
    assert number.number == "42"
    [other] = number.alternatives
    assert other.is_region
    assert other.number == "4"


def test_a_weak_region_about_two_numbers_leaves_them_two():
    digits = digits_of(*TWO, (7, 0.9, 120, 10, 20, 30))
    numbers = found(digits, regions_of((0.3, 20, 10, 120, 30)))
    assert [number.number for number in numbers] == ["42", "7"]
    assert [len(number.alternatives) for number in numbers] == [1, 0]


def test_numbers_come_by_how_sure_they_are():
    digits = digits_of(*TWO, (7, 0.5, 200, 10, 20, 30))
    numbers = found(digits, regions_of((0.99, 300, 10, 50, 30), (0.9, 200, 10, 20, 30)))
    # The chains by their digits and as a whole: (0.5 + 0.9) / 2, (0.94 + 0) / 2.
    assert [number.number for number in numbers] == ["", "7", "42"]
    assert [round(number.surety, 2) for number in numbers] == [0.99, 0.9, 0.94]
