"""A run that is killed again and again ends as the run that is left alone does, bit for bit."""

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from svhn.checkpoints import newest_checkpoint, read_state
from tests.small_conversion import write_conversion

ROOT = Path(__file__).resolve().parents[2]
KILLS = 20
STEPS = 2000
NUMBERS = {
    "train": [str(number) for number in range(10, 50)],
    "val": ["7", "12", "123", "4", "56", "123456"],
}


def start(data_dir, folder):
    flags = {
        "data_dir": data_dir,
        "train_logdir": folder,
        "model": "plain",
        "steps": STEPS,
        "batch_size": 4,
        "evaluate_every": 50,
        "log_every": 25,
        "seed": 3,
        "patience": 0,
        "average_decay": 0.99,
        "steps_per_call": 3,
        "schedule": "plateau",
        "plateau_patience": 4,
    }
    return subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *(f"--{k}={v}" for k, v in flags.items())],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process):
    output, _ = process.communicate(timeout=280)
    assert process.returncode == 0, output
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
def test_twenty_kills_change_nothing(tmp_path):
    data_dir = write_conversion(tmp_path / "data", NUMBERS)
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    finish(start(data_dir, alone))

    moments = random.Random(7)
    checkpoints = []
    for _ in range(KILLS):
        process = start(data_dir, killed)
        # The first line comes when the model is built; before that there is little to break. A
        # second one says that the run continues; each other is an evaluation, with checkpoints.
        for _ in range(moments.choice([1, 1, 2, 2, 3])):
            process.stdout.readline()
        time.sleep(moments.uniform(0.0, 1.0))
        if process.poll() is not None:
            break  # a machine so fast that the run was done before the last kills
        process.kill()
        process.communicate(timeout=60)
        checkpoints.append(newest_checkpoint(killed))
    assert len(checkpoints) >= KILLS / 2, f"the run ended after {len(checkpoints)} kills"
    assert len(set(checkpoints)) > len(checkpoints) / 4, f"kills between no steps: {checkpoints}"
    output = finish(start(data_dir, killed))
    assert f"Finished all {STEPS:,} steps" in output

    assert_same_checkpoint(newest_checkpoint(alone), newest_checkpoint(killed))
    assert_same_checkpoint(newest_checkpoint(alone / "best"), newest_checkpoint(killed / "best"))
    for run in ("train", "val", "val_raw"):
        assert points(alone, run) == points(killed, run)
