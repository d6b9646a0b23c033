import dataclasses

import numpy as np
import pytest

from svhn.data.records import read_photos
from svhn.errors import UserError
from svhn.evaluation.photo_metrics import measure_photos
from svhn.evaluation.photos import NO_NUMBER, read_all, read_split
from svhn.geometry import union_box
from svhn.images import load_picture
from svhn.labels import label_array
from svhn.reading.agreement import AgreementRule
from svhn.reading.reader import Reader
from tests.evaluation.finders import ToldFinder, detected
from tests.small_conversion import small_model, write_conversion

READERS_WORD = AgreementRule(detector_weight=0.0)

NUMBERS = {"val": ["75", "365", "8", "1924", "12", "40", "7"]}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return write_conversion(tmp_path_factory.mktemp("data"), NUMBERS)


@pytest.fixture(scope="module")
def photos(data_dir):
    return list(read_photos(data_dir, "val"))


@pytest.fixture(scope="module")
def reader():
    return Reader(small_model(), batch_size=3)


@pytest.fixture
def only_as_found(monkeypatch):
    """Without other choices of ends and closer looks: `test_candidates.py` and
    `test_long_numbers.py` in `tests/reading` have those.
    """
    monkeypatch.setattr("svhn.reading.whole_photo.candidates", lambda found, *_: [found])
    monkeypatch.setattr("svhn.reading.whole_photo.looked_closer", lambda reader, whole, _: whole)


def right_finds(photos):
    return [detected(photo.digits, photo.boxes) for photo in photos]


def test_where_boxes_are_right_the_reader_reads_what_it_reads_at_the_true_ones(
    data_dir, photos, reader, only_as_found
):
    finder = ToldFinder(right_finds(photos))
    predictions = read_split(reader, finder, data_dir, "val", READERS_WORD)
    assert predictions.file_names == tuple(f"{p.folder}/{p.file_name}" for p in photos)
    assert predictions.labels.tolist() == [label_array(p.digits).tolist() for p in photos]
    np.testing.assert_array_equal(predictions.true_boxes, [union_box(p.boxes) for p in photos])
    # The reader by itself may say that there is no number; the rule never does.
    reads_some = predictions.predicted_in_true_boxes[:, 0] > 0
    assert np.array_equal(
        predictions.predicted[reads_some], predictions.predicted_in_true_boxes[reads_some]
    )
    assert reads_some.sum() > 2
    alone = [
        reader.read([reader.prepare(load_picture(p.encoded), union_box(p.boxes))])[0]
        for p in photos
    ]
    in_true_boxes = predictions.predicted_in_true_boxes.tolist()
    assert in_true_boxes == [list(reading.label) for reading in alone]
    figures = measure_photos(predictions)
    assert figures.box_found.correct == figures.best_box.correct == len(photos)
    assert figures.digits.at_half == pytest.approx(1.0)


def test_each_photo_has_the_box_that_was_found_in_it(photos, reader, only_as_found):
    """Photos without a number among them, batches of three: nothing may shift."""
    finds = right_finds(photos)
    for place in (0, 3, 4):
        finds[place] = detected([], [])
    predictions = read_all(reader, ToldFinder(finds), iter(photos), rule=READERS_WORD)
    for place in range(len(photos)):
        if place in (0, 3, 4):
            assert predictions.predicted[place].tolist() == list(NO_NUMBER)
            assert predictions.confidence[place] == 0
            assert predictions.numbers[place] == ()
        else:
            in_true_box = predictions.predicted_in_true_boxes[place]
            if in_true_box[0] > 0:
                assert np.array_equal(predictions.predicted[place], in_true_box)
            assert predictions.confidence[place] > 0
    figures = measure_photos(predictions)
    assert (figures.without.correct, figures.without.count) == (3, 7)
    assert figures.box_found.correct == 4
    assert figures.read_in_true_boxes.photo_count == 7


def test_boxes_count_from_half_an_overlap_on(photos, reader):
    finds = []
    for place, photo in enumerate(photos):
        # The whole number moved to the right by a share of its width: an overlap of (1-s)/(1+s).
        share = 0.32 if place < 2 else 0.36
        shift = np.array([share * union_box(photo.boxes)[2], 0, 0, 0], np.float32)
        finds.append(detected(photo.digits, photo.boxes + shift))
    figures = measure_photos(read_all(reader, ToldFinder(finds), iter(photos)))
    assert (figures.box_found.correct, figures.box_found.count) == (2, 7)


def test_a_second_number_counts_as_found_but_not_as_the_best(photos, reader):
    finds = []
    for photo in photos:
        sure = detected([5], [[400, 300, 20, 40]], score=0.9999)
        there = detected(photo.digits, photo.boxes, score=0.5)
        finds.append(
            type(sure)(
                *(
                    np.concatenate([getattr(sure, field.name), getattr(there, field.name)])
                    for field in dataclasses.fields(sure)
                )
            )
        )
    figures = measure_photos(read_all(reader, ToldFinder(finds), iter(photos)))
    assert figures.with_several.correct == 7
    assert figures.box_found.correct == 7
    assert figures.best_box.correct == 0


def test_the_rule_decides(photos, reader):
    """With much weight on the detector, what it says is read."""
    rule = AgreementRule(detector_weight=1000.0)
    predictions = read_all(reader, ToldFinder(right_finds(photos)), iter(photos), rule=rule)
    figures = measure_photos(predictions)
    assert figures.read.sequence.share == 1.0
    assert figures.read_in_true_boxes.sequence.share < 1.0


def test_a_split_that_is_absent_is_one_line(data_dir, reader):
    with pytest.raises(UserError) as caught:
        read_split(reader, ToldFinder([]), data_dir, "test")
    assert "\n" not in str(caught.value)
