"""Head by head against plain loops, and the interval of a difference against exact figures."""

import numpy as np
import pytest
from scipy.stats import binomtest

from benchmarks.decoding import head_by_head, paired_interval
from svhn.labels import label_array
from tests.test_decoding import random_logits


def test_each_head_speaks_for_itself():
    logits = random_logits(300, scale=2, seed=1)
    labels = head_by_head(logits)
    for photo, label in enumerate(labels):
        length = int(logits["length"][photo].argmax())
        digits = [int(logits[f"digit_{place}"][photo].argmax()) for place in range(1, 6)]
        expected = label_array([0] * 6 if length == 6 else digits[:length])
        np.testing.assert_array_equal(label, expected)
    assert set(labels[:, 0]) == set(range(7))
    assert labels.dtype == np.int32


@pytest.mark.parametrize(("first", "second"), [(30, 12), (12, 30), (5, 5), (0, 0), (9, 0)])
def test_the_interval_of_a_difference(first, second):
    low, high = paired_interval(first, second, 2000)
    assert low < (first - second) / 2000 < high
    # It leaves 0 out where the exact test of the discordant photos finds a difference.
    if first + second:
        significant = binomtest(first, first + second).pvalue < 0.05
        assert (low > 0 or high < 0) == significant
