import pytest

from svhn.data.length_weights import length_weights
from svhn.errors import UserError


def test_five_numbers():
    assert length_weights(["5", "0", "2.5", "0", "1e1"]) == [5, 0, 2.5, 0, 10]


@pytest.mark.parametrize(
    "texts",
    [[], ["1", "2"], ["a"] * 5, ["0"] * 5, ["1", "1", "1", "1", "-1"], ["inf"] * 5, ["nan"] * 5],
)
def test_weights_that_make_no_sense(texts):
    with pytest.raises(UserError, match=r"--lengths=.*five weights"):
        length_weights(texts)
