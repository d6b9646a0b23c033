"""Compares the statistics of two data sets' photos and labels: how alike are they?

    python -m svhn.data.synthetic.likeness --photos_dir SYNTHETIC/train --beside_dir SVHN/train

For each measure: the 5th, 25th, 50th, 75th and 95th percentile of both; the largest distance of
their distributions (Kolmogorov–Smirnov, 0 to 1; two draws of 2,000 from the same set differ by
about 0.04); and how far the one has to be moved to become the other (Wasserstein's distance, in
standard deviations of the second folder).
"""

import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image

from svhn import command_line
from svhn.command_line import option
from svhn.data.digit_struct import DIGIT_STRUCT_NAME, LabelledPhoto, read_digit_struct
from svhn.data.synthetic.sheet import number_crop
from svhn.data.synthetic.stroke_measures import measure_strokes
from svhn.errors import UserError
from svhn.geometry import clip_boxes, union_box
from svhn.images import LUMINANCE, load_picture
from svhn.progress import progress

_PERCENTILES = (5, 25, 50, 75, 95)


@dataclasses.dataclass(frozen=True)
class LikenessConfig:
    """The flags of `python -m svhn.data.synthetic.likeness`."""

    photos_dir: str = option("A folder with photos and digitStruct.mat.", group="Input")
    beside_dir: str = option("The folder that it should be like.", group="Input")
    photos: int = option("At most so many photos of each.", 2000, group="Input", minimum=10)


def main(config: LikenessConfig) -> int:
    """Prints the table and returns the exit status."""
    ours = measure_folder(config.photos_dir, config.photos)
    theirs = measure_folder(config.beside_dir, config.photos)
    print(f"{'':30s}{config.beside_dir[-42:]:^42s} {config.photos_dir[-42:]:^42s}  distance  moved")
    heading = "".join(f"{percentile:7d}%" for percentile in _PERCENTILES)
    print(f"{'':30s}{heading}   {heading}")
    for name in ours:
        if not (len(ours[name]) and len(theirs[name])):  # numbers of one digit have no gaps
            print(f"{name:30s}no photo in one of the folders has it")
            continue
        shown = [
            "".join(f"{value:8.3f}" for value in np.percentile(values, _PERCENTILES))
            for values in (theirs[name], ours[name])
        ]
        apart = distance(ours[name], theirs[name])
        moved = wasserstein(ours[name], theirs[name])
        print(f"{name:30s}{shown[0]}   {shown[1]}      {apart:.2f}   {moved:.2f}")
    return 0


