"""What was read so far, a line of JSON for each photo, appended as it comes.

A call that is ended at any moment leaves whole lines, and at most the beginning of one more, which
counts for nothing. The next call with the same settings takes the results from there.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from svhn.errors import PictureError
from svhn.files import write_whole
from svhn.reading.boxes import BoxFinder


class Entry(NamedTuple):
    """What was read in a photo."""

    photo: str
    """The photo's identity: `photo_identity`."""

    settings: str
    """What it was read with."""

    record: Mapping[str, Any]
    """What the JSON file says about it; at least "path"."""


class Journal:
    """A file of entries, the last one of a photo counting."""

    def __init__(self, path: Path):
        """Looks after a file; nothing is read or written yet."""
        self.path = path
        self._stream: BinaryIO | None = None

    def read(self) -> dict[str, Entry]:
        """Returns the entries by the photos' paths; lines that are no entry are passed over.

        Raises:
            OSError: If the file is there and can't be read.
        """
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        entries = {}
        for line in lines:
            entry = _parse(line)
            if entry is not None:
                entries[entry.record["path"]] = entry
        return entries

    def write(self, entries: Iterable[Entry]) -> None:
        """Makes the file hold these entries and no others.

        Raises:
            OSError: If it can't be written; what was there before stays.
        """
        self.close()
        write_whole(self.path, b"".join(map(_line, entries)))

    def append(self, entry: Entry) -> None:
        """Adds an entry, at once.

        Raises:
            OSError: If it can't be written.
        """
        if self._stream is None:
            # No buffer: it would be written, and fail, once more on closing.
            self._stream = self.path.open("ab", buffering=0)
        line = _line(entry)
        while line:  # what is written may be a part
            line = line[self._stream.write(line) :]

    def close(self) -> None:
        """Closes the file, if it is open."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def photo_identity(path: Path, find_box: BoxFinder | None = None) -> str:
    """Returns a text that changes when a photo does: size, time of change, and the box given.

    Args:
        path: The photo.
        find_box: Says where the number is, where that doesn't follow from the photo.

    Returns:
        "" for a photo that can't be read.
    """
    try:
        status = path.stat()
        box = find_box(path) if find_box else None
    except (OSError, ValueError, PictureError):  # ValueError: a null character in the path
        return ""
    place = "" if box is None else " ".join(f"{value:.9g}" for value in box)
    return f"{status.st_size} bytes, {status.st_mtime_ns} ns, {place}".rstrip(", ")


def _line(entry: Entry) -> bytes:
    # Names that are no UTF-8 keep their bytes: JSON escapes them.
    return json.dumps(entry._asdict()).encode() + b"\n"


def _parse(line: bytes) -> Entry | None:
    try:
        entry = Entry(**json.loads(line))
        return entry if isinstance(entry.record["path"], str) else None
    except (ValueError, TypeError, KeyError):
        return None
