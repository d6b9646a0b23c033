"""From digits to numbers: which digits stand in one line, and in which order they are read.

A number is a chain of digits, each linked to the next. Two digits can be linked if they are about
equally high and stand side by side, to the right of each other up to a steep slant, or one straight
below the other; three in a row must not bend too much, nor be spaced too unevenly. Every link and
every three in a row cost something: each deviation (gap, overlap, unequal heights, slant; bend,
uneven gaps) is divided by its limit and squared, and what costs 1 in all is not allowed. A digit is
worth its score less `JOINING_SCORE`; a number is worth its digits less `COST_WEIGHT` times its
costs. The number that is worth most is taken first, then what lies on it is left out, and so on: a
digit that fits badly joins only if it is surely there.

Lines go from left to right. They go straight down only among digits that no digit stands closer
beside: two numbers one above the other stay two.

The limits hold nearly all that the labels show; `benchmarks/finding.py` counts how many labelled
numbers would be broken.
"""

import dataclasses
import functools
from typing import NamedTuple

import numpy as np

from svhn.detection.average_precision import intersections_over_unions
from svhn.detection.decoding import DetectedDigits
from svhn.geometry import union_box

JOINING_SCORE = 0.2
"""Digits below belong to no number."""

COST_WEIGHT = 0.5
"""What a link of cost 1 would cost, in scores."""

WIDEST_GAP = 1.4
"""Between the boxes of neighbours, along the line between their centres, in digit heights."""

LARGEST_UNEVENNESS = 1.0
"""Between one gap and the next, in digit heights: widely spaced digits are so all along."""

LARGEST_OVERLAP = 0.55
"""Share of the smaller box of two neighbours that the other one covers."""

LARGEST_RATIO = 1.7
"""Of the heights of two neighbours."""

STEEPEST_SLANT = 75.0
"""Degrees from the horizontal, up or down, of a line from left to right."""

LARGEST_SHIFT = 0.5
"""Sideways, of a digit against the one above it, in digit heights."""

SHARPEST_BEND = 0.36
"""How far a digit lies off the straight line between its neighbours, in digit heights."""

DOWN_COST = 0.3
"""Of every link straight down: numbers seldom go that way."""


class Region(NamedTuple):
    """Where the detector sees a number as a whole, whatever its digits are."""

    box: np.ndarray
    """float32 [4]: left, top, width, height, pixels."""

    score: float
    """0 to 1."""


@dataclasses.dataclass(frozen=True, eq=False)
class FoundNumber:
    """A number that was found in a photo."""

    box: np.ndarray
    """float32 [4]: left, top, width, height, pixels: the tight box around its digits."""

    digits: DetectedDigits
    """In reading order."""

    score: float
    """How sure it is that there is a number, 0 to 1: that not every one of its digits is false."""

    regions: tuple[Region, ...] = ()
    """Where the detector sees numbers as a whole in the photo, this one or others."""

    is_region: bool = False
    """Whether the box is a region's, and `digits` (there may be none) just what was seen in it."""

    alternatives: "tuple[FoundNumber, ...]" = ()
    """What it may be instead: only one of them and this one is there."""

    @functools.cached_property
    def region_evidence(self) -> float:
        """How sure the detector is that there is a number in just this box; 0 to 1: the score of
        the region that fits best, times the intersection over union with it.
        """
        if not self.regions:
            return 0.0
        boxes = np.stack([region.box for region in self.regions])
        overlaps = intersections_over_unions(self.box, boxes)[0]
        return float((overlaps * [region.score for region in self.regions]).max())

    @property
    def surety(self) -> float:
        """How sure the detector is of it, 0 to 1, by its digits or as a whole."""
        return max(self.score, self.region_evidence)

    @property
    def number(self) -> str:
        """What the digits say, as text: "75"."""
        return "".join(str(label) for label in self.digits.labels.tolist())


def group_digits(digits: DetectedDigits, joining_score: float = JOINING_SCORE) -> list[FoundNumber]:
    """Returns the numbers that digits make, the best first; each digit is in one, at most.

    Args:
        digits: Of one photo, after non-maximum suppression.
        joining_score: Digits below belong to no number.
    """
    digits = digits.chosen(np.flatnonzero(digits.scores >= joining_score))
    lines = _Lines(digits)
    worths = digits.scores.astype(np.float64) - joining_score
    is_left = np.ones(len(worths), bool)
    numbers = []
    while is_left.any():
        chain = lines.best_chain(worths, is_left)
        members = digits.chosen(chain)
        numbers.append(made_of(members))
        is_left[chain] = False
        is_left &= ~lines.is_same_place[chain].any(axis=0)
    return sorted(numbers, key=lambda number: -number.score)


def made_of(members: DetectedDigits) -> FoundNumber:
    """Returns the number that digits make.

    Args:
        members: At least one, in reading order.
    """
    score = float(1 - np.prod(1.0 - members.scores))
    return FoundNumber(union_box(members.boxes), members, score)


