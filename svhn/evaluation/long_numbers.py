"""Numbers of every length to measure on: the official test photos have two with five digits.

Two kinds are made, none from a photo that was trained on: new numbers composed of strips of the
held-out photos' own digits (`svhn.data.recombined`, from the folder that `write_held_out` makes),
and rendered photos, as many of each length. Composed photos share their digits and grounds, so
that their figures are less certain than intervals over independent photos say.
"""

import math
from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from pathlib import Path

import numpy as np

from svhn.data.digit_struct import DIGIT_STRUCT_NAME, LabelledPhoto, write_digit_struct
from svhn.data.records import read_photos
from svhn.data.synthetic.data_set import photo_generator, png_bytes
from svhn.data.synthetic.fonts import Typeface
from svhn.data.synthetic.layout import draw_layout
from svhn.data.synthetic.scene import render_photo
from svhn.errors import UserError
from svhn.evaluation.metrics import Proportion
from svhn.geometry import union_box
from svhn.images import load_picture
from svhn.progress import progress
from svhn.reading.distribution import as_label
from svhn.reading.long_numbers import looked_closer, strip_of
from svhn.reading.reader import Reader

LENGTHS = (1, 2, 3, 4, 5)

HEIGHT_STEPS = (14, 18, 24, 32, 48)
"""Pixels of a digit's height; of all lengths as many rendered photos lie between two of them."""

_FREQUENCIES = dict.fromkeys(LENGTHS, 1)


def write_held_out(data_dir: str | Path, split: str, out: Path) -> int:
    """Writes the real photos of a converted split back as SVHN has them, into OUT/train.

    Args:
        data_dir: The folder that holds `tfrecords/`.
        split: What training doesn't see: "val" or "test". Of `val`, photos that come from the
            official folder `extra` are left out: rendered ones lie there.
        out: An existing folder without `train/`.

    Returns:
        How many photos were written.

    Raises:
        UserError: If there is no whole conversion, or no such photo.
    """
    folder = out / "train"
    folder.mkdir()
    photos = []
    for photo in read_photos(data_dir, split):
        if photo.folder != "extra":
            (folder / photo.file_name).write_bytes(photo.encoded)
            photos.append(LabelledPhoto(photo.file_name, photo.digits, photo.boxes))
    if not photos:
        raise UserError(
            f"--split={split}: all its photos in {data_dir} come from extra/. Convert a folder "
            "with real photos in train/ or test/"
        )
    write_digit_struct(folder / DIGIT_STRUCT_NAME, photos)
    return len(photos)


def write_rendered(
    out: Path, photos_a_length: int, seed: int, typefaces: Sequence[Typeface]
) -> int:
    """Renders as many photos of each length, 1 to 5, into OUT/extra, with digits as large.

    They are photos of `svhn.data.synthetic` with this seed, where each length is as frequent. In
    SVHN, and so there, the digits of long numbers are smaller, which would show as a difference
    between lengths. So those are taken, in their order, whose digits are as high as in the first
    numbers of three (between the same of `HEIGHT_STEPS`). What a photo shows is drawn before it is
    rendered, so that going past the others costs little.

    Args:
        out: An existing folder without `extra/`.
        photos_a_length: How many of each length.
        seed: Another one than that of the photos trained on.
        typefaces: The fonts to choose from.

    Returns:
        How many photos were written.
    """
    folder = out / "extra"
    folder.mkdir()
    of_three = (height for _, length, height in _layouts(seed) if length == 3)
    heights = Counter(islice(of_three, photos_a_length))
    wanted = {length: heights.copy() for length in LENGTHS}
    photos = []
    with progress(total=len(LENGTHS) * photos_a_length, description="Rendering") as bar:
        for index, length, height in _layouts(seed):
            if not wanted[length][height]:
                continue
            rendered = render_photo(photo_generator(seed, "extra", index), typefaces, _FREQUENCIES)
            if len(rendered.digits) != length:
                continue  # the first layout left the photo, and another one was drawn
            name = f"{len(photos) + 1}.png"
            (folder / name).write_bytes(png_bytes(rendered))
            photos.append(LabelledPhoto(name, rendered.digits, rendered.boxes))
            bar.update()
            wanted[length][height] -= 1
            if not any(of_length.total() for of_length in wanted.values()):
                break
    write_digit_struct(folder / DIGIT_STRUCT_NAME, photos)
    return len(photos)


