"""Reads photos as people take them: finds the numbers, reads them, says how sure each is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from svhn.reading.agreement import AgreementRule
from svhn.reading.distribution import NumberDistribution
from svhn.reading.end_digits import end_stays, without_doubtful_end
from svhn.reading.reader import Reader
from svhn.reading.results import Box, Reading

if TYPE_CHECKING:
    from svhn.detection.finder import FoundNumber


LEAST_CONFIDENCE = 0.2
"""A number is shown if it is at least so likely that there is one and that it was read right; as
far as the rule was fitted, so that its confidence says that. The finder alone lets more pass, as it
knows less: of 100 rendered scenes without a number and the photos of `val`, a threshold of the
finder's score that leaves 17 numbers in the scenes costs 2.3 points of the photos that are read
right, one of the confidence that leaves 10 costs 1.4."""


class Finder(Protocol):
    """What finds numbers: `svhn.detection.finder.NumberFinder`."""

    def find(self, photo: np.ndarray) -> "list[FoundNumber]":
        """Returns the numbers of a photo, uint8 [H, W, 3], best first."""


class FoundCrop(NamedTuple):
    """A number that was found in a photo, and what the reader sees of it."""

    found: "FoundNumber"
    picture: np.ndarray
    shorter: "FoundCrop | None" = None
    """The same less its less sure end, where that is in doubt (`svhn.reading.end_digits`)."""


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

    def see(self, photo: np.ndarray) -> list[SeenNumber]:
        """Returns what both networks say about each number of a photo, in the finder's order.

        Args:
            photo: As for `read`.
        """
        return self._seen(self.prepare(photo))

    def prepare(self, photo: np.ndarray, path: Path | None = None) -> list[FoundCrop]:
        """Returns the crops of a photo, as `svhn.reading.photos.PhotoReader` says."""
        return [self._crop(photo, number) for number in self._finder.find(photo)]

    def _crop(self, photo: np.ndarray, number: "FoundNumber") -> FoundCrop:
        shorter = without_doubtful_end(number)
        return FoundCrop(
            number,
            self._reader.prepare(photo, number.box),
            shorter and FoundCrop(shorter, self._reader.prepare(photo, shorter.box)),
        )

    def read_prepared(self, prepared: Sequence[Sequence[FoundCrop]]) -> list[tuple[Reading, ...]]:
        """Returns what is read in the crops of each photo, best first; see `LEAST_CONFIDENCE`."""
        seen = iter(self._seen([crop for crops in prepared for crop in crops]))
        readings = [[self._reading(next(seen)) for _ in crops] for crops in prepared]
        if self._rule.is_fitted:
            readings = [list(filter(_is_shown, numbers)) for numbers in readings]
            for numbers in readings:
                # Of those that are equally sure, the one that the finder named first stays first.
                numbers.sort(key=lambda reading: -reading.confidence)
        return list(map(tuple, readings))

    def _seen(self, crops: Sequence[FoundCrop]) -> list[SeenNumber]:
        asked = [crop for found in crops for crop in (found, found.shorter) if crop]
        pictures = [crop.picture for crop in asked]
        seen = [
            SeenNumber(crop.found, distribution)
            for crop, distribution in zip(asked, self._reader.distributions(pictures), strict=True)
        ]
        each = iter(seen)
        chosen = []
        for crop in crops:
            whole, shorter = next(each), next(each) if crop.shorter else None
            stays = shorter is None or end_stays(whole.found, whole.distribution)
            chosen.append(whole if stays else shorter)
        return chosen

    def _reading(self, seen: SeenNumber) -> Reading:
        digits, score = seen.found.digits, float(seen.found.score)
        answer = self._rule.answer(seen.distribution, digits.class_scores, score)
        confidence = answer.confidence
        return Reading(
            answer.label,
            confidence,
            seen.distribution.digit_probabilities(answer.label),
            None if self._min_confidence is None else confidence >= self._min_confidence,
            _as_box(seen.found.box),
            tuple(map(_as_box, digits.boxes)),
            seen.found.number,
        )


def _is_shown(reading: Reading) -> bool:
    return reading.confidence >= LEAST_CONFIDENCE


def _as_box(box: np.ndarray) -> Box:
    return tuple(np.asarray(box, np.float32).tolist())
