"""From a checkpoint to released weights: what the file says, and what half precision changes."""

import dataclasses
import json

import keras
import numpy as np
import pytest

from svhn.checkpoints import Checkpoints, load_model
from svhn.errors import UserError
from svhn.evaluation.config import EvaluationConfig
from svhn.evaluation.evaluate import evaluate
from svhn.evaluation.measure import fit_calibration
from svhn.evaluation.predict import evaluate_split
from svhn.evaluation.release import compare, release
from svhn.evaluation.release_config import ReleaseConfig
from svhn.evaluation.temperature import HIGHEST, LOWEST
from svhn.models import build_model
from svhn.released import PACKAGED_DETECTOR
from svhn.released_weights import write_released
from svhn.stored_calibration import StoredCalibration
from tests.evaluation.test_measure import predictions_of
from tests.small_conversion import write_conversion

STORED = StoredCalibration(0.5, {0.9: 0.125, 0.98: None}, photos=40)
CONFIG = {
    "model": "plain",
    "seed": 3,
    "learning_rate": 0.5,
    "average_decay": 0.9,
    "data_dir": "/home/somebody/data",
    "train_logdir": "/home/somebody/logs",
    "restore_checkpoint": "/home/somebody/reader.npz",
    "backbone_weights": "/home/somebody/vgg16.h5",
    "teachers": ["/home/somebody/teacher.npz"],
}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    numbers = {"val": ["7", "42", "365"] * 4, "test": ["1"] * 3}
    return write_conversion(tmp_path_factory.mktemp("data"), numbers)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    keras.utils.set_random_seed(1)
    model, average = build_model("plain"), build_model("plain")
    folder = tmp_path_factory.mktemp("run")
    state = {"step": 9, "config": CONFIG, "calibration": STORED.as_json(), "data": {"photos": 5}}
    Checkpoints(folder, model, averaged=average).save(state)
    return folder


def test_the_average_is_released_with_scores_and_without_paths(
    tmp_path, run_folder, data_dir, capsys
):
    output = tmp_path / "reader.npz"
    config = ReleaseConfig(
        str(run_folder), output=str(output), recipe="a test", data_dir=str(data_dir)
    )
    assert release(config) == 0
    shown = capsys.readouterr().out
    assert "of 12 photos are read otherwise" in shown
    assert f"{output}: " in shown and "plain at step 9, temperature" in shown

    released, original = load_model(output), load_model(run_folder)
    for ours, theirs in zip(released.model.weights, original.model.weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)
    assert released.calibration.photos == 12  # found anew: STORED has 40
    assert LOWEST <= released.calibration.temperature <= HIGHEST
    assert (released.state["seed"], released.state["recipe"]) == (3, "a test")
    assert released.state["config"]["learning_rate"] == 0.5
    assert released.state["data"] == {"photos": 5}
    assert "somebody" not in json.dumps(released.state)
    assert released.state["scores"]["photos"] == 12
    assert released.state["half_precision"]["photos"] == 12

    # eval.py on the file finds the very scores that the file says.
    folder = tmp_path / "eval"
    evaluation = {"splits": ["val"], "eval_logdir": str(folder), "sheet_size": 0}
    assert evaluate(EvaluationConfig(str(data_dir), str(output), **evaluation)) == 0
    results = json.loads((folder / "results.json").read_text())
    scores = {**released.state["scores"]}
    assert (scores.pop("split"), scores.pop("manifest_sha256")) == (
        "val",
        results["manifest_sha256"],
    )
    assert scores == results["splits"]["val"]
    assert results["calibration"] == released.calibration.as_json()


def test_the_mean_of_two_networks(tmp_path, run_folder):
    other = tmp_path / "other.npz"
    release(ReleaseConfig(str(run_folder), output=str(other)))
    mean = tmp_path / "mean.npz"
    first = load_model(other)
    doubled = tmp_path / "doubled.npz"
    first.model.set_weights([2 * weight for weight in first.model.get_weights()])
    write_released(doubled, first, {})
    config = ReleaseConfig(
        str(run_folder), average_with=str(doubled), average_share=0.25, output=str(mean)
    )
    release(config)
    released, original = load_model(mean), load_model(run_folder)
    for ours, theirs in zip(released.model.weights, original.model.weights, strict=True):
        np.testing.assert_allclose(ours, 1.25 * np.asarray(theirs), rtol=2e-3, atol=1e-6)
    assert not released.calibration.photos  # the one of the first is not that of the mean
    assert released.state["averaged_with_share"] == 0.25


def test_the_mean_needs_two_of_a_kind(tmp_path, run_folder):
    compact = tmp_path / "compact.npz"
    loaded = dataclasses.replace(
        load_model(run_folder), model=build_model("compact"), config={"model": "compact"}
    )
    write_released(compact, loaded, {})
    config = ReleaseConfig(
        str(run_folder), average_with=str(compact), output=str(tmp_path / "mean.npz")
    )
    with pytest.raises(UserError, match=r"is a 'compact' network\. Expected: a 'plain'"):
        release(config)


