"""TensorBoard's files of a run that was cut off: back to where its checkpoint is.

A run that is killed has written points that are younger than its last checkpoint. The continued
run computes these steps again; with both, curves would double back. So the files are rewritten
without them before the run goes on.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

MERGED_NAME = "events.out.tfevents.0000000000.continued"
"""Sorts before the files that TensorFlow names by the time, as TensorBoard reads them."""

_UNFINISHED = ".unfinished"


def drop_events_after(folder: str | Path, step: int) -> None:
    """Leaves of a run's events those up to a step, in one file.

    Killed at any moment, this leaves the old files or the new one with old ones beside it whose
    events it already holds; done again, it comes to the same.

    Args:
        folder: The run's folder; nothing happens if it has no events.
        step: The last step whose points stay; with -1 nothing stays.
    """
    folder = Path(folder)
    paths = sorted(path for path in folder.glob("*tfevents*") if path.name != MERGED_NAME)
    merged = folder / MERGED_NAME
    if merged.exists():
        paths.insert(0, merged)
    if not paths:
        return
    # No "tfevents" in its name: TensorBoard would read it while it is written.
    unfinished = folder / _UNFINISHED
    seen = set()
    with tf.io.TFRecordWriter(str(unfinished)) as writer:
        for path in paths:
            for record in _records(path):
                digest = hashlib.sha256(record).digest()
                if digest not in seen and tf.compat.v1.Event.FromString(record).step <= step:
                    seen.add(digest)
                    writer.write(record)
    unfinished.replace(merged)
    for path in paths:
        if path != merged:
            path.unlink()


def _records(path: Path) -> Iterator[bytes]:
    """Yields the records of a file that may end in the middle of one."""
    records = iter(tf.data.TFRecordDataset(str(path)))
    while True:
        try:
            yield next(records).numpy()
        except (StopIteration, tf.errors.DataLossError):
            return
