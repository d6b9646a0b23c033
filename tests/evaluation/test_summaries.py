"""What TensorBoard reads after one evaluation, and after several."""

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from svhn.evaluation.metrics import compute_metrics
from svhn.evaluation.summaries import write_summaries
from svhn.labels import label_array


def metrics_with(right: int):
    labels = np.stack([label_array([7])] * 3 + [label_array([1] * 6)])
    predicted = labels.copy()
    predicted[right:] = label_array([1, 2])
    return compute_metrics(labels, predicted, np.full(4, 0.5), loss=np.full(4, 1.5))


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
    write_summaries(tmp_path, "test", 100, metrics_with(right=3))
    run = tmp_path / "test"
    assert points(run, "sequence_accuracy") == {100: 0.75}
    assert points(run, "length_accuracy") == {100: 0.75}
    assert points(run, "digit_accuracy") == {100: 1}
    assert points(run, "coverage_at_98_percent") == {100: 0}
    assert points(run, "mean_confidence") == {100: 0.5}
    assert points(run, "loss") == {100: 1.5}
    assert points(run, "sequence_accuracy_by_length/1") == {100: 1}
    assert points(run, "sequence_accuracy_by_length/more_than_5") == {100: 0}
    # No photo may be kept, so there is no threshold to draw.
    assert "confidence_threshold" not in run_of(run).Tags()["tensors"]


def test_the_same_step_again_replaces_its_points(tmp_path):
    write_summaries(tmp_path, "val", 100, metrics_with(right=1))
    write_summaries(tmp_path, "val", 100, metrics_with(right=2))
    assert points(tmp_path / "val", "sequence_accuracy") == {100: 0.5}
    assert len(list((tmp_path / "val").iterdir())) == 1


def test_an_older_checkpoint_evaluated_later_hides_nothing(tmp_path):
    for step, right in ((1000, 3), (20, 1), (300, 2)):
        write_summaries(tmp_path, "val", step, metrics_with(right))
    measured = points(tmp_path / "val", "sequence_accuracy")
    assert list(measured.items()) == [(20, 0.25), (300, 0.5), (1000, 0.75)]


def test_the_contact_sheet_is_an_image(tmp_path):
    sheet = Image.new("RGB", (40, 30), "#ffb000")
    write_summaries(tmp_path, "test", 7, metrics_with(right=3), sheet)
    (event,) = run_of(tmp_path / "test").Tensors("most_confident_mistakes")
    width, height, encoded = tensor_util.make_ndarray(event.tensor_proto)
    assert (int(width), int(height)) == (40, 30)
    assert encoded.startswith(b"\x89PNG")
