"""What a street-view camera and its files do to a scene: exposure, colour, blur, noise, JPEG."""

import dataclasses
import io

import numpy as np
from PIL import Image, ImageFilter

from svhn.data.synthetic.textures import smooth_noise


@dataclasses.dataclass(frozen=True)
class Camera:
    """How one photo was taken.

    Attributes:
        sharpness: Pixels that a digit's height had on the sensor. Fewer than in the photo: the
            photo was enlarged.
        blur: Radius of the Gaussian blur (across, down), sensor pixels.
        exposure: Factor on all light.
        gamma: Exponent of the tone curve.
        haze: Share of flat grey light over everything, 0 to 1.
        tint: Factor on red, green, blue.
        saturation: 1 keeps the colours, 0 is grey.
        noise: Standard deviation of the brightness noise, 0 to 1.
        colour_noise: Standard deviation of the blotchy colour noise.
        halo: Strength of the sharpening, 0 for none.
        jpeg_quality: Pillow's scale.
    """

    sharpness: float
    blur: tuple[float, float]
    exposure: float
    gamma: float
    haze: float
    tint: np.ndarray
    saturation: float
    noise: float
    colour_noise: float
    halo: float
    jpeg_quality: int


def draw_camera(random: np.random.Generator, digit_height: float) -> Camera:
    """Returns how a photo is taken in which a digit is `digit_height` pixels high."""
    sharpness = digit_height / np.exp(max(0.0, random.normal(0.05, 0.25)))
    blur = np.exp(random.normal(-0.35, 0.5))
    blur *= (sharpness / 22) ** 0.35
    stretch = np.exp(random.normal(0.12, 0.3))
    return Camera(
        sharpness=float(sharpness),
        blur=(float(blur * stretch), float(blur / stretch)),
        exposure=float(np.exp(random.normal(0.0, 0.38))),
        gamma=float(np.exp(random.normal(0.0, 0.12))),
        haze=float(abs(random.normal(0, 0.16))),
        tint=np.exp(random.normal(0, 0.035, 3) + np.array([-0.02, 0, 0.03])).astype(np.float32),
        saturation=float(np.clip(random.normal(0.85, 0.25), 0.2, 1.4)),
        noise=float(abs(random.normal(0.008, 0.01))),
        colour_noise=float(abs(random.normal(0.0, 0.016))),
        halo=float(max(0.0, random.normal(0.3, 0.5))),
        jpeg_quality=int(np.clip(random.normal(72, 14), 30, 95)),
    )


def take_photo(
    random: np.random.Generator,
    scene: np.ndarray,
    camera: Camera,
    digit_height: float,
    size: tuple[int, int],
) -> np.ndarray:
    """Returns a scene as the camera gives it.

    Args:
        random: Where the noise comes from.
        scene: float32 (H, W, 3), 0 to 1, of any size.
        camera: How the photo is taken.
        digit_height: Height of a digit in the finished photo, pixels.
        size: (width, height) of the finished photo.

    Returns:
        uint8 array (height, width, 3).
    """
    sensor_scale = min(1.0, camera.sharpness / digit_height)
    sensor_size = tuple(max(6, round(side * sensor_scale)) for side in size)
    light = np.clip(scene * np.float32(camera.exposure), 0, 1) ** np.float32(camera.gamma)
    light = light * np.float32(1 - camera.haze) + np.float32(0.45 * camera.haze)
    grey = light @ np.array([0.3, 0.59, 0.11], np.float32)
    light = grey[..., None] + (light - grey[..., None]) * np.float32(camera.saturation)
    light *= camera.tint
    picture = Image.fromarray((light.clip(0, 1) * 255).astype(np.uint8))
    enlarged = scene.shape[1] / sensor_size[0]
    picture = picture.filter(
        ImageFilter.GaussianBlur(tuple(radius * enlarged for radius in camera.blur))
    )
    picture = picture.resize(sensor_size, Image.Resampling.BOX)
    pixels = np.asarray(picture, np.float32)
    shape = pixels.shape[:2]
    grain = camera.noise * 255 * smooth_noise(random, shape, 1.3)
    pixels = pixels + grain[..., None]
    for channel, strength in enumerate((1.0, 0.5, 1.3)):
        blotches = smooth_noise(random, shape, 2.2)
        pixels[..., channel] += np.float32(camera.colour_noise * 255 * strength) * blotches
    picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    if camera.halo > 0.05:
        picture = picture.filter(ImageFilter.UnsharpMask(1.2, int(camera.halo * 100), 0))
    picture = _through_jpeg(random, picture, camera.jpeg_quality)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(picture)


def _through_jpeg(random: np.random.Generator, picture: Image.Image, quality: int) -> Image.Image:
    """Compresses; the 8×8 blocks lie anywhere, as in a photo cut from a larger one."""
    right, down = (int(shift) for shift in random.integers(0, 8, 2))
    pixels = np.pad(np.asarray(picture), ((down, 0), (right, 0), (0, 0)), mode="edge")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=2)
    file.seek(0)
    decoded = Image.open(file).convert("RGB")
    return decoded.crop((right, down, decoded.width, decoded.height))
