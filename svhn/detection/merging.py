"""Several looks at a photo become one list of digits.

The detector sees digits of a middling size best. So of several looks at a place each has a say by
the size that the digit has there: its class scores are the mean of theirs, and a look that sees
none counts as zeros. What one look alone imagines is thus worth less than what all see.
"""

from collections.abc import Sequence

import numpy as np

from svhn.detection.average_precision import intersections_over_unions
from svhn.detection.decoding import DetectedDigits
from svhn.detection.non_maximum_suppression import IOU_THRESHOLD, suppress
from svhn.detection.part import Part
from svhn.geometry import corners

BEST_SIZE = 45.0
"""Longer side of the digits that the detector sees best, pixels of the picture."""

SIZE_SPREAD = 0.8
"""Octaves from there to a size whose say has fallen to 0.61: a normal distribution."""

_LEAST_SAY = 1e-3  # so that there is one where every look sees the digit at a bad size


def joined(parts: Sequence[DetectedDigits]) -> DetectedDigits:
    """Returns the digits of several pieces of one look, each once, the surest first.

    Args:
        parts: At least one; boxes in the same pixels, each digit once in a part, the surest first.
    """
    if len(parts) == 1:
        return parts[0]
    digits = _all_of(parts)
    return digits.chosen(suppress(digits.boxes, digits.scores, most=len(digits.scores)))


def merged(
    looks: Sequence[DetectedDigits],
    scales: Sequence[float],
    parts: Sequence[Part | None] | None = None,
    *,
    by_height: bool = False,
) -> DetectedDigits:
    """Returns the digits of several looks at a photo, each once, the surest first; or its regions.

    Args:
        looks: At least one; boxes in pixels of the photo, each digit once in a look.
        scales: Pixels of each look's picture for a pixel of the photo.
        parts: Where each look shows digits whole, where it has nothing to say about others; None
            for all of the photo. At least one look shows all.
        by_height: Whether what has a size that the detector sees well is told by its height, as of
            numbers, which are as wide as they are long, rather than by its longer side.
    """
    candidates = _all_of(looks)
    kept = suppress(candidates.boxes, candidates.scores, most=len(candidates.scores))
    if not len(kept):
        return candidates
    overlaps = intersections_over_unions(candidates.boxes[kept], candidates.boxes)
    # Every candidate speaks for the place that it overlaps most.
    is_nearest = overlaps.argmax(axis=0) == np.arange(len(kept))[:, None]
    speaks = (overlaps >= IOU_THRESHOLD) & is_nearest
    votes = np.where(speaks, candidates.scores, -1.0)  # [places, candidates]
    look_of = np.repeat(np.arange(len(looks)), [len(look.scores) for look in looks])

    says = _says(candidates.boxes[kept], scales, parts or [None] * len(looks), by_height)
    class_scores = np.zeros((len(kept), candidates.class_scores.shape[1]))
    corner_sums, weight_sums = np.zeros((len(kept), 4)), np.zeros((len(kept), 1))
    candidate_corners = corners(candidates.boxes)
    for look in range(len(looks)):
        of_look = np.flatnonzero(look_of == look)
        if not len(of_look):
            continue
        choice = of_look[votes[:, of_look].argmax(axis=1)]
        seen = votes[np.arange(len(kept)), choice] >= 0
        say = np.where(seen, says[:, look], 0.0)[:, None]
        class_scores += say * candidates.class_scores[choice]
        weight = say * candidates.scores[choice, None]
        corner_sums += weight * candidate_corners[choice]
        weight_sums += weight
    starts, ends = np.split(corner_sums / weight_sums, 2, axis=1)
    order = np.argsort(-class_scores.max(axis=1), kind="stable")
    return DetectedDigits(
        class_scores.argmax(axis=1).astype(np.int32),
        class_scores.max(axis=1).astype(np.float32),
        np.concatenate([starts, ends - starts], axis=1).astype(np.float32),
        class_scores.astype(np.float32),
    ).chosen(order)


def _all_of(parts: Sequence[DetectedDigits]) -> DetectedDigits:
    return DetectedDigits(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("labels", "scores", "boxes", "class_scores")
        )
    )


def _says(
    boxes: np.ndarray, scales: Sequence[float], parts: Sequence[Part | None], by_height: bool
) -> np.ndarray:
    """Returns the share of each look in what is said of a digit, [N, looks]; they sum to 1."""
    sides = boxes[:, 3] if by_height else boxes[:, 2:].max(axis=1)
    sizes = np.maximum(sides, 1e-6)[:, None] * np.asarray(scales, np.float64)
    says = np.exp(-((np.log2(sizes / BEST_SIZE) / SIZE_SPREAD) ** 2) / 2) + _LEAST_SAY
    for look, part in enumerate(parts):
        if part:
            says[~part.holds(boxes), look] = 0.0
    return says / says.sum(axis=1, keepdims=True)
