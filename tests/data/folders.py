"""Small folders in SVHN's format, for tests."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from svhn.data.digit_struct import DIGIT_STRUCT_NAME, LabelledPhoto, write_digit_struct


def pixels(seed: int, width: int = 40, height: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def encode(picture: np.ndarray | Image.Image, picture_format: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    picture.save(stream, picture_format, **options)
    return stream.getvalue()


def labelled(file_name: str, number: str = "75", boxes: list | None = None) -> LabelledPhoto:
    """A photo with digits of 4 × 10 pixels beside each other, unless `boxes` says otherwise."""
    if boxes is None:
        boxes = [[4 * index + 2, 5, 4, 10] for index in range(len(number))]
    array = np.array(boxes, np.float32).reshape(-1, 4)
    return LabelledPhoto(file_name, tuple(map(int, number)), array)


def write_folder(folder: Path, photos: Mapping[LabelledPhoto, bytes | None]) -> None:
    """Writes photos, those with bytes, and their list."""
    folder.mkdir(parents=True)
    for photo, data in photos.items():
        if data is not None:
            (folder / photo.file_name).write_bytes(data)
    write_digit_struct(folder / DIGIT_STRUCT_NAME, list(photos))


def number_of(index: int) -> str:
    """The number on a photo of a numbered folder, with 1 to 5 digits."""
    return str(12_345 * index).zfill(5)[-1 - index % 5 :]


def write_numbered_folder(folder: Path, count: int, seed: int = 0) -> None:
    """Writes 1.png, 2.png, …: different photos, a fifth of them with each length."""
    photos = {
        labelled(f"{index}.png", number_of(index)): encode(pixels(seed + index))
        for index in range(1, count + 1)
    }
    write_folder(folder, photos)
