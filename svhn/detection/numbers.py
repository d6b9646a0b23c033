"""From digits to numbers: which digits stand in one line, and in which order they are read.

A number is a chain of digits, each linked to the next. Two digits can be linked if they are about
equally high and stand side by side, to the right of each other up to a steep slant, or one straight
below the other; three in a row must not bend too much. Every link and every bend costs something:
each deviation (gap, overlap, unequal heights, slant, bend) is divided by its limit and squared, and
what costs 1 in all is no link. A digit is worth its score less `JOINING_SCORE`; a number is worth
its digits less `COST_WEIGHT` times its costs. The number that is worth most is taken first, then
what lies on it is left out, and so on: a digit that fits badly joins only if it is surely there.

Lines go from left to right. They go straight down only among digits that no digit stands closer
beside: two numbers one above the other stay two.

The limits hold what the labels of the official train photos show: of 40,000 pairs of neighbours
0.03 % have wider gaps, 0.1 % are steeper, 0.01 % are less alike in height; of 11,700 triples 0.15 %
bend more.
"""

import dataclasses

import numpy as np

from svhn.detection.decoding import DetectedDigits
from svhn.geometry import union_box

JOINING_SCORE = 0.25
"""Digits below belong to no number."""

COST_WEIGHT = 0.5
"""What a link of cost 1 would cost, in scores."""

WIDEST_GAP = 1.0
"""Between the boxes of neighbours, along the line between their centres, in digit heights."""

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


@dataclasses.dataclass(frozen=True, eq=False)
class FoundNumber:
    """A number that was found in a photo."""

    box: np.ndarray
    """float32 [4]: left, top, width, height, pixels: the tight box around its digits."""

    digits: DetectedDigits
    """In reading order."""

    score: float
    """How sure it is that there is a number, 0 to 1: that not every one of its digits is false."""

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
    numbers = []
    while len(digits.scores):
        chain = _best_chain(digits, digits.scores - joining_score)
        members = digits.chosen(chain)
        numbers.append(
            FoundNumber(union_box(members.boxes), members, float(1 - np.prod(1.0 - members.scores)))
        )
        digits = digits.chosen(np.flatnonzero(~_lies_on(digits.boxes, members.boxes)))
    return sorted(numbers, key=lambda number: -number.score)


def _best_chain(digits: DetectedDigits, worths: np.ndarray) -> np.ndarray:
    """Returns the places of the digits of the number that is worth most, in reading order."""
    lines = _Lines(digits)
    chains = [
        _heaviest_path(worths, costs, lines.bend_costs, lines.centres[:, axis])
        for axis, costs in enumerate((lines.across_costs, lines.down_costs))
    ]
    # Of two that are equal, the one from left to right.
    return max(chains, key=lambda chain: chain[0])[1]


def _heaviest_path(
    worths: np.ndarray, link_costs: np.ndarray, bend_costs: np.ndarray, positions: np.ndarray
) -> tuple[float, np.ndarray]:
    """Returns the most that a chain is worth, and its places.

    Dynamic programming over links: what is best up to a link depends on the links before it.

    Args:
        worths: float [N].
        link_costs: float [N, N], from row to column; infinite where there is no link.
        bend_costs: float [N, N, N] of three in a row, likewise.
        positions: float [N]: links lead to higher ones.
    """
    count = len(worths)
    best = np.full((count, count), -np.inf)  # up to the link from row to column, both included
    before = np.full((count, count), -1)  # the digit before such a link; -1 at the start
    for place in np.argsort(positions, kind="stable"):
        ways = best[:, place, None] - COST_WEIGHT * bend_costs[:, place]
        previous = ways.argmax(axis=0)
        longer = ways[previous, np.arange(count)]
        starts_here = longer <= worths[place]
        before[place] = np.where(starts_here, -1, previous)
        best[place] = (
            np.where(starts_here, worths[place], longer) + worths - COST_WEIGHT * link_costs[place]
        )
    alone, (first, second) = worths.argmax(), np.unravel_index(best.argmax(), best.shape)
    if best[first, second] <= worths[alone]:
        return float(worths[alone]), np.array([alone])
    chain = [second, first]
    while before[chain[-1], chain[-2]] >= 0:
        chain.append(before[chain[-1], chain[-2]])
    return float(best[first, second]), np.array(chain[::-1])


