import itertools

import numpy as np
import pytest

from svhn.detection.decoding import DetectedDigits
from svhn.detection.numbers import JOINING_SCORE, group_digits

WIDTHS = dict(zip("0123456789", [0.62, 0.3, *[0.58] * 8], strict=True))
"""In digit heights."""


def digit(label, centre, height=30.0, score=0.9, width=None):
    """One row: label, score, left, top, width, height."""
    width = WIDTHS[label] * height if width is None else width
    return int(label), score, centre[0] - width / 2, centre[1] - height / 2, width, height


def row(text, left=100.0, middle=200.0, height=30.0, gap=0.1, score=0.9):
    """A level line whose digits have a gap between them, in digit heights."""
    rows = []
    for label in text:
        width = WIDTHS[label] * height
        rows.append(digit(label, (left + width / 2, middle), height, score))
        left += width + gap * height
    return rows


def turned(rows, degrees):
    """The same, turned clockwise about the origin; upright boxes about the turned digits."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    result = []
    for label, score, left, top, width, height in rows:
        centre = turn @ (left + width / 2, top + height / 2)
        halves = np.sqrt(turn**2 @ (width**2 / 4, height**2 / 4))
        result.append((label, score, *(centre - halves), *(halves * 2)))
    return result


def detected(rows):
    """As the detector gives them: the surest first."""
    rows = sorted(rows, key=lambda entry: -entry[1])
    table = np.array(rows, np.float32).reshape(-1, 6)
    labels, scores = table[:, 0].astype(np.int32), table[:, 1]
    return DetectedDigits(labels, scores, table[:, 2:], np.eye(10, dtype=np.float32)[labels])


def numbers(rows):
    """The numbers found, the best first; the order in which digits come must not matter."""
    found = [found.number for found in group_digits(detected(rows))]
    again = [found.number for found in group_digits(detected(rows[::-1]))]
    assert sorted(found) == sorted(again)
    return found


@pytest.mark.parametrize("text", ["7", "75", "365", "1924", "90210", "123456"])
def test_a_level_line(text):
    (found,) = group_digits(detected(row(text)))
    assert found.number == text
    boxes = np.array(row(text))[:, 2:]
    right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    left, top = boxes[:, :2].min(axis=0)
    np.testing.assert_allclose(found.box, [left, top, right - left, bottom - top], rtol=1e-5)
    np.testing.assert_allclose(found.digits.boxes, boxes, rtol=1e-5)
    assert found.score == pytest.approx(1 - 0.1 ** len(text), abs=1e-5)


def test_no_digits_no_numbers():
    assert group_digits(detected([])) == []


@pytest.mark.parametrize("height", [8.0, 30.0, 900.0])
def test_the_scale_does_not_matter(height):
    assert numbers(row("4711", height=height)) == ["4711"]


@pytest.mark.parametrize("degrees", [-60, -45, -20, 10, 30, 45, 60])
@pytest.mark.parametrize("text", ["28", "117", "3605"])
def test_slanted_lines(text, degrees):
    assert numbers(turned(row(text), degrees)) == [text]


@pytest.mark.parametrize("step", [-1.0, -0.5, 0.3, 0.6, 1.0])
def test_stepped_lines(step):
    """Each digit higher or lower than the one before, as beside a stair."""
    rows = [
        digit(label, (100 + 22 * place, 200 + 30 * step * place))
        for place, label in enumerate("2846")
    ]
    assert numbers(rows) == ["2846"]


def test_digits_up_and_down_in_turn():
    rows = [
        digit(label, (100 + 24 * place, 200 + 9 * (place % 2)))
        for place, label in enumerate("48265")
    ]
    assert numbers(rows) == ["48265"]


@pytest.mark.parametrize("radius", [2.0, 3.0, 8.0, -2.0, -3.0])
@pytest.mark.parametrize("text", ["342", "5078", "20964"])
def test_lines_curved_on_a_plaque(text, radius):
    """On a circle whose radius is given in digit heights; below its middle if negative."""
    angles = (np.arange(len(text)) - (len(text) - 1) / 2) * 0.75 / abs(radius)
    rows = []
    for label, angle in zip(text, angles, strict=True):
        upright = [digit(label, (0.0, -radius * 30))]
        rows += turned(upright, np.degrees(angle) * np.sign(radius))
    assert numbers(rows) == [text]


@pytest.mark.parametrize("text", ["28", "117", "3605", "11111"])
@pytest.mark.parametrize("gap", [0.05, 0.3, 0.6])
def test_straight_down(text, gap):
    rows = [digit(label, (100, 100 + 30 * (1 + gap) * place)) for place, label in enumerate(text)]
    assert numbers(rows) == [text]


def test_straight_down_by_eye():
    shifts = [0, 4, -3, 2]
    rows = [
        digit(label, (100 + shift, 100 + 36 * place), height=30 + shift)
        for place, (label, shift) in enumerate(zip("7315", shifts, strict=True))
    ]
    assert numbers(rows) == ["7315"]


def test_straight_down_with_something_unsure_beside():
    rows = [digit(label, (100, 100 + 36 * place)) for place, label in enumerate("735")]
    assert numbers([*rows, digit("1", (122, 136), score=0.3)])[0] == "735"


@pytest.mark.parametrize("line_gap", [0.15, 0.5, 1.0])
@pytest.mark.parametrize("shift", [0.0, 0.35, 0.7, 1.4])
def test_one_number_above_another(line_gap, shift):
    upper = row("234")
    lower = row("567", left=100 + 30 * shift, middle=200 + 30 * (1 + line_gap))
    assert sorted(numbers(upper + lower)) == ["234", "567"]


def test_three_numbers_one_above_another():
    """More rows than columns: still no columns."""
    rows = [
        entry
        for place, text in enumerate(["12", "14", "16"])
        for entry in row(text, middle=100 + 36 * place)
    ]
    assert sorted(numbers(rows)) == ["12", "14", "16"]


def test_two_columns_side_by_side():
    rows = [
        digit(label, (left, 100 + 33 * place))
        for left, text in ((100, "247"), (150, "385"))
        for place, label in enumerate(text)
    ]
    assert sorted(numbers(rows)) == ["247", "385"]


def test_two_numbers_side_by_side():
    assert sorted(numbers(row("12") + row("46", left=220))) == ["12", "46"]


def test_widely_spaced_digits_of_one_number():
    assert numbers(row("1924", gap=1.2)) == ["1924"]


def test_two_numbers_side_by_side_that_are_hardly_farther_apart():
    second = row("46")
    width = second[-1][2] + second[-1][4] - second[0][2]
    assert sorted(numbers(row("38") + row("46", left=100 + width + 30 * 1.2))) == ["38", "46"]


def test_numbers_of_different_sizes_stay_apart():
    large, small = row("38", height=60), row("24", left=190, middle=215, height=20)
    assert sorted(numbers(large + small)) == ["24", "38"]


def test_perspective_makes_digits_smaller_by_and_by():
    heights = [60, 50, 42, 35]
    lefts = itertools.accumulate([100, *(0.7 * height for height in heights)])
    rows = [
        digit(label, (left, 200), height)
        for label, left, height in zip("4826", lefts, heights, strict=False)
    ]
    assert numbers(rows) == ["4826"]


@pytest.mark.parametrize("text", ["11", "111", "1141"])
def test_ones_stand_far_apart(text):
    """Where all digits are as far from each other as the widest need it."""
    rows = [digit(label, (100 + 27 * place, 200), width=6) for place, label in enumerate(text)]
    assert numbers(rows) == [text]


@pytest.mark.parametrize(
    "stray",
    [
        digit("1", (84, 205), height=12),  # a small one close by: a screw, a bell
        digit("0", (190, 190), height=14),
        digit("1", (230, 200), height=30),  # of the same size, far away: a pipe
        digit("1", (130, 260), height=90),  # a large one below: a door frame
        digit("0", (110, 120), height=30),  # above: a window
    ],
)
def test_strays_belong_to_no_number(stray):
    assert numbers([*row("365"), stray])[0] == "365"


@pytest.mark.parametrize("score", [0.3, 0.5, 0.95])
def test_what_fits_badly_joins_only_if_it_is_sure(score):
    """A digit that is smaller, lower and apart."""
    other = digit("7", (173, 213), height=23, score=score)
    assert ("3657" in numbers([*row("365"), other])) == (score > 0.9)


def test_unsure_digits_in_line_join():
    first, (label, _, *box), last = row("365")
    assert numbers([first, (label, 0.3, *box), last]) == ["365"]


def test_a_digit_that_was_not_seen_does_not_split_the_number():
    first, _, last = row("365")
    assert numbers([first, last]) == ["35"]


@pytest.mark.parametrize(("shift", "shrink"), [(0, 0.6), (5, 0.8), (-4, 0.7)])
def test_a_second_guess_at_the_same_place_is_no_digit(shift, shrink):
    """What non-maximum suppression leaves: a part of a digit, with another class."""
    line = row("385")
    left, top, width, height = line[1][2:]
    guess = (0, 0.6, left + (1 - shrink) * width / 2 + shift, top, width * shrink, height * shrink)
    assert numbers([*line, guess]) == ["385"]


def test_two_numbers_are_ranked_by_how_sure_they_are():
    doubtful, sure = row("365", score=0.4), row("28", middle=400, score=0.9)
    found = group_digits(detected(doubtful + sure))
    assert [entry.number for entry in found] == ["28", "365"]
    assert found[0].score > found[1].score
    assert all(0 <= entry.score <= 1 for entry in found)


def test_each_digit_is_in_one_number_at_most():
    random = np.random.default_rng(5)
    for _ in range(20):
        count = 40
        rows = [
            digit(
                str(random.integers(10)), random.uniform(0, 300, 2), random.uniform(10, 60), score
            )
            for score in random.uniform(0.1, 1, count)
        ]
        found = group_digits(detected(rows))
        boxes = np.concatenate([entry.digits.boxes for entry in found])
        assert len(np.unique(boxes, axis=0)) == len(boxes)
        assert [entry.score for entry in found] == sorted((e.score for e in found), reverse=True)
        assert (np.concatenate([entry.digits.scores for entry in found]) >= JOINING_SCORE).all()
