"""Finders without a network."""

import threading

import numpy as np

from svhn.detection.decoding import DetectedDigits
from svhn.detection.numbers import FoundNumber
from svhn.detection.outline import Outline


def found_number(number: str, box: tuple[float, ...], score: float = 0.8) -> FoundNumber:
    """A number whose digits share its box evenly, each with the number's score."""
    left, top, width, height = box
    count = len(number)
    boxes = np.array(
        [[left + width * i / count, top, width / count, height] for i in range(count)], np.float32
    )
    labels = np.array(list(map(int, number)), np.int32)
    class_scores = np.full((count, 10), 0.01, np.float32)
    class_scores[np.arange(count), labels] = score
    digits = DetectedDigits(labels, np.full(count, score, np.float32), boxes, class_scores)
    return FoundNumber(np.array(box, np.float32), digits, score)


class PixelFinder:
    """Finds as many numbers as the photo's upper left pixel says (its red value, modulo 4)."""

    outline = Outline()

    def __init__(self):
        self.calls = 0
        self.lock = threading.Lock()

    def find(self, photo: np.ndarray) -> list[FoundNumber]:
        with self.lock:
            self.calls += 1
        height, width = photo.shape[:2]
        return [
            found_number(
                str(10 + place), (place, place, width / 2, height / 2), 0.99 - 0.02 * place
            )
            for place in range(int(photo[0, 0, 0]) % 4)
        ]
