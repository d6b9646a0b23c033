import functools
import json
import os
import re
import signal

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from svhn.augmentation_config import Augmentation
from svhn.checkpoints import load_model, newest_checkpoint, read_state
from svhn.errors import UserError
from svhn.evaluation.measure import fit_calibration
from svhn.evaluation.predict import evaluate_split
from svhn.training import reader_task
from svhn.training.config import TrainingConfig
from svhn.training.loop import train
from svhn.training.summaries import Summaries
from tests.small_conversion import write_conversion
from tests.training.reached_pipeline import asked_of_pipeline

pytestmark = pytest.mark.slow

NUMBERS = {
    "train": [str(number) for number in range(10, 34)],
    "val": ["7", "12", "123", "4", "56", "123456"],
}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return str(write_conversion(tmp_path_factory.mktemp("data"), NUMBERS))


@pytest.fixture(autouse=True)
def no_charts(monkeypatch):
    """Only the runs that tests share draw charts: that takes longer than everything else."""
    monkeypatch.setattr(reader_task, "draw_charts", lambda *_: {})


def config(data_dir, folder, **changes):
    # Constant rate: with another number of steps the cosine would be another.
    flags = {
        "steps": 6,
        "batch_size": 5,
        "evaluate_every": 3,
        "log_every": 2,
        "seed": 4,
        "schedule": "constant",
        "model": "plain",
    }
    return TrainingConfig(data_dir, train_logdir=str(folder), **{**flags, **changes})


