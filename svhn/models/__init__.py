"""Keras functional models by name: those that read a number, and one that finds digits.

Every model of the task "reader" maps float32 images [B, height, width, 3], as
`svhn.preprocessing.crop` makes them in the model's own size, to a dictionary of float32 logits:
"length" [B, 7] and "digit_1" … "digit_5", each [B, 10]. All models use Keras layers and `keras.ops`
alone, so they run on every Keras backend.
"""

import importlib
from typing import TYPE_CHECKING

from svhn.picture_size import PictureSize

if TYPE_CHECKING:
    import keras

MODEL_NAMES = ("compact", "goodfellow", "plain", "vgg16")
"""The models there are. Each is a module of this package with a function `build` and the size
of the pictures that it reads, `PICTURE_SIZE`."""

BACKBONE_MODELS = ("vgg16",)
"""Those whose convolutions may start from ImageNet's weights (`svhn.models.backbone`)."""

DEFAULT_MODEL = "compact"

TASKS = ("reader", "detector")
"""What models are for, as `--task` names it."""

DETECTOR_NAMES = ("detector",)
"""The models of the task "detector", which find the digits in whole photos. They have other inputs
and outputs: see `svhn.models.detector`."""

_DTYPE_POLICIES = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}

PRECISIONS = tuple(_DTYPE_POLICIES)
"""What `--precision` names: of activations and gradients."""


def models_of(task: str) -> tuple[str, ...]:
    """Returns the names of the models for a task, the default one first.

    Args:
        task: One of `TASKS`.

    Raises:
        ValueError: If there is no such task.
    """
    if task not in TASKS:
        raise ValueError(f"Unknown task. Received: {task!r}. Expected: one of {TASKS}")
    return DETECTOR_NAMES if task == "detector" else MODEL_NAMES


def task_of(name: str) -> str:
    """Returns the task that a model is for, one of `TASKS`.

    Raises:
        ValueError: If there is no such model.
    """
    for task in TASKS:
        if name in models_of(task):
            return task
    names = MODEL_NAMES + DETECTOR_NAMES
    raise ValueError(f"Unknown model. Received: {name!r}. Expected: one of {names}")


def picture_size_of(name: str) -> PictureSize:
    """Returns the size of the pictures that a model reads.

    Args:
        name: One of `MODEL_NAMES`.
    """
    return importlib.import_module(f"svhn.models.{name}").PICTURE_SIZE


def build_model(name: str, precision: str = "float32") -> "keras.Model":
    """Returns a new model with random weights (seeded by `keras.utils.set_random_seed`).

    Args:
        name: One of `MODEL_NAMES` or `DETECTOR_NAMES`.
        precision: Of the activations: "float32", "bfloat16" or "float16". Weights and heads are
            float32 in any case.

    Raises:
        ValueError: If there is no model or precision of that name.
    """
    task_of(name)  # raises where there is none
    if precision not in _DTYPE_POLICIES:
        raise ValueError(
            f"Unknown precision. Received: {precision!r}. Expected: one of {tuple(_DTYPE_POLICIES)}"
        )
    # Imported here so that the names can be listed without importing TensorFlow.
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(before if precision == "float32" else _DTYPE_POLICIES[precision])
    try:
        return importlib.import_module(f"svhn.models.{name}").build()
    finally:
        keras.config.set_dtype_policy(before)
