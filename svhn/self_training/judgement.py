"""Which labels of a machine to believe."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from svhn.labels import MAX_DIGITS
from svhn.reading.reader import Reader
from svhn.self_training.twins import TwinCrops
from svhn.self_training.wider_boxes import SIDES, wider_boxes

NOTHING_FOUND = "no number found"
TOO_SHORT = "too few digits"
TOO_LONG = f"more than {MAX_DIGITS} digits"
WRONG_SIZE = "too small or too large a photo"
NO_AREA = "a digit's box without area"
DISAGREEMENT = "detector and reader disagree"
MISSED_DIGIT = "a further digit is read beside it"
NOT_CONFIDENT = "the reader is not sure"
NOT_CONSISTENT = "read otherwise when varied"
UNREADABLE = "picture can't be read"

SHORTEST_SIDE, LONGEST_SIDE = 16, 8000
"""Pixels: photos that numbers are looked for in."""

FindNumbers = Callable[[np.ndarray], Sequence[Any]]
"""From a photo, uint8 (H, W, 3), to its numbers, best first: `NumberFinder.find`."""


@dataclasses.dataclass(frozen=True, eq=False)
class Judgement:
    """What was found in a photo, and whether to believe it."""

    photo: str
    """Its name below the folder of all photos."""

    reason: str | None
    """Why the photo is refused; None where it is kept."""

    digits: tuple[int, ...] = ()
    """Of the detector's best number, from left to right."""

    digit_boxes: np.ndarray = dataclasses.field(default_factory=lambda: np.empty((0, 4)))
    """float32 (N, 4): left, top, width, height, pixels."""

    box: tuple[float, ...] | None = None
    """The tight box around the number that was read: left, top, width, height, pixels."""

    score: float | None = None
    """How sure the detector is of the number, 0 to 1."""

    reading: str | None = None
    """What the reader reads in that box."""

    confidence: float | None = None
    """How sure it is of that, 0 to 1, calibrated."""

    wider_readings: tuple[str, ...] = ()
    """What it reads in wider boxes, with room at the left and with room at the right."""

    twin_readings: tuple[str, ...] = ()
    """What it reads in the random pictures."""

    error: str | None = None
    """Why the picture can't be read, in a line."""

    @property
    def kept(self) -> bool:
        """Whether the photo is trained on."""
        return self.reason is None

    @property
    def number(self) -> str:
        """The detector's number as text."""
        return "".join(map(str, self.digits))

    @property
    def label(self) -> tuple[int, ...]:
        """The digits to train on, as many as boxes: those that were read. Of a kept photo alone."""
        return tuple(map(int, self.reading))

    @property
    def consistency(self) -> float | None:
        """The share of the random pictures that are read alike, 0 to 1; None where none was."""
        if not self.twin_readings:
            return None
        alike = sum(reading == self.reading for reading in self.twin_readings)
        return alike / len(self.twin_readings)

    @property
    def misses_digit(self) -> bool:
        """Whether a further digit is read beside the number. A longer number alone doesn't tell: a
        crop that is wider than the number shows it squeezed, and 136 may be read 1336.
        """
        if not self.wider_readings:
            return False
        left, right = self.wider_readings
        return (left != self.reading and left.endswith(self.reading)) or (
            right != self.reading and right.startswith(self.reading)
        )

    def as_record(self) -> dict[str, Any]:
        """Returns all of it as JSON can hold it."""
        return {
            "photo": self.photo,
            "kept": self.kept,
            "reason": self.reason,
            "number": self.number,
            "score": self.score,
            "reading": self.reading,
            "confidence": self.confidence,
            "consistency": self.consistency,
            "wider_readings": list(self.wider_readings),
            "twin_readings": list(self.twin_readings),
            "box": self.box and list(self.box),
            "digit_boxes": self.digit_boxes.tolist(),
            "error": self.error,
        }


@dataclasses.dataclass(frozen=True)
class Demands:
    """What a number must have to be believed."""

    min_confidence: float
    """Of the reader, 0 to 1."""

    min_consistency: float
    """Share of the random pictures that are read alike, 0 to 1."""

    agreement: str = "number"
    """What detector and reader must agree on; see `svhn.self_training.config.AGREEMENTS`."""

    min_digits: int = 1
    """Shorter numbers are refused."""

    def objection(self, judgement: Judgement) -> str | None:
        """Returns why a number is not believed; None if it is.

        Args:
            judgement: With all but the reason.
        """
        if not judgement.digits:
            return NOTHING_FOUND
        if len(judgement.digits) < self.min_digits:
            return TOO_SHORT
        if len(judgement.digits) > MAX_DIGITS:
            return TOO_LONG
        if not (judgement.digit_boxes[:, 2:] > 0).all():
            return NO_AREA
        if not self._agree(judgement.number, judgement.reading):
            return DISAGREEMENT
        if judgement.misses_digit:
            return MISSED_DIGIT
        if not judgement.confidence >= self.min_confidence:
            return NOT_CONFIDENT
        if judgement.twin_readings and not judgement.consistency >= self.min_consistency:
            return NOT_CONSISTENT
        return None

    def _agree(self, number: str, reading: str) -> bool:
        if self.agreement == "length":
            return reading.isdigit() and len(number) == len(reading)
        return number == reading


def judge(
    name: str,
    photo: np.ndarray,
    find: FindNumbers,
    reader: Reader,
    twins: TwinCrops,
    demands: Demands,
) -> Judgement:
    """Returns what the networks make of a photo.

    Args:
        name: The photo's name below the folder of all photos.
        photo: uint8 (H, W, 3), RGB.
        find: Finds the numbers.
        reader: Reads the best of them.
        twins: Varies it.
        demands: What it must have.
    """
    if not SHORTEST_SIDE <= min(photo.shape[:2]) <= max(photo.shape[:2]) <= LONGEST_SIDE:
        return Judgement(name, WRONG_SIZE)
    # What was seen as a whole alone has no digits whose places could be labels.
    found = next((number for number in find(photo) if len(number.digits.boxes)), None)
    if found is None:
        return Judgement(name, NOTHING_FOUND)
    digit_boxes = np.asarray(found.digits.boxes, np.float32)
    boxes = [found.box, *wider_boxes(found.box, digit_boxes, photo.shape[1])]
    pictures = list(reader.prepare_all(photo, boxes))
    pictures += list(twins.pictures(photo, digit_boxes, name))
    readings = reader.read(pictures)
    reading, *others = (reading.number for reading in readings)
    judgement = Judgement(
        name,
        None,
        digits=tuple(int(digit) for digit in found.digits.labels),
        digit_boxes=digit_boxes,
        box=tuple(float(value) for value in found.box),
        score=float(found.score),
        reading=reading,
        confidence=readings[0].confidence,
        wider_readings=tuple(others[: len(SIDES)]),
        twin_readings=tuple(others[len(SIDES) :]),
    )
    return dataclasses.replace(judgement, reason=demands.objection(judgement))
