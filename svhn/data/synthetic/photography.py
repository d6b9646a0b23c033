"""What a street-view camera and its files do to a scene: exposure, colour, blur, noise, JPEG."""

import dataclasses
import io

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from svhn.data.synthetic.textures import colour_noise_picture
from svhn.images import LUMINANCE

_MOST_COLOUR = 0.155
"""How far a channel gets from grey; the film curve of street-view photos is mild."""

# The tone curve: deep shadows and highlights are compressed, not cut off.
_TONES_IN = np.array([-0.3, -0.05, 0.04, 0.12, 0.85, 0.95, 1.05, 1.3])
_TONES_OUT = np.array([0.03, 0.05, 0.08, 0.13, 0.85, 0.925, 0.97, 1.0])


@dataclasses.dataclass(frozen=True, eq=False)
class Camera:
    """How one photo was taken.

    Attributes:
        sensor_scale: Sensor pixels to photo pixels, at most 1. Below: the photo was enlarged.
        blur: Radius of the Gaussian blur (across, down), photo pixels.
        brightness: Mean luminance at which the automatic exposure aims, 0 to 1.
        contrast: Standard deviation of the luminance around the number at which it aims.
        tint: Factor on red, green, blue.
        cool_shadows: How much bluer dark places are than bright ones, per unit of luminance.
        saturation: 1 keeps the colours, 0 is grey.
        fringe: Shift (across, down) of red and, the other way, of blue: sensor pixels.
        noise: Standard deviation of the brightness noise, 0 to 1.
        colour_noise: Standard deviation of the blotchy colour noise.
        cast: Standard deviation of broad changes of the light's colour.
        halo: Strength of the sharpening, 0 for none.
        jpeg_quality: Pillow's scale.
        subsampling: Of the file's colours, Pillow's numbers: 0 keeps all, 2 a quarter.
    """

    sensor_scale: float
    blur: tuple[float, float]
    brightness: float
    contrast: float
    tint: np.ndarray
    cool_shadows: float
    saturation: float
    fringe: tuple[float, float]
    noise: float
    colour_noise: float
    cast: float
    halo: float
    jpeg_quality: int
    subsampling: int


def draw_camera(random: np.random.Generator, digit_height: float) -> Camera:
    """Returns how a photo is taken in which a digit is `digit_height` pixels high."""
    blur = np.exp(random.normal(-0.22, 0.34)) * (digit_height / 25) ** 0.6
    stretch = np.exp(random.normal(0.06, 0.25))
    return Camera(
        sensor_scale=1.0 if random.random() < 0.65 else float(np.exp(-abs(random.normal(0, 0.35)))),
        blur=(float(blur * stretch), float(blur / stretch)),
        brightness=float(np.exp(random.normal(-0.78, 0.47)).clip(0.1, 0.9)),
        contrast=float(np.exp(random.normal(-2.28, 0.44)).clip(0.045, 0.3)),
        tint=np.exp(random.normal((-0.032, 0.0, 0.042), 0.025)).astype(np.float32),
        cool_shadows=float(random.normal(0.05, 0.06)),
        saturation=float(np.exp(random.normal(-0.08, 0.25))),
        fringe=(
            float(random.choice([-1, 1]) * random.normal(0.36, 0.17)),
            float(random.normal(0, 0.25)),
        ),
        noise=float(abs(random.normal(0.0, 0.005))),
        colour_noise=float(0.008 + abs(random.normal(0.0, 0.006))),
        cast=float(abs(random.normal(0.013, 0.01))),
        halo=float(max(0.0, random.normal(0.3, 0.4))),
        jpeg_quality=int(np.clip(random.normal(66, 14), 30, 92)),
        subsampling=0 if random.random() < 0.2 else 2,
    )


