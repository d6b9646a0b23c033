"""What each lever changes, and the program that measures them one after the other."""

import contextlib
import dataclasses
import math
import time

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import levers
from benchmarks.lever_changes import BASE, BASE_FLAGS, LEVERS, START_LEARNING_RATE
from benchmarks.levers import BenchmarkConfig, Result, main, write_result
from svhn import preprocessing, random_view
from svhn.augmentation_config import Augmentation
from svhn.checkpoints import load_model
from svhn.data.mixing import parse_mix
from svhn.evaluation import predict, temperature
from svhn.labels import HEAD_NAMES, LENGTH_CLASSES, label_array
from svhn.models import build_model, compact, heads, picture_size_of
from svhn.models.cost import count_multiply_adds
from svhn.training import reader_task
from svhn.training.config import TrainingConfig
from tests.small_conversion import write_conversion

MODULES = (preprocessing, random_view, predict, temperature, compact, heads, reader_task)
"""What patches reach into."""


@contextlib.contextmanager
def restored():
    """Takes back what a lever has changed in this process."""
    before = [dict(vars(module)) for module in MODULES]
    defaults = Augmentation.__init__.__defaults__
    try:
        yield
    finally:
        Augmentation.__init__.__defaults__ = defaults
        for module, names in zip(MODULES, before, strict=True):
            vars(module).update(names)


# What they change


@pytest.mark.parametrize("name", LEVERS)
def test_a_lever_is_one_change_that_training_takes(name):
    lever = LEVERS[name]
    config = TrainingConfig("data", **(BASE_FLAGS | lever.flags))
    assert parse_mix(config.mix, config.splits) is None or len(config.mix) > 1
    assert lever.from_nothing == lever.what.endswith("*")
    changes = (lever.flags, lever.patch, lever.rendered_alone, lever.crops > 1)
    assert sum(map(bool, changes)) == (name != BASE)
    assert all(BASE_FLAGS.get(flag) != value for flag, value in lever.flags.items())


def test_a_wide_picture_is_what_is_built_trained_and_scored():
    with restored():
        LEVERS["wide_picture"].patch()
        assert build_model("compact").input_shape == (None, 40, 72, 3)
        assert picture_size_of("compact") == (40, 72)
    assert picture_size_of("compact") == (54, 54)


def crop():
    """What the network sees of a photo."""
    photo = tf.constant(np.random.default_rng(1).integers(0, 255, (60, 90, 3), np.uint8))
    boxes = tf.constant([[30.0, 20.0, 10.0, 20.0], [42.0, 20.0, 10.0, 20.0]])
    return preprocessing.crop(photo, preprocessing.tight_box(boxes)).numpy().tobytes()


def network():
    """The network's cost, its layers with weights or dropout, and the classes of a digit."""
    model = compact.build()
    layers = [
        (layer.name, layer.count_params(), getattr(layer, "rate", None)) for layer in model.layers
    ]
    return count_multiply_adds(model), layers, model.output["digit_1"].shape


def test_every_patch_changes_one_thing():
    pictures, layers, augmentation = crop(), network(), Augmentation()
    assert (crop(), network()) == (pictures, layers), "the same twice"
    for name in [name for name, lever in LEVERS.items() if lever.patch]:
        constants = dict(vars(compact))
        with restored():
            LEVERS[name].patch()
            changed = {"crop"} if crop() != pictures else set()
            if Augmentation() != augmentation:
                changed.add("augmentation")
            assert Augmentation(strength=0.5).strength == 0.5
            if vars(compact) != constants:
                now = network()
                changed |= {"network"} if now != layers else set()
                if name in ("wider", "deeper"):
                    assert now[0] == pytest.approx(layers[0], rel=0.03), "at equal cost"
        assert len(changed) == 1, f"{name}: {changed}"


