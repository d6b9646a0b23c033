"""What trained readers say of training pictures: the soft truth that a new one may learn from.

Hinton et al. 2015 (arXiv 1503.02531): a network that learns the probabilities that several networks
give together becomes better than by the labels alone. Several looks at a picture, each a little
beside the others, differ as networks do, so the teachers' word is the mean over both.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from svhn.checkpoints import load_model
from svhn.labels import HEAD_NAMES
from svhn.models import build_model
from svhn.models.inference import for_inference
from svhn.picture_size import PictureSize, picture_size

SHIFT = 2
"""How far a view is beside the picture, pixels of the teacher's input."""

_SHIFTS = ((0, 0), (-SHIFT, 0), (SHIFT, 0), (0, -SHIFT), (0, SHIFT))
"""To the right and down, of each view."""

VIEWS = len(_SHIFTS)


class Teachers:
    """A `svhn.training.task.FurtherTruth`: what networks say of pictures on average."""

    def __init__(self, networks: Sequence[keras.Model]):
        """Takes readers, which stay as they are.

        Args:
            networks: From images float32 [B, height, width, 3], each in its own size, to the logits
                of the six heads.
        """
        self._networks = networks

    def __call__(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the mean of the networks' probabilities over all views of each picture.

        Args:
            images: float32 [B, H, W, 3], as `svhn.preprocessing.standardise` makes them.

        Returns:
            By head name, of each class: float32 [B, 7] for "length", [B, 10] for digits.
        """
        words = [_probabilities(network, images) for network in self._networks]
        return {name: tf.add_n([word[name] for word in words]) / len(words) for name in HEAD_NAMES}


def load_teachers(paths: Sequence[str], precision: str = "float32") -> Teachers:
    """Returns the readers of some files; to be called under the scope of the strategy.

    Args:
        paths: Each as `svhn.checkpoints.load_model` takes it.
        precision: Of their activations; see `svhn.models.build_model`.

    Raises:
        UserError: If one can't be read, or is no reader.
    """
    return Teachers([_load(path, precision) for path in paths])


def _load(path: str, precision: str) -> keras.Model:
    loaded = load_model(path)
    model = build_model(loaded.config["model"], precision=precision)
    model.set_weights(loaded.model.get_weights())
    return for_inference(model)


def _probabilities(network: keras.Model, images: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns one network's probabilities, the mean over all views of each picture."""
    # In one call: five small batches take a device longer.
    logits = network(views(resized(images, picture_size(network))), training=False)
    words = {}
    for name in HEAD_NAMES:
        of_views = tf.nn.softmax(tf.cast(logits[name], tf.float32))
        words[name] = tf.reduce_mean(tf.reshape(of_views, [VIEWS, -1, of_views.shape[-1]]), axis=0)
    return words


def views(images: tf.Tensor) -> tf.Tensor:
    """Returns all views of pictures: themselves, then shifted left, right, up and down.

    Args:
        images: float32 [B, H, W, 3].

    Returns:
        float32 [5 · B, H, W, 3]: the first views of all pictures, then their second ones, and so
        on. Where a shift leaves room, the picture's edge is repeated.
    """
    _, height, width, _ = images.shape

    def shifted(right: int, down: int) -> tf.Tensor:
        rows = np.clip(np.arange(height) - down, 0, height - 1)
        columns = np.clip(np.arange(width) - right, 0, width - 1)
        return tf.gather(tf.gather(images, rows, axis=1), columns, axis=2)

    return tf.concat([shifted(right, down) for right, down in _SHIFTS], axis=0)


def resized(images: tf.Tensor, size: PictureSize) -> tf.Tensor:
    """Returns pictures in another size, standardised as they were.

    Resizing changes mean and deviation a little. Each picture gets back mean 0 and the deviation
    that it had: 1, or less for a flat one, which `svhn.preprocessing.standardise` doesn't stretch
    to 1 either.

    Args:
        images: float32 [B, H, W, 3].
        size: The one wanted. Where they have it, they are returned as they are.

    Returns:
        float32 [B, height, width, 3].
    """
    if tuple(images.shape[1:3]) == size:
        return images
    axes = [1, 2, 3]
    pictures = tf.image.resize(images, size, antialias=True)
    pictures -= tf.reduce_mean(pictures, axes, keepdims=True)
    deviation = tf.math.reduce_std(pictures, axes, keepdims=True)
    wanted = tf.math.reduce_std(images, axes, keepdims=True)
    return pictures * tf.math.divide_no_nan(wanted, deviation)
