"""Any picture file to RGB, or one clear error.

Everything that Pillow decodes is read: PNG, JPEG, WebP, AVIF, GIF, TIFF, BMP, JPEG 2000 and more,
in every mode. ICC profiles are not applied, as TensorFlow's decoders don't apply them either.
"""

import glob
import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageFile

from svhn.errors import PictureError, UserError
from svhn.natural_order import natural_key

MAX_PIXELS = 120_000_000
"""The most pixels of a picture that is read: more than phone cameras take (108 million), and few
enough that a "decompression bomb", a small file that unfolds to gigabytes, harms nobody."""

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
"""What red, green and blue have in it (ITU-R BT.601)."""

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# EPS would start Ghostscript on whatever the file says; the others Pillow can only recognise.
_UNREADABLE_FORMATS = frozenset({"EPS", "BUFR", "GRIB", "HDF5", "MPEG", "PDF", "WMF"})

_UNREADABLE_PHOTOS = (".heic", ".heif")
"""Not passed over in folders: phones make them, and `load_picture` says what to do."""

_BAND_PIXELS = 4_000_000  # converted at a time

# What Pillow's decoders raise on broken files, found by fuzzing them (tests/test_images.py).
_DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

_NEXT_STEP = "Save it again as PNG or JPEG with another program, or leave it out"