def _layouts(seed: int) -> Iterator[tuple[int, int, int]]:
    """Of photo after photo its index, how many digits it shows and between which heights."""
    for index in count():
        layout = draw_layout(photo_generator(seed, "extra", index), _FREQUENCIES)
        yield index, len(layout.digits), bisect(HEIGHT_STEPS, layout.digit_height)


def proportions_by_length(results: Mapping, split: str) -> dict[int, Proportion]:
    """Returns the sequence accuracy by length, 1 to 5, from what eval.py wrote.

    Args:
        results: `results.json`.
        split: One that was evaluated.
    """
    by_length = results["splits"][split]["sequence_accuracy_by_length"]
    return {
        length: Proportion(by_length[str(length)]["correct"], by_length[str(length)]["count"])
        for length in LENGTHS
        if str(length) in by_length
    }


def closely_read_by_length(
    reader: Reader, data_dir: str | Path, split: str
) -> dict[int, Proportion]:
    """Returns the sequence accuracy by length, 1 to 5, in the true boxes, as inference.py reads:
    with a closer look at long numbers (`svhn.reading.long_numbers`).

    Args:
        reader: Of numbers in crops.
        data_dir: The folder that holds `tfrecords/`.
        split: One that was converted.
    """
    truth, pictures, strips = [], [], []
    for photo in read_photos(data_dir, split):
        pixels, box = load_picture(photo.encoded, photo.file_name), union_box(photo.boxes)
        truth.append(as_label(photo.digits))
        pictures.append(reader.prepare(pixels, box))
        strips.append(strip_of(pixels, box))
    read = looked_closer(reader, reader.distributions(pictures), strips)
    right: dict[int, list[bool]] = {length: [] for length in LENGTHS}
    for label, distribution in zip(truth, read, strict=True):
        if label[0] in right:
            right[label[0]].append(distribution.best() == label)
    return {length: Proportion(sum(of), len(of)) for length, of in right.items() if of}


def difference(first: Proportion, second: Proportion) -> tuple[float, float, float]:
    """Returns how much larger the first share is than the second, with its 95 % interval.

    From the two Wilson intervals (R. G. Newcombe, "Interval estimation for the difference between
    independent proportions", Statistics in Medicine 17 (1998), 873-890, method 10).

    Args:
        first: Of at least one.
        second: Of at least one, counted independently.

    Returns:
        The difference, its lower and its upper end, -1 to 1.
    """
    (low_1, high_1), (low_2, high_2) = first.interval, second.interval
    gap = first.share - second.share
    below = math.hypot(first.share - low_1, high_2 - second.share)
    above = math.hypot(high_1 - first.share, second.share - low_2)
    return gap, gap - below, gap + above


def length_rows(kinds: Mapping[str, Mapping[int, Proportion]]) -> list[tuple[str, ...]]:
    """Returns a row for each length: "5", then for each kind "93.10 % (90.1–95.2), 410"."""
    return [
        (str(length), *(_text(by_length.get(length)) for by_length in kinds.values()))
        for length in LENGTHS
    ]


def gap_row(kinds: Mapping[str, Mapping[int, Proportion]]) -> tuple[str, ...]:
    """Returns a row of texts: how many points better three digits are read than five."""
    return ("3 less 5", *(_gap(by_length) for by_length in kinds.values()))


def independent_row(kinds: Mapping[str, Mapping[int, Proportion]]) -> tuple[str, ...]:
    """Returns a row of texts: how many numbers of five digits would be read if each digit were as
    hard as those of three, and all independent: the share of three to the power of 5/3.
    """
    return (
        "5, were digits independent",
        *(_independent(by_length.get(3)) for by_length in kinds.values()),
    )


def _independent(three: Proportion | None) -> str:
    return "–" if three is None or not three.count else f"{100 * three.share ** (5 / 3):.2f} %"


def _text(proportion: Proportion | None) -> str:
    if proportion is None or not proportion.count:
        return "–"
    low, high = np.multiply(100, proportion.interval)
    return f"{100 * proportion.share:.2f} % ({low:.1f}–{high:.1f}), {proportion.count:,}"


def _gap(by_length: Mapping[int, Proportion]) -> str:
    if 3 not in by_length or 5 not in by_length:
        return "–"
    gap, low, high = np.multiply(100, difference(by_length[3], by_length[5]))
    return f"{gap:+.1f} points ({low:+.1f} to {high:+.1f})"
