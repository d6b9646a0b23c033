"""Strips of photos, each with one digit: cut out, brought to a size, put side by side, blended."""

import dataclasses
import itertools

import numpy as np
from PIL import Image

from svhn.data.recombined.sources import Source

_HIGHEST_STEP = 40.0
"""Of 255: a greater difference between neighbouring strips is an edge that is in the photo."""


@dataclasses.dataclass(eq=False)
class Strip:
    """A part of a photo over its whole height.

    Attributes:
        pixels: float32 (H, w, 3), 0 to 255.
        overlap: Columns at each side that are laid over the neighbouring strip.
        centre: The column of the photo from which its middle comes.
        box: float (4,), the digit's box in the strip without its overlap; None if there is none.
        digit: 0 to 9.
    """

    pixels: np.ndarray
    overlap: tuple[int, int]
    centre: float
    box: np.ndarray | None = None
    digit: int | None = None

    @property
    def width(self) -> int:
        """Columns without those that are laid over the neighbours."""
        return self.pixels.shape[1] - sum(self.overlap)


def cuts(source: Source, photo_width: int) -> np.ndarray:
    """Returns the columns at which a photo is cut: before, between and after its digits."""
    left, right = source.boxes[:, 0], source.boxes[:, 0] + source.boxes[:, 2]
    between = (left[1:] + right[:-1]) / 2
    space = max(float((left[1:] - right[:-1]).mean()) / 2 if len(left) > 1 else 0.0, 1.0)
    space = min(max(space, 0.03 * source.height), 0.15 * source.height)
    columns = np.concatenate([[left[0] - space], between, [right[-1] + space]])
    return np.clip(np.round(columns), 0, photo_width).astype(int)


def cut(pixels: np.ndarray, first: int, last: int, overlap: int) -> Strip:
    """Returns the columns from `first` to `last` of a photo, float32 (H, W, 3), as a strip."""
    before, after = min(overlap, first), min(overlap, pixels.shape[1] - last)
    part = pixels[:, first - before : last + after].copy()
    return Strip(part, (before, after), (first + last) / 2)


def matched(donor: np.ndarray, theirs: Source, ours: Source) -> np.ndarray:
    """Returns a donor's pixels in our colours: its ground becomes our ground, its ink our ink."""
    theirs_apart, ours_apart = theirs.ink - theirs.ground, ours.ink - ours.ground
    gain = np.where(np.abs(theirs_apart) > 14, ours_apart / _away_from_zero(theirs_apart), np.nan)
    overall = float(np.abs(ours_apart).mean() / max(np.abs(theirs_apart).mean(), 5.0))
    overall = float(np.clip(overall, 0.45, 2.2))
    # Channels may part only a little, or noise turns into rainbows.
    gain = np.clip(np.nan_to_num(gain, nan=overall), 0.75 * overall, 1.33 * overall)
    gain = gain.astype(np.float32)
    return (donor - theirs.ground) * gain + ours.ground


def with_donor(
    strip: Strip, base: Source, donor_pixels: np.ndarray, donor: Source, position: int
) -> Strip:
    """Returns a strip of the base photo in which a digit of another photo replaces its own.

    Args:
        strip: A strip of the base photo, with its box.
        base: The base photo.
        donor_pixels: The other photo, float32 (H, W, 3).
        donor: What is known of it.
        position: Which of its digits.
    """
    scale = float(strip.box[3]) / float(donor.boxes[position, 3])
    columns = cuts(donor, donor_pixels.shape[1])
    first, last = int(columns[position]), int(columns[position + 1])
    overlap = min(strip.overlap)
    above = below = 0.14 * donor.height
    left, top, width, height = (float(value) for value in donor.boxes[position])
    above, below = min(above, top), min(below, donor_pixels.shape[0] - top - height)
    size = (
        max(4, round((last - first) * scale)),
        max(6, round((height + above + below) * scale)),
    )
    reach = overlap / scale
    source_box = (
        max(first - reach, 0),
        top - above,
        min(last + reach, donor_pixels.shape[1]),
        top + height + below,
    )
    size = (size[0] + 2 * overlap, size[1])
    patch = matched(_resized(donor_pixels, size, source_box), donor, base)
    ground = _resized(strip.pixels, (size[0], strip.pixels.shape[0]))
    start = round(float(strip.box[1]) - above * scale)
    rows = np.arange(size[1]) + start
    inside = (rows >= 0) & (rows < ground.shape[0])
    # Opaque over the box, so that nothing of the old digit shows; faded out above and below.
    down = np.arange(size[1]) + 0.5
    fade_in = np.clip(down / max(0.8 * above * scale, 1e-3), 0, 1)
    fade_out = np.clip((size[1] - down) / max(0.8 * below * scale, 1e-3), 0, 1)
    amount = np.minimum(fade_in, fade_out)[inside, None, None].astype(np.float32)
    ground[rows[inside]] += (patch[inside] - ground[rows[inside]]) * amount
    box = np.array([(left - first) * scale, strip.box[1], width * scale, strip.box[3]], np.float32)
    return Strip(ground, (overlap, overlap), strip.centre, box, donor.digits[position])