class _Lines:
    """What linking digits costs."""

    def __init__(self, digits: DetectedDigits):
        boxes = np.asarray(digits.boxes, np.float64)
        halves = boxes[:, 2:] / 2
        self.centres = boxes[:, :2] + halves
        steps = self.centres[None] - self.centres[:, None]  # [from, to, 2]
        distances = np.hypot(steps[..., 0], steps[..., 1])
        heights = np.maximum(boxes[:, 3], 1e-6)
        mean_heights = (heights[:, None] + heights[None]) / 2

        ratios = np.abs(np.log(heights[:, None] / heights[None])) / np.log(LARGEST_RATIO)
        directions = np.abs(steps) / np.maximum(distances, 1e-9)[..., None]
        # How far each box reaches from its centre towards the other one's.
        reaches = (halves[:, None] / np.maximum(directions, 1e-9)).min(axis=-1)
        gaps = (distances - reaches - reaches.T) / mean_heights / WIDEST_GAP
        overlaps = _covered_shares(boxes, boxes) / LARGEST_OVERLAP
        any_way = ratios**2 + np.maximum(gaps, 0) ** 2 + overlaps**2

        slants = np.degrees(np.arctan2(steps[..., 1], steps[..., 0])) / STEEPEST_SLANT
        self.across_costs = _below_one(any_way + slants**2, steps[..., 0] > 0)
        shifts = steps[..., 0] / mean_heights / LARGEST_SHIFT
        down_costs = _below_one(any_way + shifts**2 + DOWN_COST, steps[..., 1] > 0)
        self.down_costs = _where_nothing_is_beside(down_costs, self.across_costs, digits.scores)
        self.bend_costs = _bend_costs(steps, distances, heights)


def _where_nothing_is_beside(
    down_costs: np.ndarray, across_costs: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    """Returns the costs down, infinite where one of the two has a closer digit beside it."""
    beside = np.minimum(across_costs, across_costs.T)
    # What may well be none has no say in it.
    beside = np.where(scores[None] >= scores[:, None] / 2, beside, np.inf).min(axis=1)
    nearest = np.minimum(beside[:, None], beside[None])
    return np.where(down_costs < nearest, down_costs, np.inf)


def _bend_costs(steps: np.ndarray, distances: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Returns what it costs that three digits in a row are not in line, [first, middle, last]."""
    to_middle, to_last = steps[:, :, None], steps[:, None]
    products = to_middle[..., 0] * to_last[..., 1] - to_middle[..., 1] * to_last[..., 0]
    mean_heights = (heights[:, None, None] + heights[:, None] + heights) / 3
    bends = np.abs(products) / np.maximum(distances[:, None], 1e-9) / mean_heights
    return _below_one((bends / SHARPEST_BEND) ** 2)


def _below_one(costs: np.ndarray, allowed: np.ndarray | bool = True) -> np.ndarray:
    return np.where((costs < 1) & allowed, costs, np.inf)


def _lies_on(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether each box covers, or is covered by, one of the others too much to be beside it."""
    return (_covered_shares(boxes, others) >= LARGEST_OVERLAP).any(axis=1)


def _covered_shares(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns the share of the smaller box of each pair that both have in common, [N, M]."""
    boxes, others = np.asarray(boxes, np.float64)[:, None], np.asarray(others, np.float64)[None]
    start = np.maximum(boxes[..., :2], others[..., :2])
    end = np.minimum(boxes[..., :2] + boxes[..., 2:], others[..., :2] + others[..., 2:])
    common = np.prod(np.maximum(end - start, 0), axis=-1)
    smaller = np.minimum(np.prod(boxes[..., 2:], axis=-1), np.prod(others[..., 2:], axis=-1))
    return common / np.maximum(smaller, 1e-9)
