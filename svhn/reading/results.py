"""What reading a photo gives: numbers and how sure they are, or the reason why there are none."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from svhn.labels import MAX_DIGITS, label_array, number_text

NO_NUMBER = "no number"
"""What people are shown for a picture that the network takes to hold no digit."""

NO_NUMBER_FOUND = "no number found"
"""What people are shown for a photo in which none was found."""

NOT_SURE = "not sure"
"""What people are shown for a reading that may not be right often enough."""

SURE_CONFIDENCE = 0.9
"""From which confidence on a reading counts as sure, where no accuracy was asked for."""

SURE, UNSURE, ABSTAINED = "sure", "unsure", "abstained"

Box = tuple[float, ...]
"""Left, top, width, height in pixels of the photo."""


@dataclass(frozen=True)
class Reading:
    """One number of a photo."""

    label: tuple[int, ...]
    """`[length, digit_1, …, digit_5]`, as `svhn.labels.label_array` makes it."""

    confidence: float
    """The probability of that number, 0 to 1; where it was found in a photo, the probability that
    it is there, too."""

    digit_probabilities: tuple[float, ...]
    """Of the digit at each of the five positions, the reader's; 0 where there is no digit."""

    sure: bool | None = None
    """Whether the confidence suffices for the accuracy that was asked for; None where none was."""

    box: Box | None = None
    """Around the number; None where the whole picture was read."""

    digit_boxes: tuple[Box, ...] = ()
    """Of the digits that the detector found, in reading order. Not always as many as the number has
    digits: the reader may have seen one that the detector missed, or none where that saw one."""

    detected: str | None = None
    """What the detector alone reads; None where the number wasn't found by one."""

    @property
    def number(self) -> str:
        """The number as text: "75"; "" for none; "more than 5 digits"."""
        return number_text(self.label)

    @property
    def text(self) -> str:
        """For people: "75  97.3 %", or "not sure  (75  61.2 %)"."""
        text = f"{self.number or NO_NUMBER}  {100 * self.confidence:.1f} %"
        return f"{NOT_SURE}  ({text})" if self.sure is False else text

    @property
    def band(self) -> str:
        """`ABSTAINED` where the accuracy asked for is not reached, else `SURE` or `UNSURE`."""
        if self.sure is False:
            return ABSTAINED
        return SURE if self.sure or self.confidence >= SURE_CONFIDENCE else UNSURE

    def as_record(self) -> dict[str, Any]:
        """Returns what the JSON file says about the number."""
        return {
            "number": self.number,
            "label": list(self.label),
            "confidence": self.confidence,
            "sure": self.sure,
            "digit_probabilities": list(self.digit_probabilities),
            "box": self.box and list(self.box),
            "digit_boxes": [list(box) for box in self.digit_boxes],
            "detected": self.detected,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Reading":
        """Returns the reading of which `as_record` gave this."""
        return cls(
            tuple(record["label"]),
            record["confidence"],
            tuple(record["digit_probabilities"]),
            record["sure"],
            record["box"] and tuple(record["box"]),
            tuple(map(tuple, record["digit_boxes"])),
            record["detected"],
        )


_NOTHING_KNOWN = dict.fromkeys(Reading((0,), 0.0, ()).as_record())
_NOTHING_FOUND = {
    **_NOTHING_KNOWN,
    "number": "",
    "label": label_array([]).tolist(),
    "digit_probabilities": [0.0] * MAX_DIGITS,
    "digit_boxes": [],
}


@dataclass(frozen=True, eq=False)
class PhotoResult:
    """One photo: read, or not."""

    path: Path
    readings: tuple[Reading, ...] = ()
    """The numbers, best first; none where none was found, or the photo could not be read."""

    error: str | None = None
    """Why it could not be read, in one line that names the file."""

    preview: np.ndarray | None = None
    """The photo for drawing, uint8 (height, width, 3), perhaps scaled down; if asked for."""

    preview_scale: float = 1.0
    """Pixels of the preview for a pixel of the photo."""

    @property
    def best(self) -> Reading | None:
        """The best of the readings, if there are any."""
        return self.readings[0] if self.readings else None

    @property
    def texts(self) -> tuple[str, ...]:
        """For people: one for each number, or that there is none; none at all after an error."""
        if self.error is not None:
            return ()
        return tuple(reading.text for reading in self.readings) or (NO_NUMBER_FOUND,)

    def as_record(self) -> dict[str, Any]:
        """Returns what the JSON file says about the photo; None stands for what is not known.

        It holds the best number's entries, and a list of all numbers.
        """
        if self.error is not None:
            best, numbers = _NOTHING_KNOWN, None
        else:
            best = self.best.as_record() if self.best else _NOTHING_FOUND
            numbers = [reading.as_record() for reading in self.readings if reading.number]
        return {"path": str(self.path), **best, "numbers": numbers, "error": self.error}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "PhotoResult":
        """Returns the result of which `as_record` gave this, without its preview."""
        path = Path(record["path"])
        if record["error"] is not None:
            return cls(path, error=record["error"])
        records = record["numbers"]
        if not records and record["confidence"] is not None:
            records = [record]  # the picture that was given shows no number
        return cls(path, tuple(map(Reading.from_record, records)))
