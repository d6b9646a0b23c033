"""What an evaluation leaves: tables for the screen, `results.json`, one CSV file per split."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from svhn.evaluation.metrics import Proportion, SplitMetrics
from svhn.evaluation.predict import SplitPredictions
from svhn.files import write_whole
from svhn.labels import MAX_DIGITS, length_name, number_text

NOTHING = "–"
"""Stands in a table where there is no figure."""


def metrics_table(metrics: Mapping[str, SplitMetrics]) -> str:
    """Returns the accuracies as text, a line for each split, without a line break at the end."""
    header = [
        ("", "", "sequence", "95 %", "digit", "length"),
        ("split", "photos", "accuracy", "interval", "accuracy", "accuracy"),
    ]
    rows = [
        (
            split,
            f"{figures.photo_count:,}",
            percent(figures.sequence.share),
            interval_text(figures.sequence),
            percent(figures.digit.share),
            percent(figures.length.share),
        )
        for split, figures in metrics.items()
    ]
    return aligned(header, rows)


def confidence_table(metrics: Mapping[str, SplitMetrics]) -> str:
    """Returns coverages and calibration errors as text, a line for each split.

    Args:
        metrics: By split, all for the same coverage accuracies and temperature; at least one.
    """
    first = next(iter(metrics.values()))
    wanted = [100 * coverage.accuracy for coverage in first.coverages]
    header = [
        ("", *["coverage"] * len(wanted), "calibration", "at temper-"),
        ("split", *(f"at {accuracy:g} %" for accuracy in wanted), "error", "ature 1"),
    ]
    rows = [
        (
            split,
            *(percent(coverage.share) for coverage in figures.coverages),
            percent(figures.calibration.expected_calibration_error),
            percent(figures.error_without_temperature),
        )
        for split, figures in metrics.items()
    ]
    return aligned(header, rows)


def answers_table(metrics: Mapping[str, SplitMetrics]) -> str:
    """Returns what the stored thresholds give as text, a line for each split and threshold.

    Empty where there are none.
    """
    header = [
        ("", "accuracy", "confidence", "", "right of", "95 %"),
        ("split", "wanted", "from", "answered", "these", "interval"),
    ]
    rows = [
        (
            split if first else "",
            f"{100 * answers.accuracy:g} %",
            percent(answers.threshold),
            percent(answers.answered.share),
            percent(answers.right.share),
            interval_text(answers.right),
        )
        for split, figures in metrics.items()
        for first, answers in zip(
            [True] + [False] * len(figures.answers), figures.answers, strict=False
        )
    ]
    return aligned(header, rows) if rows else ""


def length_table(metrics: Mapping[str, SplitMetrics]) -> str:
    """Returns the sequence accuracy by true length as text, a line for each split and length."""
    header = [("split", "digits", "photos", "accuracy", "95 % interval")]
    rows = [
        (
            split if first else "",
            length_name(length),
            f"{proportion.count:,}",
            percent(proportion.share),
            interval_text(proportion),
        )
        for split, figures in metrics.items()
        for first, (length, proportion) in zip(
            [True] + [False] * len(figures.by_length), figures.by_length.items(), strict=False
        )
    ]
    return aligned(header, rows)


def write_results(
    path: Path, about: Mapping[str, Any], metrics: Mapping[str, SplitMetrics]
) -> None:
    """Writes `results.json`; the same evaluation gives the same bytes.

    Args:
        path: The file; it is replaced as a whole.
        about: What was evaluated: checkpoint, step, model, data …; as JSON has it.
        metrics: By split.
    """
    splits = {split: figures_as_json(figures) for split, figures in metrics.items()}
    write_json(path, {**about, "splits": splits})


def write_json(path: Path, results: Mapping[str, Any]) -> None:
    """Writes figures to a file, which is replaced as a whole; the same give the same bytes."""
    text = json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(path, (text + "\n").encode())


def write_predictions(path: Path, predictions: SplitPredictions) -> None:
    """Writes one line of CSV for each photo, in the order of the split.

    Args:
        path: The file; it is replaced as a whole.
        predictions: Of one split.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    digits = [f"digit_{position}_probability" for position in range(1, MAX_DIGITS + 1)]
    table.writerow(["photo", "truth", "predicted", "right", "confidence", *digits])
    for name, label, predicted, right, confidence, probabilities in zip(
        predictions.file_names,
        predictions.labels,
        predictions.predicted,
        predictions.right,
        predictions.confidence,
        predictions.digit_probabilities,
        strict=True,
    ):
        read = [f"{value:.6f}" if value else "" for value in probabilities]
        row = [name, number_text(label), number_text(predicted), int(right), f"{confidence:.6f}"]
        table.writerow(row + read)
    write_whole(path, text.getvalue().encode())


def figures_as_json(figures: SplitMetrics) -> dict[str, Any]:
    """Returns every figure of a split, as JSON can hold it."""
    return {
        "photos": figures.photo_count,
        "sequence_accuracy": proportion_as_json(figures.sequence),
        # No interval: the digits of one photo are not independent, it would be too narrow.
        "digit_accuracy": proportion_as_json(figures.digit, interval=False),
        "length_accuracy": proportion_as_json(figures.length),
        "coverage": [
            {
                "at_accuracy": coverage.accuracy,
                "share": coverage.share,
                "confidence_threshold": coverage.threshold,
            }
            for coverage in figures.coverages
        ],
        "with_stored_thresholds": [
            {
                "at_accuracy": answers.accuracy,
                "confidence_threshold": answers.threshold,
                "answered": proportion_as_json(answers.answered),
                "right": proportion_as_json(answers.right),
            }
            for answers in figures.answers
        ],
        "mean_confidence": figures.mean_confidence,
        # Of Guo et al. 2017, over 15 equal bins: svhn/evaluation/calibration.py.
        "expected_calibration_error": figures.calibration.expected_calibration_error,
        "expected_calibration_error_at_temperature_1": figures.error_without_temperature,
        "mean_loss": figures.mean_loss,
        "sequence_accuracy_by_length": {
            length_name(length): proportion_as_json(proportion)
            for length, proportion in figures.by_length.items()
        },
    }


def proportion_as_json(proportion: Proportion, interval: bool = True) -> dict[str, Any]:
    """Returns a share with its counts and, if wanted, its 95 % interval."""
    entry = {"value": proportion.share, "correct": proportion.correct, "count": proportion.count}
    if interval:
        entry["low_95"], entry["high_95"] = proportion.interval
    return entry


def percent(share: float | None) -> str:
    """Returns a share as text: "95.21 %"; `NOTHING` for None."""
    return NOTHING if share is None else f"{100 * share:.2f} %"


def interval_text(proportion: Proportion) -> str:
    """Returns the 95 % interval of a share as text: "93.14–96.77"; `NOTHING` of none."""
    if not proportion.count:
        return NOTHING
    low, high = proportion.interval
    return f"{100 * low:.2f}–{100 * high:.2f}"


def aligned(header: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> str:
    """Returns the rows in columns, the first to the left, the others to the right.

    Args:
        header: The lines above the rule, a text for each column.
        rows: The lines below it, likewise.
    """
    widths = [max(map(len, column)) for column in zip(*header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
        return "  ".join(padded).rstrip()

    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([*map(line, header), rule, *map(line, rows)])
