import gc
import json

import keras
import numpy as np
import pytest

from svhn import checkpoints as checkpoints_module
from svhn.checkpoints import (
    Checkpoints,
    load_model,
    load_weights,
    read_state,
    resolve_checkpoint,
)
from svhn.errors import UserError
from svhn.models import build_model, plain
from svhn.stored_calibration import StoredCalibration


def pictures_for(model, seed):
    shape = (2, *model.input_shape[1:])
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def trained_a_little(seed):
    keras.utils.set_random_seed(seed)
    model = build_model("compact")
    optimizer = keras.optimizers.AdamW(1e-3)
    optimizer.build(model.trainable_variables)
    images = pictures_for(model, seed)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = sum(keras.ops.mean(value**2) for value in logits.values())
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return model, optimizer


def arrays(model, optimizer):
    return [variable.numpy() for variable in [*model.variables, *optimizer.variables]]


STATE = {"step": 7, "config": {"model": "compact", "seed": 1}, "best_sequence_accuracy": 0.5}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    model, optimizer = trained_a_little(1)
    checkpoints = Checkpoints(folder, model, optimizer, keep=2)
    checkpoints.save(STATE)
    return folder, model, optimizer, checkpoints


def test_restores_weights_optimizer_and_dropout_generators_bit_for_bit(run):
    folder, model, optimizer, _ = run
    other_model, other_optimizer = trained_a_little(2)
    state = Checkpoints(folder, other_model, other_optimizer).restore_last()
    assert state == STATE
    for expected, restored in zip(
        arrays(model, optimizer), arrays(other_model, other_optimizer), strict=True
    ):
        np.testing.assert_array_equal(expected, restored)


def test_load_model_needs_only_the_folder(run):
    folder, model, _, _ = run
    images = pictures_for(model, 0)
    loaded = load_model(folder)
    assert (loaded.step, loaded.config["model"]) == (7, "compact")
    for name, logits in model(images, training=False).items():
        np.testing.assert_array_equal(logits, loaded.model(images, training=False)[name])


def test_a_reader_is_no_detector(run):
    with pytest.raises(UserError, match=r"holds a reader .*Expected: a detector") as caught:
        load_model(run[0], task="detector")
    assert "\n" not in str(caught.value)


def test_the_best_is_meant_unless_a_step_is_named(tmp_path, run):
    _, model, optimizer, _ = run
    checkpoints = Checkpoints(tmp_path, model, optimizer, keep=2)
    assert checkpoints.restore_last() is None
    for step in (1, 2, 10):
        checkpoints.save({**STATE, "step": step})
    assert resolve_checkpoint(tmp_path).endswith("model.ckpt-10")
    assert not list(tmp_path.glob("model.ckpt-1.*")), "more than `keep` checkpoints stay"
    checkpoints.save({**STATE, "step": 2}, best=True)
    checkpoints.save({**STATE, "step": 9}, best=True)
    for path in (tmp_path, tmp_path / "model.ckpt"):
        assert resolve_checkpoint(path) == str(tmp_path / "best" / "model.ckpt-9")
    assert resolve_checkpoint(tmp_path / "model.ckpt-2") == str(tmp_path / "model.ckpt-2")
    assert len(list((tmp_path / "best").glob("*.index"))) == 1


@pytest.mark.parametrize("name", ["", "model.ckpt", "model.ckpt-99", "nothing/here"])
def test_a_missing_checkpoint_is_one_line(tmp_path, name):
    with pytest.raises(UserError, match=r"train\.py") as caught:
        resolve_checkpoint(tmp_path / name)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_another_model_is_refused(run):
    folder = run[0]
    model = build_model("goodfellow")
    optimizer = keras.optimizers.AdamW(1e-3)
    optimizer.build(model.trainable_variables)
    with pytest.raises(UserError, match="doesn't fit") as caught:
        Checkpoints(folder, model, optimizer).restore_last()
    assert "\n" not in str(caught.value)


def test_a_damaged_checkpoint_is_one_line(tmp_path, run):
    _, model, optimizer, _ = run
    prefix = Checkpoints(tmp_path, model, optimizer).save(STATE)
    data = next(tmp_path.glob("*.data-*"))
    data.write_bytes(data.read_bytes()[:1000])
    with pytest.raises(UserError, match="can't be read") as caught:
        load_model(prefix)
    assert "\n" not in str(caught.value)
    (tmp_path / "model.ckpt-7.index").write_bytes(b"not an index")
    with pytest.raises(UserError, match="can't be read"):
        read_state(prefix)


def test_a_best_checkpoint_that_is_replaced_meanwhile_is_read_anew(tmp_path, run, monkeypatch):
    _, model, optimizer, _ = run
    checkpoints = Checkpoints(tmp_path, model, optimizer)
    checkpoints.save(STATE, best=True)
    resolve, calls = checkpoints_module.resolve_checkpoint, []

    def resolve_then_replace(path):
        prefix = resolve(path)
        if not calls:
            checkpoints.save({**STATE, "step": 8}, best=True)
        calls.append(prefix)
        return prefix

    monkeypatch.setattr(checkpoints_module, "resolve_checkpoint", resolve_then_replace)
    assert load_model(tmp_path).step == 8


def test_a_state_is_plain_json(run):
    assert json.loads(json.dumps(read_state(resolve_checkpoint(run[0])))) == STATE


CALIBRATION = StoredCalibration(0.75, {0.95: 0.5, 0.98: None}, photos=12)


def test_the_calibration_comes_with_the_model(tmp_path, run):
    _, model, optimizer, _ = run
    checkpoints = Checkpoints(tmp_path, model, optimizer)
    prefix = checkpoints.save({**STATE, "calibration": CALIBRATION.as_json()})
    assert load_model(prefix).calibration == CALIBRATION
    # Saved between two evaluations, or by an older version.
    for step, state in ((8, {**STATE, "calibration": None}), (9, STATE)):
        prefix = checkpoints.save({**state, "step": step})
        assert load_model(prefix).calibration == StoredCalibration()


def test_the_calibration_is_that_of_the_average(tmp_path):
    model, average = build_model("plain"), build_model("plain")
    config = {"model": "plain", "average_decay": 0.9}
    prefix = Checkpoints(tmp_path, model, averaged=average).save(
        {"step": 1, "config": config, "calibration": CALIBRATION.as_json()}
    )
    assert load_model(prefix).calibration == CALIBRATION
    assert load_model(prefix, raw_weights=True).calibration == StoredCalibration()


@pytest.mark.parametrize("whole", [True, False])
def test_weights_of_another_shape_are_told_in_one_line(tmp_path, monkeypatch, capfd, whole):
    model = build_model("plain")
    prefix = Checkpoints(tmp_path, model).save({"step": 1, "config": {"model": "plain"}})
    monkeypatch.setattr(plain, "DENSE_UNITS", 8)
    other = build_model("plain")
    expected = r"doesn't fit: its dense/kernel has the shape \[\d+, \d+\], and this model's .* 8\)"
    with pytest.raises(UserError, match=expected):
        Checkpoints(tmp_path, other).restore_last() if whole else load_weights(other, prefix)
    gc.collect()
    # TensorFlow would name every variable that it hasn't restored.
    assert "restored" not in capfd.readouterr().err
