"""Whether the confidence is honest: of the photos read with 80 %, are 80 % read right? In NumPy.

The reliability bins and the expected calibration error of C. Guo, G. Pleiss, Y. Sun and
K. Q. Weinberger, "On calibration of modern neural networks", ICML 2017, section 2.
"""

from dataclasses import dataclass

import numpy as np

BINS = 15
"""Bins of equal width, as many as Guo et al. use."""


@dataclass(frozen=True)
class ReliabilityBin:
    """The photos whose confidence lies in one interval."""

    low: float
    """The interval's lower end, not part of it (but the first bin holds 0, too)."""

    high: float
    """The interval's upper end, part of it."""

    count: int
    """Photos in the bin."""

    correct: int
    """How many of them were read right."""

    mean_confidence: float | None
    """Of the photos in the bin, 0 to 1; None where there are none."""

    @property
    def accuracy(self) -> float | None:
        """The share that was read right, 0 to 1; None where there are no photos."""
        return self.correct / self.count if self.count else None


@dataclass(frozen=True)
class Calibration:
    """How well the confidence tells the share of right readings."""

    bins: tuple[ReliabilityBin, ...]
    """By ascending confidence; together they cover 0 to 1."""

    @property
    def expected_calibration_error(self) -> float | None:
        """The mean distance of accuracy and confidence, 0 (honest) to 1; None of no photos.

        Σ over bins of (photos in the bin / all photos) · |accuracy - mean confidence| (Guo et al.,
        equation 3). The number depends on the bins, so compare it only between equal ones.
        """
        photos = sum(part.count for part in self.bins)
        if not photos:
            return None
        return sum(
            part.count * abs(part.accuracy - part.mean_confidence)
            for part in self.bins
            if part.count
        ) / photos  # fmt: skip


def calibrate(right: np.ndarray, confidence: np.ndarray, bins: int = BINS) -> Calibration:
    """Returns the reliability bins of some readings.

    Args:
        right: Booleans of shape (N,): whether the whole number is right; N may be 0.
        confidence: Floats of shape (N,), 0 to 1.
        bins: How many, all equally wide.

    Raises:
        ValueError: If the shapes differ or there are no bins.
    """
    right, confidence = np.asarray(right, bool), np.asarray(confidence, np.float64)
    if right.ndim != 1 or right.shape != confidence.shape or bins < 1:
        raise ValueError(
            "right and confidence must have one entry for each photo, for at least 1 bin. "
            f"Received: shapes {right.shape} and {confidence.shape}, {bins} bins"
        )
    ends = np.arange(bins + 1) / bins
    # Below: the ends that lie below the value. 0, and what rounding put above 1, stay inside.
    below = np.searchsorted(ends, confidence, side="left")
    index = np.clip(below - 1, 0, bins - 1)
    counts = np.bincount(index, minlength=bins).tolist()
    corrects = np.bincount(index[right], minlength=bins).tolist()
    sums = np.bincount(index, weights=confidence, minlength=bins).tolist()
    return Calibration(
        tuple(
            ReliabilityBin(
                low=float(ends[i]),
                high=float(ends[i + 1]),
                count=counts[i],
                correct=corrects[i],
                mean_confidence=sums[i] / counts[i] if counts[i] else None,
            )
            for i in range(bins)
        )
    )
