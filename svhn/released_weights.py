"""Released weights: one small file that is all a network needs, in the package or anywhere.

A NumPy archive (`.npz`: a ZIP file of arrays, compressed), as it needs nothing but NumPy to read,
holds no code (unlike pickle), and has the same bytes for the same content. Kernels are stored in
half precision, which halves the file; vectors (biases, statistics of batch normalisation) are few
and stay float32, as a variance can be too small for half precision. Beside them lies a JSON text
under the name `about`: architecture, calibration, recipe, seed, data, scores, version.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from svhn.errors import UserError, first_line
from svhn.files import write_whole
from svhn.loaded_model import LoadedModel, require_model
from svhn.models import build_model
from svhn.released import PACKAGED_DETECTOR, PACKAGED_READER
from svhn.stored_calibration import StoredCalibration

FORMAT = "svhn released weights 1"
SUFFIX = ".npz"

_ABOUT = "about"
_WEIGHTS = "weights/"


def is_released(path: str | Path) -> bool:
    """Whether a path names a file of released weights rather than a checkpoint."""
    return Path(path).suffix == SUFFIX


def write_released(path: str | Path, loaded: LoadedModel, about: Mapping[str, Any]) -> None:
    """Writes a file of released weights; the same weights and texts give the same bytes.

    Args:
        path: Ends with `SUFFIX`; its folder must exist. It is replaced as a whole.
        loaded: The network, with its calibration (a detector has none).
        about: What else to say, as JSON can hold it; see `load_released` for what is added.

    Raises:
        UserError: If a weight is too large for half precision or not a number, or the file can't
            be written.
    """
    described = {
        "format": FORMAT,
        "model": loaded.config["model"],
        "step": loaded.step,
        "calibration": loaded.calibration.as_json(),
        **about,
    }
    arrays = {_ABOUT: _as_array(described)}
    for weight in loaded.model.weights:
        stored = _as_stored(weight.numpy())
        if not np.isfinite(stored).all():
            raise UserError(
                f"{loaded.path}: the weights of {weight.path} are not numbers or too large for "
                "half precision. Choose a checkpoint whose training has not diverged"
            )
        arrays[_WEIGHTS + weight.path] = stored
    _write(path, arrays)


def add_to_released(
    path: str | Path, about: Mapping[str, Any], output: str | Path | None = None
) -> None:
    """Adds to what a file of released weights says, or replaces it; the weights stay as they are.

    Args:
        path: The file.
        about: What to say, as JSON can hold it.
        output: The file to write; by default the same.

    Raises:
        UserError: If there is no such file, if it is damaged, or the other one can't be written.
    """
    described, weights = _read(path)
    named = {_WEIGHTS + name: array for name, array in weights.items()}
    _write(output or path, {_ABOUT: _as_array({**described, **about}), **named})


def load_released(path: str | Path | None = None, task: str | None = "reader") -> LoadedModel:
    """Returns the network of a file of released weights.

    Args:
        path: The file; None for the one in the package.
        task: What it is wanted for: "reader" or "detector"; None takes either from a file.

    Returns:
        Its `state` says all that was written: "format", "model", "step", "calibration", and what
        else `write_released` was given ("config": the flags of the run, "scores" …).

    Raises:
        UserError: If there is no such file, if it is damaged, or if it is another task's or of
            another version.
    """
    if path is None:
        path = PACKAGED_DETECTOR if task == "detector" else PACKAGED_READER
    about, arrays = _read(path)
    require_model(about["model"], task, path)
    model = build_model(about["model"])
    _assign(model, arrays, path)
    config = {**about.get("config", {}), "model": about["model"]}
    calibration = StoredCalibration.from_json(about["calibration"])
    return LoadedModel(model, about["step"], config, about, str(path), calibration)


def load_released_weights(model: keras.Model, path: str | Path) -> None:
    """Gives a model the weights of such a file, and nothing else of it.

    Args:
        model: Of the architecture that the file holds.
        path: The file.

    Raises:
        UserError: As `load_released`, or if it is of another model.
    """
    _assign(model, _read(path)[1], path)


def _write(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    contents = io.BytesIO()
    np.savez_compressed(contents, **arrays)
    try:
        write_whole(path, contents.getvalue())
    except OSError as error:
        raise UserError(
            f"--output={path} can't be written ({error.strerror or error}). Make room, or name a "
            "file in a folder that is there"
        ) from error


def _as_array(described: Mapping[str, Any]) -> np.ndarray:
    return np.frombuffer(json.dumps(described, sort_keys=True).encode(), np.uint8)


def _as_stored(weights: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # the caller looks for what became infinite
        return weights.astype(np.float32 if weights.ndim < 2 else np.float16)


def _read(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What a file says about its weights, and the weights by name."""
    path = Path(path)
    if not path.is_file():
        raise UserError(
            f"{path} is not there. Expected: a file of released weights that "
            "python -m svhn.release wrote"
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            if _ABOUT not in archive.files:
                raise UserError(
                    f"{path} is another program's file. Expected: one that python -m svhn.release "
                    "wrote"
                )
            about = json.loads(archive[_ABOUT].tobytes())
            if about.get("format") != FORMAT:
                raise UserError(
                    f"{path} has the format {about.get('format')!r}. Expected: {FORMAT!r}. Use the "
                    "version of this program that wrote it"
                )
            arrays = {
                name.removeprefix(_WEIGHTS): archive[name]
                for name in archive.files
                if name.startswith(_WEIGHTS)
            }
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        reason = first_line(error)
        raise UserError(f"{path} can't be read: {reason}. Fetch or write it again") from error
    return about, arrays


def _assign(model: keras.Model, arrays: Mapping[str, np.ndarray], path: str | Path) -> None:
    weights = {weight.path: weight for weight in model.weights}
    if weights.keys() != arrays.keys() or any(
        weights[name].shape != array.shape for name, array in arrays.items()
    ):
        raise UserError(
            f"{path} doesn't fit: its weights have other names or shapes than this model's. "
            "Expected: a file of the same --model, written by the same version of this program"
        )
    for name, array in arrays.items():
        weights[name].assign(array.astype(np.float32))