def take_photo(
    random: np.random.Generator,
    scene: np.ndarray,
    camera: Camera,
    number_edges: np.ndarray,
    size: tuple[int, int],
) -> np.ndarray:
    """Returns a scene as the camera gives it.

    Args:
        random: Where the noise comes from.
        scene: float32 (3, H, W), 0 to 1, of any size.
        camera: How the photo is taken.
        number_edges: Left, top, right and bottom edge of the number in the finished photo, pixels.
        size: (width, height) of the finished photo.

    Returns:
        uint8 array (height, width, 3).
    """
    sensor_size = tuple(max(6, round(side * camera.sensor_scale)) for side in size)
    picture = Image.fromarray(_as_bytes(scene * np.float32(255)))
    picture = picture.resize(sensor_size, Image.Resampling.BOX)
    blur = tuple(radius * camera.sensor_scale for radius in camera.blur)
    picture = picture.filter(ImageFilter.GaussianBlur(blur))
    picture = _fringed(picture, camera.fringe)
    pixels = np.ascontiguousarray(np.moveaxis(np.asarray(picture), 2, 0)).astype(np.float32)
    pixels *= np.float32(1 / 255)
    _develop(pixels, camera, number_edges * camera.sensor_scale)
    picture = Image.fromarray(_as_bytes(pixels * np.float32(255)))
    strength = 255 * camera.colour_noise
    grain = colour_noise_picture(
        random, sensor_size, 2.1, strength, camera.noise / camera.colour_noise
    )
    # Patches of another cast: mixed light, coarse colours in old files.
    casts = colour_noise_picture(random, sensor_size, 0.45 * sensor_size[1], 255 * camera.cast)
    for noise in (grain, casts):
        picture = ImageChops.add(picture, noise, offset=-128)
    if camera.halo > 0.05:
        picture = picture.filter(ImageFilter.UnsharpMask(1.2, int(camera.halo * 100), 0))
    picture = _through_jpeg(random, picture, camera)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(picture)


def _develop(pixels: np.ndarray, camera: Camera, number_edges: np.ndarray) -> None:
    """Automatic exposure and contrast, then the colours; in place.

    The camera goes only most of the way to what it aims at: a white wall stays brighter than a
    dark door.
    """
    luminance = np.tensordot(LUMINANCE, pixels, 1)
    left, top, right, bottom = (max(0, int(edge)) for edge in number_edges)
    around = luminance[max(0, top - 2) : bottom + 3, max(0, left - 2) : right + 3]
    if not around.size:
        around = luminance
    mean = float(luminance.mean()) + 0.02
    exposure = float(np.clip((camera.brightness / mean) ** 0.6, 0.3, 3.0))
    spread = float(around.std()) * exposure + 0.01
    gain = float(np.clip((camera.contrast / spread) ** 0.75, 0.35, 3.0))
    pixels -= luminance
    pixels *= np.float32(camera.saturation * exposure * gain**0.7 / _MOST_COLOUR)
    np.tanh(pixels, out=pixels)
    pixels *= np.float32(_MOST_COLOUR)
    middle = np.float32(0.5 * (luminance.mean() + around.mean()))
    luminance -= middle
    luminance *= np.float32(exposure * gain)
    luminance += middle * np.float32(exposure)
    tones = np.interp(luminance, _TONES_IN, _TONES_OUT).astype(np.float32)
    pixels += tones
    warmth = (tones - tones.mean()) * np.float32(camera.cool_shadows)
    pixels[0] += warmth
    pixels[2] -= warmth
    pixels *= camera.tint[:, None, None]


def _fringed(picture: Image.Image, fringe: tuple[float, float]) -> Image.Image:
    """Red and blue slightly apart, as at the edge of a lens and between the sensor's colours."""
    red, green, blue = picture.split()

    def moved(channel: Image.Image, right: float, down: float) -> Image.Image:
        edges = (right, down, channel.width + right, channel.height + down)
        box = (max(edges[0], 0), max(edges[1], 0))
        box += (min(edges[2], channel.width), min(edges[3], channel.height))
        return channel.resize(channel.size, Image.Resampling.BILINEAR, box=box)

    right, down = fringe
    return Image.merge("RGB", (moved(red, right, down), green, moved(blue, -right, -down)))


def _as_bytes(pixels: np.ndarray) -> np.ndarray:
    """A planar picture (3, H, W), 0 to 255, as uint8 (H, W, 3)."""
    clipped = np.clip(pixels, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.moveaxis(clipped, 0, 2))


def _through_jpeg(random: np.random.Generator, picture: Image.Image, camera: Camera) -> Image.Image:
    """Compresses; the 8×8 blocks lie anywhere, as in a photo cut from a larger one."""
    right, down = (int(shift) for shift in random.integers(0, 8, 2))
    shifted = Image.new("RGB", (picture.width + right, picture.height + down))
    for place in ((0, 0), (right, 0), (0, down), (right, down)):  # copies fill the rim
        shifted.paste(picture, place)
    file = io.BytesIO()
    shifted.save(file, "JPEG", quality=camera.jpeg_quality, subsampling=camera.subsampling)
    file.seek(0)
    decoded = Image.open(file).convert("RGB")
    return decoded.crop((right, down, decoded.width, decoded.height))
