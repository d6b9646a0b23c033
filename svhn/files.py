"""Files that are whole or not there."""

import os
import re
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
