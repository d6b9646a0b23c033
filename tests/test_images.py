import errno
import io
import os
import random
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from svhn.errors import PictureError, UserError
from svhn.images import MAX_PIXELS, find_pictures, is_plain_rgb_png, load_picture


def encode(image: Image.Image, picture_format: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, picture_format, **options)
    return stream.getvalue()


def colours(height: int = 20, width: int = 30) -> np.ndarray:
    """A smooth picture, so that lossy formats come close to it."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack(
        [x * 255 // (width - 1), y * 255 // (height - 1), 255 - x * 255 // (width - 1)], -1
    ).astype(np.uint8)


def png_chunk(kind: bytes, contents: bytes) -> bytes:
    check = zlib.crc32(kind + contents)
    return struct.pack(">I", len(contents)) + kind + contents + struct.pack(">I", check)


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header promises that many pixels and whose data hold a few."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(bytes(100)))
        + png_chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("picture_format", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("PPM", {}, 0),
        ("TGA", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG2000", {}, 2),
        ("JPEG", {"quality": 95}, 16),
        ("WEBP", {"quality": 95}, 16),
        ("AVIF", {"quality": 95}, 16),
    ],
)
def test_colour_survives_each_format(tmp_path, picture_format, options, tolerance):
    suffix = {"JPEG2000": ".jp2"}.get(picture_format, f".{picture_format.lower()}")
    path = tmp_path / f"photo{suffix}"
    Image.fromarray(colours()).save(path, picture_format, **options)
    picture = load_picture(path)
    assert picture.dtype == np.uint8
    assert picture.flags.writeable
    assert picture.shape == (20, 30, 3)
    assert np.abs(picture.astype(int) - colours()).max() <= tolerance


def test_text_path_path_and_bytes_give_the_same(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(encode(Image.fromarray(colours())))
    for source in (path, str(path), path.read_bytes()):
        np.testing.assert_array_equal(load_picture(source), colours())


def test_alpha_is_composited_on_white():
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0] = [[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]  # 51 is one fifth
    picture = load_picture(encode(Image.fromarray(rgba)))
    np.testing.assert_array_equal(picture[0], [[200, 100, 0], [255, 255, 255], [244, 224, 204]])


def test_grey_with_alpha_is_composited_on_white():
    grey_alpha = np.array([[[90, 255], [90, 0]]], np.uint8)
    picture = load_picture(encode(Image.fromarray(grey_alpha, "LA")))
    np.testing.assert_array_equal(picture[0], [[90] * 3, [255] * 3])


@pytest.mark.parametrize("transparency", [None, 1, b"\xff\x00\x80"])
def test_palette_with_and_without_transparency(transparency):
    image = Image.new("P", (3, 1))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.putdata([0, 1, 2])
    options = {} if transparency is None else {"transparency": transparency}
    picture = load_picture(encode(image, **options))[0]
    assert picture[0].tolist() == [10, 20, 30]
    assert picture[1].tolist() == ([40, 50, 60] if transparency is None else [255] * 3)
    assert picture[2].tolist() == (
        [162, 167, 172] if isinstance(transparency, bytes) else [70, 80, 90]
    )


def test_transparent_colour_of_rgb_becomes_white():
    data = encode(Image.fromarray(colours()), transparency=tuple(colours()[0, 0].tolist()))
    picture = load_picture(data)
    assert picture[0, 0].tolist() == [255] * 3
    np.testing.assert_array_equal(picture[1], colours()[1])


def test_one_bit():
    bits = np.array([[True, False, True]])
    picture = load_picture(encode(Image.fromarray(bits)))
    np.testing.assert_array_equal(picture[0, :, 0], [255, 0, 255])


@pytest.mark.parametrize("picture_format", ["PNG", "TIFF", "PPM"])
def test_16_bits_are_scaled_not_clipped(picture_format):
    samples = np.array([[0, 257, 128 * 257, 200 * 257, 65535]], np.uint16)
    picture = load_picture(encode(Image.fromarray(samples), picture_format))
    np.testing.assert_array_equal(picture[0, :, 1], [0, 1, 128, 200, 255])


def test_a_dark_16_bit_picture_stays_dark():
    samples = np.full((2, 2), 257 // 2, np.uint16)
    for picture_format in ("PNG", "PPM"):
        assert load_picture(encode(Image.fromarray(samples), picture_format)).max() == 0


def test_transparent_value_of_16_bit_grey_becomes_white():
    samples = np.array([[1000, 40 * 257]], np.uint16)
    plain = encode(Image.fromarray(samples))
    at = plain.index(b"IDAT") - 4
    data = plain[:at] + png_chunk(b"tRNS", struct.pack(">H", 1000)) + plain[at:]
    np.testing.assert_array_equal(load_picture(data)[0, :, 0], [255, 40])


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0, 1e7])
def test_floats_are_scaled_by_the_range_that_they_use(white):
    samples = np.array([[0, 0.2, 1, np.nan]], np.float32) * np.float32(white)
    picture = load_picture(encode(Image.fromarray(samples), "TIFF"))
    np.testing.assert_array_equal(picture[0, :, 0], [0, 51, 255, 0])


@pytest.mark.parametrize(("white", "grey"), [(255, 51), (65535, 51), (2**31 - 1, 51)])
def test_32_bit_integers_are_scaled_by_the_range_that_they_use(white, grey):
    samples = np.array([[0, white // 5, white]], np.int32)
    picture = load_picture(encode(Image.fromarray(samples), "TIFF"))
    np.testing.assert_array_equal(picture[0, :, 0], [0, grey, 255])


def test_cmyk_is_converted():
    cmyk = Image.fromarray(colours()).convert("CMYK")
    picture = load_picture(encode(cmyk, "JPEG", quality=95))
    assert np.abs(picture.astype(int) - colours()).mean() < 5


def test_ycck_is_converted():
    data = bytearray(encode(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), "JPEG"))
    marker = data.find(b"Adobe")
    if marker < 0:  # write the marker that says: four channels, YCCK
        adobe = b"\xff\xee\x00\x0eAdobe" + struct.pack(">HHHB", 100, 0, 0, 2)
        data[2:2] = adobe
    else:
        data[marker + 11] = 2
    assert Image.open(io.BytesIO(bytes(data))).mode == "CMYK"
    assert load_picture(bytes(data)).shape == (16, 16, 3)


@pytest.mark.parametrize("mode", ["LAB", "YCbCr", "RGBX", "L"])
def test_other_colour_modes_are_converted(mode):
    image = Image.new(mode, (4, 3))
    assert load_picture(encode(image, "PNG" if mode == "L" else "TIFF")).shape == (3, 4, 3)


# The transposition that a viewer must apply, by EXIF orientation (EXIF 2.32, tag 0x0112).
STORED_TRANSPOSED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,  # stored lying on its side; shown turned by 270°
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("picture_format", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientations_are_undone(orientation, picture_format):
    upright = Image.fromarray(colours(24, 40))
    transposition = STORED_TRANSPOSED[orientation]
    stored = upright if transposition is None else upright.transpose(transposition)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if picture_format == "WEBP" else {}
    options |= {"quality": 100, "subsampling": 0} if picture_format == "JPEG" else {}
    picture = load_picture(encode(stored, picture_format, exif=exif, **options))
    assert picture.shape == (24, 40, 3)
    assert np.abs(picture.astype(int) - colours(24, 40)).max() <= 3


def test_orientation_applies_to_16_bit_pictures_too():
    samples = np.array([[0, 65535]], np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = load_picture(encode(Image.fromarray(samples), exif=exif))
    np.testing.assert_array_equal(picture[:, 0, 0], [0, 255])


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_does_not_hide_the_picture():
    jpeg = encode(Image.fromarray(colours()), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff junk")
    assert load_picture(jpeg).shape == (20, 30, 3)


@pytest.mark.parametrize("picture_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame(picture_format):
    frames = [Image.new("RGB", (8, 6), colour) for colour in ("red", "blue", "lime")]
    options = {"lossless": True} if picture_format == "WEBP" else {}
    data = encode(frames[0], picture_format, save_all=True, append_images=frames[1:], **options)
    picture = load_picture(data)
    assert (picture == [255, 0, 0]).all()
    assert picture.shape == (6, 8, 3)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "1", "I;16", "F", "CMYK", "LA"])
def test_large_pictures_are_converted_in_bands_without_a_seam(monkeypatch, mode):
    grey = Image.fromarray(np.arange(0, 65536, 131, np.uint16).reshape(3, 167).repeat(9, axis=0))
    if mode == "I;16":
        image = grey
    elif mode == "F":
        image = Image.fromarray(np.asarray(grey).astype(np.float32) / 65535)
    else:
        image = Image.fromarray(colours(27, 167)).convert("RGBA")
        image.putalpha(Image.fromarray((np.asarray(grey) >> 8).astype(np.uint8)))
        image = image.convert("RGB").convert("P") if mode == "P" else image.convert(mode)
    data = encode(image, "TIFF")
    whole = load_picture(data)
    monkeypatch.setattr("svhn.images._BAND_PIXELS", 500)  # two rows and a bit
    np.testing.assert_array_equal(load_picture(data), whole)
    assert whole.std() > 10


# --- what can't be read -------------------------------------------------------------------------


def refusal(source, name: str = "") -> str:
    with pytest.raises(PictureError) as error:
        load_picture(source, name)
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("picture_format", ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6])
def test_truncated_file(picture_format, kept):
    noise = np.random.default_rng(1).integers(0, 256, (60, 80, 3), np.uint8)
    data = encode(Image.fromarray(noise), picture_format)
    text = refusal(data[: int(len(data) * kept)], "photos/cut.png")
    assert text.startswith("photos/cut.png: ")
    assert "or leave it out" in text or "Name a PNG" in text


def test_flipped_bit_in_a_png_is_noticed():
    data = bytearray(encode(Image.fromarray(colours())))
    data[data.index(b"IDAT") + 20] ^= 0x10
    assert "broken" in refusal(bytes(data))


def test_empty_file(tmp_path):
    path = tmp_path / "empty.png"
    path.touch()
    assert refusal(path).startswith(f"{path}: the file is empty (0 bytes)")
    assert "empty" in refusal(b"")


def test_missing_file_folder_and_special_file(tmp_path):
    assert "no such file" in refusal(tmp_path / "absent.png")
    assert "is a folder" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    assert "no regular file" in refusal(tmp_path / "pipe.png")
    assert "can't be read" in refusal("photo\0.png")
    assert "can't be read" in refusal("p" * 5000)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission(tmp_path):
    path = tmp_path / "mine.png"
    path.write_bytes(encode(Image.fromarray(colours())))
    path.chmod(0)
    assert "permission denied" in refusal(path)


def test_file_that_the_system_refuses(tmp_path, monkeypatch):
    path = tmp_path / "mine.png"
    path.write_bytes(encode(Image.fromarray(colours())))

    def deny(self, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.open", deny)
    assert "permission denied" in refusal(path)


@pytest.mark.parametrize(
    "contents",
    [
        b"hello, this is text\n" * 50,
        b"<html><body>404</body></html>",
        bytes(5000),
        b"%PDF-1.7",
        b"hi",
        b"\n",
    ],
)
def test_what_is_no_picture(tmp_path, contents):
    path = tmp_path / "page.png"
    path.write_bytes(contents)
    assert refusal(path).startswith(f"{path}: is not a picture")


def test_random_bytes_are_no_picture():
    for seed in range(200):
        assert "not a picture" in refusal(random.Random(seed).randbytes(400), "noise.bin")


def test_heic_of_the_general_kind_is_named():
    with pytest.raises(PictureError, match="HEIC photos can't be read"):
        load_picture(b"\0\0\0\x18ftypmif1" + bytes(16))


def test_heic_is_named():
    assert "HEIC" in refusal(b"\0\0\0\x18ftypheic" + bytes(100))


def test_eps_is_not_run_through_ghostscript():
    assert "not a picture" in refusal(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")


def test_decompression_bomb_is_refused_without_its_pixels(monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("unfolded the bomb"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow's own warning is not what we rest on
        for width, height in [(50_000, 50_000), (MAX_PIXELS // 1000 + 1, 1000)]:
            text = refusal(png_of_size(width, height), "bomb.png")
            assert f"{width} × {height}" in text
            assert f"{MAX_PIXELS:,}" in text


def test_limit_holds_whatever_the_process_has_set(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert "pixels in all" in refusal(png_of_size(20_000, 20_000))


def test_loading_leaves_no_settings_behind():
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    load_picture(encode(Image.fromarray(colours())))
    refusal(png_of_size(50_000, 50_000))
    refusal(encode(Image.fromarray(colours()))[:60])
    after = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    assert before == after
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@pytest.mark.parametrize(
    "picture_format",
    ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF", "ICO"],
)
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_never_raise_anything_else(picture_format):
    whole = encode(Image.fromarray(colours(16, 16)), picture_format)
    for seed in range(60):
        chance = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            damaged[chance.randrange(min(len(damaged), 400))] = chance.randrange(256)
        try:
            assert load_picture(bytes(damaged)).ndim == 3
        except PictureError as error:
            assert "\n" not in str(error)


# --- PNGs that TensorFlow may decode itself -----------------------------------------------------


def plain_cases() -> dict[str, tuple[bytes, bool]]:
    rgb = Image.fromarray(colours())
    turned, xmp = Image.Exif(), rb'<x tiff:Orientation="6"/>'
    turned[0x0112] = 6
    interlaced = encode(rgb)
    return {
        "rgb": (interlaced, True),
        "grey": (encode(rgb.convert("L")), True),
        "rgb with gamma and resolution": (
            interlaced[:33] + png_chunk(b"gAMA", struct.pack(">I", 45455)) + interlaced[33:],
            True,
        ),
        "alpha": (encode(rgb.convert("RGBA")), False),
        "grey with alpha": (encode(rgb.convert("LA")), False),
        "palette": (encode(rgb.quantize(16)), False),
        "one bit": (encode(rgb.convert("1")), False),
        "16 bit": (encode(Image.fromarray(np.full((2, 2), 999, np.uint16))), False),
        "transparent colour": (encode(rgb, transparency=(0, 0, 255)), False),
        "turned": (encode(rgb, exif=turned), False),
        "turned by XMP": (
            interlaced[:33]
            + png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
            + interlaced[33:],
            False,
        ),
        "animated": (encode(rgb, save_all=True, append_images=[rgb.convert("L")]), False),
        "cut off": (interlaced[: len(interlaced) // 2], False),
        "jpeg": (encode(rgb, "JPEG"), False),
        "nothing": (b"", False),
    }


@pytest.mark.parametrize("case", plain_cases())
def test_plain_pngs_are_told_from_others(case):
    data, plain = plain_cases()[case]
    assert is_plain_rgb_png(data) is plain


@pytest.mark.parametrize("case", [name for name, (_, plain) in plain_cases().items() if plain])
def test_tensorflow_decodes_plain_pngs_alike(case):
    import tensorflow as tf

    data, _ = plain_cases()[case]
    np.testing.assert_array_equal(
        tf.io.decode_png(data, channels=3).numpy(), load_picture(data), strict=True
    )


# --- finding pictures ---------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path):
    for name in (
        "10.png",
        "2.png",
        "1.JPG",
        "notes.txt",
        ".hidden.png",
        "b/3.webp",
        "b/deep/4.gif",
        "b/raw.dat",
        ".cache/5.png",
        "a2/1.png",
        "a10/1.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def names(found, tree) -> list[str]:
    return [str(path.relative_to(tree)) for path in found]


def test_folder_is_searched_to_the_bottom_in_natural_order(tree):
    assert names(find_pictures(str(tree)), tree) == [
        "1.JPG",
        "2.png",
        "10.png",
        "a2/1.png",
        "a10/1.png",
        "b/3.webp",
        "b/deep/4.gif",
    ]


def test_named_file_is_returned_whatever_it_is(tree):
    for name in ("notes.txt", ".hidden.png", "2.png"):
        assert names(find_pictures(str(tree / name)), tree) == [name]


def test_heic_photos_in_a_folder_are_not_passed_over(tmp_path):
    heic = tmp_path / "IMG_1.HEIC"
    heic.write_bytes(b"\0\0\0\x18ftypheic" + bytes(16))
    Image.new("RGB", (8, 8)).save(tmp_path / "2.png")
    assert find_pictures(str(tmp_path)) == [tmp_path / "2.png", heic]
    with pytest.raises(PictureError, match="HEIC photos can't be read"):
        load_picture(heic)


@pytest.mark.parametrize("name", ["a.png", "*.png", ""])
def test_a_folder_that_one_may_not_enter(tmp_path, monkeypatch, name):
    def refuse(path, *_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)  # as Python 3.11 does
    with pytest.raises(UserError, match=r"can't be looked at \(Permission denied\)\. Check"):
        find_pictures(f"{tmp_path}/{name}")


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(UserError, match=r"can't be looked at \(File name too long\)\. Check"):
        find_pictures(str(tmp_path / ("a" * 300)))


def test_file_whose_name_looks_like_a_pattern(tree):
    (tree / "photo[1].png").touch()
    assert names(find_pictures(f"{tree}/photo[1].png"), tree) == ["photo[1].png"]


def test_patterns(tree):
    assert names(find_pictures(f"{tree}/*.png"), tree) == ["2.png", "10.png"]
    assert names(find_pictures(f"{tree}/*"), tree) == ["1.JPG", "2.png", "10.png"]
    assert names(find_pictures(f"{tree}/**/*.png"), tree) == [
        "2.png",
        "10.png",
        "a2/1.png",
        "a10/1.png",
    ]
    assert names(find_pictures(f"{tree}/b/**"), tree) == ["b/3.webp", "b/deep/4.gif"]
    assert names(find_pictures(f"{tree}/b/*.dat"), tree) == ["b/raw.dat"]


def test_relative_paths_stay_relative(tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert [str(path) for path in find_pictures("b")] == ["b/3.webp", "b/deep/4.gif"]


@pytest.mark.parametrize("pattern", ["", "absent", "absent/*.png", "b/*.png", "empty"])
def test_nothing_found_says_what_to_do(tree, monkeypatch, pattern):
    monkeypatch.chdir(tree)
    (tree / "empty").mkdir()
    with pytest.raises(UserError) as error:
        find_pictures(pattern)
    text = str(error.value)
    assert pattern in text
    assert "\n" not in text
    assert "Check" in text or "Name" in text
