import dataclasses
import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from svhn.checkpoints import Checkpoints
from svhn.decoding import decode
from svhn.errors import UserError
from svhn.images import load_picture
from svhn.models import build_model
from svhn.preprocessing import crop, standardise
from svhn.reading.reader import Reader, whole_photo_box
from svhn.reading.results import Reading
from svhn.stored_calibration import StoredCalibration
from tests.reading.conftest import random_photo, reader_of, small_model


def png(photo: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, "PNG")
    return stream.getvalue()


def photos_and_boxes() -> list[tuple[np.ndarray, np.ndarray]]:
    chance = np.random.default_rng(0)
    cases = []
    for seed in range(40):
        height, width = chance.integers(1, 300, 2)
        box = np.concatenate(
            [chance.uniform(-20, [width, height]), chance.uniform(0.1, [width, height])]
        )
        cases.append((random_photo(seed, height, width), box.astype(np.float32)))
    return cases


def test_network_sees_what_the_shared_crop_makes_of_the_png_bit_for_bit(reader):
    for photo, box in photos_and_boxes():
        data = png(photo)
        expected = crop(tf.io.decode_png(data, channels=3), tf.constant(box)).numpy()
        np.testing.assert_array_equal(
            reader.prepare(load_picture(data), box), expected, strict=True
        )


def test_network_sees_what_the_input_pipeline_makes_of_the_png_bit_for_bit(reader):
    cases = photos_and_boxes()

    def example(data, box):
        return crop(tf.io.decode_png(data, channels=3), box)

    data = tf.data.Dataset.from_tensor_slices(
        ([png(photo) for photo, _ in cases], np.stack([box for _, box in cases]))
    )
    pictures = np.concatenate(
        list(data.map(example, tf.data.AUTOTUNE).batch(16).as_numpy_iterator())
    )
    for (photo, box), expected in zip(cases, pictures, strict=True):
        np.testing.assert_array_equal(reader.prepare(photo, box), expected)


def test_several_boxes_of_a_photo_give_what_each_alone_gives(reader):
    photo, boxes = random_photo(3, 60, 90), [(5, 6, 30, 20), (-4, 40, 50, 30), (60, 2, 9, 41)]
    pictures = reader.prepare_all(photo, boxes)
    for picture, box in zip(pictures, boxes, strict=True):
        np.testing.assert_array_equal(picture, reader.prepare(photo, box))
    assert reader.prepare_all(photo, []).shape == (0, 54, 54, 3)


def test_whole_photo_is_seen_from_edge_to_edge(reader):
    photo = random_photo(1, 54, 54)  # of the network's size, so that nothing is resized
    expected = standardise(tf.constant(photo, tf.float32)).numpy()
    np.testing.assert_array_equal(reader.prepare(photo), expected)


@pytest.mark.parametrize(("height", "width"), [(270, 1080), (31, 17), (800, 600), (1, 1)])
def test_whole_photo_of_any_size_is_resized_to_the_view(reader, height, width):
    ramp = np.linspace(0, 255, height)[:, None] + np.linspace(0, 0.001, width)
    photo = np.repeat(ramp[..., None], 3, axis=-1).astype(np.uint8)
    resized = tf.image.resize(photo, [54, 54], antialias=True)
    expected = standardise(resized).numpy()
    np.testing.assert_allclose(reader.prepare(photo), expected, atol=0.01)


def test_whole_photo_box_is_centred():
    left, top, width, height = whole_photo_box(60, 200)
    assert left + width / 2 == pytest.approx(100)
    assert top + height / 2 == pytest.approx(30)
    assert width < 200
    assert height < 60


@pytest.mark.parametrize("batch_size", [1, 8, 32])
def test_answer_depends_on_neither_neighbours_nor_place_in_the_batch(batch_size):
    reader = reader_of(batch_size)
    pictures = [reader.prepare(random_photo(seed)) for seed in range(45)]
    together = reader.read(pictures)
    assert len(set(together)) > 40  # the network does look at the pictures
    for index in (0, 7, 20, 44):
        assert reader.read([pictures[index]]) == [together[index]]  # floats: bit for bit
    assert reader.read(pictures[::-1]) == together[::-1]


def test_answer_is_the_decoded_answer_of_the_network(reader):
    pictures = np.stack([reader.prepare(random_photo(seed)) for seed in range(8)])
    decoded = decode(small_model()(pictures, training=False))
    for row, reading in enumerate(reader.read(list(pictures))):
        assert reading.label == tuple(decoded.label[row].numpy())
        assert reading.confidence == pytest.approx(float(decoded.confidence[row]), abs=1e-5)
        np.testing.assert_allclose(
            reading.digit_probabilities, decoded.digit_probabilities[row], atol=1e-5
        )


