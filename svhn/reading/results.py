"""What reading a photo gives: a number and how sure it is, or the reason why there is none."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from svhn.labels import number_text

NO_NUMBER = "no number"
"""What people are shown for a photo that the network takes to hold no digit."""


NOT_SURE = "not sure"
"""What people are shown for a reading that may not be right often enough."""


@dataclass(frozen=True)
class Reading:
    """The most likely number of a photo."""

    label: tuple[int, ...]
    """`[length, digit_1, …, digit_5]`, as `svhn.labels.label_array` makes it."""

    confidence: float
    """The probability of that number, 0 to 1."""

    digit_probabilities: tuple[float, ...]
    """Of the most likely digit at each of the five positions; 0 where there is no digit."""

    sure: bool | None = None
    """Whether the confidence suffices for the accuracy that was asked for; None where none was."""

    @property
    def number(self) -> str:
        """The number as text: "75"; "" for none; "more than 5 digits"."""
        return number_text(self.label)

    @property
    def text(self) -> str:
        """For people: "75  97.3 %", or "not sure  (75  61.2 %)"."""
        text = f"{self.number or NO_NUMBER}  {100 * self.confidence:.1f} %"
        return f"{NOT_SURE}  ({text})" if self.sure is False else text


@dataclass(frozen=True, eq=False)
class PhotoResult:
    """One photo: read, or not."""

    path: Path
    reading: Reading | None
    error: str | None = None
    """Why it could not be read, in one line that names the file."""

    box: tuple[float, ...] | None = None
    """The box around the number that was given: left, top, width, height, pixels of the photo."""

    preview: np.ndarray | None = None
    """The photo for drawing, uint8 (height, width, 3), perhaps scaled down; if asked for."""

    preview_box: tuple[float, ...] | None = None
    """The box in pixels of the preview."""

    def as_record(self) -> dict[str, Any]:
        """Returns what the JSON file says about the photo; None stands for what is not known."""
        reading = self.reading
        return {
            "path": str(self.path),
            "number": reading and reading.number,
            "label": reading and list(reading.label),
            "confidence": reading and reading.confidence,
            "sure": reading and reading.sure,
            "digit_probabilities": reading and list(reading.digit_probabilities),
            "box": self.box and list(self.box),
            "error": self.error,
        }