@pytest.fixture(scope="module")
def finished(data_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    assert train(config(data_dir, folder)) == 0
    return folder


def weights(folder):
    return load_model(newest_checkpoint(folder)).model.get_weights()


def test_a_finished_run_leaves_the_last_and_the_best(finished, data_dir):
    assert newest_checkpoint(finished).endswith("model.ckpt-6")
    assert newest_checkpoint(finished / "best")
    state = read_state(newest_checkpoint(finished))
    assert state["config"]["seed"] == 4
    assert state["data"]["photos"] == 24
    assert state["epoch"] == pytest.approx(6 * 5 / 24)


def test_each_evaluation_stores_what_makes_its_confidence_honest(finished, data_dir):
    for folder in (finished, finished / "best"):
        loaded = load_model(newest_checkpoint(folder))
        predictions = evaluate_split(loaded.model, data_dir, "val", 6)
        expected, _ = fit_calibration(predictions)
        assert loaded.calibration.temperature == pytest.approx(expected.temperature, abs=2e-4)
        assert loaded.calibration.photos == 6
        assert loaded.calibration.thresholds.keys() == expected.thresholds.keys()
    tags = ("confidence/temperature", "confidence/mean")
    temperature, mean = (values(finished, "val", tag) for tag in tags)
    saved = load_model(newest_checkpoint(finished)).calibration
    assert temperature[6] == pytest.approx(saved.temperature)
    last = evaluate_split(load_model(newest_checkpoint(finished)).model, data_dir, "val", 6)
    again = last.at_temperature(saved.temperature)
    assert mean[6] == pytest.approx(again.confidence.mean(), rel=1e-4)
    # The loss stays that of the undivided logits: comparable with training's.
    loss = values(finished, "val", "accuracy_and_loss/loss")
    assert loss[6] == pytest.approx(last.mean_loss, rel=1e-4)


def test_scores_on_photos_that_are_trained_on_are_told_apart(finished, data_dir, tmp_path, capsys):
    train(config(data_dir, tmp_path, splits=["train", "val"], steps=1))
    assert "--splits=train,val trains on val" in capsys.readouterr().err
    train(config(data_dir, finished))
    assert not capsys.readouterr().err


def test_a_finished_run_has_nothing_more_to_do(finished, data_dir, capsys):
    before = weights(finished)
    assert train(config(data_dir, finished)) == 0
    assert "Finished all 6 steps" in capsys.readouterr().out
    for array, same in zip(before, weights(finished), strict=True):
        np.testing.assert_array_equal(array, same)


def test_a_run_in_two_parts_ends_like_one_in_one_part(finished, data_dir, tmp_path, capsys):
    train(config(data_dir, tmp_path, steps=3))
    train(config(data_dir, tmp_path))
    assert "Continues" in capsys.readouterr().out
    for one, two in zip(weights(finished), weights(tmp_path), strict=True):
        np.testing.assert_array_equal(one, two)


def values(folder, run, tag):
    accumulator = EventAccumulator(str(folder / run), size_guidance={"tensors": 0})
    accumulator.Reload()
    return {
        event.step: float(tf.make_ndarray(event.tensor_proto)) for event in accumulator.Tensors(tag)
    }


def points(folder, run, tag):
    return list(values(folder, run, tag))


def test_a_cut_off_run_goes_on_without_doubled_points_past_a_damaged_checkpoint(
    finished, data_dir, tmp_path, capsys
):
    train(config(data_dir, tmp_path))
    # As if it had been killed while the last checkpoint was written: step 3 is the last whole one.
    data = next(tmp_path.glob("model.ckpt-6.data-*"))
    data.write_bytes(data.read_bytes()[:99])
    train(config(data_dir, tmp_path))
    assert "model.ckpt-6 can't be read" in capsys.readouterr().err
    for one, two in zip(weights(finished), weights(tmp_path), strict=True):
        np.testing.assert_array_equal(one, two)
    assert points(tmp_path, "train", "accuracy_and_loss/loss") == [2, 3, 4, 6]
    assert points(tmp_path, "val", "accuracy_and_loss/loss") == [3, 6]


def test_a_signal_saves_and_ends_and_the_same_command_goes_on(
    data_dir, tmp_path, capsys, monkeypatch
):
    write_point = Summaries.training

    def write_point_and_send_signal(self, step, *figures):
        write_point(self, step, *figures)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Summaries, "training", write_point_and_send_signal)
    status = train(config(data_dir, tmp_path, evaluate_every=6))
    monkeypatch.undo()
    assert status == 128 + signal.SIGTERM
    out = capsys.readouterr().out
    assert "Stopped by SIGTERM and saved at step 2" in out and "same command" in out
    # These weights were not evaluated: no other's calibration is theirs.
    assert read_state(newest_checkpoint(tmp_path))["calibration"] is None
    assert train(config(data_dir, tmp_path, evaluate_every=6)) == 0
    assert "at step 2" in capsys.readouterr().out
    assert read_state(newest_checkpoint(tmp_path))["step"] == 6


def average_config(data_dir, folder, **changes):
    flags = {"average_decay": 0.9, "steps_per_call": 2, "schedule": "plateau"}
    return config(data_dir, folder, **{**flags, "plateau_patience": 1, **changes})


