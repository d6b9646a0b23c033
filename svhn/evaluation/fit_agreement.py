"""The whole of `python -m svhn.agreement`: photos, both networks, the rule between them."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from svhn.checkpoints import load_model
from svhn.data.records import read_photos
from svhn.data.synthetic.fonts import find_typefaces
from svhn.detection.average_precision import intersections_over_unions
from svhn.errors import UserError
from svhn.evaluation.agreement_config import AgreementConfig
from svhn.evaluation.calibration import calibrate
from svhn.evaluation.fit_rule import KnownCandidate, KnownNumber, fit_rule, judge
from svhn.evaluation.learnt_splits import warn_of_learnt
from svhn.evaluation.photos_without_numbers import parts_without_digits, rendered_scenes
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

LEAST_OVERLAP = 0.3
"""Intersection over union from which on a found box is the number's: it may lack a digit."""


def fit_agreement(config: AgreementConfig) -> int:
    """Fits the rule on some photos, prints what it is worth there, and stores it.

    Returns:
        The exit status, 0.

    Raises:
        UserError: If there are no such photos, a network is missing, or the file can't be written.
    """
    flag = "for_detector" if config.for_detector else "detector_checkpoint"
    keeper = getattr(config, flag)
    if not is_released(keeper):
        raise UserError(
            f"--{flag}={keeper} is no file of released weights (.npz), which could keep the rule. "
            "Write one: python -m svhn.release"
        )
    loaded = load_model(config.checkpoint_dir)
    reader = released = Reader.of(loaded, config.batch_size)
    if config.for_reader:
        released = Reader.from_checkpoint(config.for_reader, config.batch_size)
    finder, _, detector, _ = loading.load_finder(config.detector_checkpoint)
    if config.for_detector:
        loading.load_finder(config.for_detector)  # says what is wrong with it before the work
    for network in (loaded, detector):
        warn_of_learnt(network, config.splits)
    photo_reader = WholePhotoReader(reader, finder)
    photos = [photo for split in config.splits for photo in read_photos(config.data_dir, split)]
    # From the last on: benchmarks/photos.py takes the first.
    without = parts_without_digits(reversed(photos), config.without // 2)
    without += rendered_scenes(config.without - len(without), config.seed, find_typefaces())
    by_photo, false_numbers = [], []
    with progress(total=len(photos) + len(without), description="finding") as bar:
        for photo in photos:
            pixels = load_picture(photo.encoded, f"{photo.folder}/{photo.file_name}")
            seen = photo_reader.see(pixels)
            by_photo.append(
                [
                    known_number(ways, union_box(photo.boxes), as_label(photo.digits))
                    for ways in seen
                ]
            )
            bar.update()
        for picture in without:
            false_numbers += [known_number(ways) for ways in photo_reader.see(picture)]
            bar.update()
    numbers = [number for found in by_photo for number in found]
    rule = fit_rule(
        numbers, false_numbers, len(without), fingerprint(released.model, released.temperature)
    )
    print(_table(rule, by_photo, false_numbers, len(without)))
    output = Path(config.output or keeper)
    add_to_released(keeper, {"agreement": rule.as_json()}, output)
    print(f"{output}: the rule is kept in it")
    return 0


def known_number(
    ways: Iterable[SeenNumber], true_box: np.ndarray | None = None, label: Label | None = None
) -> list[KnownCandidate]:
    """Returns what a number that was found may be, with what is there indeed.

    Args:
        ways: As both networks see them.
        true_box: The tight box around the digits of the one number that the photo is labelled with;
            None where there is none.
        label: That number's.
    """
    return [
        KnownCandidate(
            way.distribution,
            way.found.digits.class_scores,
            float(way.found.score),
            label
            if true_box is not None
            and intersections_over_unions(way.found.box, true_box)[0, 0] >= LEAST_OVERLAP
            else None,
            way.found.region_evidence,
        )
        for way in ways
    ]


def _table(
    rule: AgreementRule,
    by_photo: Sequence[Sequence[KnownNumber]],
    false_numbers: Sequence[KnownNumber],
    pictures_without: int,
) -> str:
    """What the rule is, and what it and its like are worth on some photos."""
    numbers = [number for found in by_photo for number in found]
    there = sum(any(way.truth is not None for way in number) for number in numbers)
    # With so much weight the reader only decides between what the detector finds alike.
    rows = [
        ("the reader alone", dataclasses.replace(rule, detector_weight=0.0)),
        ("the detector alone", dataclasses.replace(rule, detector_weight=1000.0)),
        ("no end left out", rule),
        ("never fitted", AgreementRule()),
        ("fitted", rule),
    ]
    lines = [
        f"{len(by_photo):,} photos, {len(numbers):,} numbers found, {there:,} of them where one is;"
        f" {len(false_numbers):,} found in {pictures_without:,} pictures without",
        f"weight of the detector {rule.detector_weight:g}, missed digit {rule.missed_digit:g}, "
        f"false digit {rule.false_digit:g}, "
        + (
            f"weights of the odds {_listed(rule.odds_weights)}, "
            f"line of the confidence {_listed(rule.confidence_line)}, "
            f"shown from {rule.least_confidence:.3f} on"
            if rule.odds_weights
            else "no weights of the odds: too few answers right or wrong"
        ),
        "",
        f"{'':20}{'numbers right':>15}{'photos right':>15}{'false numbers':>15}"
        f"{'calibration error':>20}",
    ]
    for name, candidate in rows:
        is_cut = name == "no end left out"
        judged = [judge(candidate, _cut(found, is_cut)) for found in by_photo]
        confidences = np.concatenate([confidence for confidence, _ in judged] or [[]])
        right = np.concatenate([is_right for _, is_right in judged] or [[]]).astype(bool)
        error = calibrate(right, confidences).expected_calibration_error
        photos = sum(_best_is_right(candidate, *photo) for photo in judged)
        confidence_of_false, _ = judge(candidate, _cut(false_numbers, is_cut))
        false = len(candidate.shown(confidence_of_false))
        error_text = "" if error is None else f"{100 * error:.2f} %"
        lines.append(f"{name:20}{right.sum():15,}{photos:15,}{false:15,}{error_text:>20}")
    return "\n".join(lines)


def _listed(weights: Sequence[float]) -> str:
    return ", ".join(f"{weight:.3f}" for weight in weights)


def _cut(numbers: Sequence[KnownNumber], is_cut: bool) -> Sequence[KnownNumber]:
    """The numbers, or only the first candidate of each: the number as it was found."""
    return [number[:1] for number in numbers] if is_cut else numbers


def _best_is_right(rule: AgreementRule, confidences: np.ndarray, right: np.ndarray) -> bool:
    """Whether the number that comes first is read right; see `WholePhotoReader.read`."""
    shown = rule.shown(confidences)
    return bool(shown and right[shown[0]])
