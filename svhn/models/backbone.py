"""Convolutions that were trained on ImageNet, as the start of a model.

ImageNet's VGG16 expects pictures as Caffe had them: blue, green, red, each less its mean over
ImageNet (103.9, 116.8, 123.7), grey levels 0 to 255, which then deviate by about 58 levels. This
project's pictures are red, green, blue, standardised each by itself: mean 0, deviation 1. So
58 · (blue, green, red) is a picture in the range that the filters know. That map has no offset,
and a convolution is linear: it is done once, on the first kernel, when the weights are loaded.
What the network computes is the same to rounding (zero padding stands for the mean in both), and
the model with ImageNet weights is the very same architecture as that without.
"""

import hashlib
import os
import warnings
from pathlib import Path

import keras
import numpy as np

from svhn.data.resumable_download import fetch
from svhn.errors import UserError, first_line
from svhn.models.vgg16 import BACKBONE_LAYERS

IMAGENET = "imagenet"
"""In place of a file: the weights that keras.applications downloads."""

IMAGENET_DEVIATION = 58.0
"""Grey levels: how far pixels of ImageNet deviate from their channel's mean."""

WEIGHTS_NAME = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
WEIGHTS_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{WEIGHTS_NAME}"
WEIGHTS_MD5 = "6d6bbae143d832006294945121d1f1fc"
"""As keras.applications checks it."""


def load_backbone(model: keras.Model, source: str) -> None:
    """Gives the convolutions of `vgg16` the weights of an ImageNet network.

    Args:
        model: As `svhn.models.vgg16.build` makes it; its other layers stay as they are.
        source: `IMAGENET`, or a file (.h5 or .weights.h5) with the weights of
            `keras.applications.VGG16(include_top=False)`.

    Raises:
        UserError: If the file is missing or doesn't fit, or the download fails.
    """
    path = download_imagenet_weights() if source == IMAGENET else Path(source)
    pretrained = _read(path)
    for name in BACKBONE_LAYERS:
        kernel, bias = pretrained.get_layer(name).get_weights()
        if name == BACKBONE_LAYERS[0]:
            kernel = for_standardised_pictures(kernel)
        model.get_layer(name).set_weights([kernel, bias])


def for_standardised_pictures(kernel: np.ndarray) -> np.ndarray:
    """Returns a first kernel that does to this project's pictures what it did to ImageNet's.

    Args:
        kernel: float32 [height, width, 3, filters], for (blue, green, red), grey levels.

    Returns:
        The same shape, for (red, green, blue), standardised.
    """
    return kernel[:, :, ::-1] * np.float32(IMAGENET_DEVIATION)


def download_imagenet_weights(url: str = WEIGHTS_URL, md5: str = WEIGHTS_MD5) -> Path:
    """Returns the file with the ImageNet weights, downloaded where it isn't there yet.

    It lies where keras.applications keeps it, too: `~/.keras/models`, or under `KERAS_HOME`.

    Raises:
        UserError: If it can't be downloaded, is damaged, or can't be written.
    """
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    path = home / "models" / WEIGHTS_NAME
    if not path.is_file():
        part = path.with_name(f"{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fetch(url, part)
        except UserError as error:
            raise UserError(
                f"--backbone_weights={IMAGENET}: {error}. Fetch {url} by another way, put it at "
                f"{path} or give its path as --backbone_weights"
            ) from error
        except OSError as error:
            raise UserError(
                f"--backbone_weights={IMAGENET}: {part} can't be written ({error.strerror}). Set "
                f"KERAS_HOME to a folder that can, or fetch {url} and give its path"
            ) from error
        if hashlib.md5(part.read_bytes(), usedforsecurity=False).hexdigest() != md5:
            part.unlink()
            raise UserError(
                f"--backbone_weights={IMAGENET}: what came from {url} is not the file expected "
                f"(MD5 {md5}) and was deleted. Try again, or fetch it by hand and give its path"
            )
        part.replace(path)
    return path


def _read(path: Path) -> keras.Model:
    if not path.is_file():
        raise UserError(
            f"--backbone_weights={path}: there is no such file. Expected: {IMAGENET}, or a file "
            f"such as {WEIGHTS_NAME} from {WEIGHTS_URL}"
        )
    network = keras.applications.VGG16(include_top=False, weights=None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of each layer that is missing, before the error
            network.load_weights(path)
    except (ValueError, KeyError, TypeError, OSError) as error:  # whatever the file lacks
        reason = first_line(error)[:120]
        raise UserError(
            f"--backbone_weights={path} doesn't fit ({reason}). Expected: the weights of "
            f"keras.applications.VGG16(include_top=False), such as {WEIGHTS_NAME} from "
            f"{WEIGHTS_URL}"
        ) from error
    return network