@pytest.fixture(scope="module")
def averaged(data_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("averaged")
    assert train(average_config(data_dir, folder)) == 0
    return folder


def test_the_average_is_scored_saved_and_loaded_beside_the_weights(averaged, data_dir):
    prefix = newest_checkpoint(averaged)
    average, raw = load_model(prefix).model, load_model(prefix, raw_weights=True).model
    assert any(
        (one != other).any()
        for one, other in zip(average.get_weights(), raw.get_weights(), strict=True)
    )
    predictions = evaluate_split(average, data_dir, "val", 6)
    raw_predictions = evaluate_split(raw, data_dir, "val", 6)
    tag = "accuracy_and_loss/loss"
    assert values(averaged, "val", tag)[6] == pytest.approx(predictions.mean_loss, rel=1e-4)
    assert values(averaged, "val_raw", tag)[6] == pytest.approx(raw_predictions.mean_loss, rel=1e-4)
    assert predictions.mean_loss != raw_predictions.mean_loss


def test_average_and_plateau_go_on_where_they_were(averaged, data_dir, tmp_path):
    # At step 3 another number of steps a call changes nothing.
    train(average_config(data_dir, tmp_path, steps=3))
    train(average_config(data_dir, tmp_path, steps_per_call=1))
    for raw_weights in (False, True):
        one, two = (
            load_model(newest_checkpoint(folder), raw_weights=raw_weights).model.get_weights()
            for folder in (averaged, tmp_path)
        )
        for array, same in zip(one, two, strict=True):
            np.testing.assert_array_equal(array, same)
    assert points(tmp_path, "val_raw", "accuracy_and_loss/loss") == [3, 6]


def test_a_plateau_lowers_the_learning_rate(data_dir, tmp_path):
    flags = {"learning_rate": 0.0, "evaluate_every": 1, "patience": 0, "warmup_steps": 0}
    train(config(data_dir, tmp_path, schedule="plateau", plateau_patience=2, steps=5, **flags))
    # The first evaluation is the best; the second and third after it lower the rate, and so on.
    assert read_state(newest_checkpoint(tmp_path))["run"]["falls"] == 2


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_trains_with_weights_in_single_precision(data_dir, tmp_path, precision):
    flags = {"steps": 4, "evaluate_every": 4, "profile_steps": ["2", "3"]}
    train(config(data_dir, tmp_path, precision=precision, **flags))
    assert all(weight.dtype == "float32" for weight in weights(tmp_path))
    losses = values(tmp_path, "train", "accuracy_and_loss/loss")
    assert np.isfinite(list(losses.values())).all()
    assert list(tmp_path.glob("train/plugins/profile/*/*.xplane.pb"))


@pytest.mark.parametrize("steps", [["5"], ["a", "b"], ["7", "3"], ["0", "3"]])
def test_profile_steps_that_name_no_steps_are_refused(data_dir, tmp_path, steps):
    with pytest.raises(UserError, match=r"--profile_steps=.*FIRST,LAST"):
        train(config(data_dir, tmp_path, profile_steps=steps))


def test_steps_between_the_calls_are_profiled(data_dir, tmp_path, capsys):
    flags = {"steps": 6, "evaluate_every": 6, "steps_per_call": 4, "log_every": 6}
    train(config(data_dir, tmp_path, profile_steps=["2", "3"], **flags))  # calls end at 4 and 6
    assert list(tmp_path.glob("train/plugins/profile/*/*.xplane.pb"))
    assert "nothing was recorded" not in capsys.readouterr().err


def test_steps_that_never_come_are_not_profiled_and_that_is_told(data_dir, tmp_path, capsys):
    train(config(data_dir, tmp_path, steps=2, profile_steps=["7", "9"]))
    assert not list(tmp_path.glob("train/plugins/profile/*/*.xplane.pb"))
    assert "warning: --profile_steps=7,9: nothing was recorded" in capsys.readouterr().err


def test_a_log_folder_that_cannot_be_written(data_dir, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        UserError, match=r"--train_logdir=.*file can't be written .*another"
    ) as told:
        train(config(data_dir, tmp_path / "file"))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"average_decay": 0.9}, "--average_decay was 0.0 and is now 0.9"),
        ({"optimizer": "sgd"}, "--optimizer was 'adamw' and is now 'sgd'"),
        ({"model": "compact"}, "--model was 'plain' and is now 'compact'"),
    ],
)
def test_flags_that_make_another_checkpoint_are_named(finished, data_dir, flags, words):
    with pytest.raises(UserError, match=re.escape(words)):
        train(config(data_dir, finished, **flags))


def test_another_learning_rate_is_refused(finished, data_dir):
    with pytest.raises(UserError, match="--learning_rate was"):
        train(config(data_dir, finished, learning_rate=0.5))