def test_numbers_with_a_class_blank_are_read_up_to_it_and_calibrated():
    labels = np.array([label_array([digit, 7]) for digit in range(10)] * 8, np.int32)
    logits = {"length": np.zeros((len(labels), LENGTH_CLASSES), np.float32)}
    logits["length"][:, 2] = 1.0
    for position, name in enumerate(HEAD_NAMES[1:], start=1):
        logits[name] = 9 * np.eye(11, dtype="float32")[labels[:, position]]
    with restored():
        LEVERS["blank_class"].patch()
        np.testing.assert_array_equal(predict.decode(logits).label, labels)
        assert np.isfinite(predict.number_loss(logits, labels)).all()
        assert 0 < temperature.fit_temperature(logits, labels) < math.inf


# One after the other


@pytest.fixture
def data_dir(tmp_path):
    """Converted photos, without the split pseudo."""
    numbers = {"train": ["12", "7", "305", "42"], "extra": ["1", "23", "456", "78"]}
    return write_conversion(tmp_path / "data", numbers | {"val": ["5", "61", "720"]})


@pytest.fixture
def calls(monkeypatch):
    """The levers that were run: each reads two photos of three right; `no_average` fails."""
    made = []

    def call(name, config, folder, signals, end):
        made.append(name)
        if name == "no_average":
            return 1
        right = np.array([True, name == BASE, name != BASE])
        steps = (config.start_steps, config.steps)
        write_result(
            folder, name, Result(right, np.array(["a", "b", "c"]), steps, config.precision)
        )
        return 0

    monkeypatch.setattr(levers, "call", call)
    return made


def config_of(tmp_path, **flags):
    flags = {"levers": ["seed", "no_average", "pseudo", "mix_1_1"], "steps": 9} | flags
    return BenchmarkConfig(str(tmp_path / "data"), work_dir=str(tmp_path / "work"), **flags)


def test_one_that_fails_does_not_stop_the_others(tmp_path, data_dir, calls, capsys):
    assert main(config_of(tmp_path)) == 1
    assert calls == [BASE, "seed", "no_average", "mix_1_1"]
    printed = capsys.readouterr().out
    assert "no_average: failed with status 1, see its log" in printed
    assert f"not measured: pseudo: {data_dir} has no split pseudo" in printed
    assert "3 photos of val, 9 steps of 32" in printed
    *_, row = [line for line in printed.splitlines() if "another seed: what is chance" in line]
    assert "66.67 %" in row and "+0.00" in row

    assert main(config_of(tmp_path)) == 1
    assert calls[4:] == ["no_average"], "what is measured is not measured again"


def test_the_table_alone(tmp_path, data_dir, calls, capsys):
    flags = {"table_only": True}
    assert main(config_of(tmp_path, **flags)) == 0
    assert "not measured: base: the same command goes on" in capsys.readouterr().out
    main(config_of(tmp_path, levers=["seed"]))
    capsys.readouterr()
    assert main(config_of(tmp_path, **flags)) == 0
    printed = capsys.readouterr().out
    assert "another seed: what is chance" in printed
    assert "not measured: mix_1_1: the same command goes on" in printed
    assert calls == [BASE, "seed"]


def test_results_of_other_runs_are_not_mixed(tmp_path, data_dir, calls):
    main(config_of(tmp_path, levers=["seed"]))
    with pytest.raises(levers.UserError, match=r"than --start_steps=2000 --steps=10, or"):
        main(config_of(tmp_path, steps=10))
    with pytest.raises(levers.UserError, match="or not of --precision=bfloat16: give"):
        main(config_of(tmp_path, precision="bfloat16"))
    other = Result(np.zeros(3, bool), np.array(["a", "b", "d"]), (2000, 9), "float32")
    write_result(tmp_path / "work", "seed", other)
    with pytest.raises(levers.UserError, match=r"different photos: seed\.npz"):
        main(config_of(tmp_path, levers=["seed"]))


def test_after_its_hours_no_run_begins(tmp_path, data_dir, calls, capsys):
    assert main(config_of(tmp_path, hours=1e-9)) == 0
    assert not calls
    assert "not measured: seed: the same command goes on" in capsys.readouterr().out


