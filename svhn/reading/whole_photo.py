"""Reads photos as people take them: finds the numbers, reads them, says how sure each is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from svhn.geometry import union_box
from svhn.reading.agreement import AgreementRule
from svhn.reading.candidates import candidates
from svhn.reading.distribution import NumberDistribution
from svhn.reading.long_numbers import Strip, looked_closer, strip_of
from svhn.reading.reader import Reader
from svhn.reading.results import Box, Reading

if TYPE_CHECKING:
    from svhn.detection.finder import FoundNumber
    from svhn.detection.outline import Outline


class Finder(Protocol):
    """What finds numbers: `svhn.detection.finder.NumberFinder`."""

    outline: "Outline"
    """How boxes that were found are told."""

    def find(self, photo: np.ndarray) -> "list[FoundNumber]":
        """Returns the numbers of a photo, uint8 [H, W, 3], best first."""


class FoundCrops(NamedTuple):
    """A number that was found in a photo, and what the reader sees of it."""

    candidates: "Sequence[FoundNumber]"
    """What it may be (`svhn.reading.candidates`), with boxes as they are told."""

    pictures: Sequence[np.ndarray]
    """The crop of each."""

    strips: Sequence[Strip | None]
    """For a closer look at each that may be long."""


@dataclass(frozen=True, eq=False)
class SeenNumber:
    """A number as both networks see it, before the rule decides."""

    found: "FoundNumber"
    """What the detector says."""

    distribution: NumberDistribution
    """What the reader says."""


class WholePhotoReader:
    """Reads all numbers of a photo. Its methods may be called from several threads."""

    def __init__(
        self,
        reader: Reader,
        finder: Finder,
        rule: AgreementRule | None = None,
        min_confidence: float | None = None,
    ):
        """Joins a finder and a reader.

        Args:
            reader: Its own threshold is not used.
            finder: Called by as many threads.
            rule: What decides where the two disagree; by default the one that was never fitted.
            min_confidence: From which confidence on a reading is sure, 0 to 1; None to leave open
                which ones are.
        """
        self.batch_size = reader.batch_size
        self._reader = reader
        self._finder = finder
        self._rule = rule or AgreementRule()
        self._min_confidence = min_confidence

    def read(self, photo: np.ndarray) -> list[Reading]:
        """Returns the numbers of a photo, best first: by confidence, or in the finder's order if
        the rule was never fitted, as its confidences don't tell a number from a stray digit.

        Args:
            photo: uint8 array of shape (height, width, 3), RGB.
        """
        [readings] = self.read_prepared([self.prepare(photo)])
        return list(readings)

    def see(self, photo: np.ndarray) -> list[list[SeenNumber]]:
        """Returns what both networks say about the candidates of each number of a photo, in the
        finder's order.

        Args:
            photo: As for `read`.
        """
        return self._seen(self.prepare(photo))

    def prepare(self, photo: np.ndarray, path: Path | None = None) -> list[FoundCrops]:
        """Returns the crops of a photo, as `svhn.reading.photos.PhotoReader` says."""
        size = photo.shape[:2]
        numbers = [candidates(number, *size) for number in self._finder.find(photo)]
        boxes = [way.box for ways in numbers for way in ways]
        pictures = iter(self._reader.prepare_all(photo, boxes) if boxes else ())
        return [
            FoundCrops(
                [self._finder.outline.number(way, *size) for way in ways],
                [next(pictures) for _ in ways],
                [strip_of(photo, way.box) for way in ways],
            )
            for ways in numbers
        ]

    def read_prepared(self, prepared: Sequence[Sequence[FoundCrops]]) -> list[tuple[Reading, ...]]:
        """Returns what is read in the crops of each photo, best first.

        A number is shown if it is at least as likely as the rule demands that there is one and
        that it was read right.
        """
        seen = iter(self._seen([crops for found in prepared for crops in found]))
        readings = [[self._reading(next(seen)) for _ in found] for found in prepared]
        return [
            tuple(found[place] for place in self._rule.shown([one.confidence for one in found]))
            for found in readings
        ]

    def _seen(self, found: Sequence[FoundCrops]) -> list[list[SeenNumber]]:
        pictures = [picture for crops in found for picture in crops.pictures]
        strips = [strip for crops in found for strip in crops.strips]
        whole = self._reader.distributions(pictures)
        distributions = iter(looked_closer(self._reader, whole, strips))
        return [
            [SeenNumber(way, next(distributions)) for way in crops.candidates] for crops in found
        ]

    def _reading(self, ways: Sequence[SeenNumber]) -> Reading:
        answers = [
            self._rule.answer(
                way.distribution,
                way.found.digits.class_scores,
                way.found.score,
                way.found.region_evidence,
            )
            for way in ways
        ]
        place, confidence = self._rule.choose(answers)
        seen, label = ways[place], answers[place].label
        # Room in which nothing was read is no part of the number.
        digit_boxes = seen.found.digits.boxes
        is_box_read = seen.found.is_region or label[0] > len(digit_boxes)
        box = seen.found.box if is_box_read else union_box(digit_boxes)
        return Reading(
            label,
            confidence,
            seen.distribution.digit_probabilities(label),
            None if self._min_confidence is None else confidence >= self._min_confidence,
            _as_box(box),
            tuple(map(_as_box, digit_boxes)),
            ways[0].found.number,
        )


def _as_box(box: np.ndarray) -> Box:
    return tuple(np.asarray(box, np.float32).tolist())
