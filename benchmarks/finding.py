"""Measures what the parts of finding are worth: which digits make a number, looks, joining score,
and how much room labels leave round digits.

    python benchmarks/finding.py --data_dir DIR [--detector_checkpoint F] [--photos 200]

What the reader adds, `python -m svhn.agreement` prints.
"""

import contextlib
import dataclasses
import itertools
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

SHARES = (0.3, 0.45, 0.6, 0.75)
"""Of the photo's height: the limits between groups of digits."""

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
            digits = [finder.see(picture).digits for picture in pictures]
        rows.append(row(f"looks at {', '.join(map(str, sides))}", digits, photos))
    found = [finder.see(picture).digits for picture in pictures]
    rows.append(row("all looks, and a close one", found, photos))
    for score in JOINING_SCORES:
        name = f"digits joined from a score of {score:g} on"
        rows.append(row(name, found, photos, score))
    print_table(f"{len(photos):,} photos of {config.split}; {detector.path}", ("", *COLUMNS), rows)
    print_table(
        "Labelled sides for found ones, by the height of the digits in their photo",
        ("share of the height", "digits", "widths", "heights", "told widths", "told heights"),
        outline_rows(found, pictures, photos, finder.outline),
    )
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


def outline_rows(
    found: Sequence[Any], pictures: Sequence[Any], photos: Sequence[Any], outline: Any
) -> list[tuple[str, ...]]:
    """Returns how much larger labels are than what was found (medians), by the digits' height.

    Args:
        found: The digits of each photo.
        pictures: The photos' pixels.
        photos: Their labels.
        outline: How boxes are told.
    """
    import numpy as np

    from svhn.detection.average_precision import LabelledDigits
    from svhn.detection.outline import matches

    shares, ratios = [], []
    for digits, picture, photo in zip(found, pictures, photos, strict=True):
        labelled = LabelledDigits(np.array(photo.digits, np.int32), photo.boxes)
        rows, columns = matches(digits, labelled)
        told = outline.digits(digits, *picture.shape[:2])
        shares += (digits.boxes[rows, 3] / picture.shape[0]).tolist()
        true = labelled.boxes[columns, 2:]
        ratios += np.hstack([true / each.boxes[rows, 2:] for each in (digits, told)]).tolist()
    group = np.digitize(shares, SHARES)
    return [
        (
            f"{low:.0%} to {high:.0%}",
            str((group == place).sum()),
            *(f"{ratio:.2f}" for ratio in np.median(np.array(ratios)[group == place], axis=0)),
        )
        for place, (low, high) in enumerate(itertools.pairwise((0, *SHARES, 1)))
        if (group == place).any()
    ]


if __name__ == "__main__":
    run(main, FindingConfig)
