"""Puts photos of one data set beside those of another on one picture, to compare by eye.

    python -m svhn.data.synthetic.sheet --photos_dir SYNTHETIC/train --beside_dir SVHN/train

The left half of each row comes from --photos_dir, the right half from --beside_dir.
"""

import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image

from svhn import command_line
from svhn.command_line import option
from svhn.data.digit_struct import DIGIT_STRUCT_NAME, LabelledPhoto, read_digit_struct
from svhn.drawing import contact_sheet
from svhn.errors import UserError
from svhn.geometry import grow_box, union_box
from svhn.images import load_picture

_CROP_SIZE = 64
_MARGIN = 0.3


@dataclasses.dataclass(frozen=True)
class SheetConfig:
    """The flags of `python -m svhn.data.synthetic.sheet`."""

    photos_dir: str = option("A folder with photos and digitStruct.mat.", group="Input")
    beside_dir: str | None = option("Another such folder, shown on the right.", None, group="Input")
    crops: bool = option(
        "Show the numbers' boxes grown by 30 % at 64×64 instead of whole photos.",
        False,
        group="Sheet",
    )
    columns: int = option("Photos in a row from each folder.", 6, group="Sheet", minimum=1)
    rows: int = option("Rows.", 10, group="Sheet", minimum=1)
    tile_size: int = option("Pixels for each photo.", 120, group="Sheet", minimum=32)
    seed: int = option("Another seed shows other photos.", 1, group="Sheet", minimum=0)
    sheet_path: str = option("The picture that is written.", "sheet.png", group="Output")


def main(config: SheetConfig) -> int:
    """Writes the sheet and returns the exit status."""
    folders = [config.photos_dir, *([config.beside_dir] if config.beside_dir else [])]
    wanted = config.columns * config.rows
    chosen = [_choose(folder, wanted, config) for folder in folders]
    rows = min(config.rows, *(-(-len(photos) // config.columns) for photos in chosen))
    pictures, captions = [], []
    for row in range(rows):
        for photos in chosen:
            for index in range(row * config.columns, (row + 1) * config.columns):
                picture, caption = photos[index % len(photos)]
                pictures.append(picture)
                captions.append(caption)
    sheet = contact_sheet(pictures, captions, config.columns * len(folders), config.tile_size)
    try:
        sheet.save(config.sheet_path)
    except (OSError, ValueError) as error:
        raise UserError(
            f"--sheet_path={config.sheet_path}: {error}; give a .png file in a folder that exists"
        ) from error
    print(f"{config.sheet_path}: {len(pictures)} pictures, {' | '.join(folders)}")
    return 0


def number_crop(photo: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns the number's box grown by 30 %, cut to the photo, at 64×64: uint8 (64, 64, 3).

    For looking at and for measuring photos only; the network's own crop is in
    `svhn.preprocessing`.

    Args:
        photo: uint8 (H, W, 3).
        boxes: float (N, 4), the digits' boxes.
    """
    left, top, width, height = (float(value) for value in grow_box(union_box(boxes), _MARGIN))
    photo_height, photo_width = photo.shape[:2]
    left, right = np.clip([left, left + width], 0, photo_width)
    top, bottom = np.clip([top, top + height], 0, photo_height)
    if right - left < 1 or bottom - top < 1:  # a box outside its photo
        left, top, right, bottom = 0, 0, photo_width, photo_height
    crop = Image.fromarray(photo).resize(
        (_CROP_SIZE, _CROP_SIZE), Image.Resampling.BILINEAR, box=(left, top, right, bottom)
    )
    return np.asarray(crop)


def _choose(folder: str, wanted: int, config: SheetConfig) -> list[tuple[np.ndarray, str]]:
    photos = read_digit_struct(Path(folder, DIGIT_STRUCT_NAME), may_lack_digits=True)
    order = np.random.default_rng(config.seed).permutation(len(photos))[:wanted]
    return [_shown(folder, photos[index], config.crops) for index in order]


def _shown(folder: str, photo: LabelledPhoto, crops: bool) -> tuple[np.ndarray, str]:
    pixels = load_picture(Path(folder, photo.file_name))
    if crops and photo.digits:
        pixels = number_crop(pixels, photo.boxes)
    return pixels, "".join(map(str, photo.digits))


if __name__ == "__main__":
    command_line.run(
        main, SheetConfig, "python -m svhn.data.synthetic.sheet", needs_tensorflow=False
    )
