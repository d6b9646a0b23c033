"""Every photo of a split is scored exactly once and the same, whatever the batch size."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from svhn.data.manifest import MANIFEST_NAME, shard_folder, shard_paths
from svhn.decoding import Decoded
from svhn.errors import UserError
from svhn.evaluation.predict import evaluate_split, make_predict_step, predict
from svhn.labels import label_array
from tests.small_conversion import no_logits, small_model, write_conversion

NUMBERS = [str(number) for number in (7, 42, 365, 1024, 31415, 271828)] * 14  # 84 photos


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return write_conversion(tmp_path_factory.mktemp("data"), {"val": NUMBERS, "test": ["1", "2"]})


@pytest.fixture(scope="module")
def model():
    return small_model()


def constant_step(label: list[int], confidences: dict[int, float] | None = None):
    """A predict step that reads the same from every picture and notes the batches it gets.

    The confidence is looked up by the picture's first value.
    """
    shapes = []

    def step(images, labels):
        assert labels.shape == (len(images), 6)
        shapes.append(tuple(images.shape))
        count = images.shape[0]
        keys = np.asarray(images)[:, 0, 0, 0].astype(int)
        confidence = [(confidences or {}).get(int(key), 0.5) for key in keys]
        decoded = Decoded(
            tf.constant([label] * count, tf.int32),
            tf.constant(confidence, tf.float32),
            tf.fill([count, 5], 0.25),
        )
        logits = no_logits(count)
        logits["length"][:, 0] = keys
        return decoded, tf.constant(keys, tf.float32), logits

    return step, shapes


def batches_of(values: list[int], labels: list[list[int]], batch_size: int):
    """Batches of 2×2 pictures whose values tell which photo they are."""
    for start in range(0, len(values), batch_size):
        part = values[start : start + batch_size]
        images = np.broadcast_to(
            np.array(part, np.float32)[:, None, None, None], (len(part), 2, 2, 3)
        )
        yield (
            tf.constant(images),
            tf.constant(labels[start : start + batch_size], tf.int32),
            tf.constant([f"test/{value}.png" for value in part]),
        )


def test_the_batch_size_changes_nothing(data_dir, model):
    step = make_predict_step(model)
    whole = evaluate_split(model, data_dir, "val", batch_size=84, predict_step=step)
    assert len(np.unique(whole.predicted, axis=0)) > 10  # the model does tell photos apart
    assert len(np.unique(whole.confidence)) > 80
    for batch_size in (1, 7, 64, 1000):
        predictions = evaluate_split(model, data_dir, "val", batch_size, predict_step=step)
        assert predictions.file_names == whole.file_names
        assert np.array_equal(predictions.labels, whole.labels)
        assert np.array_equal(predictions.predicted, whole.predicted)
        np.testing.assert_allclose(predictions.confidence, whole.confidence, rtol=2e-6)
        np.testing.assert_allclose(
            predictions.digit_probabilities, whole.digit_probabilities, rtol=2e-6
        )
        np.testing.assert_allclose(predictions.loss, whole.loss, rtol=2e-6)


def test_every_photo_of_the_split_is_scored_once_with_its_own_label(data_dir, model):
    predictions = evaluate_split(model, data_dir, "val", batch_size=10)
    assert Counter(predictions.file_names) == Counter(f"train/{n}.png" for n in range(1, 85))
    by_name = dict(zip(predictions.file_names, predictions.labels.tolist(), strict=True))
    for number, text in enumerate(NUMBERS, start=1):
        assert by_name[f"train/{number}.png"] == label_array([int(d) for d in text]).tolist()
    assert [array.dtype for array in (predictions.labels, predictions.predicted)] == ["int32"] * 2
    assert predictions.confidence.dtype == predictions.digit_probabilities.dtype == "float32"
    assert predictions.confidence.shape == (84,)
    assert predictions.digit_probabilities.shape == (84, 5)
    assert predictions.photos_per_second > 0


def test_the_graph_is_compiled_once_for_every_split_and_batch_size(data_dir, model):
    step = make_predict_step(model)
    for split, batch_size in (("val", 10), ("val", 64), ("test", 64)):
        evaluate_split(model, data_dir, split, batch_size, predict_step=step)
    assert step.experimental_get_tracing_count() == 1


def test_logits_are_kept_and_decoded_at_the_temperature(data_dir, model):
    predictions = evaluate_split(
        model, data_dir, "val", 10, predict_step=make_predict_step(model, temperature=2.5)
    )
    plain = evaluate_split(model, data_dir, "val", 10)
    for name, values in predictions.logits.items():
        assert values.dtype == "float32"
        assert values.shape == (84, 7 if name == "length" else 10)
        np.testing.assert_array_equal(values, plain.logits[name])
    np.testing.assert_array_equal(predictions.loss, plain.loss)
    assert predictions.confidence.mean() < plain.confidence.mean()
    again = predictions.at_temperature(1.0)
    np.testing.assert_array_equal(again.predicted, plain.predicted)
    np.testing.assert_allclose(again.confidence, plain.confidence, rtol=2e-6)


def test_the_step_follows_the_weights_while_the_model_trains(data_dir):
    model = small_model()
    step = make_predict_step(model)
    before = evaluate_split(model, data_dir, "val", 64, predict_step=step)
    model.set_weights(small_model(seed=2).get_weights())
    after = evaluate_split(model, data_dir, "val", 64, predict_step=step)
    fresh = evaluate_split(model, data_dir, "val", 64)
    assert not np.array_equal(before.predicted, after.predicted)
    assert np.array_equal(after.confidence, fresh.confidence)


def test_the_last_batch_is_filled_up_and_the_filling_is_not_scored():
    labels = [label_array([value]).tolist() for value in range(1, 8)]
    step, shapes = constant_step(labels[0])
    predictions = predict(step, batches_of(list(range(1, 8)), labels, 3))
    assert shapes == [(3, 2, 2, 3)] * 3
    assert predictions.file_names == tuple(f"test/{value}.png" for value in range(1, 8))
    assert predictions.right.tolist() == [True] + [False] * 6
    assert len(predictions.confidence) == len(predictions.digit_probabilities) == 7
    assert predictions.loss.tolist() == list(range(1, 8))
    assert predictions.mean_loss == 4


@pytest.mark.parametrize("keep", [0, 1, 4, 100])
@pytest.mark.parametrize("batch_size", [1, 4, 30])
def test_the_most_confident_mistakes_are_kept_with_their_pictures(keep, batch_size):
    random = np.random.default_rng(1)
    values = list(range(1, 31))
    # Few distinct confidences make ties: of these the earlier photos come first.
    confidences = {value: float(np.float32(random.integers(0, 6) / 8)) for value in values}
    one, two = label_array([1]).tolist(), label_array([2]).tolist()
    labels = [one if random.random() < 0.4 else two for _ in values]
    step, _ = constant_step(one, confidences)
    predictions = predict(step, batches_of(values, labels, batch_size), keep_mistakes=keep)

    wrong = [index for index in range(30) if labels[index] == two]
    expected = sorted(wrong, key=lambda index: (-confidences[values[index]], index))[:keep]
    assert [mistake.index for mistake in predictions.mistakes] == expected
    for mistake in predictions.mistakes:
        assert (mistake.image == values[mistake.index]).all()


def test_no_batches_give_no_predictions():
    predictions = predict(constant_step([1, 1, 10, 10, 10, 10])[0], [])
    assert predictions.labels.shape == predictions.predicted.shape == (0, 6)
    assert predictions.file_names == predictions.mistakes == ()


def test_a_manifest_that_counts_other_photos_is_an_error(tmp_path, model):
    data_dir = write_conversion(tmp_path / "data", {"test": ["1", "2", "3"]})
    path = shard_folder(data_dir) / MANIFEST_NAME
    manifest = json.loads(path.read_text())
    manifest["splits"]["test"]["photos"] = 4
    path.write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"counts 4 photos in 'test', but 3 were read.*--verify"):
        evaluate_split(model, data_dir, "test", 2)


def test_a_damaged_shard_is_named_with_file_and_record(tmp_path, model):
    data_dir = write_conversion(tmp_path / "data", {"test": ["1"] * 9})
    path = Path(shard_paths(data_dir, "test")[1])
    content = bytearray(path.read_bytes())
    content[-40] ^= 255  # in the last of its three records
    path.write_bytes(content)
    with pytest.raises(UserError, match="00001-of-00003 is damaged at record 2"):
        evaluate_split(model, data_dir, "test", 2)


def test_a_defect_of_the_model_is_not_blamed_on_the_shards(data_dir, model):
    def broken_step(images, labels):
        raise tf.errors.InvalidArgumentError(None, None, "the model's own fault")

    with pytest.raises(tf.errors.InvalidArgumentError, match="own fault"):
        evaluate_split(model, data_dir, "test", 2, predict_step=broken_step)