def test_without_data_the_file_says_no_scores(tmp_path, run_folder, capsys):
    output = tmp_path / "reader.npz"
    assert release(ReleaseConfig(str(run_folder), str(output))) == 0
    assert "No --data_dir" in capsys.readouterr().out
    released = load_model(output)
    assert "scores" not in released.state
    assert released.calibration == STORED


def test_the_calibration_of_another_network(tmp_path, run_folder, data_dir):
    twin, mean, output = (tmp_path / name for name in ("twin.npz", "mean.npz", "reader.npz"))
    release(ReleaseConfig(str(run_folder), str(twin)))
    release(ReleaseConfig(str(run_folder), str(mean), average_with=str(twin)))
    config = ReleaseConfig(str(mean), str(output), calibration_of=str(twin))
    assert release(config) == 0
    released = load_model(output)
    assert released.calibration == STORED
    assert released.state["calibrated_as_another"]
    for ours, theirs in zip(released.model.weights, load_model(mean).model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)

    for changes, message in (
        ({"data_dir": str(data_dir)}, "Leave one of both out"),
        ({"calibration_of": str(mean)}, f"--calibration_of={mean} has no calibration"),
    ):
        with pytest.raises(UserError, match=message):
            release(dataclasses.replace(config, **changes))


def test_the_calibration_of_another_detector(tmp_path, data_dir):
    output = tmp_path / "detector.npz"
    untold = tmp_path / "untold.npz"
    release(ReleaseConfig(str(PACKAGED_DETECTOR), str(untold)))
    config = ReleaseConfig(str(untold), str(output), calibration_of=str(PACKAGED_DETECTOR))
    assert release(config) == 0
    released, twin = (load_model(file, task=None) for file in (output, PACKAGED_DETECTOR))
    for name in ("box_scale", "outline"):
        assert released.state[name] == twin.state[name]
        assert name not in load_model(untold, task=None).state
    assert "agreement" not in released.state  # python -m svhn.agreement keeps it there

    for changes, message in (
        ({"data_dir": str(data_dir)}, "Leave one of both out"),
        ({"calibration_of": str(untold)}, f"--calibration_of={untold} has no calibration"),
    ):
        with pytest.raises(UserError, match=message):
            release(dataclasses.replace(config, **changes))


def test_the_calibration_of_another_kind_of_network(tmp_path, run_folder):
    for network, other, expected in (
        (PACKAGED_DETECTOR, run_folder, r"is a 'plain' network\. Expected: a detector"),
        (run_folder, PACKAGED_DETECTOR, r"is a 'detector' network\. Expected: a reader"),
    ):
        config = ReleaseConfig(str(network), str(tmp_path / "a.npz"), calibration_of=str(other))
        with pytest.raises(UserError, match=expected):
            release(config)


def test_the_name_must_be_that_of_such_a_file(tmp_path, run_folder):
    with pytest.raises(UserError, match=r"--output=.*ends with \.npz"):
        release(ReleaseConfig(str(run_folder), str(tmp_path / "reader.h5")))


def test_a_network_that_has_learnt_from_val_is_named(tmp_path, run_folder, data_dir, capsys):
    learnt, output = tmp_path / "learnt.npz", tmp_path / "reader.npz"
    write_released(learnt, load_model(run_folder), {"data": {"splits": ["train", "val"]}})
    release(ReleaseConfig(str(learnt), str(output)))
    assert "warning" not in capsys.readouterr().err
    release(ReleaseConfig(str(learnt), str(output), data_dir=str(data_dir)))
    assert f"warning: {learnt} was trained on val, too." in capsys.readouterr().err


def test_the_released_weights_are_calibrated_anew(tmp_path, run_folder, data_dir):
    output = tmp_path / "reader.npz"
    release(ReleaseConfig(str(run_folder), str(output), data_dir=str(data_dir)))
    released = load_model(output)
    predictions = evaluate_split(released.model, data_dir, "val", 12)
    assert released.calibration == fit_calibration(predictions)[0]


def test_data_without_val_photos_are_refused_before_anything_is_written(tmp_path, run_folder):
    data_dir = write_conversion(tmp_path / "data", {"test": ["1"]})
    output = tmp_path / "reader.npz"
    with pytest.raises(UserError, match="val"):
        release(ReleaseConfig(str(run_folder), str(output), data_dir=str(data_dir)))
    assert not output.exists()


def test_the_changes_are_counted():
    before = predictions_of(400, factor=1)
    same = compare(before, before)
    assert (same.photos, same.readings, same.confidence, same.accuracy) == (400, 0, 0, 0)
    sharper = compare(before, before.at_temperature(0.5))
    assert sharper.confidence > 0.1
    assert sharper.readings == np.count_nonzero(
        (before.predicted != before.at_temperature(0.5).predicted).any(axis=1)
    )
