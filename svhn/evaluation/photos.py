"""Runs finder and reader over the whole photos of a split: no boxes are given."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from svhn.data.input_pipeline import naming_damage
from svhn.data.manifest import photo_count
from svhn.data.records import ConvertedPhoto, read_photos
from svhn.detection.average_precision import LabelledDigits
from svhn.detection.decoding import DetectedDigits
from svhn.detection.finder import FoundNumber, NumberFinder
from svhn.geometry import union_box
from svhn.images import load_picture
from svhn.labels import MAX_DIGITS, label_array
from svhn.progress import progress
from svhn.reading.agreement import AgreementRule
from svhn.reading.reader import Reader
from svhn.reading.results import Reading
from svhn.reading.whole_photo import WholePhotoReader

NO_NUMBER = tuple(label_array([]).tolist())
"""What a photo in which nothing was found is read as."""

_NONE_FOUND = Reading(NO_NUMBER, 0.0, (0.0,) * MAX_DIGITS)


class RecordingFinder:
    """A finder that keeps what it saw in the photos it was shown, with boxes as they are told."""

    def __init__(self, finder: NumberFinder):
        self._finder = finder
        self.outline = finder.outline
        self.digits: list[DetectedDigits] = []
        """All that may be digits, of each photo."""
        self.numbers: list[list[FoundNumber]] = []
        """Of each photo, the best first."""

    def find(self, photo: np.ndarray) -> list[FoundNumber]:
        """Returns the numbers of a photo, as `NumberFinder.find` does."""
        seen = self._finder.see(photo)
        numbers = self._finder.numbers(seen)
        size = photo.shape[:2]
        self.digits.append(self.outline.digits(seen.digits, *size))
        self.numbers.append([self.outline.number(number, *size) for number in numbers])
        return numbers


@dataclasses.dataclass(frozen=True, eq=False)
class PhotoPredictions:
    """What is found and read in each photo of a split, in the order of the shards."""

    file_names: tuple[str, ...]
    """The official folder and file name of each photo: "train/12.png"."""

    labels: np.ndarray
    """The truth, int32 [N, 6]: `svhn.labels.label_array`."""

    readings: tuple[Reading, ...]
    """The best number of each photo; of length 0, with confidence 0, where none was found."""

    predicted_in_true_boxes: np.ndarray
    """What the same reader reads where it is told the place, int32 [N, 6]."""

    confidence_in_true_boxes: np.ndarray
    """Of these, float32 [N]."""

    numbers: tuple[tuple[FoundNumber, ...], ...]
    """All that the finder found in each photo, the one that it is surest of first."""

    digits: tuple[DetectedDigits, ...]
    """All that may be digits of each photo, in its pixels."""

    labelled: tuple[LabelledDigits, ...]
    """The digits that are there."""

    @functools.cached_property
    def predicted(self) -> np.ndarray:
        """What `readings` read, int32 [N, 6]."""
        return _labels(self.readings)

    @functools.cached_property
    def confidence(self) -> np.ndarray:
        """Their confidences, float32 [N], 0 to 1."""
        return _confidences(self.readings)

    @property
    def true_boxes(self) -> np.ndarray:
        """The tight boxes around all digits, float32 [N, 4]."""
        boxes = [union_box(digits.boxes) for digits in self.labelled]
        return np.array(boxes, np.float32).reshape(-1, 4)


def read_split(
    reader: Reader,
    finder: NumberFinder,
    data_dir: str | Path,
    split: str,
    rule: AgreementRule | None = None,
) -> PhotoPredictions:
    """Returns what is found and read in each photo of a split of a conversion.

    Args:
        reader: Of numbers in crops.
        finder: Of numbers in photos.
        data_dir: The folder that holds `tfrecords/`.
        split: train, extra, val or test.
        rule: Decides where the two disagree; by default the one that was never fitted.

    Raises:
        UserError: If there is no whole conversion, the split is absent, or a shard is damaged.
    """
    with naming_damage(data_dir, [split]):
        photos = read_photos(data_dir, split)
        return read_all(reader, finder, photos, photo_count(data_dir, split), rule)


def read_all(
    reader: Reader,
    finder: NumberFinder,
    photos: Iterator[ConvertedPhoto],
    total: int | None = None,
    rule: AgreementRule | None = None,
) -> PhotoPredictions:
    """Returns what is found and read in photos with at least one labelled digit each.

    Args:
        reader: As in `read_split`.
        finder: Likewise.
        photos: Any number of them.
        total: How many there are, for the progress bar.
        rule: As in `read_split`.
    """
    recording = RecordingFinder(finder)
    photo_reader = WholePhotoReader(reader, recording, rule)
    names, truth, best, in_true_boxes, labelled = [], [], [], [], []
    with progress(total=total, description="reading whole photos") as bar:
        while part := list(islice(photos, reader.batch_size)):
            prepared, true_crops = [], []
            for photo in part:
                pixels = load_picture(photo.encoded, photo.file_name)
                prepared.append(photo_reader.prepare(pixels))
                true_crops.append(reader.prepare(pixels, union_box(photo.boxes)))
                names.append(f"{photo.folder}/{photo.file_name}")
                truth.append(label_array(photo.digits))
                labelled.append(LabelledDigits(np.array(photo.digits, np.int32), photo.boxes))
            best += [
                readings[0] if readings else _NONE_FOUND
                for readings in photo_reader.read_prepared(prepared)
            ]
            in_true_boxes += reader.read(true_crops)
            bar.update(len(part))
    return PhotoPredictions(
        tuple(names),
        np.array(truth, np.int32).reshape(-1, len(NO_NUMBER)),
        tuple(best),
        _labels(in_true_boxes),
        _confidences(in_true_boxes),
        tuple(tuple(numbers) for numbers in recording.numbers),
        tuple(recording.digits),
        tuple(labelled),
    )


def _labels(readings: Sequence[Reading]) -> np.ndarray:
    labels = np.array([reading.label for reading in readings], np.int32)
    return labels.reshape(-1, len(NO_NUMBER))


def _confidences(readings: Sequence[Reading]) -> np.ndarray:
    return np.array([reading.confidence for reading in readings], np.float32)
