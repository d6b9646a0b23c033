import numpy as np
import pytest

from svhn.labels import label_array
from svhn.reading.distribution import NumberDistribution
from svhn.reading.given_box import GivenBoxReader
from svhn.reading.long_numbers import Strip, joined, looked_closer, part_boxes, strip_of
from svhn.reading.looks import crop_boxes
from svhn.reading.results import Reading

BOX = np.array([40, 20, 60, 30], np.float32)


def says(number, sure=0.9):
    """A distribution that is about so sure of a number, and of each of its digits."""
    lengths, digits = np.full(7, 0.01), np.full((5, 10), 0.01)
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
            return says("12345", 0.6)
        first = 40 if box[1] > 17.5 else 15  # in the strip
        return says(["923", "234", "345"][int((box[0] - first) / 12)], 0.99)

    def read(self, boxes):
        return [self.reading(distribution) for distribution in self.distributions(boxes)]

    def reading(self, distribution):
        label = distribution.best()
        return Reading(
            label,
            float(np.exp(distribution.log_probability(label))),
            distribution.digit_probabilities(label),
        )


@pytest.mark.parametrize(("length", "starts"), [(3, [0]), (4, [0, 15]), (5, [0, 12, 24])])
def test_parts_are_seen_with_three_digits_each_and_all_of_them_together(length, starts):
    boxes = part_boxes(BOX, length)
    np.testing.assert_allclose(boxes[:, [1, 3]], [[20, 30]] * len(starts))
    # What the network sees of a box: 1.3 times as much, and of that the patch.
    widths = boxes[:, 2] * 1.3 * 54 / 64
    np.testing.assert_allclose(widths, 180 / length, rtol=1e-6)
    lefts = boxes[:, 0] + boxes[:, 2] / 2 - widths / 2
    np.testing.assert_allclose(lefts, 40 + np.array(starts), rtol=1e-6)
    assert lefts[-1] + widths[-1] == pytest.approx(100)


def test_looks_at_a_digit_are_averaged_and_the_length_is_the_wholes():
    whole = says("1234", 0.5)
    both = joined(whole, 4, [says("923", 0.8), says("234", 0.8)])
    np.testing.assert_array_equal(both.lengths, whole.lengths)
    probabilities = np.exp(both.digits)
    # The first digit is seen twice, the second three times, as 2 each time.
    assert probabilities[0, [1, 9]] == pytest.approx([0.255, 0.405])
    assert probabilities[1, 2] == pytest.approx((0.5 + 0.8 + 0.8) / 3)
    assert probabilities[3, 4] == pytest.approx((0.5 + 0.8) / 2)
    np.testing.assert_array_equal(both.digits[4], whole.digits[4])  # there is no such digit
    assert both.best() == tuple(label_array([9, 2, 3, 4]).tolist())


def test_only_what_seems_long_is_looked_at_again():
    reader = ReaderOfWidths()
    strip = Strip(np.zeros((70, 140, 3), np.uint8), BOX)
    distributions = [says("123"), says("12345", 0.6), says("12345", 0.6)]
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
    assert np.exp(closer.lengths[[3, 5]]) == pytest.approx([0.722, 0.188])


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
