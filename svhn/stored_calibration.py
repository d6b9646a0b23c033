"""What makes the confidence of a network honest: measured on val, stored with its weights.

The temperature (C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural
networks", ICML 2017, section 4.2) makes the confidence agree with the share of right readings; a
threshold says which readings to trust when a share of them must be right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from svhn.errors import UserError

STORED_ACCURACIES = (
    *(0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995),
)
"""The accuracies for which a threshold is looked for; between them, the next higher one holds."""


@dataclass(frozen=True)
class StoredCalibration:
    """Temperature and thresholds of a network. Without arguments: of one that was never measured,
    whose confidence is taken as it is.
    """

    temperature: float = 1.0
    """What the logits are divided by."""

    thresholds: Mapping[float, float | None] = field(default_factory=dict)
    """By accuracy, 0 to 1, ascending: the confidence from which on readings reach it; None where
    the photos give no such promise. See `svhn.evaluation.thresholds`."""

    photos: int = 0
    """How many photos of val all this rests on; 0 where nothing was measured."""

    def threshold(self, accuracy: float) -> float | None:
        """Returns the confidence from which on readings reach an accuracy; None if not known.

        Args:
            accuracy: 0 to 1. The threshold of the next higher accuracy that is stored is taken:
                it may keep less than it could, but never promises too much.
        """
        if accuracy <= 0:
            return 0.0
        higher = [stored for stored in self.thresholds if stored >= accuracy]
        return self.thresholds[min(higher)] if higher else None

    def demand_threshold(self, accuracy: float, source: str) -> float:
        """Returns the same for a user who asked for it with `--min_accuracy`.

        Args:
            accuracy: 0 to 1.
            source: The checkpoint, for the message.

        Raises:
            UserError: If there is no threshold.
        """
        threshold = self.threshold(accuracy)
        if threshold is not None:
            return threshold
        if not self.thresholds:
            raise UserError(
                f"--min_accuracy={accuracy:g}: {source} has no thresholds, as it was saved before "
                "they were kept, or between two evaluations. Train on with train.py (each "
                "evaluation stores them), or leave --min_accuracy out"
            )
        reached = [wanted for wanted, found in self.thresholds.items() if found is not None]
        if reached:
            step = f"Ask for {max(reached):g} at most, or train further"
        else:
            step = "Leave --min_accuracy out, or train further"
        raise UserError(
            f"--min_accuracy={accuracy:g}: {source} has no threshold for it, as no choice of the "
            f"{self.photos:,} readings on val reaches that accuracy surely enough. {step}, or "
            "convert with more photos for val"
        )

    def as_json(self) -> dict[str, Any]:
        """Returns it as JSON can hold it."""
        return {
            "temperature": self.temperature,
            "photos": self.photos,
            "thresholds": {f"{accuracy:g}": found for accuracy, found in self.thresholds.items()},
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any] | None) -> "StoredCalibration":
        """Returns what `as_json` gave; for None, that of a network that was never measured."""
        if saved is None:
            return cls()
        thresholds = {float(accuracy): found for accuracy, found in saved["thresholds"].items()}
        return cls(saved["temperature"], dict(sorted(thresholds.items())), saved["photos"])