def test_what_is_applied_is_the_network_for_inference(monkeypatch):
    keras.utils.set_random_seed(8)
    other, trained = build_model("plain"), small_model()
    monkeypatch.setattr("svhn.reading.reader.for_inference", {trained: other}.get)
    reader = Reader(trained, 8)
    pictures = [reader.prepare(random_photo(seed)) for seed in range(3)]
    decoded = decode(other(np.stack(pictures), training=False))
    confidences = [reading.confidence for reading in reader.read(pictures)]
    np.testing.assert_allclose(confidences, decoded.confidence, rtol=1e-4)
    lengths = [distribution.lengths for distribution in reader.distributions(pictures)]
    logits = other(np.stack(pictures), training=False)["length"]
    np.testing.assert_allclose(lengths, tf.nn.log_softmax(logits), atol=1e-4)
    assert reader.model is trained


def test_batch_size_changes_rounding_at_most():
    answers = []
    for batch_size in (1, 8, 32):
        reader = reader_of(batch_size)
        answers.append(reader.read([reader.prepare(random_photo(seed)) for seed in range(12)]))
    for others in answers[1:]:
        for one, other in zip(answers[0], others, strict=True):
            assert one.label == other.label
            assert one.confidence == pytest.approx(other.confidence, abs=1e-5)


def test_nothing_to_read(reader):
    assert reader.read([]) == []
    assert reader.distributions([]) == []


def test_distribution_holds_the_answer_and_depends_on_no_neighbour():
    reader = Reader(small_model(), 8, temperature=0.5)
    pictures = [reader.prepare(random_photo(seed)) for seed in range(11)]
    distributions = reader.distributions(pictures)
    assert len(distributions) == 11
    for picture, distribution, reading in zip(
        pictures, distributions, reader.read(pictures), strict=True
    ):
        best = max(map(distribution.most_likely, range(7)), key=distribution.log_probability)
        assert best == reading.label
        assert np.exp(distribution.log_probability(best)) == pytest.approx(
            reading.confidence, rel=1e-4
        )
        [alone] = reader.distributions([picture])
        np.testing.assert_array_equal(alone.lengths, distribution.lengths)
        np.testing.assert_array_equal(alone.digits, distribution.digits)


def test_reading_as_text():
    probabilities = (0.99, 0.98, 0.0, 0.0, 0.0)
    reading = Reading((2, 7, 5, 10, 10, 10), 0.9731, probabilities)
    assert reading.number == "75"
    assert reading.text == "75  97.3 %"
    assert Reading((0, *[10] * 5), 0.5, (0.0,) * 5).text == "no number  50.0 %"
    assert Reading((6, *[10] * 5), 1.0, (0.0,) * 5).text == "more than 5 digits  100.0 %"


def test_temperature_and_threshold_come_with_the_checkpoint(tmp_path):
    keras.utils.set_random_seed(3)
    model = build_model("plain")
    stored = StoredCalibration(0.25, {0.5: 0.0, 0.95: 1.0, 0.99: None}, photos=50)
    state = {"step": 1, "config": {"model": "plain"}, "calibration": stored.as_json()}
    prefix = Checkpoints(tmp_path, model).save(state)
    plain = Reader(model, 4)
    pictures = [plain.prepare(random_photo(seed)) for seed in range(6)]
    decoded = decode(model(np.stack(pictures), training=False), temperature=0.25)
    for min_accuracy, sure in ((0.0, None), (0.4, True), (0.95, False)):
        readings = Reader.from_checkpoint(prefix, 4, min_accuracy).read(pictures)
        assert [reading.sure for reading in readings] == [sure] * 6
        confidences = [reading.confidence for reading in readings]
        np.testing.assert_allclose(confidences, decoded.confidence, rtol=1e-5)
    assert [reading.sure for reading in plain.read(pictures)] == [None] * 6
    with pytest.raises(UserError, match=r"--min_accuracy=0\.99"):
        Reader.from_checkpoint(prefix, 4, 0.99)


def test_the_threshold_itself_is_sure():
    pictures = [reader_of(8).prepare(random_photo(seed)) for seed in range(8)]
    confidences = sorted(reading.confidence for reading in reader_of(8).read(pictures))
    readings = Reader(small_model(), 8, min_confidence=confidences[3]).read(pictures)
    assert sorted(reading.confidence for reading in readings if reading.sure) == confidences[3:]


def test_a_reading_that_is_not_sure_says_so():
    reading = Reading((2, 7, 5, 10, 10, 10), 0.6123, (0.9, 0.7, 0.0, 0.0, 0.0), sure=False)
    assert reading.text == "not sure  (75  61.2 %)"
    assert reading.number == "75"
    assert dataclasses.replace(reading, sure=True).text == "75  61.2 %"
