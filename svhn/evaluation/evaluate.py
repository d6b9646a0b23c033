"""The whole of `eval.py`: a checkpoint, some splits, and what is known about it afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import svhn
from svhn.checkpoints import LoadedModel, load_model
from svhn.data.manifest import (
    READABLE_SPLITS,
    manifest_digest,
    shard_folder,
    shard_paths,
    splits_with_photos,
)
from svhn.errors import UserError
from svhn.evaluation.config import DEFAULT_SPLITS, EvaluationConfig
from svhn.evaluation.learnt_splits import warn_of_learnt
from svhn.evaluation.measure import measure
from svhn.evaluation.metrics import SplitMetrics
from svhn.evaluation.mistakes import mistakes_sheet
from svhn.evaluation.predict import SplitPredictions, evaluate_split, make_predict_step
from svhn.evaluation.report import (
    answers_table,
    confidence_table,
    length_table,
    metrics_table,
    write_predictions,
    write_results,
)
from svhn.evaluation.summaries import draw_charts, write_summaries
from svhn.models.inference import for_inference
from svhn.stored_calibration import StoredCalibration


def evaluate(config: EvaluationConfig) -> int:
    """Evaluates a checkpoint on the splits of a conversion, prints and writes the results.

    In `config.eval_logdir`: `results.json`; for each split `predictions_SPLIT.csv`,
    `charts_SPLIT.png`, `mistakes_SPLIT.png` (where there are mistakes) and a TensorBoard run
    `SPLIT/`.

    Returns:
        The exit status, 0.

    Raises:
        UserError: If there is no conversion, split or checkpoint, or the results can't be
            written.
    """
    accuracies = parse_accuracies(config.coverage_accuracy)
    splits = splits_to_evaluate(config.data_dir, config.splits)
    loaded = load_model(config.checkpoint_dir, raw_weights=config.raw_weights)
    print(f"{loaded.path}: model {loaded.config['model']}, step {loaded.step:,}", flush=True)
    warn_of_learnt(loaded, splits)
    folder = Path(config.eval_logdir)
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    metrics, photos_per_second, without_mistakes = _evaluate_splits(
        config, splits, accuracies, loaded, folder
    )
    about = _about(config, loaded)
    with writing_to(folder):
        write_results(folder / "results.json", about, metrics)

    print(f"\n{metrics_table(metrics)}")
    print(f"\nSequence accuracy by number of digits\n{length_table(metrics)}")
    print(f"\n{_about_confidence(loaded.calibration)}\n{confidence_table(metrics)}")
    if answers := answers_table(metrics):
        print(f"\nAnswers from the stored thresholds on\n{answers}")
    print(f"\nThroughput: {photos_per_second:,.0f} photos/s")
    print(f"Results: {folder / 'results.json'}, {folder / 'predictions_SPLIT.csv'}")
    charts = folder / "charts_SPLIT.png"
    print(f"Calibration, confidences, risk and coverage, confused digits: {charts}")
    if config.sheet_size:
        with_mistakes = [split for split in splits if split not in without_mistakes]
        if with_mistakes:
            paths = ", ".join(str(_sheet_path(folder, split)) for split in with_mistakes)
            print(f"Most confident mistakes: {paths}")
        if without_mistakes:
            print(f"No mistakes, so no picture of them: {', '.join(without_mistakes)}")
    print(f"Curves: tensorboard --logdir {config.eval_logdir}")
    return 0


def splits_to_evaluate(data_dir: str, wanted: list[str]) -> list[str]:
    """Returns the splits to evaluate, each once, in the order of `wanted`.

    Args:
        data_dir: The folder that holds `tfrecords/`.
        wanted: Names of splits; if empty, train, val and test, as far as they exist.

    Raises:
        UserError: If there is no whole conversion, or a wanted split isn't in it, or none of the
            default ones is.
    """
    present = splits_with_photos(data_dir)
    splits = list(dict.fromkeys(split.strip() for split in wanted))
    if not splits:
        splits = [split for split in DEFAULT_SPLITS if split in present]
        if not splits:
            raise UserError(
                f"There are no photos of {', '.join(DEFAULT_SPLITS)} in {shard_folder(data_dir)};"
                f" it has: {', '.join(present) or 'none'}. Choose with --splits"
            )
    for split in splits:
        if split not in READABLE_SPLITS:
            raise UserError(
                f"--splits names '{split}'; expected some of: {', '.join(READABLE_SPLITS)}"
            )
        shard_paths(data_dir, split)  # raises if the split is absent or a shard is not whole
    return splits


def parse_accuracies(values: list[str]) -> list[float]:
    """Returns the accuracies that `--coverage_accuracy` names, ascending, each once.

    Raises:
        UserError: If one is no number from 0 to 1.
    """
    try:
        accuracies = [float(value) for value in values]
    except ValueError:
        accuracies = []
    if not accuracies or not all(0 <= accuracy <= 1 for accuracy in accuracies):
        raise UserError(
            f"--coverage_accuracy={','.join(values)} is not a list of accuracies. Expected numbers "
            "from 0 to 1, such as --coverage_accuracy=0.95,0.98"
        )
    return sorted(set(accuracies))


def require_finite(values: np.ndarray, path: str, split: str) -> None:
    """Raises a `UserError` if a network gave values that are no numbers.

    Args:
        values: What it gave for the photos of a split.
        path: Its checkpoint.
        split: The split's name.
    """
    if not np.isfinite(values).all():
        raise UserError(
            f"{path} gives values that are not numbers (NaN or infinity) for photos of"
            f" '{split}': its training has diverged. Choose an older checkpoint with"
            " --checkpoint_dir, or train again with a lower --learning_rate"
        )


def _about_confidence(stored: StoredCalibration) -> str:
    if not stored.photos:
        return "Confidence, as the network gives it (no temperature stored)"
    return (
        f"Confidence at temperature {stored.temperature:g}, chosen on the {stored.photos:,} photos "
        "of val"
    )


def _evaluate_splits(
    config: EvaluationConfig,
    splits: list[str],
    accuracies: list[float],
    loaded: LoadedModel,
    folder: Path,
) -> tuple[dict[str, SplitMetrics], float, list[str]]:
    """Evaluates each split and writes what belongs to it alone.

    Returns:
        The figures by split; photos per second over all of them; the splits without mistakes.
    """
    metrics, seconds, without_mistakes = {}, 0.0, []
    network = for_inference(loaded.model)  # as `svhn.reading.reader` applies it
    predict_step = make_predict_step(network, loaded.calibration.temperature)
    for split in splits:
        predictions = evaluate_split(
            network,
            config.data_dir,
            split,
            config.batch_size,
            predict_step=predict_step,
            keep_mistakes=config.sheet_size,
        )
        require_finite(predictions.loss, loaded.path, split)
        metrics[split] = measure(predictions, loaded.calibration, accuracies)
        seconds += len(predictions.labels) / predictions.photos_per_second
        if predictions.right.all():
            without_mistakes.append(split)
        with writing_to(folder):
            _write_split(folder, split, loaded.step, predictions, metrics[split])
    photos = sum(figures.photo_count for figures in metrics.values())
    return metrics, photos / seconds, without_mistakes


def _write_split(
    folder: Path, split: str, step: int, predictions: SplitPredictions, metrics: SplitMetrics
) -> None:
    write_predictions(folder / f"predictions_{split}.csv", predictions)
    sheet = mistakes_sheet(predictions)
    if sheet is None:
        # One from an earlier evaluation would show another model's mistakes.
        _sheet_path(folder, split).unlink(missing_ok=True)
    else:
        sheet.save(_sheet_path(folder, split))
    charts = draw_charts(predictions, metrics)
    side_by_side = np.concatenate(list(charts.values()), axis=1)
    Image.fromarray(side_by_side).save(folder / f"charts_{split}.png")
    write_summaries(folder, split, step, predictions, metrics, charts, sheet)


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turns what keeps results from being written to `--eval_logdir` into one line."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"The results can't be written to {folder} ({error.strerror or error}): give"
            " --eval_logdir a folder that can be written and has room"
        ) from error


def _sheet_path(folder: Path, split: str) -> Path:
    return folder / f"mistakes_{split}.png"


def _about(config: EvaluationConfig, loaded: LoadedModel) -> dict[str, Any]:
    return {
        "version": svhn.__version__,
        "model": loaded.config["model"],
        "checkpoint": str(loaded.path),
        "step": int(loaded.step),
        "calibration": loaded.calibration.as_json(),
        "data_dir": str(config.data_dir),
        "manifest_sha256": manifest_digest(config.data_dir),
    }
