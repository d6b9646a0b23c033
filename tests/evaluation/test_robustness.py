import json
from itertools import islice

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from svhn.data.records import read_photos
from svhn.evaluation.metrics import Proportion
from svhn.evaluation.predict import evaluate_split, make_predict_step
from svhn.evaluation.robustness import (
    PANELS,
    Measurement,
    Panel,
    measure_robustness,
    photo_generator,
)
from svhn.evaluation.robustness_report import (
    robustness_as_json,
    robustness_chart,
    robustness_table,
)
from svhn.geometry import union_box
from tests.small_conversion import small_model, write_conversion

NUMBERS = {"val": ["1", "23", "45", "678", "9012"]}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return write_conversion(tmp_path_factory.mktemp("data"), NUMBERS)


@pytest.fixture(scope="module")
def model():
    return small_model()


def test_photos_come_as_they_were_converted(data_dir):
    photos = list(read_photos(data_dir, "val"))
    assert sorted(photo.digits for photo in photos) == sorted(
        tuple(map(int, number)) for number in NUMBERS["val"]
    )
    assert {photo.folder for photo in photos} == {"train"}
    assert len({photo.file_name for photo in photos}) == 5
    for photo in photos:
        assert photo.boxes.shape == (len(photo.digits), 4)
        assert photo.encoded.startswith(b"\x89PNG")


@pytest.fixture
def recording_step(model):
    """Makes predict steps that keep the pictures in a list."""
    step = make_predict_step(model)

    def recording(seen):
        def recorded(images, labels):
            seen.append(np.asarray(images))
            return step(images, labels)

        return recorded

    return recording


def unchanged_only(name="nothing"):
    return Panel(name, "Nothing", None, (("as is", None),))


def test_the_unchanged_photo_is_the_one_of_the_evaluation(data_dir, model, recording_step):
    step = make_predict_step(model)
    photos = list(read_photos(data_dir, "val"))
    expected = evaluate_split(model, data_dir, "val", 2)
    (measured,) = measure_robustness(step, photos, batch_size=2, panels=[unchanged_only()])
    assert measured.sequence == Proportion(int(expected.right.sum()), 5)

    pictures, theirs = [], []
    measure_robustness(recording_step(pictures), photos, batch_size=5, panels=[unchanged_only()])
    evaluate_split(model, data_dir, "val", 5, predict_step=recording_step(theirs))
    np.testing.assert_array_equal(pictures[0], theirs[0])


def test_a_change_reaches_the_network_and_is_the_same_every_time(data_dir, recording_step):
    photos = list(read_photos(data_dir, "val"))
    runs = []
    for batch_size, seed in ((5, 1), (5, 1), (5, 2)):
        seen = []
        measure_robustness(recording_step(seen), photos, seed, batch_size)
        runs.append(seen)
    levels = sum(level is not None for panel in PANELS for _, level in panel.levels)
    assert len(runs[0]) == levels + 1  # the unchanged photos are measured once
    for first, second in zip(runs[0], runs[1], strict=True):
        np.testing.assert_array_equal(first, second)
    for changed in runs[0][1:]:
        assert np.abs(changed - runs[0][0]).max() > 0.01
    assert any((first != other).any() for first, other in zip(runs[0], runs[2], strict=True))


def test_what_a_change_is_given(data_dir, recording_step):
    photos = list(islice(read_photos(data_dir, "val"), 2))
    calls = []

    def change(photo, boxes, level, random):
        calls.append((boxes, level, random.integers(1 << 30)))
        return photo, union_box(boxes)

    panel = Panel("mine", "Mine", change, (("none", None), ("low", 1.0), ("high", 2.0)))
    results = measure_robustness(recording_step([]), photos, 3, panels=[panel])
    assert [result.level_name for result in results] == ["none", "low", "high"]
    assert [result.sequence.count for result in results] == [2, 2, 2]
    expected = [
        (level, photo_generator(3, "mine", photo).integers(1 << 30))
        for level in (1.0, 2.0)
        for photo in photos
    ]
    assert sorted(call[1:] for call in calls) == sorted(expected)  # threads come in any order


def measurements():
    counts = iter(range(99, 0, -1))
    return [
        Measurement(panel.name, level, name, Proportion(next(counts), 100))
        for panel in PANELS
        for name, level in panel.levels
    ]


def test_the_issues_levels_are_measured():
    levels = {panel.name: [name for name, _ in panel.levels] for panel in PANELS}
    assert levels["box_jitter"] == ["0", "5", "10", "20"]
    assert levels["margin"][0] == "15" and levels["margin"][-1] == "100"
    assert levels["rotation"][0] == "−15" and levels["rotation"][-1] == "15"
    assert set(levels) >= {"blur", "low_light", "jpeg", "greyscale"}


def test_table_and_json_have_every_figure():
    parts = measurements()
    table = robustness_table(parts)
    entries = json.loads(json.dumps(robustness_as_json(parts, {"seed": 4})))
    assert entries["seed"] == 4
    assert len(entries["measurements"]) == len(parts)
    for part, entry in zip(parts, entries["measurements"], strict=True):
        assert f"{100 * part.sequence.share:.2f} %" in table
        assert entry["low_95"] < entry["sequence_accuracy"] < entry["high_95"]
        assert entry["change"] == part.panel and entry["level"] == part.level
    for panel in PANELS:
        assert panel.title in table


def test_the_chart_has_a_panel_for_each_change_with_its_points():
    parts = measurements()
    figure = robustness_chart(parts, "A model")
    FigureCanvasAgg(figure).draw()
    shown = {axes.get_title(): axes for axes in figure.axes if axes.get_title()}
    assert list(shown) == [panel.title for panel in PANELS]
    for panel in PANELS:
        axes = shown[panel.title]
        assert [label.get_text() for label in axes.get_xticklabels()] == [
            name for name, _ in panel.levels
        ]
        points = axes.containers[0].lines[0].get_ydata()
        expected = [part.sequence.share for part in parts if part.panel == panel.name]
        np.testing.assert_allclose(points, expected)
        low, high = axes.get_ylim()
        assert low < min(part.sequence.interval[0] for part in parts) and high == 1