def test_a_photo_folder_for_one_lever_alone(tmp_path, data_dir, calls, capsys):
    assert main(config_of(tmp_path, levers=["no_recombined"])) == 0
    assert "not measured: no_recombined: give --rendered_dir" in capsys.readouterr().out
    flags = {"levers": ["no_recombined"], "rendered_dir": str(data_dir)}
    assert main(config_of(tmp_path, **flags)) == 0
    assert calls == [BASE, "no_recombined"]


# A single run

WAITS = """
import signal, sys, time
def save(number, frame):
    print("saved", flush=True)
    sys.exit(143)
signal.signal(signal.SIGTERM, save)
print(*sys.argv[1:], flush=True)
time.sleep(60)
"""


def test_a_run_is_stopped_when_the_time_is_over_and_goes_on(tmp_path, monkeypatch):
    program = tmp_path / "program.py"
    program.write_text(WAITS)
    monkeypatch.setattr(levers, "__file__", str(program))
    config = config_of(tmp_path)
    started = time.monotonic()
    assert levers.call("seed", config, tmp_path, [], started + 2) == levers.STOPPED
    assert levers.call("seed", config, tmp_path, [15], math.inf) == levers.STOPPED
    assert time.monotonic() - started < 30
    log = (tmp_path / "seed.log").read_text()
    assert "--steps=9" in log and "--lever=seed" in log and "--hours" not in log and "saved" in log
    program.write_text("import sys; sys.exit(3)")
    assert levers.call("seed", config, tmp_path, [], math.inf) == 3


@pytest.mark.parametrize(
    ("name", "start", "start_flags"),
    [
        ("seed", "start", {"seed": BASE_FLAGS["seed"]}),
        ("seed_from_nothing", "seed_from_nothing_start", {"seed": 3}),
        ("no_average", "start", {"average_decay": BASE_FLAGS["average_decay"]}),
    ],
)
def test_a_run_goes_on_from_its_start(tmp_path, monkeypatch, name, start, start_flags):
    trained = []

    def train_steps(folder, photos, steps, flags):
        trained.append((folder, steps, flags))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"model.ckpt-{steps}.index").touch()
        return 0

    monkeypatch.setattr(levers, "train_steps", train_steps)
    config = config_of(tmp_path, start_steps=7, precision="bfloat16")
    for _ in range(2):
        assert levers.train(name, config, tmp_path / name) == 0
    base_flags = BASE_FLAGS | {"precision": "bfloat16"}
    flags = base_flags | LEVERS[name].flags
    run = (tmp_path / name, 9, flags | {"restore_checkpoint": f"{tmp_path / start}/model.ckpt-7"})
    rate = {"learning_rate": START_LEARNING_RATE}
    assert trained == [(tmp_path / start, 7, base_flags | start_flags | rate), run, run]


@pytest.mark.slow
def test_runs_are_trained_and_scored(tmp_path, data_dir, monkeypatch, capsys):
    monkeypatch.setitem(BASE_FLAGS, "model", "plain")
    monkeypatch.setitem(BASE_FLAGS, "batch_size", 6)

    def call(name, config, folder, signals, end):
        return main(dataclasses.replace(config, lever=name))

    monkeypatch.setattr(levers, "call", call)
    assert main(config_of(tmp_path, levers=["crops_3"], steps=3, start_steps=2)) == 0
    printed = capsys.readouterr().out
    assert "three crops of each photo averaged" in printed
    work = tmp_path / "work"
    base = load_model(str(work / BASE)).config
    assert base["restore_checkpoint"] == str(work / "start/model.ckpt-2")
    with np.load(work / "crops_3.npz") as result:
        assert list(result["file_names"]) == sorted(result["file_names"])
        assert len(result["right"]) == 3 and result["steps"].tolist() == [2, 3]
    assert not (work / "crops_3").exists(), "nothing is trained for it"
