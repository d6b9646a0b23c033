"""Digits and regions together: numbers as chains of digits, and numbers that are seen as a whole.

The detector sees digits, and regions: places of whole numbers. Small or blurred digits are often a
number together, though no digit of it can be told by itself; and a region says where a number ends,
where the edge of a plaque looks like a 1. So chains and regions are both what may be numbers. Of
those that lie on one another only one can be right: the surest one (`_rank`) is the number, the
others are its alternatives.
"""

import dataclasses

import numpy as np

from svhn.detection.average_precision import intersections_over_unions
from svhn.detection.decoding import DetectedDigits
from svhn.detection.numbers import FoundNumber, Region, covered_shares, group_digits

SAME_BOX = 0.85
"""Intersection over union of a chain's box and a region from which on they are one box."""

SAME_NUMBER = 0.5
"""From which on a region, however weak, is worth a look as the number's box."""

ALONE_SCORE = 0.2
"""A region that no chain fills may be a number from this score on."""

SAME_PLACE = 0.4
"""Share of the smaller of two boxes that the other one covers, from which on only one is right."""

SEEN_SCORE = 0.05
"""Digits in a region count from this score on."""


def with_regions(digits: DetectedDigits, regions: DetectedDigits) -> list[FoundNumber]:
    """Returns the numbers of a photo, the surest first.

    Args:
        digits: All that may be digits.
        regions: As `svhn.detection.decoding.find_regions` gives them.
    """
    chains = group_digits(digits)
    boxes = np.array([chain.box for chain in chains], np.float32).reshape(-1, 4)
    overlaps = intersections_over_unions(regions.boxes, boxes).max(axis=1, initial=0.0)
    is_number = (overlaps >= SAME_NUMBER) | (regions.scores >= ALONE_SCORE)
    seen = tuple(map(Region, regions.boxes, regions.scores.tolist()))
    left = [dataclasses.replace(chain, regions=seen) for chain in chains]
    left += [
        dataclasses.replace(_as_number(regions.boxes[place], digits), regions=seen)
        for place in np.flatnonzero(is_number & (overlaps < SAME_BOX))
    ]
    # Of those that are equally sure, the first: a chain.
    left.sort(key=_rank, reverse=True)
    numbers = []
    while left:
        best, *others = left
        boxes = np.array([number.box for number in left], np.float64)
        is_there = covered_shares(boxes)[0, 1:] >= SAME_PLACE
        same_place = tuple(other for other, there in zip(others, is_there, strict=True) if there)
        numbers.append(dataclasses.replace(best, alternatives=same_place))
        left = [other for other, there in zip(others, is_there, strict=True) if not there]
    return numbers


def _rank(number: FoundNumber) -> float:
    """How sure a number is among others at its place: a chain on average by its digits and as a
    whole, a region as a whole alone, as digits that it shows may be two numbers'.
    """
    if number.is_region:
        return number.region_evidence
    return (number.score + number.region_evidence) / 2


def _as_number(box: np.ndarray, digits: DetectedDigits) -> FoundNumber:
    """A region's box as a number, with the best chain of the digits in it."""
    centres = digits.boxes[:, :2] + digits.boxes[:, 2:] / 2
    is_within = ((centres >= box[:2]) & (centres <= box[:2] + box[2:])).all(axis=1)
    chains = group_digits(digits.chosen(np.flatnonzero(is_within)), SEEN_SCORE)
    if not chains:
        return FoundNumber(box, digits.chosen(np.zeros(0, int)), 0.0, is_region=True)
    return dataclasses.replace(chains[0], box=box, is_region=True)
