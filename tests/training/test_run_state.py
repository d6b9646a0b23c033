import dataclasses

import pytest

from svhn.errors import UserError
from svhn.stored_calibration import StoredCalibration
from svhn.training.config import TrainingConfig
from svhn.training.run_state import (
    RunState,
    evaluation_interval,
    state_from_saved,
    state_to_save,
    total_steps,
)

CONFIG = TrainingConfig("data", batch_size=10, patience=2)
DATA = {"splits": ["train"], "photos": 95, "manifest_sha256": "1"}


def test_patience_counts_evaluations_without_a_better_one():
    state = RunState()
    kept = []
    for step, score in enumerate([0.1, 0.3, 0.2, 0.4, 0.4, 0.3], start=1):
        state.step = step
        kept.append(state.take_score(score, patience=2))
        assert state.stopped_early == (step == 6)
    assert kept == [True, True, False, True, False, False]
    assert (state.best_step, state.best_score) == (4, 0.4)


def test_without_patience_a_run_never_stops_early():
    state = RunState(best_score=0.9)
    for _ in range(50):
        state.take_score(0.5, patience=0)
    assert not state.stopped_early


def test_a_state_comes_back_from_what_was_saved():
    state = RunState(30, 0.5, 20, 1)
    saved = state_to_save(state, CONFIG, DATA)
    assert saved["step"] == 30
    assert saved["config"]["model"] == "compact"
    assert state_from_saved(saved, CONFIG, DATA) == state


@pytest.mark.parametrize(
    ("change", "data", "words"),
    [
        ({"learning_rate": 0.5}, DATA, "--learning_rate was 0.001 and is now 0.5"),
        ({"model": "goodfellow"}, DATA, "--model was 'compact' and is now 'goodfellow'"),
        ({}, {**DATA, "manifest_sha256": "2"}, "data set"),
    ],
)
def test_another_run_is_refused_in_one_line_that_names_the_difference(change, data, words):
    saved = state_to_save(RunState(30), CONFIG, DATA)
    with pytest.raises(UserError, match=words) as caught:
        state_from_saved(saved, dataclasses.replace(CONFIG, **change), data)
    assert "\n" not in str(caught.value)


def test_more_steps_and_more_patience_let_a_run_go_on():
    state = RunState(30, 0.5, 10, 2, stopped_early=True)
    saved = state_to_save(state, CONFIG, DATA)
    assert state_from_saved(saved, CONFIG, DATA).stopped_early
    longer = dataclasses.replace(CONFIG, patience=5, steps=1000)
    assert not state_from_saved(saved, longer, DATA).stopped_early


def test_a_run_from_when_there_was_only_the_reader_goes_on():
    saved = state_to_save(RunState(30, 0.5, 20, 1), CONFIG, DATA)
    saved["run"]["best_sequence_accuracy"] = saved["run"].pop("best_score")
    for flag in ("task", "window_size", "val_size"):
        del saved["config"][flag]
    assert state_from_saved(saved, CONFIG, DATA) == RunState(30, 0.5, 20, 1)


def test_what_the_detector_scores_is_saved():
    config = TrainingConfig("data", task="detector")
    scores = {"average_precision": 0.5}
    saved = state_to_save(RunState(30), config, DATA, None, scores)
    assert (saved["calibration"], saved["scores"]) == (None, scores)
    assert state_from_saved(saved, config, DATA) == RunState(30)


def test_an_epoch_of_the_detector_counts_all_photos_that_windows_take():
    config = TrainingConfig("data", task="detector", batch_size=10, epochs=2.0)
    assert config.photos_per_step == 30
    assert total_steps(config, 95) == 7
    assert state_to_save(RunState(3), config, {"photos": 90})["epoch"] == 1
    assert evaluation_interval(config, 1_000_000) == 2000


def test_steps_of_a_run_and_between_evaluations():
    assert total_steps(dataclasses.replace(CONFIG, epochs=2.0), 95) == 19
    assert total_steps(dataclasses.replace(CONFIG, steps=7), 95) == 7
    # A small data set: a twentieth of the run. A large one: 2,000 steps.
    assert evaluation_interval(dataclasses.replace(CONFIG, steps=1000), 95) == 50
    assert evaluation_interval(dataclasses.replace(CONFIG, epochs=10.0), 1_000_000) == 2000
    assert evaluation_interval(dataclasses.replace(CONFIG, evaluate_every=3), 95) == 3


def test_the_calibration_is_saved_and_is_no_part_of_what_a_run_is():
    stored = StoredCalibration(0.9, {0.98: 0.75}, 40)
    saved = state_to_save(RunState(30), CONFIG, DATA, stored)
    assert StoredCalibration.from_json(saved["calibration"]) == stored
    without = state_to_save(RunState(30), CONFIG, DATA)
    assert without["calibration"] is None
    assert state_from_saved(saved, CONFIG, DATA) == state_from_saved(without, CONFIG, DATA)
