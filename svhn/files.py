"""Files that are whole or not there."""

import errno
import fcntl
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED_NAME = re.compile(r"\.\d+\.unfinished")
"""How the file is called that `write_whole` leaves if it is killed."""


def write_whole(path: str | Path, content: bytes, *, on_disk: bool = False) -> None:
    """Writes a file so that a reader finds the old one or the new one, never a part.

    Args:
        path: Its folder must exist.
        content: All that the file will hold.
        on_disk: Let the disk have the content before the file has its name, so that a power cut,
            too, leaves no part. That takes milliseconds.

    Raises:
        OSError: If it can't be written; what was there before stays.
    """
    path = Path(path)
    # Hidden, and not named after `path`: TensorBoard would read an unfinished events file, too.
    unfinished = path.with_name(f".{os.getpid()}.unfinished")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            if on_disk:
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def make_writable(folder: str | Path) -> None:
    """Makes a folder, if it isn't there, and writes into it, leaving nothing.

    Raises:
        OSError: If either can't be done.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(b"?")


def outside(paths: Iterable[Path], *folders: str | Path) -> list[Path]:
    """Returns the paths that don't lie in these folders or below them, whatever links lead there.

    Args:
        paths: Of files.
        folders: Need not exist.
    """
    # os.path.realpath, as Path.resolve raises where a link leads to itself.
    real = {Path(os.path.realpath(folder)) for folder in folders}
    return [path for path in paths if real.isdisjoint(Path(os.path.realpath(path)).parents)]


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Keeps others out of a folder meanwhile, and yields whether nobody else does so.

    The system lifts the lock of a process that is killed. Some network disks know no locks: there
    everybody is told to be alone.

    Args:
        folder: One that exists.

    Raises:
        OSError: If it can't be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        is_alone = True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            is_alone = False
        except OSError as error:
            if error.errno not in (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP):
                raise
        yield is_alone
    finally:
        os.close(descriptor)
