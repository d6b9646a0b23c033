"""How large the pictures are that networks see."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import keras


class PictureSize(NamedTuple):
    """Of a network's input, pixels."""

    height: int
    width: int


PAPER_SIZE = PictureSize(54, 54)
"""Of Goodfellow et al. 2013, section 4."""


def picture_size(model: "keras.Model") -> PictureSize:
    """Returns the size of the pictures that a model reads, as `svhn.preprocessing.crop` takes it.

    Args:
        model: From images float32 [B, height, width, 3].
    """
    return PictureSize(*model.input_shape[1:3])
