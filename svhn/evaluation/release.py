"""From a checkpoint to a file of released weights, and what half precision costs."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

import svhn
from svhn.checkpoints import LoadedModel, load_model
from svhn.data.manifest import manifest_digest, photo_count
from svhn.detection import box_scale, outline
from svhn.errors import UserError
from svhn.evaluation.detector_release import measure_detector
from svhn.evaluation.learnt_splits import warn_of_learnt
from svhn.evaluation.measure import fit_calibration, measure
from svhn.evaluation.predict import SplitPredictions, evaluate_split
from svhn.evaluation.release_config import ReleaseConfig
from svhn.evaluation.report import confidence_table, figures_as_json, metrics_table
from svhn.models import task_of
from svhn.released_weights import SUFFIX, load_released, write_released
from svhn.stored_calibration import StoredCalibration

SPLIT = "val"
"""What temperature and thresholds are chosen on."""

_DETECTOR_CALIBRATION = {box_scale.STATE_NAME, outline.STATE_NAME}
"""What val tells about a detector's boxes, as a reader's temperature and thresholds."""

_PLACES = ("data_dir", "train_logdir", "restore_checkpoint", "backbone_weights", "teachers")
"""Flags of a run that say where its files lay: nobody else's business."""


@dataclasses.dataclass(frozen=True)
class Change:
    """What another precision of the weights changes on a split."""

    photos: int
    readings: int
    """Photos that are read otherwise."""

    confidence: float
    """The largest change of a confidence of the others, 0 to 1."""

    accuracy: float
    """The change of the sequence accuracy, -1 to 1."""


def release(config: ReleaseConfig) -> int:
    """Writes the weights of a checkpoint to `config.output` and says what half precision changed.

    With `config.data_dir`, the file also holds the scores on val. Of a reader, temperature and
    thresholds are found anew there, for the weights as they are released.

    With `config.calibration_of`, they are those of another network.

    Returns:
        The exit status, 0.

    Raises:
        UserError: If there is no checkpoint or no val photo, the other network has no calibration
            or is of another kind, or the file can't be written.
    """
    output = Path(config.output)
    if output.suffix != SUFFIX:
        raise UserError(f"--output={config.output}: expected a name that ends with {SUFFIX}")
    if config.data_dir:
        photo_count(config.data_dir, SPLIT)  # says what to do where there is none
    loaded = load_model(config.checkpoint_dir, task=None)
    if config.average_with:
        loaded = _averaged(loaded, config)
    is_detector = task_of(loaded.config["model"]) == "detector"
    about = _about(config, loaded)
    if config.calibration_of:
        twin = _calibrated_twin(loaded, config)
        if is_detector:
            about |= {name: twin.state[name] for name in _DETECTOR_CALIBRATION}
        else:
            loaded = dataclasses.replace(loaded, calibration=twin.calibration)
    write_released(output, loaded, about)
    if config.data_dir:
        warn_of_learnt(loaded, [SPLIT])
        released = load_released(output, task=None)
        if is_detector:
            measured = measure_detector(config, SPLIT, loaded, released)
        else:
            loaded, measured = _measure(config, loaded, released)
        write_released(output, loaded, {**about, **measured})
    else:
        print(
            "No --data_dir: the file says no scores, and what half precision changes is not known"
        )
    print(
        f"{output}: {output.stat().st_size / 1e6:.2f} MB, {loaded.config['model']} at step "
        f"{loaded.step:,}{'' if is_detector else _temperature(loaded.calibration)}"
    )
    return 0


def _averaged(loaded: LoadedModel, config: ReleaseConfig) -> LoadedModel:
    """The mean with another network; nothing is known of its confidence yet."""
    other = load_model(config.average_with, task=None)
    name, others_name = loaded.config["model"], other.config["model"]
    if name != others_name:
        raise UserError(
            f"--average_with={config.average_with} is a {others_name!r} network. Expected: a "
            f"{name!r} network, as --checkpoint_dir={config.checkpoint_dir}"
        )
    share = config.average_share
    loaded.model.set_weights(
        [
            (1 - share) * ours + share * theirs
            for ours, theirs in zip(
                loaded.model.get_weights(), other.model.get_weights(), strict=True
            )
        ]
    )
    return dataclasses.replace(loaded, calibration=StoredCalibration())


