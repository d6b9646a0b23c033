"""A run that is killed again and again ends as the run that is left alone does, bit for bit."""

import random
import signal
import statistics
import threading
import time

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from svhn.checkpoints import newest_checkpoint, read_state
from tests.small_conversion import write_conversion

KILLS = (0,) * 6 + (1,) * 11 + (2,) * 3
"""Twenty; each comes after so many evaluations, and before another or right after it."""

EVALUATIONS, INTERVAL = 40, 8
"""More evaluations than the kills can let pass."""

NUMBERS = {
    "train": [str(number) for number in range(10, 50)],
    "val": ["7", "12", "123", "4", "56", "123456"],
}


def start(programs, data_dir, folder):
    flags = {
        "data_dir": data_dir,
        "train_logdir": folder,
        "model": "plain",
        "steps": EVALUATIONS * INTERVAL,
        "batch_size": 4,
        "evaluate_every": INTERVAL,
        "log_every": INTERVAL // 2,
        "seed": 3,
        "patience": 0,
        "average_decay": 0.99,
        "steps_per_call": 3,
        "schedule": "plateau",
        "plateau_patience": 4,
    }
    return programs.start("train.py", *(f"--{name}={value}" for name, value in flags.items()))


def evaluation_times(process):
    """When the model is built, and when each evaluation is done and saved, in seconds."""
    for line in process.stdout:
        if line.startswith(("plain: ", "step ")):
            yield time.monotonic()


def finish(process):
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    return output


def tensors(prefix):
    reader = tf.train.load_checkpoint(prefix)
    names = [name for name in reader.get_variable_to_shape_map() if name.endswith("VALUE")]
    return {name: reader.get_tensor(name) for name in names}


def assert_same_checkpoint(one, other):
    ours, theirs = tensors(one), tensors(other)
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        if not name.startswith("state/"):  # holds the folder's name
            np.testing.assert_array_equal(value, theirs[name], err_msg=name)
    for part in ("run", "calibration"):
        assert read_state(one)[part] == read_state(other)[part]


def points(folder, run):
    accumulator = EventAccumulator(str(folder / run), size_guidance={"tensors": 0})
    accumulator.Reload()
    tags = [tag for tag in accumulator.Tags()["tensors"] if not tag.startswith("_")]
    return {tag: [event.step for event in accumulator.Tensors(tag)] for tag in tags}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_kills_change_nothing(tmp_path, warm_programs):
    data_dir = write_conversion(tmp_path / "data", NUMBERS)
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    process = start(warm_programs, data_dir, alone)
    times = list(evaluation_times(process))
    finish(process)
    first, *others = np.diff(times)
    assert len(others) == EVALUATIONS - 1
    # A kill may hit anything: compiling, a step, an evaluation, a checkpoint or an events file.
    longest_waits = (first, *[1.2 * statistics.median(others)] * 2)

    moments = random.Random(7)
    checkpoints = []
    for evaluations in moments.sample(KILLS, len(KILLS)):
        process = start(warm_programs, data_dir, killed)
        times = evaluation_times(process)
        for _ in range(1 + evaluations):
            assert next(times, None), "it ended before it was killed"
        # At the next evaluation at the latest, however much faster the machine has become.
        at_random = threading.Timer(moments.uniform(0.0, longest_waits[evaluations]), process.kill)
        at_random.start()
        next(times, None)
        at_random.cancel()
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "it ended before it was killed"
        checkpoints.append(newest_checkpoint(killed))
    assert len(set(checkpoints)) > len(KILLS) / 2, f"kills between no steps: {checkpoints}"
    output = finish(start(warm_programs, data_dir, killed))
    assert f"Finished all {EVALUATIONS * INTERVAL:,} steps" in output

    assert_same_checkpoint(newest_checkpoint(alone), newest_checkpoint(killed))
    assert_same_checkpoint(newest_checkpoint(alone / "best"), newest_checkpoint(killed / "best"))
    for run in ("train", "val", "val_raw"):
        assert points(alone, run) == points(killed, run)
