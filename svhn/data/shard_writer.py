"""One shard, written by a worker process."""

import collections
import dataclasses
import hashlib
import os
from pathlib import Path
from typing import Any

from svhn.data.digit_struct import LabelledPhoto
from svhn.data.manifest import EMPTY
from svhn.data.photo_check import BROKEN, UnusablePhotoError, check_photo
from svhn.data.record_writer import serialize_record, write_record
from svhn.labels import length_name
from svhn.worker_processes import end_with_parent


@dataclasses.dataclass(frozen=True)
class SourcePhoto:
    """A photo and the folder that it comes from: train, extra, pseudo, empty or test."""

    folder: str
    labels: LabelledPhoto

    @property
    def name(self) -> str:
        """The photo as messages and the manifest call it: "train/1.png"."""
        return f"{self.folder}/{self.labels.file_name}"


@dataclasses.dataclass(frozen=True)
class ShardTask:
    """What a worker needs to know to write a shard.

    Attributes:
        data_dir: Where the official folders lie.
        split: train, extra, pseudo, empty, val or test.
        file_name: The finished shard's name.
        unfinished: Where it is written; whoever gave the task renames it.
        photos: In the order of the records.
    """

    data_dir: Path
    split: str
    file_name: str
    unfinished: Path
    photos: list[SourcePhoto]


@dataclasses.dataclass
class ShardReport:
    """What has become of a shard's photos.

    Attributes:
        photos: How many records it holds.
        photos_by_folder: The same by official folder.
        photos_by_length: The same by count of digits: "0" to "5" and "more than 5".
        bytes: Its size.
        sha256: Its hash.
        skipped: For each photo that was left out: `photo`, `reason`, `detail`.
        reencoded: The names of the photos whose picture was encoded anew.
    """

    photos: int = 0
    photos_by_folder: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    photos_by_length: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    bytes: int = 0
    sha256: str = ""
    skipped: list[dict[str, str]] = dataclasses.field(default_factory=list)
    reencoded: list[str] = dataclasses.field(default_factory=list)


class StoppedError(Exception):
    """The conversion was stopped; this shard is unfinished."""


_done: Any = None
_stop: Any = None


def start_worker(done: Any, stop: Any) -> None:
    """Prepares a worker process.

    Args:
        done: Shared integer: how many photos all workers together have gone through.
        stop: Shared event: unfinished shards are given up.
    """
    global _done, _stop
    _done, _stop = done, stop
    end_with_parent()


def write_shard(task: ShardTask) -> ShardReport:
    """Writes the photos of a task as records, in order, and leaves out those that can't be used.

    Raises:
        OSError: If the file can't be written.
        StoppedError: If the event `stop` was set.
    """
    report = ShardReport()
    with task.unfinished.open("wb", buffering=1 << 20) as file:
        for photo in task.photos:
            if _stop.is_set():
                raise StoppedError
            try:
                write_record(file, _record(task.data_dir, photo, report))
            except UnusablePhotoError as error:
                report.skipped.append(
                    {"photo": photo.name, "reason": error.reason, "detail": error.detail}
                )
            with _done.get_lock():
                _done.value += 1
        file.flush()
        os.fsync(file.fileno())
        report.bytes = file.tell()
    with task.unfinished.open("rb") as file:
        report.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return report


def _record(data_dir: Path, photo: SourcePhoto, report: ShardReport) -> bytes:
    labels = photo.labels
    try:
        data = (data_dir / photo.folder / labels.file_name).read_bytes()
    except OSError as error:
        raise UnusablePhotoError(BROKEN, error.strerror or str(error)) from None
    checked = check_photo(data, labels, has_number=photo.folder != EMPTY)
    report.photos += 1
    report.photos_by_folder[photo.folder] += 1
    report.photos_by_length[length_name(len(labels.digits))] += 1
    if checked.reencoded:
        report.reencoded.append(photo.name)
    return serialize_record(
        checked.image,
        checked.height,
        checked.width,
        labels.digits,
        labels.boxes,
        photo.folder,
        labels.file_name,
    )
