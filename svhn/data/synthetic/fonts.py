"""Fonts whose ten digits can be read, found on this machine.

A font file is a `Typeface`; its digits are drawn as masks (`text_mask`). Fonts without digits,
with boxes instead of digits (tofu), with symbols in their place, with text figures of unequal
height or with bars across (barcode fonts) are left out.
"""

import dataclasses
import functools
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from svhn.command_line import warn
from svhn.errors import UserError
from svhn.progress import progress

FONT_ENDINGS = (".ttf", ".otf", ".ttc")

_PROBE_SIZE = 40
_TEMPLATE_SIZE = 20
_NO_CHARACTER = "\U0010fffe"

# Found by looking at 808 fonts of Debian: real digits reach a likeness of 0.47 and are told apart
# from each other; symbols stay below 0.3.
_MINIMAL_LIKENESS = 0.45
_MINIMAL_DIFFERENCE = 0.06
_SAME_DESIGN = 0.012


@dataclasses.dataclass(frozen=True)
class Typeface:
    """One font file; the empty path is Pillow's built-in font."""

    path: str

    def at_size(self, size: int) -> ImageFont.FreeTypeFont:
        """Returns the font at a size in pixels.

        Raises:
            OSError: If the file is not a font that FreeType reads.
        """
        return _opened(self.path, size)


BUILT_IN = Typeface("")
"""Pillow's built-in font."""


