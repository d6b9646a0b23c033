"""The detector's loss: focal loss of the classes, generalised IoU loss of the boxes; of digits, and
of whole numbers.

Focal loss (Lin et al. 2017, arXiv 1708.02002) lets the few hard cells count more than the many easy
ones. Generalised IoU (Rezatofighi et al. 2019, arXiv 1902.09630) measures what average precision
asks for, and has a gradient even where boxes don't meet.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from keras import ops

from svhn.detection.targets import Targets
from svhn.window_config import IGNORED

FOCUS = 2.0
"""The power of a cell's error by which its loss is multiplied."""

DIGIT_WEIGHT = 0.25
"""Of the class that is there, against 1 less this for each class that is not."""

BOX_WEIGHT = 2.0
"""Of the boxes' loss, against the classes'."""

NUMBER_WEIGHT = 1.0
"""Of the loss of whole numbers, against the digits'."""

_SMALLEST_SIDE = 1e-3
"""Pixels. Sides that cross count as this long."""


class DetectionLoss(NamedTuple):
    """The loss of each picture of a batch, float32 [B] each."""

    total: Any
    """What training makes small: the classes' and, times `BOX_WEIGHT`, the boxes'; and times
    `NUMBER_WEIGHT` the same of numbers."""

    classes: Any
    """Of digits."""

    boxes: Any
    """Of digits."""

    numbers: Any
    """Of classes and boxes of whole numbers together."""


def detection_loss(
    outputs: Mapping[str, Any], targets: Targets, number_targets: Targets
) -> DetectionLoss:
    """Returns the loss of each picture.

    A picture's loss doesn't depend on its neighbours in the batch.

    Args:
        outputs: As the detector gives them.
        targets: As `svhn.detection.targets.assign` gives them.
        number_targets: As `svhn.detection.targets.assign_numbers` gives them.
    """
    classes, boxes = _losses(outputs["class_logits"], outputs["box_distances"], targets)
    number_classes, number_boxes = _losses(
        outputs["number_logits"], outputs["number_distances"], number_targets
    )
    numbers = number_classes + BOX_WEIGHT * number_boxes
    total = classes + BOX_WEIGHT * boxes + NUMBER_WEIGHT * numbers
    return DetectionLoss(total, classes, boxes, numbers)


def _losses(logits: Any, distances: Any, targets: Targets) -> tuple[Any, Any]:
    """Returns classes' and boxes' loss of each picture, over the number of its cells that see the
    middle of something; a picture with nothing counts like one with a single such cell.
    """
    is_there = ops.cast(targets.classes >= 0, "float32")
    count = ops.maximum(ops.sum(is_there, axis=1), 1.0)
    classes = ops.sum(focal_loss(logits, targets.classes), axis=1) / count
    box_losses = 1 - generalised_iou(distances, targets.distances)
    return classes, ops.sum(ops.where(is_there > 0, box_losses, 0.0), axis=1) / count


def focal_loss(class_logits: Any, classes: Any) -> Any:
    """Returns the loss of each cell, summed over the classes.

    Args:
        class_logits: float [B, cells, classes]: ten digits, or numbers as the only class.
        classes: int [B, cells]: from 0 on, `NO_LABEL` or `IGNORED`.

    Returns:
        float32 [B, cells], in nats; 0 where the cell is ignored.
    """
    logits = ops.cast(class_logits, "float32")
    # One-hot of a number below 0 is all zeros.
    is_class = ops.one_hot(classes, logits.shape[-1], dtype="float32")
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
