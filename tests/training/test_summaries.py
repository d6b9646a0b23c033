"""What TensorBoard reads of a training run."""

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from svhn.evaluation.metrics import compute_metrics
from svhn.evaluation.predict import Mistake, SplitPredictions
from svhn.labels import label_array
from svhn.stored_calibration import StoredCalibration
from svhn.training.reader_task import ReaderEvaluation
from svhn.training.summaries import Summaries
from tests.small_conversion import no_logits


def predictions_and_samples():
    """Three photos, the last one read wrong."""
    labels = np.stack([label_array(digits) for digits in ([7], [1, 2], [0])])
    predicted = labels.copy()
    predicted[2] = label_array([8])
    samples = np.random.default_rng(1).normal(size=(3, 54, 54, 3)).astype(np.float32)
    predictions = SplitPredictions(
        labels,
        predicted,
        confidence=np.array([0.9, 0.8, 0.7], np.float32),
        digit_probabilities=np.zeros((3, 5), np.float32),
        loss=np.array([0.5, 1, 3], np.float32),
        logits=no_logits(3),
        file_names=("train/1.png", "train/2.png", "train/3.png"),
        mistakes=(Mistake(2, samples[2]),),
        photos_per_second=1.0,
    )
    return predictions, samples


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    predictions, samples = predictions_and_samples()
    metrics = compute_metrics(
        predictions.labels, predictions.predicted, predictions.confidence, loss=predictions.loss
    )
    with Summaries(folder) as summaries:
        curves = {"accuracy_and_loss/loss": 2.5, "accuracy_and_loss/sequence_accuracy": 0.25}
        summaries.training(50, curves, 0.001, 800.0, gradient_norm=1.75)
        evaluation = ReaderEvaluation(predictions, metrics, StoredCalibration(), samples)
        summaries.validation(60, evaluation)
    accumulators = {}
    for name in ("train", "val"):
        accumulators[name] = EventAccumulator(str(folder / name), size_guidance={"tensors": 0})
        accumulators[name].Reload()
    return accumulators


def scalars(run) -> dict[str, tuple[int, float]]:
    """The step and value of each scalar's only point."""
    points = {}
    for tag in run.Tags()["tensors"]:
        if run.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            (event,) = run.Tensors(tag)
            points[tag] = (event.step, float(tensor_util.make_ndarray(event.tensor_proto)))
    return points


def test_the_training_curves_and_what_else_is_given_by_name(runs):
    assert scalars(runs["train"]) == {
        "accuracy_and_loss/loss": (50, 2.5),
        "accuracy_and_loss/sequence_accuracy": (50, 0.25),
        "training/learning_rate": (50, pytest.approx(0.001)),
        "training/images_per_second": (50, 800),
        "training/gradient_norm": (50, 1.75),
    }


def test_the_validation_curves_lie_on_the_same_charts(runs):
    points = scalars(runs["val"])
    assert {
        "accuracy_and_loss/loss": (60, 1.5),
        "accuracy_and_loss/sequence_accuracy": (60, pytest.approx(2 / 3)),
        "accuracy_by_length/1_digit": (60, 0.5),
        "accuracy_by_length/2_digits": (60, 1),
        # Off by 0.1, 0.2 and 0.7; each is alone in its bin.
        "confidence/expected_calibration_error": (60, pytest.approx(1 / 3)),
    }.items() <= points.items()


def test_pictures_and_histograms_of_the_validation(runs):
    plugins = {"images": set(), "histograms": set()}
    for tag in runs["val"].Tags()["tensors"]:
        plugins.setdefault(runs["val"].SummaryMetadata(tag).plugin_data.plugin_name, set()).add(tag)
    assert plugins["images"] == {
        "confidence/calibration",
        "confidence/histogram",
        "confidence/risk_coverage",
        "pictures/confusion_of_digits",
        "pictures/most_confident_mistakes",
        "pictures/samples",
    }
    assert plugins["histograms"] == {
        "confidence/of_right_readings",
        "confidence/of_wrong_readings",
    }
