"""The detector's loss: focal loss of the classes, generalised IoU loss of the boxes.

Focal loss (Lin et al. 2017, arXiv 1708.02002) lets the few hard cells count more than the many easy
ones. Generalised IoU (Rezatofighi et al. 2019, arXiv 1902.09630) measures what average precision
asks for, and has a gradient even where boxes don't meet.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from keras import ops

from svhn.detection.targets import Targets
from svhn.labels import DIGIT_CLASSES
from svhn.window_config import IGNORED

FOCUS = 2.0
"""The power of a cell's error by which its loss is multiplied."""

DIGIT_WEIGHT = 0.25
"""Of the class that is there, against 1 less this for each class that is not."""

BOX_WEIGHT = 2.0
"""Of the boxes' loss, against the classes'."""

_SMALLEST_SIDE = 1e-3
"""Pixels. Sides that cross count as this long."""


class DetectionLoss(NamedTuple):
    """The loss of each picture of a batch, float32 [B] each."""

    total: Any
    """What training makes small: the classes' and, times `BOX_WEIGHT`, the boxes'."""

    classes: Any
    boxes: Any


def detection_loss(outputs: Mapping[str, Any], targets: Targets) -> DetectionLoss:
    """Returns the loss of each picture, over the number of its cells that see a digit's middle.

    A picture's loss doesn't depend on its neighbours in the batch. One without a digit counts like
    one with a single cell.

    Args:
        outputs: "class_logits" and "box_distances", as the detector gives them.
        targets: As `svhn.detection.targets.assign` gives them.
    """
    is_digit = ops.cast(targets.classes >= 0, "float32")
    count = ops.maximum(ops.sum(is_digit, axis=1), 1.0)
    classes = ops.sum(focal_loss(outputs["class_logits"], targets.classes), axis=1) / count
    box_losses = 1 - generalised_iou(outputs["box_distances"], targets.distances)
    boxes = ops.sum(ops.where(is_digit > 0, box_losses, 0.0), axis=1) / count
    return DetectionLoss(classes + BOX_WEIGHT * boxes, classes, boxes)


def focal_loss(class_logits: Any, classes: Any) -> Any:
    """Returns the loss of each cell, summed over the ten digits.

    Args:
        class_logits: float [B, cells, 10].
        classes: int [B, cells]: 0 to 9, `NO_LABEL` or `IGNORED`.

    Returns:
        float32 [B, cells], in nats; 0 where the cell is ignored.
    """
    logits = ops.cast(class_logits, "float32")
    # One-hot of a number below 0 is all zeros.
    is_class = ops.one_hot(classes, DIGIT_CLASSES, dtype="float32")
    error = ops.sigmoid(logits * (1 - 2 * is_class))
    cross_entropy = ops.softplus(logits * (1 - 2 * is_class))
    weight = is_class * DIGIT_WEIGHT + (1 - is_class) * (1 - DIGIT_WEIGHT)
    losses = ops.sum(weight * error**FOCUS * cross_entropy, axis=-1)
    return ops.where(classes == IGNORED, 0.0, losses)


def generalised_iou(distances: Any, true_distances: Any) -> Any:
    """Returns how well boxes agree that are given by their distances from the same points.

    Args:
        distances: float [..., 4]: to the left, top, right and bottom side, pixels.
        true_distances: Likewise.

    Returns:
        float32 [...], from -1 (far apart) to 1 (the same box): the intersection over the union,
        less the share of the smallest box around both that belongs to neither.
    """
    distances = ops.cast(distances, "float32")
    true_distances = ops.cast(true_distances, "float32")

    def area(sides: Any) -> Any:
        size = ops.maximum(sides[..., :2] + sides[..., 2:], _SMALLEST_SIDE)
        return size[..., 0] * size[..., 1]

    common = ops.minimum(distances, true_distances)
    common_size = ops.maximum(common[..., :2] + common[..., 2:], 0.0)
    intersection = common_size[..., 0] * common_size[..., 1]
    union = area(distances) + area(true_distances) - intersection
    around = area(ops.maximum(distances, true_distances))
    return intersection / union - (around - union) / around
