"""The reader: a trained network, applied to photos and boxes.

Every batch that the network sees has the same size, filled up with empty pictures: so a photo
goes through the same computation alone and among thousands, and gives the same bits.
"""

import math
from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from svhn.checkpoints import load_model
from svhn.decoding import Decoded, decode
from svhn.labels import HEAD_NAMES
from svhn.loaded_model import LoadedModel
from svhn.models.inference import for_inference
from svhn.picture_size import picture_size
from svhn.preprocessing import MARGIN, PATCH_SHARE, crop
from svhn.reading.distribution import Label, NumberDistribution
from svhn.reading.results import Reading


class Reader:
    """Reads numbers. Its methods may be called from several threads."""

    def __init__(
        self,
        model: keras.Model,
        batch_size: int = 32,
        temperature: float = 1.0,
        min_confidence: float | None = None,
    ):
        """Wraps a trained model.

        Args:
            model: From images float32 [B, height, width, 3] to the logits of the six heads. What is
                applied is `svhn.models.inference.for_inference` of it.
            batch_size: How many pictures the network always sees at a time.
            temperature: The network's, see `svhn.decoding.decode`.
            min_confidence: From which confidence on a reading is sure, 0 to 1; None to leave open
                which ones are.
        """
        self.model = model
        self.batch_size = batch_size
        self.temperature = temperature
        self.min_confidence = min_confidence
        network = for_inference(model)
        size = self._size = picture_size(model)
        batch = tf.TensorSpec([batch_size, *size, 3], tf.float32)

        @tf.function(input_signature=[batch])
        def predict(pictures: tf.Tensor) -> Decoded:
            return decode(network(pictures, training=False), temperature)

        @tf.function(input_signature=[batch])
        def distribute(pictures: tf.Tensor) -> list[tf.Tensor]:
            logits = network(pictures, training=False)
            return [tf.nn.log_softmax(logits[name] / temperature) for name in HEAD_NAMES]

        self._predict, self._distribute = predict, distribute
        picture = tf.TensorSpec([*size, 3], tf.float32)

        @tf.function(
            input_signature=[
                tf.TensorSpec([None, None, 3], tf.uint8),
                tf.TensorSpec([None, 4], tf.float32),
            ]
        )
        def crops(photo: tf.Tensor, boxes: tf.Tensor) -> tf.Tensor:
            return tf.map_fn(lambda box: crop(photo, box, size), boxes, fn_output_signature=picture)

        self._crops = crops

    @classmethod
    def from_checkpoint(
        cls, path: str, batch_size: int = 32, min_accuracy: float = 0.0
    ) -> "Reader":
        """Returns a reader with the network of a checkpoint or a file of released weights.

        Args:
            path: As in `svhn.checkpoints.load_model`.
            batch_size: How many pictures the network always sees at a time.
            min_accuracy: The share of right readings, 0 to 1, among those that are called sure;
                0 to leave open which ones are.

        Raises:
            UserError: If there is no such checkpoint, if it can't be read, or if it has no
                threshold for that accuracy.
        """
        return cls.of(load_model(path), batch_size, min_accuracy)

    @classmethod
    def of(cls, loaded: LoadedModel, batch_size: int = 32, min_accuracy: float = 0.0) -> "Reader":
        """Returns a reader with a network and the calibration that is kept with it.

        Args:
            loaded: A reader's network.
            batch_size: As in `from_checkpoint`.
            min_accuracy: Likewise.

        Raises:
            UserError: If it has no threshold for that accuracy.
        """
        stored = loaded.calibration
        threshold = stored.demand_threshold(min_accuracy, loaded.path) if min_accuracy else None
        return cls(loaded.model, batch_size, stored.temperature, threshold)

    def prepare(self, photo: np.ndarray, box: Sequence[float] | None = None) -> np.ndarray:
        """Returns what the network sees of a photo: `svhn.preprocessing.crop`, bit for bit.

        Args:
            photo: uint8 array of shape (height, width, 3), RGB.
            box: The tight box around all digits: left, top, width, height, pixels. Without it
                the network sees the whole photo (`whole_photo_box`).

        Returns:
            float32 array of shape (height, width, 3).
        """
        if box is None:
            box = whole_photo_box(*photo.shape[:2])
        return self.prepare_all(photo, [box])[0]

    def prepare_all(self, photo: np.ndarray, boxes: Sequence[Sequence[float]]) -> np.ndarray:
        """Returns what `prepare` does for each of several boxes, in half the time.

        Args:
            photo: As for `prepare`.
            boxes: Any number, each as for `prepare`.

        Returns:
            float32 array of shape (boxes, height, width, 3).
        """
        return self._crops(photo, np.asarray(boxes, np.float32).reshape(-1, 4)).numpy()

    def read(self, pictures: Sequence[np.ndarray]) -> list[Reading]:
        """Returns the most likely number of each picture.

        Args:
            pictures: Any number of arrays that `prepare` returned.
        """
        readings = []
        for batch, count in self._batches(pictures):
            labels, confidences, digits = (array.numpy() for array in self._predict(batch))
            for label, confidence, probabilities in zip(
                labels[:count].tolist(), confidences.tolist(), digits.tolist(), strict=False
            ):
                readings.append(self._reading(tuple(label), confidence, tuple(probabilities)))
        return readings

    def reading(self, distribution: NumberDistribution) -> Reading:
        """Returns the most likely number of a distribution.

        Args:
            distribution: As `distributions` returns them, or of several looks.
        """
        label = distribution.best()
        confidence = math.exp(distribution.log_probability(label))
        return self._reading(label, confidence, distribution.digit_probabilities(label))

    def _reading(
        self, label: Label, confidence: float, digit_probabilities: tuple[float, ...]
    ) -> Reading:
        sure = None if self.min_confidence is None else confidence >= self.min_confidence
        return Reading(label, confidence, digit_probabilities, sure)

    def distributions(self, pictures: Sequence[np.ndarray]) -> list[NumberDistribution]:
        """Returns how likely each number is for each picture, at the temperature.

        Args:
            pictures: Any number of arrays that `prepare` returned.
        """
        found = []
        for batch, count in self._batches(pictures):
            lengths, *digits = (array.numpy()[:count] for array in self._distribute(batch))
            by_picture = np.stack(digits, axis=1).astype(np.float64)
            found += map(NumberDistribution, lengths.astype(np.float64), by_picture)
        return found

    def _batches(self, pictures: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, int]]:
        """The pictures in batches of the one size, and how many of each are no filling."""
        for start in range(0, len(pictures), self.batch_size):
            part = pictures[start : start + self.batch_size]
            batch = np.zeros((self.batch_size, *self._size, 3), np.float32)
            batch[: len(part)] = part
            yield batch, len(part)


def whole_photo_box(height: int, width: int) -> np.ndarray:
    """Returns the box for which the network sees the photo from edge to edge, and no more.

    `crop` shows more than the box it is given: the box grown by `MARGIN`, less the border that
    the centre patch cuts off. A photo that shows little but a number thus looks to the network
    like the crops it has been trained on: digits that nearly fill the view.

    Args:
        height: Of the photo, pixels.
        width: Of the photo, pixels.

    Returns:
        float32 array of shape (4,): left, top, width, height, pixels.
    """
    size = np.array([width, height], np.float64)
    box_size = size / ((1 + MARGIN) * PATCH_SHARE)
    return np.concatenate([(size - box_size) / 2, box_size]).astype(np.float32)
