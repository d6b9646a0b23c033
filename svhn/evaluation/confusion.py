"""Which digits are taken for which. In NumPy."""

import numpy as np

from svhn.labels import DIGIT_CLASSES, NO_DIGIT


def count_digit_confusions(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Returns how often each digit was predicted where each digit was labelled.

    Compared are the digits at the same position, where truth and prediction both have one. So a
    digit that was missed or made up isn't counted (the accuracy of the length shows it), and a
    number that was read with its first digit missing counts as confused digits.

    Args:
        labels: The truth, integers of shape (N, 6): `svhn.labels.label_array`; N may be 0.
        predicted: What the model says, integers of shape (N, 6).

    Returns:
        int64 [10, 10]: rows are labelled digits, columns predicted ones.

    Raises:
        ValueError: If the shapes differ.
    """
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if labels.shape != predicted.shape:
        raise ValueError(
            "labels and predicted must have the same shape. "
            f"Received: {labels.shape} and {predicted.shape}"
        )
    truth, read = labels[:, 1:], predicted[:, 1:]
    both = (truth != NO_DIGIT) & (read != NO_DIGIT)
    pairs = truth[both].astype(np.int64) * DIGIT_CLASSES + read[both]
    return np.bincount(pairs, minlength=DIGIT_CLASSES**2).reshape(DIGIT_CLASSES, DIGIT_CLASSES)
