"""The two networks that label photos: one that finds the digits, and one that reads."""

from pathlib import Path

import keras

from svhn.checkpoints import load_model
from svhn.command_line import warn
from svhn.errors import UserError
from svhn.loaded_model import LoadedModel
from svhn.reading.reader import Reader
from svhn.self_training.judgement import FindNumbers

_KERAS_WEIGHTS = ".weights.h5"


def load_reader(path: str, batch_size: int) -> tuple[Reader, LoadedModel]:
    """Returns the reader of `--reader`, and the network as it was saved.

    Args:
        path: As in `svhn.checkpoints.load_model`.
        batch_size: How many pictures the network always sees at a time.

    Raises:
        UserError: If there is no such checkpoint, or it is of a network that doesn't read.
    """
    loaded = load_model(path)
    _check_outputs(loaded.model, "length", f"--reader={path}", "reads a number")
    if not loaded.calibration.photos:
        warn(
            f"--reader={path} was never calibrated: its confidence is taken as it is, and may be"
            " too high"
        )
    return Reader(loaded.model, batch_size, loaded.calibration.temperature), loaded


def load_finder(path: str, min_score: float) -> FindNumbers:
    """Returns what finds numbers, with the detector of `--detector`.

    Args:
        path: As in `svhn.checkpoints.load_model`, or Keras weights, `….weights.h5`.
        min_score: Of the numbers that are found, 0 to 1.

    Raises:
        UserError: If there is no such file, or it is of a network that doesn't find digits.
    """
    from svhn.detection.finder import NumberFinder

    if path.endswith(_KERAS_WEIGHTS):
        model = _detector_with(Path(path).expanduser())
    else:
        model = load_model(path).model
        _check_outputs(model, "class_logits", f"--detector={path}", "finds digits")
    return NumberFinder(model, min_score).find


def _detector_with(path: Path) -> keras.Model:
    from svhn.models import detector

    if not path.is_file():
        raise UserError(f"--detector={path}: there is no such file. Check the path")
    model = detector.build()
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"--detector={path} doesn't fit or can't be read ({str(error).splitlines()[0]})."
            " Expected: Keras weights of svhn.models.detector"
        ) from error
    return model


def _check_outputs(model: keras.Model, name: str, flag: str, purpose: str) -> None:
    if name not in model.output_names:
        raise UserError(
            f"{flag} holds a network that gives {', '.join(model.output_names)}. Expected: one"
            f" that {purpose}. Perhaps --reader and --detector are exchanged"
        )
