import dataclasses
import json
import signal
import time
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from svhn.checkpoints import newest_checkpoint, read_state
from svhn.errors import UserError
from svhn.training.config import TrainingConfig
from svhn.training.devices import Cluster, Workers, read_cluster
from svhn.training.loop import train
from tests.small_conversion import write_conversion
from tests.training.workers import free_addresses, start_workers, tf_config

NUMBERS = {
    "train": [str(number) for number in range(10, 50)],
    "val": ["7", "12", "123", "4", "56", "123456"],
}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return str(write_conversion(tmp_path_factory.mktemp("data"), NUMBERS))


def config(data_dir, folder, **changes):
    flags = {
        "steps": 6,
        "batch_size": 16,
        "evaluate_every": 3,
        "schedule": "constant",
        "warmup_steps": 0,
        "model": "plain",
        "optimizer": "sgd",
        "learning_rate": 0.01,
        "seed": 4,
    }
    return TrainingConfig(data_dir, train_logdir=str(folder), **{**flags, **changes})


def flags_of(config):
    return [
        f"--{name}={value}"
        for name, value in dataclasses.asdict(config).items()
        if value not in (None, [])
    ]


def arrays(folder):
    """Weights, statistics, optimizer and dropout generators of the newest checkpoint, by name."""
    reader = tf.train.load_checkpoint(newest_checkpoint(folder))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.startswith(("weights/", "optimizer/", "random/"))
    }


@pytest.fixture
def exact_steps(warm_programs):
    """Starts a process that trains some steps in float64; see `tests.training.exact_steps`."""

    def start(output, replicas, models, environment=None):
        command = ["-m", "tests.training.exact_steps", output, replicas, *models]
        return warm_programs.start(*command, environment=environment)

    return start


def assert_alike(output, other):
    one, two = np.load(output), np.load(other)
    assert one.files == two.files
    for name in one.files:
        # Every entry has moved by about 0.004. The loss is computed in float32: its rounding
        # reaches the weights, and Adam's division makes more of it where gradients are small.
        np.testing.assert_allclose(two[name], one[name], rtol=1e-6, atol=1e-5, err_msg=name)


@pytest.mark.slow
def test_two_replicas_and_two_workers_train_as_one_device(exact_steps, tmp_path):
    addresses, readers = free_addresses(2), ["compact", "plain", "taught"]
    runs = {"one": exact_steps(tmp_path / "one.npz", 1, readers)}
    for position in range(2):
        environment = {"TF_CONFIG": tf_config(addresses, position)}
        name = f"worker_{position}"
        runs[name] = exact_steps(tmp_path / f"{name}.npz", 0, readers, environment)
    runs["replicas"] = exact_steps(tmp_path / "replicas.npz", 2, readers)
    assert_all_alike(runs, tmp_path)


@pytest.mark.slow
def test_two_replicas_train_a_detector_as_one_device(exact_steps, tmp_path):
    runs = {
        name: exact_steps(tmp_path / f"{name}.npz", replicas, ["detector"])
        for name, replicas in (("one", 1), ("replicas", 2))
    }
    assert_all_alike(runs, tmp_path)


def assert_all_alike(runs, tmp_path):
    for name, process in runs.items():
        _, errors = process.communicate()
        assert process.returncode == 0, errors
        assert_alike(tmp_path / "one.npz", tmp_path / f"{name}.npz")


@pytest.mark.slow
def test_another_number_of_replicas_continues_the_same_run(data_dir, tmp_path, warm_programs):
    train(config(data_dir, tmp_path / "one"))
    half = config(data_dir, tmp_path / "two", steps=3)
    done = warm_programs.run("-m", "tests.training.replicas", "2", *flags_of(half))
    assert done.returncode == 0, done.stderr
    train(config(data_dir, tmp_path / "two"))
    one, two = arrays(tmp_path / "one"), arrays(tmp_path / "two")
    assert one.keys() == two.keys()
    for name, array in one.items():
        # float32; an entry moves by about 0.01.
        np.testing.assert_allclose(two[name], array, rtol=1e-3, atol=2e-5, err_msg=name)


def test_a_batch_that_the_replicas_cannot_share_is_refused(data_dir, tmp_path):
    strategy = SimpleNamespace(num_replicas_in_sync=3, cluster_resolver=None)
    with pytest.raises(UserError, match=r"--batch_size=16 .*multiple of 3"):
        train(config(data_dir, tmp_path), strategy)


def line_with(words, process):
    """Reads a process's standard output up to a line with some words."""
    for line in process.stdout:
        if words in line:
            return line
    raise AssertionError(f"no {words!r}: {process.errors()}")


def ended(process):
    """Waits for a process; returns its status, output and errors."""
    output, errors = process.communicate()
    assert "Traceback" not in errors, errors
    return process.returncode, output, errors