@functools.lru_cache(maxsize=128)
def _opened(path: str, size: int) -> ImageFont.FreeTypeFont:
    if not path:
        return ImageFont.load_default(size)
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def text_mask(typeface: Typeface, text: str, size: int) -> np.ndarray:
    """Returns the ink of a text, cut to its edges.

    Args:
        typeface: The font.
        text: A digit, or any short text.
        size: The font size in pixels; a digit is about 0.72 times as high.

    Returns:
        uint8 array (height, width), 255 where there is ink; shape (0, 0) if there is none.
    """
    # Large enough for any digit; what a font draws farther out is no digit.
    picture = Image.new("L", ((2 * len(text) + 1) * size // 2, size * 3 // 2))
    pen = ImageDraw.Draw(picture)
    pen.text((size // 4, size * 9 // 8), text, 255, typeface.at_size(size), anchor="ls")
    edges = picture.getbbox()
    if edges is None:
        return np.zeros((0, 0), np.uint8)
    return np.asarray(picture.crop(edges))


@functools.lru_cache(maxsize=2048)
def typical_aspect(typeface: Typeface) -> float:
    """Returns width over height of a font's 8."""
    height, width = text_mask(typeface, "8", 40).shape
    return max(width / max(height, 1), 0.2)


@functools.lru_cache(maxsize=2048)
def ink_share(typeface: Typeface) -> float:
    """Returns how much of its box a font's 8 fills: about 0.3 for thin, 0.6 for bold fonts."""
    return float(text_mask(typeface, "8", 40).mean() / 255)


@functools.lru_cache(maxsize=2048)
def stroke_contrast(typeface: Typeface) -> float:
    """Returns how much thicker a font's upright strokes are than its level ones, in its 0.

    About 1.1 for sans-serif faces, above 2.5 for faces such as Bodoni's and Didot's.
    """
    ink = text_mask(typeface, "0", 60) > 127
    middle_row, middle_column = ink[ink.shape[0] // 2], ink[:, ink.shape[1] // 2]
    return float(max(middle_row.sum(), 1) / max(middle_column.sum(), 1))


def is_italic(typeface: Typeface) -> bool:
    """Returns whether a font's file name says that it is slanted."""
    name = Path(typeface.path).stem.lower()
    return "ital" in name or "obli" in name or name.endswith(("-it", "_it", "ti"))


def find_typefaces(fonts_dir: str | None = None) -> tuple[Typeface, ...]:
    """Returns the usable fonts, in an order that depends on their file names alone.

    Args:
        fonts_dir: Only the fonts in this folder and below; by default the system's, found by
            fontconfig, or by matplotlib where there is no fontconfig, and matplotlib's own.

    Returns:
        At least one typeface: Pillow's built-in font, with a warning, where nothing was found.

    Raises:
        UserError: If `fonts_dir` is not a folder or has no usable font.
    """
    if fonts_dir is not None:
        folder = Path(fonts_dir)
        if not folder.is_dir():
            raise UserError(
                f"--fonts_dir={fonts_dir}: no such folder; give a folder with .ttf or .otf files"
            )
        paths = [path for path in folder.rglob("*") if path.suffix.lower() in FONT_ENDINGS]
        typefaces = usable_typefaces(paths)
        if not typefaces:
            raise UserError(
                f"--fonts_dir={fonts_dir}: none of its {len(paths)} font files has ten readable"
                " digits; add .ttf or .otf files, or leave the flag out"
            )
        return typefaces
    typefaces = usable_typefaces(_system_font_paths())
    if not typefaces:
        warn(
            "no usable font was found, so all digits are drawn with Pillow's built-in font;"
            " install fonts (apt-get install fonts-dejavu fonts-liberation2) or give --fonts_dir"
        )
        return (BUILT_IN,)
    return typefaces


def usable_typefaces(paths: Iterable[Path]) -> tuple[Typeface, ...]:
    """Returns those of the font files that have ten readable digits, each design once.

    Sorted by file name; of files of the same name, and of fonts with the same digits (families
    for many scripts repeat them), the first in alphabetical order stays.
    """
    first_of_name: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: (path.name, str(path))):
        first_of_name.setdefault(path.name, path)
    usable: list[Typeface] = []
    designs = np.zeros((0, 10 * _TEMPLATE_SIZE**2), np.float32)
    bar = progress(list(first_of_name.values()), description="Looking at fonts", unit=" fonts")
    for path in bar:
        typeface = Typeface(str(path))
        templates = readable_digits(typeface)
        if templates is None:
            continue
        design = templates.reshape(1, -1)
        if (np.abs(designs - design).mean(axis=1) < _SAME_DESIGN).any():
            continue
        designs = np.concatenate([designs, design])
        usable.append(typeface)
    return tuple(usable)


def readable_digits(typeface: Typeface) -> np.ndarray | None:
    """Returns a font's digits at a common size, float32 (10, n, n).

    None if they are not ten, distinct, of one height, or don't look like digits.
    """
    templates = _digit_templates(typeface)
    return templates if templates is not None and _are_readable(templates) else None


def _digit_templates(typeface: Typeface) -> np.ndarray | None:
    """The ten digits at a common size, float32 (10, n, n); None if the font hasn't them."""
    try:
        unknown = text_mask(typeface, _NO_CHARACTER, _PROBE_SIZE)
        masks = []
        for digit in "0123456789":
            mask = text_mask(typeface, digit, _PROBE_SIZE)
            if mask.shape == unknown.shape and np.array_equal(mask, unknown):
                return None  # also two empty ones
            masks.append(mask)
    except (OSError, ValueError):  # not a font, or none at this size (bitmap fonts)
        return None
    heights = [mask.shape[0] for mask in masks]
    widths = [mask.shape[1] for mask in masks]
    if min(heights) < 0.85 * max(heights) or max(heights) < _PROBE_SIZE / 4:
        return None
    if max(widths) > 2 * max(heights):
        return None
    return np.stack([_template(mask) for mask in masks])


def _are_readable(templates: np.ndarray) -> bool:
    differences = np.abs(templates[:, None] - templates[None]).mean(axis=(2, 3))
    if (differences + np.eye(10)).min() < _MINIMAL_DIFFERENCE:
        return False
    likeness = np.max([_likeness(templates, reference) for reference in _references()], axis=0)
    recognised = (likeness.argmax(axis=1) == np.arange(10)).sum()
    return bool(recognised >= 5 and np.median(likeness.diagonal()) > _MINIMAL_LIKENESS)


def _template(mask: np.ndarray) -> np.ndarray:
    """A mask at a common size, 0 to 1; narrow digits (1) keep their shape."""
    height, width = mask.shape
    side = max(height, width)
    square = Image.new("L", (side, side))
    square.paste(Image.fromarray(mask), ((side - width) // 2, (side - height) // 2))
    small = square.resize((_TEMPLATE_SIZE, _TEMPLATE_SIZE), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / 255


def _likeness(templates: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The correlation of each digit with each of a known font's, shape (10, 10)."""

    def normalised(pictures: np.ndarray) -> np.ndarray:
        flat = pictures.reshape(len(pictures), -1)
        flat = flat - flat.mean(axis=1, keepdims=True)
        return flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-6)

    return normalised(templates) @ normalised(reference).T


@functools.cache
def _references() -> tuple[np.ndarray, ...]:
    """What digits look like: Pillow's built-in font, and that squeezed and slanted."""
    masks = [text_mask(BUILT_IN, str(digit), _PROBE_SIZE) for digit in range(10)]
    squeezed, slanted, bold = [], [], []
    for mask in masks:
        picture = Image.fromarray(mask)
        height, width = mask.shape
        squeezed.append(np.asarray(picture.resize((max(2, int(width * 0.7)), height))))
        shift = int(height * 0.25)
        slanted.append(
            np.asarray(
                picture.transform(
                    (width + shift, height),
                    Image.Transform.AFFINE,
                    (1, 0.25, -shift, 0, 1, 0),
                )
            )
        )
        bold.append(np.asarray(picture.resize((int(width * 1.25), height))))
    return tuple(
        np.stack([_template(mask) for mask in variant])
        for variant in (masks, squeezed, slanted, bold)
    )


def _system_font_paths() -> list[Path]:
    """All font files that fontconfig knows, or matplotlib's finder; and matplotlib's own."""
    from matplotlib import get_data_path  # slow to import, and only needed here

    try:
        listing = subprocess.run(
            ["fc-list", "--format", "%{file}\n"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        from matplotlib import font_manager  # its import looks at every font of the system

        listing = font_manager.findSystemFonts()
    own = Path(get_data_path(), "fonts", "ttf").glob("*.ttf")
    paths = [path for path in map(Path, listing) if path.suffix.lower() in FONT_ENDINGS]
    return [*paths, *own]
