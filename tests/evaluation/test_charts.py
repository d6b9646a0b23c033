"""The charts show what they are given: looked up in the pixels, not in matplotlib's objects."""

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from svhn.evaluation.calibration import calibrate
from svhn.evaluation.charts import (
    CHART_SIZE,
    RIGHT_COLOUR,
    WRONG_COLOUR,
    calibration_chart,
    confidence_chart,
    confusion_chart,
    risk_coverage_chart,
)
from svhn.evaluation.metrics import answers_at_threshold, coverage_at_accuracy

NOTHING = np.empty(0)


def pixels_like(chart, colour):
    """The (row, column) of each pixel that is nearly of a colour."""
    wanted = 255 * np.array(to_rgb(colour))
    return np.argwhere((np.abs(chart - wanted) < 12).all(axis=2))


@pytest.mark.parametrize(
    "chart",
    [
        calibration_chart(calibrate(NOTHING, NOTHING)),
        confidence_chart(NOTHING, NOTHING),
        risk_coverage_chart(NOTHING, NOTHING),
        confusion_chart(np.zeros((10, 10), int)),
    ],
)
def test_no_photos_give_an_empty_chart(chart):
    assert chart.shape == (CHART_SIZE, CHART_SIZE, 3)
    assert chart.dtype == np.uint8
    assert (chart[0, 0] == 255).all()
    assert chart.min() < 100


def test_a_model_too_sure_of_itself_lies_lower_than_an_honest_one():
    confidence = np.full(1000, 0.9)
    heights = [
        pixels_like(calibration_chart(calibrate(right, confidence)), RIGHT_COLOUR)[:, 0].mean()
        for right in (np.arange(1000) < 900, np.arange(1000) < 400)
    ]
    assert heights[1] - heights[0] == pytest.approx(0.5 * 0.8 * CHART_SIZE, rel=0.1)


def test_right_readings_and_wrong_ones_have_their_colours_and_places():
    chart = confidence_chart([True] * 100 + [False] * 3, [0.97] * 100 + [0.12] * 3)
    # Below the legend.
    right, wrong = (
        where[where[:, 0] > 0.2 * CHART_SIZE]
        for where in (pixels_like(chart, RIGHT_COLOUR), pixels_like(chart, WRONG_COLOUR))
    )
    assert right[:, 0].min() < wrong[:, 0].min()  # higher on the page
    drawn_right, drawn_wrong = (
        column[np.bincount(column)[column] > 5] for column in (right[:, 1], wrong[:, 1])
    )
    assert np.median(drawn_wrong) < 0.4 * CHART_SIZE < 0.8 * CHART_SIZE < np.median(drawn_right)


def test_the_risk_rises_with_the_photos_kept():
    confidence = np.linspace(1, 0, 200)
    chart = risk_coverage_chart(np.arange(200) < 150, confidence)
    line = pixels_like(chart, RIGHT_COLOUR)
    left = line[line[:, 1] < 0.6 * CHART_SIZE]
    right = line[line[:, 1] > 0.9 * CHART_SIZE]
    assert right[:, 0].mean() < left[:, 0].mean() - 0.3 * CHART_SIZE  # higher on the page


def test_coverages_and_stored_thresholds_are_marked():
    confidence = np.linspace(1, 0, 200)
    right = np.arange(200) < 190
    plain = risk_coverage_chart(right, confidence)
    coverage = coverage_at_accuracy(right, confidence, 0.98)
    marked = risk_coverage_chart(right, confidence, [coverage])
    dots = np.argwhere((plain != marked).any(axis=2))
    assert dots[:, 1].max() < CHART_SIZE * 0.97
    # Below the legend and off the dotted line: the point, at its share of the photos.
    rows = dots[dots[:, 0] > 0.5 * CHART_SIZE]
    expected = (0.15 + 0.81 * (0.02 + coverage.share) / 1.04) * CHART_SIZE
    assert np.bincount(rows[:, 1])[round(expected) - 4 : round(expected) + 4].max() > 4
    answers = answers_at_threshold(right, confidence, 0.98, 0.5)
    crossed = risk_coverage_chart(right, confidence, [coverage], [answers])
    crosses = pixels_like(crossed, WRONG_COLOUR)
    assert len(crosses) > len(pixels_like(marked, WRONG_COLOUR)) + 20


def test_each_confusion_has_its_cell():
    confusions = 1000 * np.eye(10, dtype=int)
    clean = confusion_chart(confusions)
    confusions[2, 7] = 300
    changed = np.argwhere((confusion_chart(confusions) != clean).any(axis=2))
    # Row 2's own cell changes, too (another share), and the count in the title.
    body = changed[changed[:, 0] > 0.1 * CHART_SIZE]
    row, column = np.median(body[body[:, 1] > 0.6 * CHART_SIZE], axis=0) / CHART_SIZE
    assert 0.07 + 0.2 * 0.81 < row < 0.07 + 0.3 * 0.81
    assert 0.15 + 0.7 * 0.81 < column < 0.15 + 0.81 * 0.81


def test_a_process_that_uses_matplotlib_itself_is_left_alone():
    before = dict(matplotlib.rcParams)
    first = confidence_chart([True], [0.5])
    assert dict(matplotlib.rcParams) == before
    np.testing.assert_array_equal(first, confidence_chart([True], [0.5]))
