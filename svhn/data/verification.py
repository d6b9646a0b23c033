"""Checks a conversion against its manifest."""

import hashlib
import re
from pathlib import Path
from typing import Any

from svhn.data.manifest import SPLITS, read_manifest, shard_folder
from svhn.errors import UserError
from svhn.progress import progress

_SHARD = re.compile(rf"({'|'.join(SPLITS)})\.tfrecord-.*")
_NAMED_PROBLEMS = 3


def verify(data_dir: str | Path) -> str:
    """Returns a line that says that the conversion under `data_dir` is what its manifest says.

    Raises:
        UserError: If there is none, or files are missing, damaged or too many. It names the
            first of them, and in a damaged shard the record.
    """
    manifest = read_manifest(data_dir)
    folder = shard_folder(data_dir)
    shards = {
        shard["file"]: shard for split in manifest["splits"].values() for shard in split["shards"]
    }
    files = shards | {entry["file"]: entry for entry in manifest["metadata"]}
    problems = []
    with progress(
        total=sum(entry["bytes"] for entry in files.values()),
        description="verifying",
        unit="B",
    ) as bar:
        for name, entry in files.items():
            problem = _problem(folder / name, entry, is_shard=name in shards)
            if problem:
                problems.append(problem)
            bar.update(entry["bytes"])
    problems += [
        f"{path} is not in the manifest"
        for path in sorted(folder.iterdir())
        if _SHARD.fullmatch(path.name) and path.name not in shards
    ]
    if problems:
        more = len(problems) - _NAMED_PROBLEMS
        raise UserError(
            "; ".join(problems[:_NAMED_PROBLEMS])
            + (f"; and {more} more" if more > 0 else "")
            + ". Run convert_to_tfrecords.py again with --overwrite"
        )
    photos = sum(split["photos"] for split in manifest["splits"].values())
    return f"{folder} is whole: {photos:,} photos in {len(shards)} shards, as the manifest says"


def _problem(path: Path, entry: dict[str, Any], is_shard: bool) -> str:
    """What is wrong with a file, in words; "" if nothing is."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return f"{path} is missing"
    except OSError as error:
        return f"{path} can't be read ({error.strerror})"
    if found == entry["sha256"]:
        return ""
    if not is_shard:
        return f"{path} was changed (its SHA-256 is not the manifest's)"
    # TensorFlow takes seconds to import, and is needed for damaged shards alone.
    from svhn.command_line import start_tensorflow

    start_tensorflow()
    from svhn.data.records import locate_damage

    damage = locate_damage(path)
    if damage is None:
        return f"{path} holds other records than the manifest says (another SHA-256)"
    number, reason = damage
    return f"{path} is damaged at record {number} of {entry['photos']}, counted from 0: {reason}"
