"""The two networks that label photos: one that finds the digits, and one that reads."""

from pathlib import Path

import keras

from svhn.checkpoints import load_model
from svhn.command_line import warn
from svhn.detection.finder import NumberFinder
from svhn.errors import UserError, first_line
from svhn.loaded_model import LoadedModel
from svhn.models import detector
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
    loaded = load_model(path, task="reader")
    if not loaded.calibration.photos:
        warn(
            f"--reader={path} was never calibrated: its confidence is taken as it is, and may be"
            " too high"
        )
    return Reader.of(loaded, batch_size), loaded


def load_finder(path: str, min_score: float) -> FindNumbers:
    """Returns what finds numbers, with the detector of `--detector`.

    Args:
        path: As in `svhn.checkpoints.load_model`, or Keras weights, `….weights.h5`.
        min_score: Of the numbers that are found, 0 to 1.

    Raises:
        UserError: If there is no such file, or it is of a network that doesn't find digits.
    """
    if path.endswith(_KERAS_WEIGHTS):
        return NumberFinder(_detector_with(Path(path)), min_score).find
    return NumberFinder.of(load_model(path, task="detector"), min_score).find


def _detector_with(path: Path) -> keras.Model:
    if not path.is_file():
        raise UserError(f"--detector={path}: there is no such file. Check the path")
    model = detector.build()
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"--detector={path} doesn't fit or can't be read ({first_line(error)})."
            " Expected: Keras weights of svhn.models.detector"
        ) from error
    return model
