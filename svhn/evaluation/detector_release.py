"""What a detector's released weights score, how large their boxes should be, and what half
precision costs them.
"""

import dataclasses
from typing import Any

from svhn.checkpoints import LoadedModel
from svhn.data.manifest import manifest_digest, splits_with_photos
from svhn.detection import box_scale, outline
from svhn.detection.box_scale import BoxScale, fit_box_scale
from svhn.detection.outline import Outline, fit_outline
from svhn.evaluation.detect import SplitDetections, detect_split
from svhn.evaluation.detection_scores import scores_as_json
from svhn.evaluation.release_config import ReleaseConfig

TRAINED_ON = "train"
"""Photos that tell, beside those of the split that is measured, how people draw boxes: many more,
and what was learnt of these boxes says little of how they differ from those that are found."""


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
        "box_scale", which is best there; "outline", as these photos and those of train tell; with
        both, "scores" of the released weights, and the change to them in "half_precision".
    """
    size = loaded.config["val_size"]
    whole, half = (
        detect_split(network.model, config.data_dir, split, config.batch_size, size)
        for network in (loaded, released)
    )
    scale = fit_box_scale(half.detected, half.labelled)
    drawn = _fit_outline(config, released, scale, half)
    found, before, after = (
        each.average_precision()
        for each in (half, *(_outlined(_scaled(each, scale), drawn) for each in (whole, half)))
    )
    print(
        f"Boxes become wider by {scale.width:g} and higher by {scale.height:g}; told ones gain "
        f"{100 * drawn.width_room:g} % and {100 * drawn.height_room:g} % of the photo's height, "
        f"and become {drawn.width:g} and {drawn.height:g} times as large\n"
        f"Average precision at IoU 0.5 before that {100 * found.at_half:.2f} %\n"
        f"{len(half.file_names):,} photos of {split}, {size} pixels: average precision "
        f"{100 * after.at_half:.2f} % at IoU 0.5, {100 * after.mean:.2f} % over IoU 0.5 to 0.95\n"
        f"Half precision changes them by {100 * (after.at_half - before.at_half):+.2f} and "
        f"{100 * (after.mean - before.mean):+.2f} points"
    )
    return {
        box_scale.STATE_NAME: list(scale),
        outline.STATE_NAME: list(drawn),
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


def _scaled(found: SplitDetections, scale: BoxScale) -> SplitDetections:
    return dataclasses.replace(found, detected=tuple(map(scale.applied, found.detected)))


def _outlined(found: SplitDetections, drawn: Outline) -> SplitDetections:
    detected = (
        drawn.digits(digits, *size)
        for digits, size in zip(found.detected, found.photo_sizes, strict=True)
    )
    return dataclasses.replace(found, detected=tuple(detected))


def _fit_outline(
    config: ReleaseConfig, released: LoadedModel, scale: BoxScale, measured: SplitDetections
) -> Outline:
    """What the measured split and, if it is there, train tell."""
    parts = [measured]
    if TRAINED_ON in splits_with_photos(config.data_dir):
        size = released.config["val_size"]
        parts.append(
            detect_split(released.model, config.data_dir, TRAINED_ON, config.batch_size, size)
        )
    return fit_outline(
        [scale.applied(digits) for part in parts for digits in part.detected],
        [digits for part in parts for digits in part.labelled],
        [height for part in parts for height, _ in part.photo_sizes],
    )
