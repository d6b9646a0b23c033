"""The whole of `python -m svhn.agreement`: photos, both networks, the rule between them."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from svhn.data.manifest import photo_count
from svhn.data.records import read_photos
from svhn.detection.average_precision import intersections_over_unions
from svhn.errors import UserError
from svhn.evaluation.agreement_config import AgreementConfig
from svhn.evaluation.calibration import calibrate
from svhn.evaluation.fit_rule import KnownNumber, fit_rule
from svhn.geometry import union_box
from svhn.images import load_picture
from svhn.progress import progress
from svhn.reading import loading
from svhn.reading.agreement import AgreementRule
from svhn.reading.distribution import Label, as_label
from svhn.reading.fingerprint import fingerprint
from svhn.reading.reader import Reader
from svhn.reading.whole_photo import SeenNumber, WholePhotoReader
from svhn.released_weights import add_to_released, is_released

LEAST_OVERLAP = 0.5
"""Intersection over union from which on a found box is the number's."""


def fit_agreement(config: AgreementConfig) -> int:
    """Fits the rule on some photos, prints what it is worth there, and stores it.

    Returns:
        The exit status, 0.

    Raises:
        UserError: If there are no such photos, a network is missing, or the file can't be written.
    """
    if not is_released(config.detector_checkpoint):
        raise UserError(
            f"--detector_checkpoint={config.detector_checkpoint} is no file of released weights "
            "(.npz), which could keep the rule. Write one: python -m svhn.release"
        )
    photos = sum(photo_count(config.data_dir, split) for split in config.splits)
    reader = Reader.from_checkpoint(config.checkpoint_dir, config.batch_size)
    finder = loading.load_finder(config.detector_checkpoint).finder
    photo_reader = WholePhotoReader(reader, finder)
    by_photo = []
    with progress(total=photos, description="finding") as bar:
        for split in config.splits:
            for photo in read_photos(config.data_dir, split):
                pixels = load_picture(photo.encoded, f"{photo.folder}/{photo.file_name}")
                by_photo.append(
                    known_numbers(
                        photo_reader.see(pixels), union_box(photo.boxes), as_label(photo.digits)
                    )
                )
                bar.update()
    numbers = [number for found in by_photo for number in found]
    rule = fit_rule(numbers, fingerprint(reader.model, reader.temperature))
    print(_table(rule, by_photo))
    output = Path(config.output or config.detector_checkpoint)
    add_to_released(config.detector_checkpoint, {"agreement": rule.as_json()}, output)
    print(f"{output}: the rule is kept in it")
    return 0


def known_numbers(
    seen: Iterable[SeenNumber], true_box: np.ndarray, label: Label
) -> list[KnownNumber]:
    """Returns the numbers that were found in a photo, with what is there indeed.

    Args:
        seen: All that were found.
        true_box: The tight box around the digits of the one number that the photo is labelled with.
        label: That number's.
    """
    return [
        KnownNumber(
            number.distribution,
            number.found.digits.class_scores,
            float(number.found.score),
            label
            if intersections_over_unions(number.found.box, true_box)[0, 0] >= LEAST_OVERLAP
            else None,
        )
        for number in seen
    ]


def _table(rule: AgreementRule, by_photo: Sequence[Sequence[KnownNumber]]) -> str:
    """What the rule is, and what it and its like are worth on the numbers of some photos."""
    numbers = [number for found in by_photo for number in found]
    there = sum(number.truth is not None for number in numbers)
    alone = dataclasses.replace(rule, detector_weight=0.0)
    # With so much weight the reader only decides between what the detector finds alike.
    detector = dataclasses.replace(rule, detector_weight=1000.0)
    rows = [
        ("the reader alone", alone),
        ("the detector alone", detector),
        ("never fitted", AgreementRule()),
        ("fitted", rule),
    ]
    lines = [
        f"{len(by_photo):,} photos, {len(numbers):,} numbers found, {there:,} of them where one is",
        f"weight of the detector {rule.detector_weight:g}, missed digit {rule.missed_digit:g}, "
        f"false digit {rule.false_digit:g}, "
        + (
            "weights of the confidence "
            + ", ".join(f"{weight:.3f}" for weight in rule.confidence_weights)
            if rule.confidence_weights
            else "no weights of the confidence: too few answers right or wrong"
        ),
        "",
        f"{'':20}{'numbers right':>15}{'photos right':>15}{'calibration error':>20}",
    ]
    for name, candidate in rows:
        answers = [_judge(candidate, found) for found in by_photo]
        right = np.array([is_right for found in answers for _, is_right in found], bool)
        confidence = np.array([confidence for found in answers for confidence, _ in found])
        error = calibrate(right, confidence).expected_calibration_error
        photos = sum(_best_is_right(candidate, found) for found in answers)
        error_text = "" if error is None else f"{100 * error:.2f} %"
        lines.append(f"{name:20}{right.sum():15,}{photos:15,}{error_text:>20}")
    return "\n".join(lines)


def _judge(rule: AgreementRule, found: Sequence[KnownNumber]) -> list[tuple[float, bool]]:
    """The confidence of each number of a photo, and whether it is read right."""
    answers = [
        rule.answer(number.distribution, number.class_scores, number.number_score)
        for number in found
    ]
    return [
        (answer.confidence, answer.label == number.truth)
        for answer, number in zip(answers, found, strict=True)
    ]


def _best_is_right(rule: AgreementRule, judged: Sequence[tuple[float, bool]]) -> bool:
    """Whether the number that comes first is read right; see `WholePhotoReader.read`."""
    if not judged:
        return False
    best = max(judged, key=lambda number: number[0]) if rule.is_fitted else judged[0]
    return best[1]
