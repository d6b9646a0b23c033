"""Keras functional models by name, all with the same six heads.

Every model maps float32 images [B, 54, 54, 3], as `svhn.preprocessing.crop` makes them, to a
dictionary of float32 logits: "length" [B, 7] and "digit_1" … "digit_5", each [B, 10]. The models
use Keras layers and `keras.ops` alone, so they run on every Keras backend.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

MODEL_NAMES = ("compact", "goodfellow", "plain", "vgg16")
"""The models there are. Each is a module of this package with a function `build`."""

BACKBONE_MODELS = ("vgg16",)
"""Those whose convolutions may start from ImageNet's weights (`svhn.models.backbone`)."""

DEFAULT_MODEL = "compact"

_DTYPE_POLICIES = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}


def build_model(name: str, input_size: int = 54, precision: str = "float32") -> "keras.Model":
    """Returns a new model with random weights (seeded by `keras.utils.set_random_seed`).

    Args:
        name: One of `MODEL_NAMES`.
        input_size: Height and width of the images in pixels.
        precision: Of the activations: "float32", "bfloat16" or "float16". Weights and heads are
            float32 in any case.

    Raises:
        ValueError: If there is no model or precision of that name.
    """
    if name not in MODEL_NAMES:
        raise ValueError(f"Unknown model. Received: {name!r}. Expected: one of {MODEL_NAMES}")
    if precision not in _DTYPE_POLICIES:
        raise ValueError(
            f"Unknown precision. Received: {precision!r}. Expected: one of {tuple(_DTYPE_POLICIES)}"
        )
    # Imported here so that the names can be listed without importing TensorFlow.
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(before if precision == "float32" else _DTYPE_POLICIES[precision])
    try:
        return importlib.import_module(f"svhn.models.{name}").build(input_size)
    finally:
        keras.config.set_dtype_policy(before)