def distance(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the largest difference of two samples' cumulative distributions, 0 to 1."""
    places = np.concatenate([first, second])
    shares = [
        np.searchsorted(np.sort(sample), places, "right") / len(sample)
        for sample in (first, second)
    ]
    return float(np.abs(shares[0] - shares[1]).max())


def wasserstein(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the mean distance between equal quantiles, in standard deviations of `second`."""
    levels = (np.arange(500) + 0.5) / 500
    apart = np.abs(np.quantile(first, levels) - np.quantile(second, levels)).mean()
    return float(apart / max(second.std(), 1e-9))


def measure_folder(folder: str, most: int) -> dict[str, np.ndarray]:
    """Returns each measure's values over the photos of a folder, those of `measure_photo`."""
    photos = read_digit_struct(Path(folder, DIGIT_STRUCT_NAME))[:most]
    rows = []
    for photo in progress(photos, description=f"Measuring {folder}"):
        pixels = load_picture(Path(folder, photo.file_name))
        if photo.digits and clip_boxes(photo.boxes, *pixels.shape[1::-1])[:, 2:].min() >= 2:
            rows.append(measure_photo(pixels, photo))
    if not rows:
        raise UserError(
            f"{folder}: none of its {len(photos)} photos has digits of at least 2 pixels. Name a "
            "folder with photos of numbers"
        )
    return {
        name: np.array([row[name] for row in rows if np.isfinite(row[name])]) for name in rows[0]
    }


def measure_photo(photo: np.ndarray, labels: LabelledPhoto) -> dict[str, float]:
    """Returns measures of one photo; colours and luminances from 0 to 1, lengths in pixels.

    "Crop" is the number's box grown by 30 % at 64×64, "number" its box at the photo's own size.
    NaN where a number of one digit has no such measure.

    Args:
        photo: uint8 (H, W, 3).
        labels: Its digits and boxes.
    """
    height, width = photo.shape[:2]
    boxes = labels.boxes
    digit_height = boxes[:, 3].mean()
    left, top, number_width, number_height = union_box(boxes)
    crop = number_crop(photo, boxes) / 255.0
    crop_luminance = crop @ LUMINANCE
    pixels = photo / 255.0
    luminance = pixels @ LUMINANCE
    number = np.s_[
        max(0, int(top)) : int(top + number_height) + 1,
        max(0, int(left)) : int(left + number_width) + 1,
    ]
    number_luminance = luminance[number]
    edges_across = np.abs(np.diff(number_luminance, axis=1)).mean()
    edges_down = np.abs(np.diff(number_luminance, axis=0)).mean()
    spread = number_luminance.std() + 0.005
    grain = np.abs(
        4 * luminance[1:-1, 1:-1]
        - luminance[:-2, 1:-1]
        - luminance[2:, 1:-1]
        - luminance[1:-1, :-2]
        - luminance[1:-1, 2:]
    )
    red, blue = pixels[..., 0] - pixels[..., 1], pixels[..., 2] - pixels[..., 1]
    fringes = np.abs(np.diff(red[number], axis=1)).mean()
    fringes += np.abs(np.diff(blue[number], axis=1)).mean()
    many = len(boxes) > 1
    gaps = (boxes[1:, 0] - boxes[:-1, 0] - boxes[:-1, 2]) / digit_height
    steps = (boxes[1:, 1] - boxes[:-1, 1]) / digit_height
    return {
        "digits": len(boxes),
        "photo width": width,
        "photo height": height,
        "photo width/height": width / height,
        "digit height": digit_height,
        "digit height/photo height": digit_height / height,
        "digit width/height": (boxes[:, 2] / boxes[:, 3]).mean(),
        "number width/height": number_width / number_height,
        "number centre x": (left + number_width / 2) / width,
        "number centre y": (top + number_height / 2) / height,
        "gap/digit height": gaps.mean() if many else np.nan,
        "step/digit height": steps.mean() if many else np.nan,
        "photo luminance": luminance.mean(),
        "photo luminance spread": luminance.std(),
        "crop luminance": crop_luminance.mean(),
        "crop luminance spread": crop_luminance.std(),
        "crop darkest 5 %": np.percentile(crop_luminance, 5),
        "crop brightest 5 %": np.percentile(crop_luminance, 95),
        "number contrast": np.subtract(*np.percentile(number_luminance, [88, 12])),
        "crop colourfulness": (crop.max(axis=2) - crop.min(axis=2)).mean(),
        "photo colourfulness": (pixels.max(axis=2) - pixels.min(axis=2)).mean(),
        "crop red − green": (crop[..., 0] - crop[..., 1]).mean(),
        "crop blue − green": (crop[..., 2] - crop[..., 1]).mean(),
        "photo colour spread": np.hypot(red.std(), blue.std()),
        "sharpness across": edges_across / spread,
        "sharpness down": edges_down / spread,
        "grain, median (of 255)": np.median(grain) * 255,
        "grain, 95th (of 255)": np.percentile(grain, 95) * 255,
        "colour fringes (of 255)": fringes * 255,
        "blocks": _blockiness(luminance),
        **_bands(crop),
        **measure_strokes(luminance, boxes),
    }


def _bands(crop: np.ndarray) -> dict[str, float]:
    """How the variance of a crop is spread over fine and coarse detail, and the colours' part.

    Each octave of the luminance as a share of its variance (of 100); the same for the colour
    differences; and how well blue minus red follows the luminance (correlation).
    """
    luminance = crop @ LUMINANCE
    colour = crop[..., 2] - crop[..., 0]
    result = {}
    for kind, channel in (("luminance", luminance), ("colour", colour)):
        variance = channel.var() + 1e-6
        finer = channel
        for octave in (2, 4, 8):
            coarser = _smoothed(channel, octave)
            share = 100 * (finer - coarser).var() / variance
            result[f"{kind} detail, {octave} px"] = float(np.log2(share + 0.01))
            finer = coarser
    follows = np.corrcoef(luminance.ravel(), colour.ravel())[0, 1] if colour.std() > 0 else np.nan
    result["colour follows luminance"] = float(follows)
    result["colour/luminance spread"] = float(colour.std() / (luminance.std() + 0.01))
    return result


def _smoothed(channel: np.ndarray, pixels: int) -> np.ndarray:
    """A channel (H, W) without the detail that is finer than so many pixels."""
    picture = Image.fromarray(channel.astype(np.float32))
    small = tuple(side // pixels for side in picture.size)
    coarse = picture.resize(small, Image.Resampling.BOX)
    return np.asarray(coarse.resize(picture.size, Image.Resampling.BICUBIC))


def _blockiness(luminance: np.ndarray) -> float:
    """How much stronger the steps at every eighth column are than the others, at best offset."""
    steps = np.abs(np.diff(luminance, axis=1)).mean(axis=0)
    if len(steps) < 32:
        return float("nan")
    curved = np.maximum(steps[1:-1] - (steps[:-2] + steps[2:]) / 2, 0)
    by_offset = [curved[offset::8].mean() for offset in range(8)]
    return float(max(by_offset) / (np.mean(by_offset) + 1e-6))


if __name__ == "__main__":
    command_line.run(
        main, LikenessConfig, "python -m svhn.data.synthetic.likeness", needs_tensorflow=False
    )
