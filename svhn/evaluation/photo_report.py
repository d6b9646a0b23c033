"""What an evaluation of whole photos leaves: tables, JSON, a CSV file and drawings of mistakes."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from svhn.evaluation.detection_scores import known
from svhn.evaluation.metrics import SplitMetrics
from svhn.evaluation.photo_metrics import PhotoMetrics
from svhn.evaluation.photos import PhotoPredictions
from svhn.evaluation.report import (
    aligned,
    figures_as_json,
    interval_text,
    percent,
    proportion_as_json,
)
from svhn.files import write_whole
from svhn.labels import length_name, number_text


def photos_table(metrics: Mapping[str, PhotoMetrics]) -> str:
    """Returns what is read as text, a line for each split, without a line break at the end."""
    header = [
        ("", "", "whole-photo", "95 %", "at the", "95 %"),
        ("split", "photos", "accuracy", "interval", "true boxes", "interval"),
    ]
    rows = [
        (
            split,
            f"{figures.read.photo_count:,}",
            percent(figures.read.sequence.share),
            interval_text(figures.read.sequence),
            percent(figures.read_in_true_boxes.sequence.share),
            interval_text(figures.read_in_true_boxes.sequence),
        )
        for split, figures in metrics.items()
    ]
    return aligned(header, rows)


def finding_table(metrics: Mapping[str, PhotoMetrics]) -> str:
    """Returns what is found as text, a line for each split."""
    header = [
        ("", "box", "95 %", "by the", "none", "several", "digit AP", "0.5 to"),
        ("split", "found", "interval", "best one", "found", "found", "at 0.5", "0.95"),
    ]
    rows = [
        (
            split,
            percent(figures.box_found.share),
            interval_text(figures.box_found),
            percent(figures.best_box.share),
            percent(figures.without.share),
            percent(figures.with_several.share),
            f"{figures.digits.at_half:.3f}",
            f"{figures.digits.mean:.3f}",
        )
        for split, figures in metrics.items()
    ]
    return aligned(header, rows)


def lengths_table(metrics: Mapping[str, PhotoMetrics]) -> str:
    """Returns what is read and found by true length as text, a line for each split and length."""
    header = [
        ("", "", "", "whole-photo", "at the", "box", "95 %"),
        ("split", "digits", "photos", "accuracy", "true boxes", "found", "interval"),
    ]
    rows = []
    for split, figures in metrics.items():
        for length, found in figures.box_found_by_length.items():
            row = (
                split,
                length_name(length),
                f"{found.count:,}",
                percent(figures.read.by_length[length].share),
                percent(figures.read_in_true_boxes.by_length[length].share),
                percent(found.share),
                interval_text(found),
            )
            rows.append(row)
            split = ""
    return aligned(header, rows)


def photo_figures_as_json(figures: PhotoMetrics) -> dict[str, Any]:
    """Returns every figure of a split, as JSON can hold it."""
    return {
        "photos": figures.read.photo_count,
        "found_and_read": _without_count(figures.read),
        "read_in_true_boxes": _without_count(figures.read_in_true_boxes),
        "box_found": proportion_as_json(figures.box_found),
        "box_found_by_length": {
            length_name(length): proportion_as_json(found)
            for length, found in figures.box_found_by_length.items()
        },
        "best_box": proportion_as_json(figures.best_box),
        "without_a_number": proportion_as_json(figures.without),
        "with_several_numbers": proportion_as_json(figures.with_several),
        "digit_average_precision_at_0.5": known(figures.digits.at_half),
        "digit_average_precision": known(figures.digits.mean),
        "digit_average_precision_at_0.5_by_digit": [
            known(value) for value in figures.digits.by_class[0].tolist()
        ],
    }


def write_photo_predictions(path: Path, predictions: PhotoPredictions) -> None:
    """Writes one line of CSV for each photo, in the order of the split.

    Args:
        path: The file; it is replaced as a whole.
        predictions: Of one split.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    box = ("left", "top", "width", "height")
    table.writerow(
        [
            *("photo", "truth", "read", "right", "confidence", "in_true_box", "numbers_found"),
            "detected",
            *(f"found_{name}" for name in box),
            *(f"true_{name}" for name in box),
        ]
    )
    for name, label, reading, in_true_box, numbers, true_box in zip(
        predictions.file_names,
        predictions.labels,
        predictions.readings,
        predictions.predicted_in_true_boxes,
        predictions.numbers,
        predictions.true_boxes,
        strict=True,
    ):
        row = [name, number_text(label), reading.number, int(tuple(label) == reading.label)]
        row += [f"{reading.confidence:.6f}", number_text(in_true_box), len(numbers)]
        row += [reading.detected or "", *(_pixels(reading.box) if reading.box else [""] * 4)]
        table.writerow(row + _pixels(true_box))
    write_whole(path, text.getvalue().encode())


def _without_count(figures: SplitMetrics) -> dict[str, Any]:
    return {name: value for name, value in figures_as_json(figures).items() if name != "photos"}


def _pixels(box: Any) -> list[str]:
    return [f"{value:.2f}" for value in box]
