"""What holds for a run of the reader (test_loop.py) holds for one of the detector."""

import functools
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from svhn.augmentation_config import Augmentation
from svhn.checkpoints import load_model, newest_checkpoint, read_state
from svhn.detection.average_precision import average_precision
from svhn.detection.box_scale import BoxScale, fit_box_scale
from svhn.detection.outline import Outline, fit_outline
from svhn.errors import UserError
from svhn.evaluation.detect import detect_split
from svhn.evaluation.detection_scores import scores_as_json
from svhn.evaluation.release import release
from svhn.evaluation.release_config import ReleaseConfig
from svhn.models import models_of
from svhn.training import detector_task
from svhn.training.config import TrainingConfig
from svhn.training.loop import train
from tests.small_conversion import write_conversion
from tests.small_detector import shrink_detector
from tests.training.reached_pipeline import asked_of_pipeline

pytestmark = pytest.mark.slow

NUMBERS = {
    "train": [str(number) for number in range(10, 34)],
    "val": ["7", "12", "123", "4", "56"],
}


@pytest.fixture(scope="module", autouse=True)
def small_detector():
    with pytest.MonkeyPatch.context() as patch:
        shrink_detector(patch)
        yield


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return str(write_conversion(tmp_path_factory.mktemp("data"), NUMBERS))


def config(data_dir, folder, **changes):
    flags = {
        "task": "detector",
        "steps": 6,
        "batch_size": 2,
        "window_size": 64,
        "val_size": 64,
        "evaluate_every": 3,
        "log_every": 2,
        "seed": 4,
        "schedule": "plateau",
        "plateau_patience": 1,
        "average_decay": 0.9,
        "gradient_clip": 0.1,
    }
    return TrainingConfig(data_dir, train_logdir=str(folder), **{**flags, **changes})


@pytest.fixture(scope="module")
def finished(data_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    assert train(config(data_dir, folder)) == 0
    return folder


def test_mix_balance_and_augmentation_reach_the_pipeline(data_dir, tmp_path, monkeypatch):
    make_config = functools.partial(config, data_dir, tmp_path)
    asked = asked_of_pipeline(monkeypatch, detector_task, "training_windows", make_config)
    assert asked == (["train", "val"], [3, 2], 0.5, Augmentation(0.75, 0.25))


def tensors(prefix):
    """Weights, average, optimizer and random generators of a checkpoint, by name."""
    reader = tf.train.load_checkpoint(prefix)
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.startswith(("weights/", "averaged/", "optimizer/", "random/"))
    }


def events(folder, run):
    accumulator = EventAccumulator(str(folder / run), size_guidance={"tensors": 0})
    accumulator.Reload()
    return {
        tag: {event.step: event.tensor_proto for event in accumulator.Tensors(tag)}
        for tag in accumulator.Tags()["tensors"]
        if not tag.startswith("_")
    }


def test_a_run_that_was_killed_ends_like_the_one_that_was_left_alone(
    finished, data_dir, tmp_path, capsys
):
    # As if it had been killed while the last checkpoint was written: step 3 is the last whole one.
    killed = tmp_path / "killed"
    shutil.copytree(finished, killed)
    data = next(killed.glob("model.ckpt-6.data-*"))
    data.write_bytes(data.read_bytes()[:99])
    train(config(data_dir, killed, steps_per_call=2))
    out = capsys.readouterr().out
    assert out.startswith("detector: ") and "at step 3" in out
    assert "(classes " in out and "Best average precision at IoU 0.5 on val: " in out
    for folder in ("", "best"):
        one, other = (newest_checkpoint(run / folder) for run in (finished, killed))
        ours, theirs = tensors(one), tensors(other)
        assert ours.keys() == theirs.keys() and any("averaged/" in name for name in ours)
        for name, value in ours.items():
            np.testing.assert_array_equal(value, theirs[name], err_msg=name)
        for part in ("step", "run", "scores", "epoch"):
            assert read_state(one)[part] == read_state(other)[part]
    for run in ("train", "val", "val_raw"):
        one, other = events(finished, run), events(killed, run)
        assert {tag: list(points) for tag, points in one.items()} == {
            tag: list(points) for tag, points in other.items()
        }


FIGURES = ("loss", "classes", "boxes", "numbers")


