"""Random pictures of one number, as training would vary it, decided by the photo's name."""

import hashlib

import numpy as np
import tensorflow as tf

from svhn.augmentation import make_pictures, plan_pictures
from svhn.augmentation_config import Augmentation
from svhn.picture_size import PAPER_SIZE, PictureSize
from svhn.random_view import look_up

_LARGEST_KEY = 2**62


class TwinCrops:
    """Makes the random twins of a number's crop; `svhn.augmentation.random_crop`, many at once."""

    def __init__(
        self,
        count: int,
        seed: int,
        augmentation: Augmentation,
        size: PictureSize = PAPER_SIZE,
    ):
        """Prepares for any photos.

        Args:
            count: Twins of each number.
            seed: With a photo's name it decides all that is random.
            augmentation: How far the changes go; its strength is above 0.
            size: Of the network's pictures.
        """
        self.count = count
        self._size = size
        self._seed = seed

        @tf.function(
            input_signature=[
                tf.TensorSpec([None, None, 3], tf.uint8),
                tf.TensorSpec([None, 4], tf.float32),
                tf.TensorSpec([count, 2], tf.int64),
            ]
        )
        def make(photo: tf.Tensor, digit_boxes: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
            boxes = tf.repeat(digit_boxes[tf.newaxis], count, axis=0)
            photo_size = tf.gather(tf.shape(photo), [[1, 0]])
            plans = plan_pictures(
                boxes,
                tf.ones_like(boxes[..., 0], tf.bool),
                tf.repeat(photo_size, count, axis=0),
                keys,
                augmentation,
                size,
            )
            padded = tf.pad(photo, [[0, 0], [0, 0], [0, 1]])
            views = tf.map_fn(
                lambda view: look_up(padded, view),
                plans.view,
                fn_output_signature=tf.TensorSpec([size.height * size.width, 4], tf.uint16),
            )
            return make_pictures(views, plans.appearance_draws, augmentation, size)

        self._make = make

    def pictures(self, photo: np.ndarray, digit_boxes: np.ndarray, name: str) -> np.ndarray:
        """Returns the twins, the same for the same photo, boxes, name and seed.

        Args:
            photo: uint8 (H, W, 3), RGB.
            digit_boxes: float (N, 4), N ≥ 1: left, top, width, height, pixels.
            name: The photo's own.

        Returns:
            float32 (count, height, width, 3), each of mean 0.
        """
        if not self.count:
            return np.empty((0, *self._size, 3), np.float32)
        keys = twin_keys(name, self._seed, self.count)
        return self._make(photo, np.asarray(digit_boxes, np.float32), keys).numpy()


def twin_keys(name: str, seed: int, count: int) -> np.ndarray:
    """Returns what decides each twin: int64 (count, 2); fewer twins are the first of more.

    Args:
        name: The photo's.
        seed: Another one gives other twins.
        count: How many.
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode(errors="surrogateescape")).digest()
    of_photo = int.from_bytes(digest[:8], "big") % _LARGEST_KEY
    return np.stack([np.arange(count), np.full(count, of_photo)], axis=1).astype(np.int64)
