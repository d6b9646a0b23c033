"""Downloads the official SVHN photos and labels (format 1) and unpacks them.

For each split it leaves DATA_DIR/SPLIT with N.png and digitStruct.mat, ready for
convert_to_tfrecords.py. A broken download continues where it stopped; what is whole is skipped.
Without a network, put the archives at DATA_DIR/SPLIT.tar.gz by hand and run the same command.
SVHN is for research, non-commercial use (http://ufldl.stanford.edu/housenumbers/).
"""

import dataclasses
import shutil
from pathlib import Path

from svhn import command_line
from svhn.data import archives, resumable_download
from svhn.data.digit_struct import DIGIT_STRUCT_NAME, compare_with_folder, read_digit_struct
from svhn.errors import UserError

OFFICIAL_URL = "http://ufldl.stanford.edu/housenumbers/"

SHA256: dict[str, str | None] = {
    "train": "4b17bb33b6cd8f963493168f80143da956f28ec406cc12f8e5745a9f91a51898",
    "test": "57ac9ceb530e4aa85b55d991be8fc49c695b3d71c6f6a88afea86549efde7fb5",
    "extra": None,
}
"""SHA-256 of SPLIT.tar.gz as docTR publishes them; none is known for extra, whose gzip checksum
and list of photos are checked all the same."""


@dataclasses.dataclass
class DownloadConfig:
    """The flags of `python -m svhn.data.download`."""

    data_dir: str = command_line.option("Where train/, test/ and extra/ shall lie.", group="Data")
    splits: list[str] = command_line.option(
        "Which of the official splits.", ["train", "test", "extra"], group="Data"
    )
    keep_archives: bool = command_line.option(
        "Keep SPLIT.tar.gz after it is unpacked.", True, group="Data"
    )
    base_url: str = command_line.option(
        "Where SPLIT.tar.gz lies: the official home or a mirror.", OFFICIAL_URL, group="Network"
    )


def main(config: DownloadConfig) -> int:
    """Downloads, checks and unpacks the splits; returns the exit status 0.

    Raises:
        UserError: If a flag, the network, the disk or an archive stands in the way.
    """
    unknown = [split for split in config.splits if split not in SHA256]
    if unknown or not config.splits:
        raise UserError(
            f"--splits={','.join(config.splits)}: expected one or more of {','.join(SHA256)}"
        )
    if not config.base_url.startswith(("http://", "https://")):
        raise UserError(f"--base_url={config.base_url}: expected http:// or https://")
    data_dir = Path(config.data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"--data_dir={data_dir}: cannot be made ({error.strerror}); give another folder"
        ) from error
    for split in config.splits:
        _obtain(split, data_dir, config)
    print(f"next: python convert_to_tfrecords.py --data_dir {data_dir}")
    return 0


def _obtain(split: str, data_dir: Path, config: DownloadConfig) -> None:
    folder = data_dir / split
    if folder.exists() and any(folder.iterdir()):
        photos = _count_photos(folder, f"move {folder} away or delete it, and run again")
        print(f"{split}: whole already, {photos:,} photos in {folder}")
        return
    archive = data_dir / f"{split}.tar.gz"
    if archive.exists():
        print(f"{split}: found {archive}")
        _check_sha256(archive, split, f"delete {archive} and run the same command again")
    else:
        _download(archive, split, config.base_url)
    photos = _unpack(archive, folder)
    if not config.keep_archives:
        archive.unlink()
    print(f"{split}: {photos:,} photos in {folder}")


def _download(archive: Path, split: str, base_url: str) -> None:
    url = f"{base_url.rstrip('/')}/{archive.name}"
    part = archive.with_name(f"{archive.name}.part")
    print(f"{split}: downloading {url}")
    try:
        resumable_download.fetch(url, part)
    except resumable_download.UnreachableError as error:
        raise UserError(
            f"{error}; run the same command again to continue, or without a network: get "
            f"{OFFICIAL_URL}{archive.name} elsewhere, put it at {archive} and run the same command"
        ) from error
    try:
        _check_sha256(part, split, "what came was deleted: run the same command again")
    except UserError:
        part.unlink()
        raise
    part.replace(archive)


def _check_sha256(archive: Path, split: str, next_step: str) -> None:
    expected = SHA256[split]
    if expected is None:
        return
    found = archives.sha256(archive)
    if found != expected:
        raise UserError(
            f"{archive}: wrong checksum, SHA-256 is {found}, expected {expected}; {next_step}"
        )


def _unpack(archive: Path, folder: Path) -> int:
    """Unpacks beside the folder and renames at the end, so that a folder there is whole."""
    unfinished = folder.with_name(f".{folder.name}-unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)  # of a run that was killed
    try:
        unfinished.mkdir()
    except OSError as error:
        raise UserError(
            f"{unfinished}: cannot be made ({error.strerror}); change the permissions of the folder"
            " above it, or give another --data_dir"
        ) from error
    try:
        archives.unpack(archive, unfinished)
        photos = _count_photos(
            unfinished / folder.name, f"delete {archive} and run the same command again"
        )
        (unfinished / folder.name).replace(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return photos


def _count_photos(folder: Path, next_step: str) -> int:
    """Returns how many photos a folder lists, when all of them are there."""
    list_path = folder / DIGIT_STRUCT_NAME
    if not list_path.is_file():
        raise UserError(f"{folder}: not whole, it lacks {DIGIT_STRUCT_NAME}; {next_step}")
    photos = read_digit_struct(list_path)
    missing = compare_with_folder(photos, folder).missing
    if missing:
        raise UserError(
            f"{folder}: not whole, {len(missing):,} of its {len(photos):,} photos are missing, the "
            f"first is {missing[0]}; {next_step}"
        )
    return len(photos)


if __name__ == "__main__":
    command_line.run(main, DownloadConfig, "python -m svhn.data.download", needs_tensorflow=False)