def test_the_checkpoint_says_what_its_weights_score(finished, data_dir):
    state = read_state(newest_checkpoint(finished))
    assert state["calibration"] is None
    assert state["epoch"] == pytest.approx(6 * 2 * 3 / 24)
    loaded = load_model(newest_checkpoint(finished), task="detector")
    detections = detect_split(loaded.model, data_dir, "val", 5, 64)
    expected = scores_as_json(detections.average_precision(), 5)
    assert state["scores"].keys() == expected.keys()
    for name in ("photos", "average_precision", "average_precision_at_iou_0.5"):
        assert state["scores"][name] == pytest.approx(expected[name], rel=1e-3)
    assert state["run"]["best_score"] >= state["scores"]["average_precision_at_iou_0.5"]
    assert any(len(found.labels) for found in detections.detected)
    for tag, losses in zip(FIGURES, detections.losses, strict=True):
        shown = float(tf.make_ndarray(events(finished, "val")[f"loss/{tag}"][6]))
        assert shown == pytest.approx(losses.mean(), rel=1e-3)


def test_tensorboard_has_curves_pictures_and_graph(finished):
    train_events, val_events = events(finished, "train"), events(finished, "val")
    for tag in (f"loss/{name}" for name in FIGURES):
        assert list(train_events[tag]) == [2, 3, 4, 6]
        assert list(val_events[tag]) == list(events(finished, "val_raw")[tag]) == [3, 6]
    assert list(train_events["training/gradient_norm"]) == [2, 3, 4, 6]
    for tag in ("average_precision/at_iou_0.5", "average_precision/mean_of_0.5_to_0.95"):
        assert list(val_events[tag]) == [3, 6]
    total, classes, boxes, numbers = (
        float(tf.make_ndarray(train_events[f"loss/{name}"][6])) for name in FIGURES
    )
    assert total == pytest.approx(classes + 2 * boxes + numbers, rel=1e-5)
    assert list(val_events["pictures/samples"]) == [3, 6]


def test_a_detector_is_released_with_its_scores(finished, data_dir, tmp_path, capsys):
    output = tmp_path / "detector.npz"
    assert release(ReleaseConfig(str(finished), str(output), "a test", str(data_dir))) == 0
    assert "average precision" in capsys.readouterr().out
    released = load_model(output, task="detector")
    assert released.config["val_size"] == 64
    assert json.loads(json.dumps(released.state["scores"]))["photos"] == 5
    assert released.state["half_precision"]["photos"] == 5
    found = detect_split(released.model, data_dir, "val", 5, 64)
    scale = fit_box_scale(found.detected, found.labelled)
    assert tuple(released.state["box_scale"]) == scale == BoxScale.of(released.state)
    drawn = Outline.of(released.state)
    trained_on = detect_split(released.model, data_dir, "train", 5, 64)
    assert drawn == fit_outline(
        [scale.applied(each) for each in (*found.detected, *trained_on.detected)],
        [*found.labelled, *trained_on.labelled],
        [height for height, _ in (*found.photo_sizes, *trained_on.photo_sizes)],
    )
    scaled = average_precision(
        [
            drawn.digits(scale.applied(each), *size)
            for each, size in zip(found.detected, found.photo_sizes, strict=True)
        ],
        found.labelled,
    )
    scores = released.state["scores"]
    assert scores["average_precision_at_iou_0.5"] == pytest.approx(scaled.at_half)
    with pytest.raises(UserError, match=r"detector\.npz holds a detector .*Expected: a reader"):
        load_model(output)


def test_a_checkpoint_of_a_detector_is_no_reader(finished):
    with pytest.raises(UserError, match=r"holds a detector .*Expected: a reader") as caught:
        load_model(finished)
    assert "\n" not in str(caught.value)
    assert load_model(finished, task=None).config["task"] == "detector"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "compact"}, "--model=compact is no model of --task=detector"),
        ({"task": "reader", "model": "detector"}, "--model=detector is no model of --task=reader"),
        ({"label_smoothing": 0.1}, r"--label_smoothing=0.1 is a flag of --task=reader"),
        ({"teachers": ["a", "b"]}, r"--teachers=a,b is a flag of --task=reader"),
        ({"teacher_share": 0.7}, r"--teacher_share=0.7 is a flag of --task=reader"),
        ({"task": "reader"}, r"--window_size=64 is a flag of --task=detector"),
        ({"window_size": 100}, r"--window_size=100: expected a multiple of 32"),
        ({"val_size": 100}, r"--val_size=100: expected a multiple of 32"),
        ({"backbone_weights": "imagenet"}, "--model=detector has no backbone"),
    ],
)
def test_flags_that_mean_nothing_for_the_task_are_refused(data_dir, tmp_path, changes, words):
    with pytest.raises(UserError, match=words) as caught:
        train(config(data_dir, tmp_path / "run", **changes))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("task", ["reader", "detector"])
def test_defaults_are_the_tasks_own_and_give_way(task):
    flags = TrainingConfig("data", task=task)
    assert flags.model == models_of(task)[0]
    assert (flags.window_size is None) == (task == "reader")
    assert TrainingConfig("data", task=task, batch_size=7, weight_decay=0.0).weight_decay == 0
