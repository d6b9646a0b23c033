import numpy as np
import pytest

from svhn.labels import label_array
from svhn.reading import long_numbers
from svhn.reading.distribution import NumberDistribution
from svhn.reading.given_box import GivenBoxReader
from svhn.reading.long_numbers import Strip, joined, looked_closer, part_boxes, parts_of, strip_of
from svhn.reading.looks import crop_boxes
from svhn.reading.results import Reading

BOX = np.array([40, 20, 60, 30], np.float32)


def says(number, sure=0.9):
    """A distribution that is so sure of a number's length, and of each of its digits."""
    lengths, digits = np.full(7, (1 - sure) / 6), np.full((5, 10), (1 - sure) / 9)
    digits[len(number) :] = 0.1
    lengths[len(number)] = sure
    for position, digit in enumerate(number):
        digits[position, int(digit)] = sure
    return NumberDistribution(np.log(lengths), np.log(digits))


class ReaderOfWidths:
    """Reads 12345 in a picture that is told by its box alone, and in parts what is there: 92345 in
    all, if looked at closely. Knows which boxes it has seen.
    """

    batch_size = 4

    def __init__(self):
        self.seen = []

    def prepare(self, photo, box):
        return np.asarray(box)

    def prepare_all(self, photo, boxes):
        self.seen += [tuple(map(float, box)) for box in boxes]
        return list(boxes)

    def distributions(self, boxes):
        return [self._distribution(box) for box in boxes]

    def _distribution(self, box):
        if box[2] == BOX[2]:
            return says("12345", 0.8)
        left = 40 if box[1] > 17.5 else 15  # in the strip
        count = 4 if box[2] > 35 else 3
        start = int((box[0] - left) / 12)
        return says("92345"[start : start + count], 0.99)

    def read(self, boxes):
        return [self.reading(distribution) for distribution in self.distributions(boxes)]

    def reading(self, distribution):
        label = distribution.best()
        return Reading(
            label,
            float(np.exp(distribution.log_probability(label))),
            distribution.digit_probabilities(label),
        )


@pytest.mark.parametrize(
    ("length", "parts"),
    [
        (4, [(0, 3), (1, 3), (0, 2), (1, 2), (2, 2)]),
        (5, [(0, 4), (1, 4), (0, 3), (1, 3), (2, 3)]),
    ],
)
def test_parts_leave_out_one_or_two_digits_and_are_seen_without_them(length, parts):
    assert parts_of(length) == parts
    boxes = part_boxes(BOX, length)
    np.testing.assert_allclose(boxes[:, [1, 3]], [[20, 30]] * len(parts))
    starts, counts = np.transpose(parts)
    # What the network sees of a box: 1.3 times as much, and of that the patch.
    widths = boxes[:, 2] * 1.3 * 54 / 64
    np.testing.assert_allclose(widths, 60 * counts / length, rtol=1e-6)
    lefts = boxes[:, 0] + boxes[:, 2] / 2 - widths / 2
    np.testing.assert_allclose(lefts, 40 + 60 * starts / length, rtol=1e-6)


def looks_at_parts(*numbers):
    """One look at each part of a number of four."""
    return [[says(number, 0.8)] for number in numbers]


@pytest.fixture
def untempered(monkeypatch):
    monkeypatch.setattr(long_numbers, "TEMPERATURE", 1.0)


def test_looks_at_a_digit_are_averaged_and_the_length_is_the_wholes(untempered):
    whole = says("1234", 0.5)
    both = joined(whole, 4, looks_at_parts("923", "234", "92", "23", "34"))
    np.testing.assert_allclose(both.lengths, whole.lengths)
    probabilities = np.exp(both.digits)
    # The first digit is seen as 1 once, and twice as 9; each part counts 0.8.
    assert probabilities[0, [1, 9]] == pytest.approx(
        [(0.5 + 1.6 * 0.2 / 9) / 2.6, (0.5 / 9 + 1.6 * 0.8) / 2.6]
    )
    assert probabilities[1, 2] == pytest.approx((0.5 + 4 * 0.8 * 0.8) / 4.2)
    np.testing.assert_allclose(both.digits[4], whole.digits[4])  # there is no such digit
    assert both.best() == tuple(label_array([9, 2, 3, 4]).tolist())


