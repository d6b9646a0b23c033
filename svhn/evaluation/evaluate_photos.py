"""The whole of `eval.py --task=photos`: a detector, a reader, some splits."""

from pathlib import Path
from typing import Any

import svhn
from svhn.checkpoints import LoadedModel, load_model
from svhn.data.manifest import manifest_digest
from svhn.evaluation.config import EvaluationConfig
from svhn.evaluation.evaluate import (
    parse_accuracies,
    require_finite,
    splits_to_evaluate,
    writing_to,
)
from svhn.evaluation.learnt_splits import warn_of_learnt
from svhn.evaluation.photo_metrics import measure_photos
from svhn.evaluation.photo_mistakes import photo_mistakes_sheet
from svhn.evaluation.photo_report import (
    finding_table,
    lengths_table,
    photo_figures_as_json,
    photos_table,
    write_photo_predictions,
)
from svhn.evaluation.photos import read_split
from svhn.evaluation.report import confidence_table, write_json
from svhn.reading.agreement import AgreementRule
from svhn.reading.loading import load_finder
from svhn.reading.reader import Reader


def evaluate_photos(config: EvaluationConfig) -> int:
    """Finds and reads the numbers of whole photos, prints and writes how well.

    In `config.eval_logdir`: `photos.json`; for each split `photos_SPLIT.csv` and, where there are
    mistakes, `photo_mistakes_SPLIT.png`.

    Returns:
        The exit status, 0.

    Raises:
        UserError: If there is no conversion, split, reader or detector, or the results can't be
            written.
    """
    accuracies = parse_accuracies(config.coverage_accuracy)
    splits = splits_to_evaluate(config.data_dir, config.splits)
    loaded = load_model(config.checkpoint_dir, raw_weights=config.raw_weights)
    finder, rule, detector, _ = load_finder(config.detector_checkpoint)
    for network in (loaded, detector):
        model, step = network.config["model"], network.step
        print(f"{network.path}: model {model}, step {step:,}", flush=True)
        warn_of_learnt(network, splits)
    reader = Reader.of(loaded, config.batch_size)
    folder = Path(config.eval_logdir)
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    metrics, sheets = {}, []
    for split in splits:
        predictions = read_split(reader, finder, config.data_dir, split, rule)
        require_finite(predictions.confidence_in_true_boxes, loaded.path, split)
        metrics[split] = measure_photos(predictions, accuracies)
        sheet = photo_mistakes_sheet(predictions, config.data_dir, split, config.sheet_size)
        sheet_path = folder / f"photo_mistakes_{split}.png"
        with writing_to(folder):
            write_photo_predictions(folder / f"photos_{split}.csv", predictions)
            if sheet is None:
                # One from an earlier evaluation would show other networks' mistakes.
                sheet_path.unlink(missing_ok=True)
            else:
                sheet.save(sheet_path)
                sheets.append(str(sheet_path))
    with writing_to(folder):
        write_json(
            folder / "photos.json",
            {
                **_about(config, loaded, detector, rule),
                "splits": {
                    split: photo_figures_as_json(figures) for split, figures in metrics.items()
                },
            },
        )
    print(f"\nNumbers found and read\n{photos_table(metrics)}")
    print(f"\nBoxes and digits\n{finding_table(metrics)}")
    print(f"\nBy the number's length\n{lengths_table(metrics)}")
    read = {split: figures.read for split, figures in metrics.items()}
    print(f"\nConfidence\n{confidence_table(read)}")
    print(f"\nResults: {folder / 'photos.json'}, {folder / 'photos_SPLIT.csv'}")
    if sheets:
        print(f"Most confident mistakes: {', '.join(sheets)}")
    return 0


def _about(
    config: EvaluationConfig, reader: LoadedModel, detector: LoadedModel, rule: AgreementRule
) -> dict[str, Any]:
    return {
        "version": svhn.__version__,
        "reader": _network(reader),
        "detector": _network(detector),
        "rule": rule.as_json(),
        "data_dir": str(config.data_dir),
        "manifest_sha256": manifest_digest(config.data_dir),
    }


def _network(loaded: LoadedModel) -> dict[str, Any]:
    return {
        "model": loaded.config["model"],
        "checkpoint": str(loaded.path),
        "step": int(loaded.step),
        "calibration": loaded.calibration.as_json(),
    }