class _Lines:
    """How digits can be linked, and what it costs."""

    def __init__(self, digits: DetectedDigits):
        boxes = np.asarray(digits.boxes, np.float64)
        halves = boxes[:, 2:] / 2
        self._centres = boxes[:, :2] + halves
        steps = self._centres[None] - self._centres[:, None]  # [from, to, 2]
        distances = np.hypot(steps[..., 0], steps[..., 1])
        self._heights = heights = np.maximum(boxes[:, 3], 1e-6)
        mean_heights = (heights[:, None] + heights[None]) / 2

        ratios = np.abs(np.log(heights[:, None] / heights[None])) / np.log(LARGEST_RATIO)
        directions = np.abs(steps) / np.maximum(distances, 1e-9)[..., None]
        # How far each box reaches from its centre towards the other one's.
        reaches = (halves[:, None] / np.maximum(directions, 1e-9)).min(axis=-1)
        self._gaps = (distances - reaches - reaches.T) / mean_heights
        overlaps = covered_shares(boxes) / LARGEST_OVERLAP
        self.is_same_place = overlaps >= 1
        any_way = ratios**2 + (np.maximum(self._gaps, 0) / WIDEST_GAP) ** 2 + overlaps**2

        slants = np.degrees(np.arctan2(steps[..., 1], steps[..., 0])) / STEEPEST_SLANT
        across = _below_one(any_way + slants**2, steps[..., 0] > 0)
        shifts = steps[..., 0] / mean_heights / LARGEST_SHIFT
        down = _below_one(any_way + shifts**2 + DOWN_COST, steps[..., 1] > 0)
        down = _where_nothing_is_beside(down, across, digits.scores)
        self._link_costs = (across, down)  # along x and along y, [from, to]

    def best_chain(self, worths: np.ndarray, is_left: np.ndarray) -> np.ndarray:
        """Returns the places of the digits of the number that is worth most, in reading order.

        Args:
            worths: float [N], not negative.
            is_left: bool [N]: the digits that there still are, at least one.
        """
        alone = int(np.where(is_left, worths, -1.0).argmax())
        chains = [(float(worths[alone]), np.array([alone]))]
        for axis in (0, 1):
            costs = np.where(is_left[:, None] & is_left, self._link_costs[axis], np.inf)
            if np.isfinite(costs).any():
                chains.append(self._heaviest_path(worths, costs, axis))
        # Of those that are equal, the first.
        return max(chains, key=lambda chain: chain[0])[1]

    def _heaviest_path(
        self, worths: np.ndarray, costs: np.ndarray, axis: int
    ) -> tuple[float, np.ndarray]:
        """Returns the most that a chain of two or more is worth, and its places.

        Dynamic programming over links: what is best up to a link depends on the links before it.

        Args:
            worths: float [N].
            costs: float [N, N], from row to column; infinite where there is no link.
            axis: 0 where links lead to the right, 1 where they lead down.
        """
        is_linked = np.isfinite(costs)
        best = np.full(costs.shape, -np.inf)  # up to the link from row to column, both included
        before = np.full(costs.shape, -1)  # the digit before such a link; -1 at the start
        for place in np.argsort(self._centres[:, axis], kind="stable"):
            following = np.flatnonzero(is_linked[place])
            if not len(following):
                continue
            reached = np.full(len(following), worths[place])
            preceding = np.flatnonzero(is_linked[:, place])
            if len(preceding):
                ways = best[preceding, place, None] - COST_WEIGHT * self._bend_costs(
                    preceding, place, following
                )
                choice = ways.argmax(axis=0)
                longer = ways.max(axis=0)
                before[place, following] = np.where(longer > reached, preceding[choice], -1)
                reached = np.maximum(longer, reached)
            best[place, following] = (
                reached + worths[following] - COST_WEIGHT * costs[place, following]
            )
        first, second = np.unravel_index(best.argmax(), best.shape)
        chain = [second, first]
        while before[chain[-1], chain[-2]] >= 0:
            chain.append(before[chain[-1], chain[-2]])
        return float(best[first, second]), np.array(chain[::-1])

    def _bend_costs(self, firsts: np.ndarray, middle: int, lasts: np.ndarray) -> np.ndarray:
        """Returns what it costs that three are not in line or not evenly spaced, [first, last]."""
        to_middle = self._centres[middle] - self._centres[firsts, None]
        to_last = self._centres[None, lasts] - self._centres[firsts, None]
        products = to_middle[..., 0] * to_last[..., 1] - to_middle[..., 1] * to_last[..., 0]
        distances = np.maximum(np.hypot(to_last[..., 0], to_last[..., 1]), 1e-9)
        heights = self._heights[firsts, None] + self._heights[middle] + self._heights[lasts]
        bends = np.abs(products) / distances / (heights / 3) / SHARPEST_BEND
        gaps = np.maximum(self._gaps, 0)
        unevenness = (gaps[firsts, middle, None] - gaps[middle, lasts]) / LARGEST_UNEVENNESS
        return _below_one(bends**2 + unevenness**2)


def _where_nothing_is_beside(
    down_costs: np.ndarray, across_costs: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    """Returns the costs down, infinite where one of the two has a closer digit beside it."""
    beside = np.minimum(across_costs, across_costs.T)
    # What may well be none has no say in it.
    beside = np.where(scores[None] >= scores[:, None] / 2, beside, np.inf)
    beside = beside.min(axis=1, initial=np.inf)
    nearest = np.minimum(beside[:, None], beside[None])
    return np.where(down_costs < nearest, down_costs, np.inf)


def _below_one(costs: np.ndarray, allowed: np.ndarray | bool = True) -> np.ndarray:
    return np.where((costs < 1) & allowed, costs, np.inf)


def covered_shares(boxes: np.ndarray) -> np.ndarray:
    """Returns the share of the smaller box of each pair that both have in common, [N, N].

    Args:
        boxes: float64 [N, 4]: left, top, width, height.
    """
    start, end = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    common = np.minimum(end[:, None], end) - np.maximum(start[:, None], start)
    areas = boxes[:, 2] * boxes[:, 3]
    smaller = np.maximum(np.minimum(areas[:, None], areas), 1e-9)
    return np.prod(np.maximum(common, 0), axis=-1) / smaller
