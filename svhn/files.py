"""Files that are whole or not there."""

import os
from pathlib import Path


def write_whole(path: str | Path, content: bytes) -> None:
    """Writes a file so that a reader finds the old one or the new one, never a part.

    Args:
        path: Its folder must exist.
        content: All that the file will hold.

    Raises:
        OSError: If it can't be written; what was there before stays.
    """
    path = Path(path)
    # Hidden, and not named after `path`: TensorBoard would read an unfinished events file, too.
    unfinished = path.with_name(f".{os.getpid()}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
