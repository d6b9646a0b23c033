"""From what a network says about a split to figures, and to the calibration that it is given."""

from collections.abc import Sequence

from svhn.evaluation.calibration import calibrate
from svhn.evaluation.metrics import COVERAGE_ACCURACIES, SplitMetrics, compute_metrics
from svhn.evaluation.predict import SplitPredictions
from svhn.evaluation.temperature import fit_temperature
from svhn.evaluation.thresholds import choose_thresholds
from svhn.stored_calibration import StoredCalibration


def measure(
    predictions: SplitPredictions,
    stored: StoredCalibration | None = None,
    coverage_accuracies: Sequence[float] = COVERAGE_ACCURACIES,
) -> SplitMetrics:
    """Returns the figures of a split.

    Args:
        predictions: Of the split, at the temperature of `stored`.
        stored: The network's calibration; its thresholds are tried on the split.
        coverage_accuracies: See `svhn.evaluation.metrics.compute_metrics`.
    """
    plain = predictions.at_temperature(1.0)
    return compute_metrics(
        predictions.labels,
        predictions.predicted,
        predictions.confidence,
        coverage_accuracies,
        predictions.loss,
        stored=stored,
        error_without_temperature=calibrate(
            plain.right, plain.confidence
        ).expected_calibration_error,
    )


def fit_calibration(
    predictions: SplitPredictions,
) -> tuple[StoredCalibration, SplitPredictions]:
    """Returns the calibration that a split (val) gives a network, and what it then says about it.

    The same predictions give the same calibration, bit for bit.

    Args:
        predictions: Of the split, at any temperature.
    """
    temperature = fit_temperature(predictions.logits, predictions.labels)
    calibrated = predictions.at_temperature(temperature)
    thresholds = choose_thresholds(calibrated.right, calibrated.confidence)
    return StoredCalibration(temperature, thresholds, len(predictions.labels)), calibrated
