"""The contact sheet of a split's most confident mistakes."""

import numpy as np
from PIL import Image

from svhn.drawing import contact_sheet
from svhn.evaluation.predict import SplitPredictions
from svhn.labels import LENGTH_MORE_THAN_FIVE, MAX_DIGITS, number_text

COLUMNS = 6  # The captions can be read on a card of TensorBoard.


def mistakes_sheet(predictions: SplitPredictions) -> Image.Image | None:
    """Returns the pictures of the mistakes that were kept, or None where there are none.

    Each is shown as the network saw it; below: "truth / predicted", the confidence, the photo.

    Args:
        predictions: Of one split, with some mistakes kept (`svhn.evaluation.predict.predict`).
    """
    if not predictions.mistakes:
        return None
    captions = [
        f"{_short_text(predictions.labels[mistake.index])} /"
        f" {_short_text(predictions.predicted[mistake.index])}"
        f"\n{100 * predictions.confidence[mistake.index]:.1f} %"
        f"\n{predictions.file_names[mistake.index]}"
        for mistake in predictions.mistakes
    ]
    pictures = [visible_picture(mistake.image) for mistake in predictions.mistakes]
    return contact_sheet(pictures, captions, columns=COLUMNS)


def visible_picture(image: np.ndarray) -> np.ndarray:
    """Returns a network input as a picture for people: its darkest value black, its lightest white.

    The standardisation (`svhn.preprocessing.standardise`) has taken the photo's own brightness
    and contrast away; what is left is shown without clipping.

    Args:
        image: float32 [H, W, 3], standardised.

    Returns:
        uint8 [H, W, 3].
    """
    darkest, lightest = float(image.min()), float(image.max())
    # A flat picture stays flat: its noise is not stretched to black and white.
    span = max(lightest - darkest, 1.0)
    return np.round((image - darkest) * (255 / span)).astype(np.uint8)


def _short_text(label: np.ndarray) -> str:
    """`number_text`, short enough for a caption and never empty."""
    if label[0] == LENGTH_MORE_THAN_FIVE:
        return f">{MAX_DIGITS} digits"
    return number_text(label) or "none"
