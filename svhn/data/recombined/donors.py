"""Digits of other photos that would fit into a photo."""

from collections.abc import Sequence

import numpy as np

from svhn.data.recombined.sources import Source
from svhn.images import LUMINANCE

_NEAREST = 16


class DonorIndex:
    """All digits of all sources, by what they are and how they look."""

    def __init__(self, sources: Sequence[Source]):
        self.sources = sources
        self._looks = np.stack([source.looks() for source in sources])
        self._places: list[np.ndarray] = []
        for digit in range(10):
            places = [
                (number, position)
                for number, source in enumerate(sources)
                for position, shown in enumerate(source.digits)
                if shown == digit
            ]
            self._places.append(np.array(places, np.int64).reshape(-1, 2))

    def draw(
        self, random: np.random.Generator, base: Source, digit: int
    ) -> tuple[Source, int] | None:
        """Returns a source and the position in it of a digit; None if the drawn one doesn't fit.

        One of the nearest in looks; the source itself is among them where it has the digit. What is
        darker than its ground doesn't fit into what is lighter.

        Args:
            random: Which of the nearest.
            base: The photo that gets the digit.
            digit: 0 to 9.
        """
        places = self._places[digit]
        if not len(places):
            return None
        apart = np.square(self._looks[places[:, 0]] - base.looks()).sum(axis=1)
        nearest = np.argsort(apart, kind="stable")[:_NEAREST]
        number, position = places[nearest[int(random.integers(len(nearest)))]]
        source = self.sources[number]
        same_polarity = ((source.ink - source.ground) @ LUMINANCE > 0) == (
            (base.ink - base.ground) @ LUMINANCE > 0
        )
        return (source, int(position)) if same_polarity else None
