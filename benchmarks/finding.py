"""Measures what the parts of finding are worth: which digits make a number, looks, joining score.

    python benchmarks/finding.py --data_dir DIR [--detector_checkpoint F] [--photos 200]

What the reader adds, `python -m svhn.agreement` prints.
"""

import contextlib
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.report import print_table  # noqa: E402
from svhn.command_line import option, run  # noqa: E402

LOOKS = ((160,), (112, 160), (112, 160, 256))
"""Longer sides of the pictures at which the photos are looked at."""

JOINING_SCORES = (0.12, 0.16, 0.2, 0.25)

COLUMNS = ("digits right", "box found", "a second number")


@dataclasses.dataclass
class FindingConfig:
    """What to measure, on what."""

    data_dir: str = option("The data folder that was converted.", group="input")
    detector_checkpoint: str = option(
        "The detector: a run's folder, a checkpoint, or a file of released weights.",
        "svhn/released/detector.npz",
        group="input",
    )
    split: str = option("The split.", "val", group="input", choices=("val", "train", "extra"))
    photos: int = option("At most so many photos; 0 for all.", 0, group="input", minimum=0)


def main(config: FindingConfig) -> int:
    """Prints the table."""
    from svhn.checkpoints import load_model
    from svhn.data.records import read_photos
    from svhn.detection.finder import NumberFinder
    from svhn.images import load_picture

    detector = load_model(config.detector_checkpoint, task="detector")
    finder = NumberFinder.of(detector)
    photos = list(islice(read_photos(config.data_dir, config.split), config.photos or None))
    pictures = [load_picture(photo.encoded, photo.file_name) for photo in photos]
    rows = [row("digits as labelled", [as_detected(photo) for photo in photos], photos)]
    for sides in LOOKS:
        with looking_at(sides):
            digits = [finder.find_digits(picture) for picture in pictures]
        rows.append(row(f"looks at {', '.join(map(str, sides))}", digits, photos))
    found = [finder.find_digits(picture) for picture in pictures]
    rows.append(row("all looks, and a close one", found, photos))
    for score in JOINING_SCORES:
        name = f"digits joined from a score of {score:g} on"
        rows.append(row(name, found, photos, score))
    print_table(f"{len(photos):,} photos of {config.split}; {detector.path}", ("", *COLUMNS), rows)
    return 0


def as_detected(photo: Any) -> Any:
    """Returns the labelled digits of a photo as a detector without fault would give them."""
    import numpy as np

    from svhn.detection.decoding import DetectedDigits
    from svhn.labels import DIGIT_CLASSES

    labels = np.array(photo.digits, np.int32)
    scores = np.full(len(labels), 0.99, np.float32)
    class_scores = scores[:, None] * np.eye(DIGIT_CLASSES, dtype=np.float32)[labels]
    return DetectedDigits(labels, scores, np.asarray(photo.boxes, np.float32), class_scores)


@contextlib.contextmanager
def looking_at(sides: Sequence[int]) -> Iterator[None]:
    """Photos are looked at with these longer sides, and in no other way."""
    from svhn.detection import finder, search_levels

    with (
        mock.patch.object(search_levels, "SIDES", tuple(sides)),
        mock.patch.object(search_levels, "ENLARGED", len(sides)),
        mock.patch.object(finder, "close_looks", lambda *_: []),
    ):
        yield


def row(
    name: str, found: Sequence[Any], photos: Sequence[Any], joining_score: float = 0.0
) -> tuple[str, ...]:
    """Returns the shares of photos in which the detector alone finds what there is.

    Args:
        name: Of the row.
        found: The digits of each photo.
        photos: The photos, with their labels.
        joining_score: See `svhn.detection.numbers`; 0 for the finder's own.
    """
    import numpy as np

    from svhn.detection.average_precision import intersections_over_unions
    from svhn.detection.finder import NUMBER_SCORE
    from svhn.detection.numbers import JOINING_SCORE, group_digits
    from svhn.evaluation.photo_metrics import LEAST_OVERLAP
    from svhn.geometry import union_box

    right, boxes, several = [], [], []
    for digits, photo in zip(found, photos, strict=True):
        grouped = group_digits(digits, joining_score or JOINING_SCORE)
        numbers = [number for number in grouped if number.score >= NUMBER_SCORE]
        truth = "".join(map(str, photo.digits))
        right.append([number.number for number in numbers[:1]] == [truth])
        overlaps = [
            intersections_over_unions(number.box, union_box(photo.boxes))[0, 0]
            for number in numbers
        ]
        boxes.append(max(overlaps, default=0.0) >= LEAST_OVERLAP)
        several.append(len(numbers) > 1)
    return name, *(f"{100 * np.mean(column):.1f} %" for column in (right, boxes, several))


if __name__ == "__main__":
    run(main, FindingConfig)
