"""Whether a labelled photo can become a record, and if not, why."""

import dataclasses
import io
import zlib

import numpy as np
from PIL import Image

from svhn.data.digit_struct import LabelledPhoto
from svhn.errors import PictureError
from svhn.geometry import clip_boxes
from svhn.images import PNG_SIGNATURE, is_plain_rgb_png, load_picture, png_chunks

NO_DIGITS = "no digits"
DIGITS_IN_EMPTY = "digits on a photo that should have none"
BOX_WITHOUT_AREA = "box without area"
BOX_OUTSIDE = "box wholly outside the photo"
BROKEN = "picture can't be read"


class UnusablePhotoError(Exception):
    """A photo that is left out of the conversion.

    Attributes:
        reason: The kind of reason, one of this module's constants.
        detail: What exactly was found.
    """

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclasses.dataclass(frozen=True)
class CheckedPhoto:
    """A photo that can become a record.

    Attributes:
        image: PNG of 8-bit RGB or greyscale pixels that TensorFlow decodes to the same pixels
            as `svhn.images.load_picture` does.
        height: Pixels.
        width: Pixels.
        reencoded: Whether `image` had to be made anew.
    """

    image: bytes
    height: int
    width: int
    reencoded: bool


def check_photo(data: bytes, photo: LabelledPhoto, has_number: bool = True) -> CheckedPhoto:
    """Returns what a record needs of a photo.

    The bytes stay as they are wherever TensorFlow reads the same pixels from them as Pillow does;
    otherwise (alpha, palette, 16 bits, JPEG named .png, EXIF orientation, …) the pixels that
    inference would see are encoded as PNG.

    Args:
        data: The bytes of the photo's file.
        photo: Its digits and boxes.
        has_number: Whether it should have digits; if not, it must have none.

    Raises:
        UnusablePhotoError: If it has no digits, or some where it should have none, a box without
            area or wholly outside the photo, or a picture that can't be read.
    """
    if has_number and not photo.digits:
        raise UnusablePhotoError(NO_DIGITS, "the list has no digits for it")
    if not has_number and photo.digits:
        number = "".join(map(str, photo.digits))
        raise UnusablePhotoError(DIGITS_IN_EMPTY, f"the list has {number} for it")
    for box in photo.boxes:
        if not (box[2] > 0 and box[3] > 0):
            raise UnusablePhotoError(BOX_WITHOUT_AREA, _box_text(box))
    damaged_chunk = _damaged_png_chunk(data)
    if damaged_chunk:
        raise UnusablePhotoError(BROKEN, f"wrong checksum in the PNG chunk {damaged_chunk}")
    try:
        # Decoding all of it is the only proof that it can be decoded.
        picture = load_picture(data, photo.file_name)
    except PictureError as error:
        raise UnusablePhotoError(BROKEN, str(error)) from None
    height, width = picture.shape[:2]
    inside = clip_boxes(photo.boxes, width, height)
    for box, part in zip(photo.boxes, inside, strict=True):
        if not (part[2] > 0 and part[3] > 0):
            raise UnusablePhotoError(
                BOX_OUTSIDE, f"{_box_text(box)} in a photo of {width} × {height} pixels"
            )
    reencoded = not is_plain_rgb_png(data)
    return CheckedPhoto(_encode_png(picture) if reencoded else data, height, width, reencoded)


def _damaged_png_chunk(data: bytes) -> str:
    """The first chunk of a PNG whose checksum is wrong; Pillow doesn't look, TensorFlow does."""
    if not data.startswith(PNG_SIGNATURE):
        return ""
    for kind, start, length in png_chunks(data):
        end = start + length
        if zlib.crc32(memoryview(data)[start - len(kind) : end]) != int.from_bytes(
            data[end : end + 4], "big"
        ):
            return kind.decode("latin-1")
        if kind == b"IEND":
            break
    return ""


def _encode_png(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def _box_text(box: np.ndarray) -> str:
    left, top, width, height = (f"{float(value):g}" for value in box)
    return f"left {left}, top {top}, width {width}, height {height}"
