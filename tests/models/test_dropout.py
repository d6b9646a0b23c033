import keras
import numpy as np
import pytest

from svhn.models import dropout
from svhn.models.dropout import Dropout

ONES = np.ones((8, 500), np.float32)


def test_drops_its_share_and_scales_up_the_rest():
    outputs = np.asarray(Dropout(0.3, seed=1)(ONES, training=True))
    np.testing.assert_allclose(np.unique(outputs), [0, 1 / 0.7], rtol=1e-6)
    assert np.mean(outputs == 0) == pytest.approx(0.3, abs=0.03)


def test_inference_changes_nothing():
    layer = Dropout(0.3, seed=1)
    before = layer.seed_generator.state.numpy()
    np.testing.assert_array_equal(layer(ONES, training=False), ONES)
    np.testing.assert_array_equal(layer.seed_generator.state, before)


def test_every_call_has_another_mask_and_the_seed_decides_them():
    layer, twin = Dropout(0.3, seed=1), Dropout(0.3, seed=1)
    first, second = (np.asarray(layer(ONES, training=True)) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(twin(ONES, training=True), first)
    np.testing.assert_array_equal(twin(ONES, training=True), second)


@pytest.mark.parametrize("replicas", [2, 4])
def test_the_replicas_masks_are_the_parts_of_the_whole_batchs(monkeypatch, replicas):
    inputs = np.random.default_rng(0).normal(size=(8, 3, 5)).astype("float32")
    whole = np.asarray(Dropout(0.4, seed=3)(inputs, training=True))
    parts = []
    for replica, part in enumerate(np.split(inputs, replicas)):
        monkeypatch.setattr(dropout, "replica_place", lambda place=(replica, replicas): place)
        parts.append(np.asarray(Dropout(0.4, seed=3)(part, training=True)))
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_half_precision_keeps_type_and_mask():
    kept = np.asarray(Dropout(0.3, seed=1)(ONES, training=True)) > 0
    outputs = Dropout(0.3, seed=1, dtype="bfloat16")(ONES, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    np.testing.assert_array_equal(np.asarray(outputs).astype("float32") > 0, kept)


def test_it_can_be_made_again_from_its_configuration():
    layer = Dropout(0.25, name="dropout")
    same = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (type(same), same.rate, same.name) == (Dropout, 0.25, "dropout")