def join(strips: list[Strip], slope: float) -> tuple[np.ndarray, list[int], np.ndarray]:
    """Returns strips side by side: uint8 (H, W, 3), the digits, and float32 (N, 4) boxes.

    Strips move down by `slope` for each column that they move to the right, so that numbers go on
    climbing as they did. Steps in brightness at the seams are levelled out over the strips, and
    the strips' rims are laid over each other.
    """
    widths = [strip.width for strip in strips]
    lefts = np.concatenate([[0], np.cumsum(widths)]).astype(int)
    new_centres = lefts[:-1] + np.array(widths) / 2
    old_centres = np.array([strip.centre for strip in strips])
    inner = slice(1, len(strips) - 1)
    moved = new_centres - old_centres
    falls = slope * (moved - moved[inner].mean())
    reach = int(np.ceil(np.abs(falls[inner]).max()))
    rows, canvas_width = strips[0].pixels.shape[0], int(lefts[-1])
    for strip, fall in zip(strips, falls, strict=True):
        strip.pixels = _moved_down(strip.pixels, round(float(fall)), reach)
    _level(strips)
    canvas = np.zeros((rows + 2 * reach, canvas_width, 3), np.float32)
    digits, boxes = [], []
    for number, (strip, left, fall) in enumerate(zip(strips, lefts[:-1], falls, strict=True)):
        _lay(canvas, strip, int(left), number > 0)
        if strip.box is not None:
            offset = (left, round(float(fall)) + reach, 0, 0)
            boxes.append(strip.box + np.array(offset, np.float32))
            digits.append(strip.digit)
    pixels = np.clip(canvas + 0.5, 0, 255).astype(np.uint8)
    return pixels, digits, np.array(boxes, np.float32)


def _away_from_zero(values: np.ndarray) -> np.ndarray:
    return np.where(np.abs(values) < 1, 1, values)


def _resized(pixels: np.ndarray, size: tuple[int, int], box: tuple | None = None) -> np.ndarray:
    """float32 (H, W, 3) at another size (width, height)."""
    channels = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(pixels[..., channel])).resize(
                size, Image.Resampling.BICUBIC, box=box
            )
        )
        for channel in range(3)
    ]
    return np.stack(channels, axis=2)


def _moved_down(pixels: np.ndarray, fall: int, reach: int) -> np.ndarray:
    """Taller by `reach` rows above and below; what is missing repeats the outermost rows."""
    rows = np.arange(pixels.shape[0] + 2 * reach) - reach - fall
    return pixels[np.clip(rows, 0, pixels.shape[0] - 1)]


def _level(strips: list[Strip]) -> None:
    """Takes away steps between neighbouring strips, half from each, fading along the strip."""
    for one, other in itertools.pairwise(strips):
        if min(one.pixels.shape[1], other.pixels.shape[1]) < 3:
            continue
        seam = _seam_profile(one, -1)
        step = _seam_profile(other, 0) - seam
        step = _smoothed(np.clip(step, -_HIGHEST_STEP, _HIGHEST_STEP))[:, None] / 2
        for strip, ramp, sign in (
            (one, np.linspace(0, 1, one.pixels.shape[1]), 1),
            (other, np.linspace(1, 0, other.pixels.shape[1]), -1),
        ):
            strip.pixels += sign * step * ramp[None, :, None].astype(np.float32)


def _seam_profile(strip: Strip, side: int) -> np.ndarray:
    """The colours along a strip's first or last column, float32 (H, 3)."""
    before, after = strip.overlap
    place = before if side == 0 else strip.pixels.shape[1] - after - 1
    part = strip.pixels[:, max(place - 1, 0) : place + 2]
    return part.mean(axis=1)


def _smoothed(profile: np.ndarray) -> np.ndarray:
    """A profile (H, 3) without detail finer than about a tenth of its length."""
    length = max(profile.shape[0] // 10, 1) * 2 + 1
    padded = np.pad(profile, ((length // 2, length // 2), (0, 0)), mode="edge")
    sums = np.cumsum(np.concatenate([np.zeros((1, 3), np.float32), padded]), axis=0)
    return ((sums[length:] - sums[:-length]) / length).astype(np.float32)


def _lay(canvas: np.ndarray, strip: Strip, left: int, over: bool) -> None:
    """Puts a strip on the canvas; its left rim fades in over what lies there."""
    before, after = strip.overlap
    first, last = left - before, left + strip.width + after
    cut_left, cut_right = max(0, -first), max(0, last - canvas.shape[1])
    part = strip.pixels[:, cut_left : strip.pixels.shape[1] - cut_right]
    place = canvas[:, first + cut_left : last - cut_right]
    amount = np.ones(part.shape[1], np.float32)
    if over and before:
        rim = 2 * before
        amount[:rim] = (np.arange(rim, dtype=np.float32) + 0.5)[: len(amount)] / rim
    place += (part - place) * amount[None, :, None]
