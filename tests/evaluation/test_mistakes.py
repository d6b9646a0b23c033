"""The contact sheet of the most confident mistakes."""

import numpy as np
import pytest

from svhn.evaluation import mistakes
from svhn.evaluation.mistakes import mistakes_sheet, visible_picture
from svhn.evaluation.predict import Mistake, SplitPredictions
from svhn.labels import label_array
from tests.small_conversion import no_logits


def predictions_with(mistake_rows: list[int]) -> SplitPredictions:
    random = np.random.default_rng(1)
    return SplitPredictions(
        labels=np.stack([label_array([7, 5]), label_array([1] * 6), label_array([3])]),
        predicted=np.stack([label_array([7, 5]), label_array([1, 2, 3, 4, 5]), label_array([])]),
        confidence=np.array([0.9, 0.98765, 0.5], np.float32),
        digit_probabilities=np.zeros((3, 5), np.float32),
        loss=np.zeros(3, np.float32),
        logits=no_logits(3),
        file_names=("test/1.png", "test/2.png", "test/3.png"),
        mistakes=tuple(
            Mistake(row, random.normal(size=(54, 54, 3)).astype(np.float32)) for row in mistake_rows
        ),
        photos_per_second=1.0,
    )


def test_captions_say_truth_prediction_confidence_and_photo(monkeypatch):
    drawn = {}

    def contact_sheet(pictures, captions, columns):
        drawn.update(pictures=pictures, captions=captions)

    monkeypatch.setattr(mistakes, "contact_sheet", contact_sheet)
    predictions = predictions_with([1, 2])
    mistakes_sheet(predictions)
    assert drawn["captions"] == [
        ">5 digits / 12345\n98.8 %\ntest/2.png",
        "3 / none\n50.0 %\ntest/3.png",
    ]
    for picture, mistake in zip(drawn["pictures"], predictions.mistakes, strict=True):
        assert np.array_equal(picture, visible_picture(mistake.image))


def test_the_sheet_is_drawn():
    sheet = mistakes_sheet(predictions_with([1, 2]))
    assert sheet.mode == "RGB"
    assert len(sheet.getcolors(maxcolors=sheet.width * sheet.height)) > 1000


def test_no_mistakes_no_sheet():
    assert mistakes_sheet(predictions_with([])) is None


def test_a_picture_is_shown_from_black_to_white_in_proportion():
    image = np.zeros((2, 2, 3), np.float32)
    image[0, 0], image[0, 1], image[1, 0] = -1.5, 2.5, 0.5
    picture = visible_picture(image)
    assert picture.dtype == np.uint8
    assert picture[:, :, 1].tolist() == [[0, 255], [128, 96]]


@pytest.mark.parametrize("value", [0.0, -3.0])
def test_a_flat_picture_stays_flat(value):
    image = np.full((4, 4, 3), value, np.float32)
    image[0, 0] += 0.01
    assert np.ptp(visible_picture(image)) <= 3
