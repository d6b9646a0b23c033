"""From SVHN's folders of photos to shards of records, whole or not at all.

Shards are written by worker processes under temporary names and renamed when they are complete;
the manifest comes last, so that its presence means that the data set is whole. What a shard holds
depends on the photos, their lists and the settings alone: neither the number of workers nor the
time changes a byte.
"""

import collections
import concurrent.futures
import dataclasses
import errno
import hashlib
import importlib.metadata
import json
import multiprocessing
import os
import platform
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import svhn
from svhn.command_line import warn
from svhn.data import shard_writer, tfds_metadata
from svhn.data.conversion_summary import summary
from svhn.data.converter_config import ConverterConfig
from svhn.data.digit_struct import DIGIT_STRUCT_NAME, compare_with_folder, read_digit_struct
from svhn.data.manifest import EMPTY, FORMAT, MANIFEST_NAME, SPLITS, shard_folder, shard_name
from svhn.data.shard_writer import ShardReport, ShardTask, SourcePhoto
from svhn.data.verification import verify
from svhn.errors import UserError
from svhn.files import UNFINISHED_NAME, locked, write_whole
from svhn.natural_order import natural_key
from svhn.progress import progress
from svhn.worker_processes import naming_killed_workers, usable_cores

FOLDERS = ("train", "extra", "pseudo", EMPTY, "test")
"""The official folders, the one with photos whose labels a machine gave, and the one with photos
without any number."""

MISSING = "listed, but not on disk"
LISTED_TWICE = "listed more than once"

PHOTOS_PER_SHARD = 16
"""A split gets fewer shards rather than shards with fewer photos than this."""

_OURS = re.compile(
    rf"\.?({'|'.join(SPLITS)})\.tfrecord-\d{{5}}-of-\d{{5}}(\.\d+\.partial)?"
    rf"|{'|'.join(map(re.escape, (MANIFEST_NAME, *tfds_metadata.FILES)))}|{UNFINISHED_NAME.pattern}"
)
"""The names of all files that a conversion makes, finished or not."""


@dataclasses.dataclass(frozen=True)
class SourceFolder:
    """One of `FOLDERS`, compared with its list.

    Attributes:
        listed: How many photos the list has.
        photos: Those that are on disk, each once, in the order of the list.
        skipped: For each of the others: `photo`, `reason`, `detail`.
        unlisted: Names of pictures on disk that the list doesn't have.
    """

    listed: int
    photos: list[SourcePhoto]
    skipped: list[dict[str, str]]
    unlisted: tuple[str, ...]


def convert(config: ConverterConfig) -> int:
    """Converts what `config` describes, or verifies an existing conversion.

    A program that calls this needs `if __name__ == "__main__":` around its own start, as always
    with worker processes.

    Returns:
        The exit status, 0.

    Raises:
        UserError: If there is nothing to convert, a list or folder can't be read, the output
            can't be written, or there is a whole conversion already and `overwrite` isn't set.
    """
    output_dir = config.output_dir or config.data_dir
    if config.verify:
        print(verify(output_dir))
        return 0
    start = time.perf_counter()
    data_dir, target = Path(config.data_dir), shard_folder(output_dir)
    folders = find_folders(data_dir)
    _refuse_whole_conversion(target, config.overwrite)
    sources = {name: _read_folder(data_dir, name) for name in folders}
    tasks = plan_shards(sources, data_dir, target, config)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with locked(target) as is_alone:
            if not is_alone:
                raise UserError(
                    f"Another conversion is writing to {target}: wait for it, or stop it first"
                )
            _refuse_whole_conversion(target, config.overwrite)
            _remove_conversion(target)
            try:
                manifest = _write_conversion(target, tasks, sources, config)
            except BaseException:
                _remove_conversion(target)
                raise
    except OSError as error:
        raise _not_writable(target, error) from error
    print(summary(manifest))
    _print_farewell(manifest, target, output_dir, time.perf_counter() - start)
    return 0