def load_picture(source: str | Path | bytes, name: str = "") -> np.ndarray:
    """Returns a picture as it should be seen, in RGB.

    The EXIF orientation is applied, transparent parts are composited on white, 16-bit, 32-bit and
    float samples are scaled to 8 bits (not clipped), CMYK and the other colour spaces are
    converted. Of an animation or a file with several pages, it is the first.

    Args:
        source: A file, or the bytes of one.
        name: What errors call it; by default the path.

    Returns:
        uint8 array of shape (height, width, 3), writable.

    Raises:
        PictureError: If there is no such file, it can't be read, it is no picture, it is broken,
            or it has more than `MAX_PIXELS` pixels. Its pixels are then never allocated.
    """
    if isinstance(source, bytes):
        return _load(io.BytesIO(source), len(source), name or "picture")
    path = Path(source)
    name = name or str(path)
    try:
        if path.is_dir():
            raise PictureError(f"{name}: is a folder, not a picture. Name a picture file")
        if path.exists() and not path.is_file():
            raise PictureError(f"{name}: is no regular file. Name a picture file")
        with path.open("rb") as stream:
            return _load(stream, os.fstat(stream.fileno()).st_size, name)
    except FileNotFoundError:
        raise PictureError(f"{name}: there is no such file. Check its name and folder") from None
    except PermissionError:
        raise PictureError(
            f"{name}: you may not read it (permission denied). Change the file's permissions"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise PictureError(
            f"{name}: can't be read ({_reason(error)}). Check the path and the disk"
        ) from None


def is_plain_rgb_png(data: bytes) -> bool:
    """Returns whether TensorFlow's `decode_png(data, channels=3)` gives what `load_picture` gives.

    True for PNGs of 8-bit RGB or greyscale samples without transparency, EXIF data, XMP data or
    animation. Only the chunks' headers are looked at: a broken PNG can count as plain.

    Args:
        data: The bytes of a file.
    """
    if not data.startswith(PNG_SIGNATURE):
        return False
    for kind, start, length in png_chunks(data):
        if kind == b"IHDR" and (data[start + 8] != 8 or data[start + 9] not in (0, 2)):
            return False
        if kind in (b"tRNS", b"eXIf", b"acTL"):
            return False
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            keyword = data[start : start + min(length, 80)].split(b"\0")[0]
            if keyword in (b"XML:com.adobe.xmp", b"Raw profile type exif"):
                return False
        if kind == b"IEND":
            return True
    return False


def find_pictures(pattern: str) -> list[Path]:
    """Returns the picture files that a command line names, sorted as people count (2 before 10).

    Args:
        pattern: A file, which is returned whatever its name; a folder, for all pictures in it and
            its sub-folders; or a glob pattern, in which `**` stands for any number of folders.
            In folders and patterns, hidden files and files without the suffix of a picture format
            are passed over, unless the pattern spells the suffix out (`*.dat`).

    Raises:
        UserError: If there is nothing, or a folder can't be listed.
    """
    if not pattern:
        raise UserError("No picture was named. Name a picture file, a folder or a pattern")
    try:
        return sorted(_named_by(pattern), key=natural_key)
    except OSError as error:
        raise UserError(
            f"{pattern}: can't be looked at ({_reason(error)}). Check the path and who may read it"
        ) from error


def _named_by(pattern: str) -> list[Path]:
    path = Path(pattern)
    if path.is_dir():
        found = [file for file in _files_below(path) if has_picture_suffix(file)]
        if not found:
            raise UserError(
                f"{pattern}: there are no pictures in this folder or below it "
                "(looked for .png, .jpg, .webp and the like). Name another folder or a file"
            )
    elif os.path.lexists(path) or not glob.has_magic(pattern):
        if not os.path.lexists(path):
            raise UserError(
                f"{pattern}: there is no such file or folder (looked in {Path.cwd()}). "
                "Check the path"
            )
        found = [path]
    else:
        matches = [Path(match) for match in glob.glob(str(path), recursive=True)]  # noqa: PTH207
        spelled_suffix = Path(pattern).suffix.lower()
        found = [
            match
            for match in dict.fromkeys(matches)
            if match.is_file()
            and (has_picture_suffix(match) or match.suffix.lower() == spelled_suffix != "")
        ]
        if not found:
            raise UserError(
                f"{pattern}: no picture matches this pattern (it matches {len(matches)} other "
                "files and folders). Check it, or name a folder to read all pictures in it"
            )
    return found


def _load(stream: BinaryIO, size: int, name: str) -> np.ndarray:
    if size == 0:
        raise PictureError(f"{name}: the file is empty (0 bytes). Fetch it again, or leave it out")
    try:
        picture = _open(stream, name)
        _check_pixels(picture, name)
        picture.load()
        _check_pixels(picture, name)  # an icon's header can name another size than its picture
        orientation = _orientation(picture)
        pixels = _rgb_pixels(picture)
    except _DECODER_ERRORS as error:
        raise PictureError(
            f"{name}: is broken or cut short ({_reason(error)}). {_NEXT_STEP}"
        ) from None
    return _upright(pixels, orientation)


def _open(stream: BinaryIO, name: str) -> ImageFile.ImageFile:
    """Returns the picture with its header read.

    This is `Image.open` without its warning at 89 million pixels, which can only be silenced for
    the whole process, and with no format tried that has no signature, unless the suffix says it:
    by those, any file could be a picture.
    """
    Image.init()
    prefix = stream.read(16)
    by_suffix = Image.EXTENSION.get(Path(name).suffix.lower())
    refused = None
    for picture_format in Image.ID:
        if picture_format in _UNREADABLE_FORMATS:
            continue
        factory, accepts = Image.OPEN[picture_format]
        if not (_recognises(accepts, prefix) if accepts else picture_format == by_suffix):
            continue
        stream.seek(0)
        try:
            return factory(stream, "")
        except SyntaxError as error:
            refused = refused or error
    if prefix[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):  # the last may be AVIF's, too
        raise PictureError(f"{name}: HEIC photos can't be read. Save it as JPEG or PNG")
    if refused:
        raise refused
    raise PictureError(f"{name}: is not a picture of a known format. Name a PNG or JPEG file")


def _recognises(accepts: Callable[[bytes], bool | str], prefix: bytes) -> bool:
    """Whether a format's own test takes a file's first bytes for its signature."""
    try:
        answer = accepts(prefix)
    except (IndexError, struct.error):  # the file is shorter than the signature
        return False
    return bool(answer) and not isinstance(answer, str)  # a text: built without the decoder


def _check_pixels(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"{name}: has {width} × {height} pixels; at most {MAX_PIXELS:,} pixels in all are "
            "read. Scale it down first"
        )


def _rgb_pixels(picture: Image.Image) -> np.ndarray:
    """Converts a picture band by band, so that a large one is never in memory thrice."""
    full_scale = None
    if picture.mode.startswith("I") or picture.mode == "F":
        full_scale = _full_scale(picture)
    pixels = np.empty((picture.height, picture.width, 3), np.uint8)
    for top, band in _bands(picture):
        pixels[top : top + band.height] = np.asarray(_to_rgb(band, full_scale))
    return pixels


def _bands(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    rows = max(1, _BAND_PIXELS // max(1, picture.width))
    for top in range(0, picture.height, rows):
        yield top, picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def _to_rgb(picture: Image.Image, full_scale: float | None) -> Image.Image:
    """Returns the picture in mode "RGB"; `full_scale` is white where samples are not 8 bits."""
    alpha = None
    if full_scale is not None:
        samples = np.asarray(picture)
        transparent = picture.info.get("transparency")
        if transparent is not None:
            alpha = Image.fromarray(np.where(samples == transparent, 0, 255).astype(np.uint8))
        picture = Image.fromarray(_to_8_bits(samples, full_scale))
    elif picture.has_transparency_data:
        picture = picture.convert("RGBA")
        alpha = picture.getchannel("A")
    rgb = picture.convert("RGB")
    if alpha is None:
        return rgb
    on_white = Image.new("RGB", rgb.size, "white")
    on_white.paste(rgb, mask=alpha)
    return on_white


def _full_scale(picture: Image.Image) -> float:
    """The sample that means white.

    The modes "I" and "F" don't say which it is: then it is the smallest usual one that the
    brightest pixel does not exceed.
    """
    if picture.mode.startswith("I;16") or picture.format in ("PNG", "PPM"):
        return 65535
    brightest = 0.0
    for _, band in _bands(picture):
        samples = np.asarray(band)
        brightest = max(brightest, np.max(samples, where=np.isfinite(samples), initial=0))
    usual = (1, 255, 65535) if picture.mode == "F" else (255, 65535, 2**31 - 1)
    return next((scale for scale in usual if brightest <= scale), brightest)


def _to_8_bits(samples: np.ndarray, full_scale: float) -> np.ndarray:
    finite = np.nan_to_num(samples.astype(np.float32), posinf=full_scale, neginf=0)
    return np.rint(np.clip(finite / full_scale, 0, 1) * 255).astype(np.uint8)


def _orientation(picture: Image.Image) -> int:
    """EXIF orientation 1 to 8; 1 (upright) where it is missing or broken: pixels matter more."""
    try:
        return picture.getexif().get(ExifTags.Base.Orientation, 1)
    except _DECODER_ERRORS:
        return 1


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Undoes an EXIF orientation (EXIF 2.32, tag 0x0112); other values than 1 to 8 mean upright."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yields kind, start of the contents and their length of each whole chunk of a PNG.

    Args:
        data: The bytes of a file that begins with `PNG_SIGNATURE`.
    """
    position = len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        if position + 12 + length > len(data):
            return
        yield data[position + 4 : position + 8], position + 8, length
        position += 12 + length


def _files_below(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise UserError(
            f"{error.filename}: this folder can't be listed ({_reason(error)}). Change its "
            "permissions, or name the pictures by a pattern"
        )

    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in files if not name.startswith("."))


def has_picture_suffix(path: Path) -> bool:
    """Whether a file's name says that it is a picture, be it one that `load_picture` refuses."""
    if path.suffix.lower() in _UNREADABLE_PHOTOS:
        return True
    picture_format = Image.registered_extensions().get(path.suffix.lower())
    return picture_format is not None and picture_format not in _UNREADABLE_FORMATS


def _reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