@pytest.mark.slow
def test_a_killed_worker_and_a_signal_end_all_and_the_run_goes_on(
    data_dir, tmp_path, warm_programs
):
    flags = config(data_dir, tmp_path, steps=90, evaluate_every=15, learning_rate=1e-3)

    # One is killed: the other ends by itself, soon, and says what to do.
    chief, other = start_workers(warm_programs, [flags_of(flags)] * 2)
    line_with("step 15/90", chief)
    other.kill()
    killed = time.monotonic()
    status, _, errors = ended(chief)
    assert status == 1 and time.monotonic() - killed < 40
    (line,) = [line for line in errors.splitlines() if "another worker" in line]
    assert "Start all workers again" in line and str(tmp_path) in line
    ended(other)

    # Started again, a SIGTERM at either ends both, with one checkpoint.
    chief, other = start_workers(warm_programs, [flags_of(flags)] * 2)
    assert "at step 15" in line_with("Continues", chief)
    line_with("step 30/90", chief)
    other.send_signal(signal.SIGTERM)
    status, output, _ = ended(chief)
    assert status == 128 + signal.SIGTERM
    assert "Stopped by SIGTERM and saved at step" in output
    status, output, _ = ended(other)
    assert status == 128 + signal.SIGTERM
    assert "step" not in output, "only the chief speaks"
    step = read_state(newest_checkpoint(tmp_path))["step"]
    assert 30 <= step < 90
    assert len(list((tmp_path / "train").glob("*tfevents*"))) == 2, "only the chief writes events"

    # One process brings the run to its end.
    assert train(flags) == 0
    assert read_state(newest_checkpoint(tmp_path))["step"] == 90


class OfTwo(Workers):
    """The second of two workers; the first has the values of `chief`."""

    def __init__(self, chief):
        self.count, self.position, self.chief = 2, 1, chief

    def from_chief(self, value):
        return self.chief.from_chief(value)

    def sums(self, values):
        return list(values)


def test_workers_with_different_commands_are_refused():
    alone = Workers(tf.distribute.get_strategy())
    assert alone.is_chief and alone.count == 1
    OfTwo(alone).require_same("flags", {"seed": 1})
    other = SimpleNamespace(from_chief=lambda value: value + 1)
    with pytest.raises(UserError, match="1 of 2 workers have flags other than the chief's"):
        OfTwo(other).require_same("flags", {"seed": 1})


def environment(cluster, task):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": task})}


TWO = ["one:1", "two:2"]


@pytest.mark.parametrize(
    ("cluster", "task", "expected"),
    [
        ({"worker": TWO}, {"type": "worker", "index": 1}, Cluster(("one:1", "two:2"), 1)),
        ({"worker": TWO}, {"type": "worker", "index": "0"}, Cluster(("one:1", "two:2"), 0)),
        (
            {"worker": TWO, "chief": ["zero:3"]},
            {"type": "worker", "index": 1},
            Cluster(("zero:3", "one:1", "two:2"), 2),
        ),
        ({"worker": ["one:1"]}, {"type": "worker", "index": 0}, None),
        ({}, {"type": "worker", "index": 0}, None),
    ],
)
def test_tf_config(cluster, task, expected):
    assert read_cluster(environment(cluster, task)) == expected


def test_without_tf_config_there_is_one_machine():
    assert read_cluster({}) is None
    assert read_cluster({"TF_CONFIG": " "}) is None


FIRST = {"type": "worker", "index": 0}


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"TF_CONFIG": "{'cluster': {}}"}, "is not JSON"),
        ({"TF_CONFIG": "[1]"}, "is not a JSON object"),
        (environment(TWO, FIRST), "by kind of task"),
        (environment({"worker": "one:1,two:2"}, FIRST), "by kind of task"),
        (environment({"worker": TWO, "ps": ["three:3"]}, FIRST), 'of the kind "ps"'),
        (environment({"chief": TWO}, {"type": "chief", "index": 0}), "more than one chief"),
        (environment({"worker": ["one", "two:2"]}, FIRST), "'one', which is not HOST:PORT"),
        (environment({"worker": ["one:1", "two:70000"]}, FIRST), "'two:70000'"),
        (environment({"worker": ["one:1", "one:1"]}, FIRST), "one:1 twice"),
        (environment({"worker": TWO}, None), 'doesn\'t say in "task"'),
        (environment({"worker": TWO}, {"type": "chief", "index": 0}), "'chief'"),
        (environment({"worker": TWO}, {"type": "worker", "index": 2}), "worker 2; there are 2"),
        (environment({"worker": TWO}, {"type": "worker"}), "worker None; there are 2"),
    ],
)
def test_a_malformed_tf_config_is_one_line(variables, words):
    with pytest.raises(UserError) as caught:
        read_cluster(variables)
    message = str(caught.value)
    assert message.startswith("TF_CONFIG ") and words in message and "\n" not in message
