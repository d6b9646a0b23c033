"""Digits and regions together: numbers as chains of digits, and numbers that are seen as a whole.

The detector sees digits, and regions: places of whole numbers. Small or blurred digits are often a
number together, though no digit of it can be told by itself; and a region says where a number ends,
where the edge of a plaque looks like a 1. So each chain of digits gets the region that it fills.
Where a region is none's, it is a number of its own; chains that lie in it are what it may be
instead, as only one of them can be right.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from svhn.detection.average_precision import intersections_over_unions
from svhn.detection.decoding import DetectedDigits
from svhn.detection.numbers import FoundNumber, Region, group_digits
from svhn.geometry import corners

SAME_NUMBER = 0.5
"""Intersection over union of a chain's box and a region from which on they are one number."""

SAME_BOX = 0.85
"""From here on the region says nothing about the box that the chain doesn't say."""

ALONE_SCORE = 0.2
"""A region that no chain fills is a number from this score on."""

WITHIN_SHARE = 0.6
"""Of a chain's box in a region, from which on it may be a part of that number."""

SEEN_SCORE = 0.05
"""Digits in a region count from this score on."""


def with_regions(
    numbers: Sequence[FoundNumber], digits: DetectedDigits, regions: DetectedDigits
) -> list[FoundNumber]:
    """Returns the numbers of a photo, the surest first.

    Args:
        numbers: The chains of its digits, the best first.
        digits: All that may be digits.
        regions: As `svhn.detection.decoding.find_regions` gives them, the surest first.
    """
    joined: list[FoundNumber] = []
    left = list(numbers)
    for score, box in zip(regions.scores.tolist(), regions.boxes, strict=True):
        region = Region(box, score)
        boxes = np.array([number.box for number in left], np.float32).reshape(-1, 4)
        overlaps = intersections_over_unions(box, boxes)[0]
        if len(left) and overlaps.max() >= SAME_NUMBER:
            chain = dataclasses.replace(left.pop(int(overlaps.argmax())), region=region)
            if overlaps.max() < SAME_BOX:
                chain = dataclasses.replace(chain, alternatives=(_as_number(region, digits),))
            joined.append(chain)
        elif score >= ALONE_SCORE:
            within = _covered_shares(boxes, box) >= WITHIN_SHARE
            chains = [
                dataclasses.replace(number, region=region)
                for number, is_within in zip(left, within, strict=True)
                if is_within
            ]
            left = [number for number, is_within in zip(left, within, strict=True) if not is_within]
            joined.append(_surest_of([_as_number(region, digits), *chains]))
    return sorted([*joined, *left], key=lambda number: -surety(number))


def surety(number: FoundNumber) -> float:
    """Returns how sure the detector is of a number, 0 to 1, by its digits or by its region."""
    return max(number.score, number.region_evidence)


def _surest_of(ways: Sequence[FoundNumber]) -> FoundNumber:
    """The surest of what a number may be, with the others as its alternatives."""
    best = max(range(len(ways)), key=lambda place: surety(ways[place]))
    others = (*ways[:best], *ways[best + 1 :])
    return dataclasses.replace(ways[best], alternatives=others)


def _as_number(region: Region, digits: DetectedDigits) -> FoundNumber:
    """A region as a number, with the best chain of the digits in it."""
    centres = digits.boxes[:, :2] + digits.boxes[:, 2:] / 2
    start, end = region.box[:2], region.box[:2] + region.box[2:]
    is_within = ((centres >= start) & (centres <= end)).all(axis=1)
    chains = group_digits(digits.chosen(np.flatnonzero(is_within)), SEEN_SCORE)
    if not chains:
        none = digits.chosen(np.zeros(0, int))
        return FoundNumber(region.box, none, 0.0, region, is_region=True)
    return dataclasses.replace(chains[0], box=region.box, region=region, is_region=True)


def _covered_shares(boxes: np.ndarray, region: np.ndarray) -> np.ndarray:
    """The share of each box, float [N, 4], that a region covers, [N]."""
    box_edges, [edges] = corners(boxes), corners(region[np.newaxis])
    start = np.maximum(box_edges[:, :2], edges[:2])
    end = np.minimum(box_edges[:, 2:], edges[2:])
    common = np.prod(np.maximum(end - start, 0), axis=1)
    return common / np.maximum(np.prod(boxes[:, 2:], axis=1), 1e-9)
