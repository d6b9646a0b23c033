"""Batches for `svhn.evaluation.predict` of pictures that were made outside of the input pipeline.

They are made by the one shared crop, so that a photo with its own box gives the very picture that
the pipeline gives.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from svhn.data.records import ConvertedPhoto
from svhn.labels import label_array
from svhn.picture_size import PictureSize
from svhn.preprocessing import crop


def crop_picture(photo: np.ndarray, box: np.ndarray, size: PictureSize) -> np.ndarray:
    """Returns `svhn.preprocessing.crop` of one photo and box; may be called from several threads.

    Args:
        photo: uint8 [H, W, 3].
        box: float32 [4]: left, top, width, height, pixels.
        size: Of the network's pictures (`svhn.picture_size.picture_size`).

    Returns:
        float32 [height, width, 3].
    """
    return _crop_to(size)(photo, box).numpy()


@functools.cache
def _crop_to(size: PictureSize) -> Callable[..., tf.Tensor]:
    return tf.function(
        functools.partial(crop, size=size),
        input_signature=[tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([4], tf.float32)],
    )


def batches_of_pictures(
    photos: Sequence[ConvertedPhoto], pictures: Iterable[np.ndarray], batch_size: int
) -> Iterator[tuple[tf.Tensor, tf.Tensor, tf.Tensor]]:
    """Yields pictures with the labels and names of their photos.

    Args:
        photos: As `svhn.data.records.read_photos` gives them.
        pictures: One for each photo, in their order, float32, of any shape that is the same for
            all.
        batch_size: Photos at a time; the last batch holds what is left.

    Yields:
        images float32 [B, …], labels int32 [B, 6], names string [B].
    """
    pictures = iter(pictures)
    for start in range(0, len(photos), batch_size):
        part = photos[start : start + batch_size]
        images = np.stack([next(pictures) for _ in part])
        labels = np.array([label_array(photo.digits) for photo in part], np.int32)
        names = [f"{photo.folder}/{photo.file_name}" for photo in part]
        yield tf.constant(images), tf.constant(labels), tf.constant(names)
