import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from svhn.data.photo_check import UnusablePhotoError, check_photo
from svhn.images import load_picture
from tests.data.folders import encode, labelled, pixels

PLAIN = encode(pixels(1))


def rotated_jpeg() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(pixels(2), "JPEG", exif=exif)


@pytest.mark.parametrize("picture", [PLAIN, encode(pixels(3)[:, :, 0])], ids=["RGB", "grey"])
def test_plain_photos_stay_as_they_are(picture):
    checked = check_photo(picture, labelled("1.png"))
    assert checked.image == picture
    assert not checked.reencoded
    assert (checked.height, checked.width) == (24, 40)


@pytest.mark.parametrize(
    "picture",
    [
        encode(np.dstack([pixels(4), pixels(5)[:, :, :1]])),
        encode(Image.fromarray(pixels(6)).quantize(16)),
        encode(Image.fromarray(pixels(7)).quantize(16), transparency=3),
        encode(pixels(8)[:, :, 0].astype(np.uint16) * 257),
        encode(Image.fromarray(pixels(9)[:, :, 0] > 128)),
        encode(pixels(10), "JPEG"),
        encode(Image.fromarray(pixels(10)).convert("CMYK"), "JPEG"),
        encode(pixels(11), "WEBP"),
        rotated_jpeg(),
        PLAIN[:-12],  # only the end mark is lost: every pixel is there, but TensorFlow refuses it
    ],
    ids=[
        "alpha",
        "palette",
        "transparent palette",
        "16 bits",
        "1 bit",
        "JPEG",
        "CMYK",
        "WebP",
        "EXIF orientation",
        "without IEND",
    ],
)
def test_other_photos_become_what_inference_sees(picture):
    checked = check_photo(picture, labelled("1.png"))
    expected = load_picture(picture)
    assert checked.reencoded
    assert np.array_equal(tf.io.decode_png(checked.image, channels=3), expected)
    assert (checked.height, checked.width) == expected.shape[:2]


def flipped(position: int) -> bytes:
    data = bytearray(PLAIN)
    data[position] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("picture", "photo", "reason"),
    [
        (PLAIN, labelled("1.png", ""), "no digits"),
        (PLAIN, labelled("1.png", "7", [[3, 3, 0, 5]]), "box without area"),
        (PLAIN, labelled("1.png", "75", [[3, 3, 4, 5], [8, 3, 4, -1]]), "box without area"),
        (PLAIN, labelled("1.png", "7", [[40, 3, 5, 5]]), "box wholly outside the photo"),
        (PLAIN, labelled("1.png", "75", [[3, 3, 4, 5], [8, -9, 4, 9]]), "box wholly outside"),
        (PLAIN[: len(PLAIN) // 2], labelled("1.png"), "picture can't be read"),
        (PLAIN[:20], labelled("1.png"), "picture can't be read"),
        (flipped(len(PLAIN) // 2), labelled("1.png"), "picture can't be read: .*IDAT"),
        (b"", labelled("1.png"), "picture can't be read: .*empty"),
        (b"<html>not found</html>", labelled("1.png"), "picture can't be read"),
    ],
)
def test_unusable_photos(picture, photo, reason):
    with pytest.raises(UnusablePhotoError, match=f"^{reason}") as caught:
        check_photo(picture, photo)
    assert "\n" not in caught.value.detail


def test_a_photo_without_any_number():
    assert check_photo(PLAIN, labelled("1.png", ""), has_number=False).image == PLAIN
    with pytest.raises(UnusablePhotoError, match=r"^digits on a photo .* the list has 75 for it"):
        check_photo(PLAIN, labelled("1.png", "75"), has_number=False)
    with pytest.raises(UnusablePhotoError, match=r"^picture can't be read"):
        check_photo(PLAIN[:20], labelled("1.png", ""), has_number=False)


def test_boxes_partly_outside_and_long_numbers_are_kept():
    partly = labelled("1.png", "75", [[-3, -2, 6, 9], [35, 20, 9, 9]])
    assert check_photo(PLAIN, partly).image == PLAIN
    assert check_photo(PLAIN, labelled("1.png", "1234567")).image == PLAIN


@pytest.mark.parametrize("cut", range(8, len(PLAIN), 37))
def test_tensorflow_decodes_whatever_passes(cut):
    """A photo cut short anywhere is either found or mended."""
    try:
        image = check_photo(PLAIN[:cut], labelled("1.png")).image
    except UnusablePhotoError:
        return
    assert tf.io.decode_png(image, channels=3).shape == (24, 40, 3)
