"""What a detector's released weights score, how large their boxes should be, and what half
precision costs them.
"""

from typing import Any

from svhn.checkpoints import LoadedModel
from svhn.data.manifest import manifest_digest
from svhn.detection.average_precision import average_precision
from svhn.detection.box_scale import STATE_NAME, fit_box_scale
from svhn.evaluation.detect import detect_split
from svhn.evaluation.detection_scores import scores_as_json
from svhn.evaluation.release_config import ReleaseConfig


def measure_detector(
    config: ReleaseConfig, split: str, loaded: LoadedModel, released: LoadedModel
) -> dict[str, Any]:
    """Returns what a file of released weights is to say of a split, and prints it.

    Args:
        config: `data_dir` and `batch_size`.
        split: Its name.
        loaded: The detector as it was trained.
        released: The same as it was written to a file.

    Returns:
        "box_scale", which is best there; "scores" of the released weights with it, and the change
        to them in "half_precision".
    """
    size = loaded.config["val_size"]
    whole, half = (
        detect_split(network.model, config.data_dir, split, config.batch_size, size)
        for network in (loaded, released)
    )
    scale = fit_box_scale(half.detected, half.labelled)
    before, after = (
        average_precision([scale.applied(digits) for digits in found.detected], found.labelled)
        for found in (whole, half)
    )
    print(
        f"Boxes become wider by {scale.width:g} and higher by {scale.height:g}: average precision "
        f"at IoU 0.5 before {100 * half.average_precision().at_half:.2f} %\n"
        f"{len(half.file_names):,} photos of {split}, {size} pixels: average precision "
        f"{100 * after.at_half:.2f} % at IoU 0.5, {100 * after.mean:.2f} % over IoU 0.5 to 0.95\n"
        f"Half precision changes them by {100 * (after.at_half - before.at_half):+.2f} and "
        f"{100 * (after.mean - before.mean):+.2f} points"
    )
    return {
        STATE_NAME: list(scale),
        "scores": {
            "split": split,
            "manifest_sha256": manifest_digest(config.data_dir),
            "size": size,
            **scores_as_json(after, len(half.file_names)),
        },
        "half_precision": {
            "photos": len(half.file_names),
            "average_precision_at_iou_0.5": after.at_half - before.at_half,
            "average_precision": after.mean - before.mean,
        },
    }