def drawn_for_val(folder: str, file_name: str, fraction: float) -> bool:
    """Returns whether a photo belongs to the split `val`.

    It is drawn by a hash of its folder and name alone: the same photo is always in the same
    split, whatever other photos there are; and a larger fraction keeps those of a smaller one.

    Args:
        folder: The official folder: train or extra.
        file_name: The photo's name in it.
        fraction: 0 to 1: the share of all photos that shall be in `val`.
    """
    digest = hashlib.sha256(f"{folder}/{file_name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < fraction * 2**64


def find_folders(data_dir: Path) -> list[str]:
    """Returns which of `FOLDERS` `data_dir` has, at least one.

    Raises:
        UserError: If there is none, or `data_dir` can't be read.
    """
    try:
        present = [name for name in FOLDERS if (data_dir / name).is_dir()]
        found = sorted(path.name for path in data_dir.iterdir())
    except FileNotFoundError:
        raise UserError(f"--data_dir={data_dir}: there is no such folder") from None
    except OSError as error:
        raise UserError(
            f"--data_dir={data_dir}: the folder can't be read ({error.strerror}); expected one"
            " with any of train/, test/ and extra/"
        ) from error
    if not present:
        inside = f"found only {', '.join(found[:4])}{' …' * (len(found) > 4)}" if found else "empty"
        step = (
            "give the folder above it"
            if DIGIT_STRUCT_NAME in found
            else "python -m svhn.data.download fetches them, python -m svhn.data.synthetic makes"
            " photos to try with"
        )
        raise UserError(
            f"--data_dir={data_dir}: none of the folders train/, test/ and extra/ is in it"
            f" ({inside}): {step}"
        )
    return present


def plan_shards(
    sources: dict[str, SourceFolder], data_dir: Path, target: Path, config: ConverterConfig
) -> list[ShardTask]:
    """Returns the shards to write, in the order of splits and shards.

    A split's photos are put in the order of a hash and dealt out to its shards in turn, so that
    every shard, and every slice that TensorFlow Datasets makes, is a sample of the whole. (Training
    shuffles a few thousand photos at a time: in the order of their names it would meet those that
    were rendered first all together, and those that came from elsewhere later.)
    """
    splits = {name: [] for name in SPLITS}
    # Of the other folders none: what a machine has labelled is nothing to validate on, and where
    # there is no number nothing can be read.
    val_fractions = {"train": config.val_fraction_train, "extra": config.val_fraction_extra}
    for folder, source in sources.items():
        for photo in source.photos:
            in_val = drawn_for_val(folder, photo.labels.file_name, val_fractions.get(folder, 0.0))
            splits["val" if in_val else folder].append(photo)
    tasks = []
    for split, photos in splits.items():
        photos.sort(key=_place_in_split)
        count = min(config.shards, -(-len(photos) // PHOTOS_PER_SHARD))
        for index in range(count):
            name = shard_name(split, index, count)
            unfinished = target / f".{name}.{os.getpid()}.partial"
            tasks.append(ShardTask(data_dir, split, name, unfinished, photos[index::count]))
    return tasks


def _place_in_split(photo: SourcePhoto) -> bytes:
    return hashlib.sha256(f"{photo.name} in its split".encode()).digest()


def _read_folder(data_dir: Path, folder: str) -> SourceFolder:
    listed = read_digit_struct(data_dir / folder / DIGIT_STRUCT_NAME, folder == EMPTY)
    comparison = compare_with_folder(listed, data_dir / folder)
    if comparison.unlisted:
        warn(
            f"{len(comparison.unlisted):,} photos in {data_dir / folder} are not listed in its"
            f" {DIGIT_STRUCT_NAME} and are left out (the first is {comparison.unlisted[0]})"
        )
    missing, seen = set(comparison.missing), set()
    photos, skipped = [], []
    for labels in listed:
        photo = SourcePhoto(folder, labels)
        if labels.file_name in seen:
            skipped.append(_skip(photo, LISTED_TWICE, "its first entry counts"))
        elif labels.file_name in missing:
            skipped.append(_skip(photo, MISSING, "there is no such file"))
        else:
            photos.append(photo)
        seen.add(labels.file_name)
    return SourceFolder(len(listed), photos, skipped, comparison.unlisted)


def _skip(photo: SourcePhoto, reason: str, detail: str) -> dict[str, str]:
    return {"photo": photo.name, "reason": reason, "detail": detail}


def _refuse_whole_conversion(target: Path, overwrite: bool) -> None:
    try:
        is_whole = (target / MANIFEST_NAME).exists()
    except OSError as error:
        raise _not_writable(target, error) from error
    if is_whole and not overwrite:
        raise UserError(
            f"{target} holds a whole conversion already: --overwrite replaces it, --verify checks"
            " it, --output_dir puts another one elsewhere"
        )


def _remove_conversion(folder: Path) -> None:
    """Removes what a conversion has left, the manifest first: what remains never looks whole."""
    manifest = folder / MANIFEST_NAME
    if manifest.exists():
        manifest.unlink()
        _sync_folder(folder)
    for path in folder.iterdir():
        if _OURS.fullmatch(path.name):
            path.unlink()


def _write_conversion(
    target: Path,
    tasks: list[ShardTask],
    sources: dict[str, SourceFolder],
    config: ConverterConfig,
) -> dict[str, Any]:
    reports = _write_shards(target, tasks, config.workers or usable_cores())
    if not any(report.photos for report in reports):
        listed = sum(source.listed for source in sources.values())
        first = next(iter(_all_skipped(sources, reports)))
        raise UserError(
            f"None of the {listed:,} listed photos in {config.data_dir} can be used; the first is"
            f" {first['photo']} ({first['reason']}: {first['detail']})"
        )
    manifest = _manifest(tasks, reports, sources, config)
    for task in tasks:
        if task.split not in manifest["splits"]:  # none of its photos could be used
            (target / task.file_name).unlink()
    for name, text in tfds_metadata.tfds_metadata(manifest["splits"]).items():
        data = text.encode()
        write_whole(target / name, data, on_disk=True)
        entry = {"file": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        manifest["metadata"].append(entry)
    _sync_folder(target)
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    # A photo's name on disk may be no UTF-8: its bytes are then told as \udc80 to \udcff.
    write_whole(target / MANIFEST_NAME, text.encode(errors="backslashreplace"), on_disk=True)
    _sync_folder(target)
    return manifest


def _write_shards(target: Path, tasks: list[ShardTask], workers: int) -> list[ShardReport]:
    """Returns the reports of all shards, in the order of the tasks."""
    # Workers are forked from a small process that has no threads and no TensorFlow.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([shard_writer.__name__])
    done, stop = context.Value("q", 0), context.Event()
    with (
        naming_killed_workers(workers),
        concurrent.futures.ProcessPoolExecutor(
            max(1, min(workers, len(tasks))), context, shard_writer.start_worker, (done, stop)
        ) as executor,
    ):
        futures = {executor.submit(shard_writer.write_shard, task): task for task in tasks}
        total = sum(len(task.photos) for task in tasks)
        try:
            with progress(total=total, description="converting") as bar:
                pending = set(futures)
                while pending:
                    finished, pending = concurrent.futures.wait(
                        pending, timeout=0.2, return_when=concurrent.futures.FIRST_COMPLETED
                    )
                    for future in finished:
                        future.result()
                        task = futures[future]
                        task.unfinished.replace(target / task.file_name)
                    bar.update(done.value - bar.n)
            return [future.result() for future in futures]
        except BaseException:
            stop.set()
            executor.shutdown(cancel_futures=True)
            raise


def _manifest(
    tasks: list[ShardTask],
    reports: list[ShardReport],
    sources: dict[str, SourceFolder],
    config: ConverterConfig,
) -> dict[str, Any]:
    splits = {}
    for split in SPLITS:
        shards = [
            (task.file_name, report)
            for task, report in zip(tasks, reports, strict=True)
            if task.split == split
        ]
        if any(report.photos for _, report in shards):
            splits[split] = _split_entry(shards)
    converted = sum((report.photos_by_folder for report in reports), collections.Counter())
    skipped = _all_skipped(sources, reports)
    reencoded = sorted((name for report in reports for name in report.reencoded), key=natural_key)
    return {
        "format": FORMAT,
        "splits": splits,
        "folders": {
            name: {
                "listed": source.listed,
                "converted": converted[name],
                "skipped": sum(entry["photo"].startswith(f"{name}/") for entry in skipped),
                "reencoded": sum(photo.startswith(f"{name}/") for photo in reencoded),
                "unlisted": len(source.unlisted),
            }
            for name, source in sources.items()
        },
        "skipped": skipped,
        "reencoded": reencoded,
        "unlisted": [
            f"{name}/{photo}" for name, source in sources.items() for photo in source.unlisted
        ],
        "metadata": [],
        "settings": {
            "val_fraction_train": config.val_fraction_train,
            "val_fraction_extra": config.val_fraction_extra,
            "shards": config.shards,
        },
        "versions": {
            "svhn": svhn.__version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("h5py", "numpy", "pillow")},
        },
    }


def _split_entry(shards: Sequence[tuple[str, ShardReport]]) -> dict[str, Any]:
    by_length = sum((report.photos_by_length for _, report in shards), collections.Counter())
    return {
        "photos": sum(report.photos for _, report in shards),
        "by_length": dict(sorted(by_length.items())),  # "more than 5" after the figures
        "bytes": sum(report.bytes for _, report in shards),
        "shards": [
            {
                "file": name,
                "photos": report.photos,
                "bytes": report.bytes,
                "sha256": report.sha256,
            }
            for name, report in shards
        ],
    }


def _all_skipped(
    sources: dict[str, SourceFolder], reports: list[ShardReport]
) -> list[dict[str, str]]:
    skipped = [entry for source in sources.values() for entry in source.skipped]
    skipped += [entry for report in reports for entry in report.skipped]
    return sorted(skipped, key=lambda entry: natural_key(entry["photo"]))


def _sync_folder(folder: Path) -> None:
    """Puts renamings and removals on the disk, so that a power cut can't undo them."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _not_writable(target: Path, error: OSError) -> UserError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            f"The disk of {target} is full; what was begun is removed. Make room for about as"
            " much as the photos take, or give a folder elsewhere with --output_dir"
        )
    return UserError(
        f"{target} can't be written ({error.strerror or error}): change its permissions, or give a"
        " folder elsewhere with --output_dir"
    )


def _print_farewell(
    manifest: dict[str, Any], target: Path, output_dir: str, seconds: float
) -> None:
    photos = sum(split["photos"] for split in manifest["splits"].values())
    print(f"{photos:,} photos in {seconds:.1f} s ({photos / seconds:,.0f}/s) → {target}")
    if "train" in manifest["splits"] and "val" not in manifest["splits"]:
        warn("no photo fell into the split val: training can't tell its best checkpoint")
    if "train" in manifest["splits"]:
        print(f"next: python train.py --data_dir {output_dir} --train_logdir ./logs/train")
