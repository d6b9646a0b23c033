"""Reading a photo several times, from crops a little beside each other, and averaging.

A choice made at test time: it costs as many readings as there are crops, and its figures are to be
reported apart from those of the single crop.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from svhn.data.records import ConvertedPhoto
from svhn.evaluation.pictures import crop_picture
from svhn.geometry import union_box
from svhn.images import load_picture
from svhn.picture_size import PictureSize
from svhn.reading.looks import crop_boxes


@keras.saving.register_keras_serializable("svhn")
class AveragedProbabilities(layers.Layer):
    """From the logits of several crops of each photo to those of their mean probabilities.

    Input [B · crops, classes], the crops of a photo side by side; output [B, classes]: the
    logarithms of the mean of the softmax, which are logits again.
    """

    def __init__(self, crops: int, **keywords: Any):
        super().__init__(**keywords)
        self.crops = crops

    def call(self, logits: Any) -> Any:
        """Returns the logarithms of the mean probabilities."""
        scores = ops.log_softmax(logits, axis=-1)
        scores = ops.reshape(scores, (-1, self.crops, scores.shape[-1]))
        return ops.logsumexp(scores, axis=1) - np.log(self.crops).astype("float32")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that make the same layer."""
        return {**super().get_config(), "crops": self.crops}


def averaging_model(model: keras.Model, crops: int) -> keras.Model:
    """Returns a model that reads several crops of each photo and averages the heads' probabilities.

    It goes wherever the model itself goes in evaluation.

    Args:
        model: From images float32 [B, H, W, 3] to the logits of the six heads.
        crops: How many each photo has.

    Returns:
        From images float32 [B, crops, H, W, 3] to logits as the model gives them.
    """
    shape = tuple(model.input_shape[1:])
    images = keras.Input((crops, *shape), name="crops")
    logits = model(ops.reshape(images, (-1, *shape)))
    averaged = {name: AveragedProbabilities(crops)(values) for name, values in logits.items()}
    return keras.Model(images, averaged)


def crops_of_photos(
    photos: Iterable[ConvertedPhoto], crops: int, size: PictureSize
) -> Iterator[np.ndarray]:
    """Yields the crops of each photo, for `svhn.evaluation.pictures.batches_of_pictures`.

    Args:
        photos: As `svhn.data.records.read_photos` gives them.
        crops: 1 to `MOST_CROPS`.
        size: Of the network's pictures.

    Yields:
        float32 [crops, height, width, 3].
    """
    for photo in photos:
        pixels = load_picture(photo.encoded, photo.file_name)
        boxes = crop_boxes(union_box(photo.boxes), crops)
        yield np.stack([crop_picture(pixels, box, size) for box in boxes])