def test_looks_that_see_more_or_fewer_digits_than_their_part_has_have_less_say(untempered):
    whole = says("1234", 0.5)
    of_three = says("923", 0.8)
    parts = looks_at_parts("923", "234", "12", "23", "34")
    one_of_two = joined(whole, 4, [[of_three, says("9234", 0.8)], *parts[1:]])
    # Of the first part one look counts 0.8 / 2, and the other 0.2 / 6 / 2; of "12" it is 0.8.
    weights = np.array([1, 0.4, 0.2 / 12, 0.8])
    expected = weights @ [0.5 / 9, 0.8, 0.8, 0.2 / 9] / weights.sum()
    assert np.exp(one_of_two.digits[0, 9]) == pytest.approx(expected)
    several = joined(whole, 4, [[of_three, of_three], *parts[1:]])
    np.testing.assert_allclose(several.digits, joined(whole, 4, parts).digits)


def test_all_looks_together_are_surer_than_their_mean(monkeypatch):
    arguments = says("1234", 0.5), 4, looks_at_parts("923", "234", "92", "23", "34")
    together = joined(*arguments)
    monkeypatch.setattr(long_numbers, "TEMPERATURE", 1.0)
    mean = joined(*arguments)
    assert together.best() == mean.best()
    assert together.log_probability(together.best()) > mean.log_probability(mean.best())
    for tempered, plain in ((together.lengths, mean.lengths), (together.digits, mean.digits)):
        expected = np.exp(plain) ** (1 / 0.75)
        expected /= expected.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(np.exp(tempered), expected)


def test_only_what_seems_long_is_looked_at_again():
    reader = ReaderOfWidths()
    strip = Strip(np.zeros((70, 140, 3), np.uint8), BOX)
    distributions = [says("123"), says("12345", 0.8), says("12345", 0.8)]
    closer = looked_closer(reader, distributions, [strip, strip, None])
    looked_at = [BOX, *part_boxes(BOX, 5)]
    assert reader.seen == [tuple(look.tolist()) for box in looked_at for look in crop_boxes(box, 5)]
    assert closer[0] is distributions[0] and closer[2] is distributions[2]
    assert closer[1].best() == tuple(label_array([9, 2, 3, 4, 5]).tolist())


class ReaderOfPlaces(ReaderOfWidths):
    """Reads 12345 in one place, and 123 a little beside."""

    def _distribution(self, box):
        return says("12345" if tuple(box) == tuple(BOX) else "123")


def test_what_seems_short_from_beside_has_no_parts():
    reader = ReaderOfPlaces()
    strip = Strip(np.zeros((70, 140, 3), np.uint8), BOX)
    [closer] = looked_closer(reader, [says("12345")], [strip])
    assert len(reader.seen) == 5
    assert closer.best() == tuple(label_array([1, 2, 3]).tolist())
    assert np.exp(closer.lengths[[3, 5]]) == pytest.approx(
        [(4 * 0.9 + 0.1 / 6) / 5, (0.9 + 4 * 0.1 / 6) / 5]
    )


def test_a_box_that_is_given_is_looked_at_closely():
    photo = np.zeros((90, 160, 3), np.uint8)
    photo_reader = GivenBoxReader(ReaderOfWidths(), lambda path: BOX)
    [[reading]] = photo_reader.read_prepared([photo_reader.prepare(photo, "a.png")])
    assert reading.number == "92345"
    assert reading.box == tuple(BOX.tolist())
    assert 0 < reading.confidence < 1


def test_a_strip_shows_the_number_where_it_is():
    photo = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    strip = strip_of(photo, BOX)
    left, top, width, height = strip.box.astype(int)
    np.testing.assert_array_equal(
        strip.pixels[top : top + height, left : left + width], photo[20:50, 40:100]
    )
    assert left == 15 and top == 15  # half of its height
    assert not np.shares_memory(strip.pixels, photo)


def test_parts_are_the_same_in_strip_and_photo(reader):
    photo = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    strip = strip_of(photo, BOX)
    np.testing.assert_array_equal(
        reader.prepare_all(photo, part_boxes(BOX, 5)),
        reader.prepare_all(strip.pixels, part_boxes(strip.box, 5)),
    )


def test_the_strip_of_a_large_number_is_reduced():
    photo = np.zeros((2000, 3000, 3), np.uint8)
    strip = strip_of(photo, [600, 400, 1500, 600])
    assert strip.pixels.shape == (300, 525, 3)
    np.testing.assert_allclose(strip.box, [75, 75, 375, 150])


def test_boxes_may_go_on_beyond_the_photo():
    strip = strip_of(np.zeros((40, 100, 3), np.uint8), [-10, -5, 150, 60])
    assert strip.pixels.shape == (40, 100, 3)
    assert strip.box.tolist() == [-10, -5, 150, 60]


def test_what_is_much_higher_than_wide_has_no_strip():
    assert strip_of(np.zeros((90, 160, 3), np.uint8), [40, 20, 20, 30]) is None
