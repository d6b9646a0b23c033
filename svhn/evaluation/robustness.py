"""How much accuracy is left when boxes are off and photos are turned, blurred, dim or compressed.

Every changed photo goes with its changed box through the one shared crop and the model, as in
`svhn.evaluation.predict`. The random draws of a photo depend on the seed and its name alone, and
are the same at every level of a change, so that levels differ by the level and not by chance.
"""

import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from svhn.data.records import ConvertedPhoto
from svhn.evaluation.metrics import Proportion
from svhn.evaluation.perturbations import (
    blurred,
    box_with_margin,
    compressed,
    darkened,
    jittered_box,
    turned,
    without_colour,
)
from svhn.evaluation.pictures import batches_of_pictures, crop_picture
from svhn.evaluation.predict import PredictStep, predict
from svhn.geometry import union_box
from svhn.images import load_picture
from svhn.picture_size import PAPER_SIZE, PictureSize
from svhn.preprocessing import MARGIN
from svhn.worker_processes import usable_cores

Change = Callable[
    [np.ndarray, np.ndarray, float, np.random.Generator], tuple[np.ndarray, np.ndarray]
]
"""From a photo uint8 [H, W, 3], its digits' boxes [N, 4], a level and the photo's random generator
to the changed photo and the box [4] that the crop is given."""


@dataclass(frozen=True)
class Panel:
    """A kind of change at several levels."""

    name: str
    """For files: "box_jitter"."""

    title: str
    """For people, with the unit of the levels."""

    change: Change
    levels: tuple[tuple[str, float | None], ...]
    """The levels in words and as numbers, in the order of the chart; None for the unchanged photo
    with its tight box."""


@dataclass(frozen=True)
class Measurement:
    """The accuracy at one level."""

    panel: str
    level: float | None
    level_name: str
    sequence: Proportion


def _jitter(photo, boxes, level, random):
    return photo, jittered_box(union_box(boxes), level, random)


def _margin(photo, boxes, level, random):
    return photo, box_with_margin(union_box(boxes), level)


def _turn(photo, boxes, level, random):
    return turned(photo, boxes, level)


def _blur(photo, boxes, level, random):
    return blurred(photo, level * float(boxes[:, 3].mean())), union_box(boxes)


def _darken(photo, boxes, level, random):
    return darkened(photo, level, random), union_box(boxes)


def _compress(photo, boxes, level, random):
    return compressed(photo, round(level)), union_box(boxes)


def _take_colour(photo, boxes, level, random):
    return without_colour(photo), union_box(boxes)


def _percent_levels(*percents: int) -> tuple[tuple[str, float], ...]:
    return tuple((f"{percent}", percent / 100) for percent in percents)


PANELS = (
    Panel(
        "box_jitter",
        "Box: each edge moved by up to ± % of the size",
        _jitter,
        (("0", None), *_percent_levels(5, 10, 20)),
    ),
    Panel(
        "margin",
        "Box: margin around the number, %",
        _margin,
        (
            *_percent_levels(15),
            (f"{100 * MARGIN:.0f}", None),
            *_percent_levels(45, 60, 80, 100),
        ),
    ),
    Panel(
        "rotation",
        "Rotation, degrees anticlockwise",
        _turn,
        (("−15", -15), ("−10", -10), ("−5", -5), ("0", None), ("5", 5), ("10", 10), ("15", 15)),
    ),
    Panel(
        "blur",
        "Blur: Gaussian σ, % of the digits' height",
        _blur,
        (("0", None), *_percent_levels(2, 4, 6, 8, 10)),
    ),
    Panel(
        "low_light",
        "Light left, with sensor noise",
        _darken,
        (("1", None), *((f"1/{parts}", 1 / parts) for parts in (2, 4, 8, 16, 32))),
    ),
    Panel(
        "jpeg",
        "JPEG quality",
        _compress,
        (("PNG", None), *((f"{quality}", quality) for quality in (90, 70, 50, 30, 20, 10))),
    ),
    Panel("greyscale", "Colour", _take_colour, (("colour", None), ("grey", 0.0))),
)
"""What is measured; the levels of issue 4 and some beyond them."""


def measure_robustness(
    predict_step: PredictStep,
    photos: Sequence[ConvertedPhoto],
    seed: int = 0,
    batch_size: int = 128,
    panels: Sequence[Panel] = PANELS,
    size: PictureSize = PAPER_SIZE,
) -> list[Measurement]:
    """Returns the sequence accuracy at every level of every panel.

    Args:
        predict_step: As `svhn.evaluation.predict.make_predict_step` makes it.
        photos: At least one.
        seed: Decides the random draws.
        batch_size: Photos at a time; it changes the speed, not the figures.
        panels: What to change, and how far.
        size: Of the network's pictures.
    """
    pixels = [load_picture(photo.encoded, photo.file_name) for photo in photos]

    def accuracy(panel: Panel, level_name: str, level: float | None) -> Proportion:
        make = partial(_picture, panel=panel, level=level, seed=seed, size=size)
        with ThreadPoolExecutor(usable_cores()) as pool:
            predictions = predict(
                predict_step,
                batches_of_pictures(photos, pool.map(make, photos, pixels), batch_size),
                total=len(photos),
                description=f"{panel.name} {level_name}",
            )
        return Proportion(int(predictions.right.sum()), len(photos))

    unchanged: Proportion | None = None
    measurements = []
    for panel in panels:
        for level_name, level in panel.levels:
            if level is not None:
                sequence = accuracy(panel, level_name, level)
            else:
                sequence = unchanged = unchanged or accuracy(panel, level_name, None)
            measurements.append(Measurement(panel.name, level, level_name, sequence))
    return measurements


def photo_generator(seed: int, panel: str, photo: ConvertedPhoto) -> np.random.Generator:
    """Returns the random generator of a photo under one kind of change, whatever the level."""
    key = zlib.crc32(f"{panel}/{photo.folder}/{photo.file_name}".encode())
    return np.random.default_rng([seed, key])


def _picture(
    photo: ConvertedPhoto,
    pixels: np.ndarray,
    panel: Panel,
    level: float | None,
    seed: int,
    size: PictureSize,
) -> np.ndarray:
    box = union_box(photo.boxes)
    if level is not None:
        random = photo_generator(seed, panel.name, photo)
        pixels, box = panel.change(pixels, photo.boxes, level, random)
    return crop_picture(pixels, box, size)
