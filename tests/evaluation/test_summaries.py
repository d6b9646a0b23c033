"""What TensorBoard reads after one evaluation, and after several."""

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from svhn.evaluation.charts import CHART_SIZE
from svhn.evaluation.metrics import compute_metrics
from svhn.evaluation.predict import SplitPredictions
from svhn.evaluation.summaries import draw_charts, write_summaries
from svhn.labels import label_array
from svhn.stored_calibration import StoredCalibration
from tests.small_conversion import no_logits


def write(folder, split: str, step: int, right: int, mistakes=None) -> None:
    """Writes the evaluation of four photos, so many of them read right."""
    labels = np.stack([label_array([7])] * 3 + [label_array([1] * 6)])
    predicted = labels.copy()
    predicted[right:] = label_array([1, 2])
    predictions = SplitPredictions(
        labels,
        predicted,
        confidence=np.full(4, 0.5, np.float32),
        digit_probabilities=np.full((4, 5), 0.5, np.float32),
        loss=np.full(4, 1.5, np.float32),
        logits=no_logits(4),
        file_names=("1.png", "2.png", "3.png", "4.png"),
        mistakes=(),
        photos_per_second=1.0,
    )
    metrics = compute_metrics(
        labels,
        predicted,
        predictions.confidence,
        loss=predictions.loss,
        stored=StoredCalibration(1.25, {0.98: 0.5}, photos=9),
        error_without_temperature=0.375,
    )
    charts = draw_charts(predictions, metrics)
    write_summaries(folder, split, step, predictions, metrics, charts, mistakes)


def run_of(folder) -> EventAccumulator:
    # 0: all points are kept.
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    accumulator.Reload()
    return accumulator


def points(folder, tag: str) -> dict[int, float]:
    events = run_of(folder).Tensors(tag)
    assert len({event.step for event in events}) == len(events)
    return {
        event.step: pytest.approx(float(tensor_util.make_ndarray(event.tensor_proto)), abs=1e-6)
        for event in events
    }


def test_each_figure_is_a_scalar_at_the_step(tmp_path):
    write(tmp_path, "test", 100, right=3)
    run = tmp_path / "test"
    assert points(run, "accuracy_and_loss/sequence_accuracy") == {100: 0.75}
    assert points(run, "accuracy_and_loss/length_accuracy") == {100: 0.75}
    assert points(run, "accuracy_and_loss/digit_accuracy") == {100: 1}
    assert points(run, "confidence/coverage_at_98_percent") == {100: 0}
    assert points(run, "confidence/coverage_at_95_percent") == {100: 0}
    assert points(run, "confidence/answered_with_stored_threshold_for_98_percent") == {100: 1}
    assert points(run, "confidence/right_with_stored_threshold_for_98_percent") == {100: 0.75}
    assert points(run, "confidence/temperature") == {100: 1.25}
    tag = "confidence/expected_calibration_error_at_temperature_1"
    assert points(run, tag) == {100: 0.375}
    assert points(run, "confidence/mean") == {100: 0.5}
    assert points(run, "confidence/expected_calibration_error") == {100: 0.25}
    assert points(run, "accuracy_and_loss/loss") == {100: 1.5}
    assert points(run, "accuracy_by_length/1_digit") == {100: 1}
    assert points(run, "accuracy_by_length/more_than_5_digits") == {100: 0}
    # No photo may be kept, so there is no threshold to draw.
    assert "confidence/threshold_for_98_percent" not in run_of(run).Tags()["tensors"]


def test_the_same_step_again_replaces_its_points(tmp_path):
    write(tmp_path, "val", 100, right=1)
    write(tmp_path, "val", 100, right=2)
    assert points(tmp_path / "val", "accuracy_and_loss/sequence_accuracy") == {100: 0.5}
    assert len(list((tmp_path / "val").iterdir())) == 1


def test_an_older_checkpoint_evaluated_later_hides_nothing(tmp_path):
    for step, right in ((1000, 3), (20, 1), (300, 2)):
        write(tmp_path, "val", step, right)
    measured = points(tmp_path / "val", "accuracy_and_loss/sequence_accuracy")
    assert list(measured.items()) == [(20, 0.25), (300, 0.5), (1000, 0.75)]


def test_charts_and_contact_sheet_are_images(tmp_path):
    write(tmp_path, "test", 7, right=3, mistakes=Image.new("RGB", (40, 30), "#ffb000"))
    run = run_of(tmp_path / "test")
    sizes = {
        "pictures/most_confident_mistakes": (40, 30),
        "pictures/confusion_of_digits": (CHART_SIZE, CHART_SIZE),
        "confidence/calibration": (CHART_SIZE, CHART_SIZE),
        "confidence/risk_coverage": (CHART_SIZE, CHART_SIZE),
        "confidence/histogram": (CHART_SIZE, CHART_SIZE),
    }
    for tag, size in sizes.items():
        (event,) = run.Tensors(tag)
        width, height, encoded = tensor_util.make_ndarray(event.tensor_proto)
        assert (int(width), int(height)) == size
        assert encoded.startswith(b"\x89PNG")


@pytest.mark.parametrize("right", [0, 3, 4])
def test_confidences_of_right_and_wrong_readings_are_histograms(tmp_path, right):
    write(tmp_path, "test", 7, right)
    run = run_of(tmp_path / "test")
    for kind, count in (("right", right), ("wrong", 4 - right)):
        (event,) = run.Tensors(f"confidence/of_{kind}_readings")
        buckets = tensor_util.make_ndarray(event.tensor_proto)  # [buckets, (low, high, count)]
        assert buckets[:, 2].sum() == count