def test_a_new_run_may_start_from_another_runs_weights(finished, data_dir, tmp_path):
    # With a rate of zero the weights stay as they were; only batch statistics move.
    train(
        config(
            data_dir,
            tmp_path,
            restore_checkpoint=str(finished / "model.ckpt-6"),
            learning_rate=0.0,
            steps=1,
        )
    )
    new, old = (load_model(newest_checkpoint(folder)).model for folder in (tmp_path, finished))
    for one, two in zip(new.trainable_variables, old.trainable_variables, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step(data_dir, tmp_path):
    with pytest.raises(UserError, match=r"at step \d.*--learning_rate") as caught:
        train(config(data_dir, tmp_path, learning_rate=1e30, warmup_steps=0, steps=50))
    assert "\n" not in str(caught.value)


def test_weights_that_give_no_numbers_on_val_stop_the_run_too(data_dir, tmp_path):
    # The loss of the first step is still finite: the weights after it are not.
    flags = {"learning_rate": 1e38, "warmup_steps": 0, "evaluate_every": 1, "steps": 5}
    with pytest.raises(UserError, match=r"The loss became nan on val.*--learning_rate") as caught:
        train(config(data_dir, tmp_path, **flags))
    assert "\n" not in str(caught.value)
    assert newest_checkpoint(tmp_path) is None


def test_early_stopping(data_dir, tmp_path, capsys):
    # Nothing is learnt at a rate of zero, so the first evaluation stays the best.
    flags = {"learning_rate": 0.0, "evaluate_every": 1, "patience": 2, "steps": 50}
    train(config(data_dir, tmp_path, **flags))
    assert "Stopped early at step" in capsys.readouterr().out
    assert read_state(newest_checkpoint(tmp_path))["step"] < 50


def test_tensorboard_has_curves_pictures_graph_and_hyperparameters(finished):
    runs = {}
    for name in ("train", "val"):
        runs[name] = EventAccumulator(str(finished / name), size_guidance={"tensors": 0})
        runs[name].Reload()
    steps = {
        (name, tag): [event.step for event in run.Tensors(tag)]
        for name, run in runs.items()
        for tag in run.Tags()["tensors"]
        if not tag.startswith("_")
    }
    for tag in ("accuracy_and_loss/loss", "accuracy_and_loss/sequence_accuracy"):
        assert steps["train", tag] == [2, 3, 4, 6]
        assert steps["val", tag] == [3, 6]
    for tag in ("learning_rate", "images_per_second", "gradient_norm"):
        tag = f"training/{tag}"
        assert steps["train", tag] == [2, 3, 4, 6]
    assert steps["val", "pictures/samples"] == [3, 6]
    graph = runs["train"].Graph()
    assert any("convolution_1" in node.name for node in graph.node)
    metadata = runs["val"].SummaryMetadata("_hparams_/session_start_info")
    assert metadata.plugin_data.plugin_name == "hparams"


@pytest.mark.parametrize(
    ("numbers", "words"),
    [({"val": ["1"]}, "neither train nor extra"), ({"train": ["1"]}, "'val'")],
)
def test_without_photos_to_train_or_validate_on_it_says_so(tmp_path, numbers, words):
    data_dir = write_conversion(tmp_path / "data", numbers)
    with pytest.raises(UserError, match=words):
        train(config(str(data_dir), tmp_path / "run"))


def test_mix_balance_and_augmentation_reach_the_pipeline(data_dir, tmp_path, monkeypatch):
    make_config = functools.partial(config, data_dir, tmp_path)
    asked = asked_of_pipeline(monkeypatch, reader_task, "training_batches", make_config)
    assert asked == (["train", "val"], [3, 2], 0.5, Augmentation(0.75, 0.25))


def test_a_mix_of_other_splits_is_refused_before_anything_is_made(data_dir, tmp_path):
    with pytest.raises(
        UserError, match=r"--mix=train:1,extra:2 must name just .*: train\."
    ) as caught:
        train(config(data_dir, tmp_path / "run", mix=["train:1", "extra:2"]))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_flags_are_saved_as_json(finished):
    flags = read_state(newest_checkpoint(finished))["config"]
    assert json.loads(json.dumps(flags))["splits"] == []
