"""The manifest of a conversion: which shards there are, how many photos, and what was left out.

`DATA_DIR/tfrecords/manifest.json` is written last, so that its presence means that the data set
is whole. Free of TensorFlow, so that the converter starts at once.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from svhn.errors import UserError
from svhn.labels import LENGTH_CLASSES, length_name

FOLDER_NAME = "tfrecords"
"""The folder under the data folder in which shards and manifest lie."""

MANIFEST_NAME = "manifest.json"

FORMAT = 1
"""Rises when records or manifest change so that an older conversion can't be read any more."""

EMPTY = "empty"
"""The split of photos without any number: what a detector, and a reader that is asked to, learns
not to take for one."""

SPLITS = ("train", "extra", "pseudo", EMPTY, "val", "test")
"""What a conversion may hold. `val` is drawn from the official `train` and `extra`; the labels of
`pseudo` were given by a machine."""

READABLE_SPLITS = tuple(split for split in SPLITS if split != EMPTY)
"""Those whose photos each have a number."""

DEFAULT_TRAINING_SPLITS = {
    "reader": ("train", "extra", "pseudo"),
    "detector": ("train", "extra", "pseudo", EMPTY),
}
"""By task, what is trained on where no splits are named, as far as they were converted."""


def shard_folder(data_dir: str | Path) -> Path:
    """Returns the folder with shards and manifest of a data folder."""
    return Path(data_dir) / FOLDER_NAME


def shard_name(split: str, index: int, count: int) -> str:
    """Returns the file name of a shard, as `train.tfrecord-00003-of-00016`."""
    return f"{split}.tfrecord-{index:05d}-of-{count:05d}"


def read_manifest(data_dir: str | Path) -> dict[str, Any]:
    """Returns the manifest of the conversion under `data_dir`.

    Returns:
        `splits` (by name: `photos`, `by_length`, `bytes`, `shards` with `file`, `photos`, `bytes`
        and `sha256`), `folders` (by official folder: how many photos were listed, converted,
        re-encoded, skipped, unlisted), `skipped`, `reencoded`, `unlisted`, `metadata`,
        `settings`, `versions` and `format`.

    Raises:
        UserError: If there is no whole conversion, or one that this version can't read.
    """
    path = shard_folder(data_dir) / MANIFEST_NAME
    convert = f"run python convert_to_tfrecords.py --data_dir {data_dir}"
    try:
        text = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if not Path(data_dir).is_dir():
            raise UserError(f"There is no folder {data_dir}: check --data_dir") from None
        if path.parent.is_dir():
            raise UserError(
                f"The conversion in {path.parent} is unfinished (no {MANIFEST_NAME}): {convert}"
            ) from None
        raise UserError(f"There are no converted photos in {data_dir}: {convert}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} can't be read ({error}): {convert} --overwrite") from error
    try:
        manifest = json.loads(text)
        found, _ = manifest["format"], manifest["splits"].items()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"{path} is damaged ({type(error).__name__}): {convert} --overwrite"
        ) from error
    if found != FORMAT:
        raise UserError(
            f"{path} has format {found}, this version reads format {FORMAT}: {convert} --overwrite"
        )
    return manifest


def manifest_digest(data_dir: str | Path) -> str:
    """Returns the SHA-256 of the manifest, 64 hexadecimal digits: another for another data set.

    Raises:
        OSError: If there is no manifest; `read_manifest` says what to do then.
    """
    return hashlib.sha256((shard_folder(data_dir) / MANIFEST_NAME).read_bytes()).hexdigest()


def splits_with_photos(data_dir: str | Path) -> list[str]:
    """Returns the splits that have photos, in the order of `SPLITS`.

    Raises:
        UserError: If there is no whole conversion.
    """
    splits = read_manifest(data_dir)["splits"]
    return [name for name in SPLITS if splits.get(name, {}).get("photos")]


def shard_paths(data_dir: str | Path, split: str) -> list[str]:
    """Returns the paths of the shards of a split, in order.

    Args:
        data_dir: The folder that holds `tfrecords/`.
        split: One of `SPLITS`.

    Raises:
        UserError: If there is no whole conversion, the split is absent or empty, or a shard is
            missing or has another size than when it was written.
    """
    shards = _split_entry(data_dir, split)["shards"]
    folder = shard_folder(data_dir)
    for shard in shards:
        path = folder / shard["file"]
        size = path.stat().st_size if path.is_file() else None
        if size != shard["bytes"]:
            state = "is missing" if size is None else f"has {size} bytes instead of"
            expected = "" if size is None else f" {shard['bytes']}"
            raise UserError(
                f"{path} {state}{expected}: convert again with python convert_to_tfrecords.py"
                f" --data_dir {data_dir} --overwrite"
            )
    return [str(folder / shard["file"]) for shard in shards]


def photo_count(data_dir: str | Path, split: str) -> int:
    """Returns the number of photos of a split, at least 1.

    Raises:
        UserError: If there is no whole conversion, or the split is absent or empty.
    """
    return _split_entry(data_dir, split)["photos"]


def photos_by_length(data_dir: str | Path, split: str) -> list[int]:
    """Returns how many photos of a split have no, 1, …, 5 and more than 5 digits.

    Raises:
        UserError: If there is no whole conversion, or the split is absent or empty.
    """
    by_length = _split_entry(data_dir, split)["by_length"]
    return [by_length.get(length_name(length), 0) for length in range(LENGTH_CLASSES)]


def _split_entry(data_dir: str | Path, split: str) -> dict[str, Any]:
    present = splits_with_photos(data_dir)
    if split not in present:
        raise UserError(
            f"There are no photos of the split '{split}' in {shard_folder(data_dir)}; it has:"
            f" {', '.join(present) or 'none'}. Choose one of these, or convert again with the"
            f" folder that '{split}' comes from and --overwrite"
        )
    return read_manifest(data_dir)["splits"][split]
