"""A detector's scores in the form in which checkpoints and released weights hold them."""

import math
from typing import Any

from svhn.detection.average_precision import AveragePrecision


def scores_as_json(precision: AveragePrecision, photos: int) -> dict[str, Any]:
    """Returns the scores as JSON can hold them; what is not known is None.

    Args:
        precision: Of a split.
        photos: How many it has.
    """
    return {
        "photos": photos,
        "average_precision_at_iou_0.5": known(precision.at_half),
        "average_precision": known(precision.mean),
        "average_precision_at_iou_0.5_by_digit": [
            known(value) for value in precision.by_class[0].tolist()
        ],
    }


def known(value: float) -> float | None:
    """Returns a figure as JSON can hold it: None for NaN."""
    return value if math.isfinite(value) else None