def _calibrated_twin(loaded: LoadedModel, config: ReleaseConfig) -> LoadedModel:
    """The network of the same task whose calibration is taken over."""
    if config.data_dir:
        raise UserError(
            f"--data_dir={config.data_dir} finds on val what "
            f"--calibration_of={config.calibration_of} takes over. Leave one of both out"
        )
    name = loaded.config["model"]
    task = task_of(name)
    twin = load_model(config.calibration_of, task=None)
    twins_name = twin.config["model"]
    if task_of(twins_name) != task:
        raise UserError(
            f"--calibration_of={config.calibration_of} is a {twins_name!r} network. Expected: a "
            f"{task}, as {loaded.path}, a {name!r} network"
        )
    if not _is_calibrated(twin):
        raise UserError(
            f"--calibration_of={config.calibration_of} has no calibration of its own. Expected: a "
            f"{task} that python -m svhn.release wrote with --data_dir"
        )
    return twin


def _is_calibrated(network: LoadedModel) -> bool:
    if task_of(network.config["model"]) == "detector":
        return network.state.keys() >= _DETECTOR_CALIBRATION
    return network.calibration.photos > 0


def _temperature(stored: StoredCalibration) -> str:
    words = f", temperature {stored.temperature:g}"
    return words if stored.photos else f"{words} (no calibration: give --data_dir to find one)"


def _measure(
    config: ReleaseConfig, loaded: LoadedModel, released: LoadedModel
) -> tuple[LoadedModel, dict[str, Any]]:
    """The network with the calibration that val gives its released weights, and what val says."""
    whole, half = (
        evaluate_split(network.model, config.data_dir, SPLIT, config.batch_size)
        for network in (loaded, released)
    )
    calibration, after = fit_calibration(half)
    metrics = measure(after, calibration)
    change = compare(whole.at_temperature(calibration.temperature), after)
    print(f"{metrics_table({SPLIT: metrics})}\n\n{confidence_table({SPLIT: metrics})}\n")
    print(
        f"Half precision: {change.readings:,} of {change.photos:,} photos are read otherwise; "
        f"confidences change by {change.confidence:.2g} at most, the sequence accuracy by "
        f"{100 * change.accuracy:+.2f} points"
    )
    measured = {
        "scores": {
            "split": SPLIT,
            "manifest_sha256": manifest_digest(config.data_dir),
            **figures_as_json(metrics),
        },
        "half_precision": dataclasses.asdict(change),
    }
    return dataclasses.replace(loaded, calibration=calibration), measured


def compare(before: SplitPredictions, after: SplitPredictions) -> Change:
    """Returns what changes from the predictions of one precision to those of another.

    Args:
        before: Of a split.
        after: Of the same photos in the same order.
    """
    same = (before.predicted == after.predicted).all(axis=1)
    changes = np.abs(before.confidence - after.confidence)[same]
    return Change(
        photos=len(same),
        readings=int((~same).sum()),
        confidence=float(changes.max(initial=0.0)),
        accuracy=float(after.right.mean() - before.right.mean()),
    )


def _about(config: ReleaseConfig, loaded: LoadedModel) -> dict[str, Any]:
    """What the file says beside the weights."""
    flags = {name: value for name, value in loaded.config.items() if name not in _PLACES}
    return {
        "version": svhn.__version__,
        "recipe": config.recipe,
        **({"averaged_with_share": config.average_share} if config.average_with else {}),
        **({"calibrated_as_another": True} if config.calibration_of else {}),
        "config": flags,
        "seed": flags.get("seed"),
        **{name: loaded.state[name] for name in ("data", "run") if name in loaded.state},
    }
