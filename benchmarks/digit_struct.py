"""Measures how fast `digitStruct.mat` is read, and beside it the loop that every peer uses.

    python benchmarks/digit_struct.py [--naive_photos=N]

The file is generated: 33,402 photos (the official train split's count) with its distribution of
lengths. The peers' loop goes through h5py's high-level interface and dereferences five values a
digit; its time grows with the photos, so by default it reads the first few thousand of the same
file, and its time for all is their time scaled up.
"""

import dataclasses
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.report import Row, print_report  # noqa: E402
from svhn.command_line import option, run  # noqa: E402
from svhn.data.digit_struct import (  # noqa: E402
    DIGIT_STRUCT_NAME,
    LabelledPhoto,
    read_digit_struct,
    write_digit_struct,
)

TARGET_RATIO = 5.0
SHARES_OF_LENGTHS = {1: 5137, 2: 18130, 3: 8691, 4: 1434, 5: 9, 6: 1}
"""Photos of the official train split by their number of digits."""


@dataclasses.dataclass
class BenchmarkConfig:
    """What to measure."""

    photos: int = option("Photos in the file.", 33402, group="benchmark", minimum=100)
    naive_photos: int = option(
        "Photos that the peers' loop reads; 0 for all.", 2000, group="benchmark", minimum=0
    )
    repeats: int = option("Runs of each reader; medians count.", 3, group="benchmark", minimum=1)
    seed: int = option("Of the generated labels.", 0, group="benchmark")


def generated_photos(count: int, seed: int) -> list[LabelledPhoto]:
    random = np.random.default_rng(seed)
    shares = np.array(list(SHARES_OF_LENGTHS.values())) / sum(SHARES_OF_LENGTHS.values())
    lengths = random.choice(list(SHARES_OF_LENGTHS), count, p=shares)
    return [
        LabelledPhoto(
            f"{index}.png",
            tuple(random.integers(0, 10, length).tolist()),
            random.integers(1, 200, (length, 4)).astype(np.float32),
        )
        for index, length in enumerate(lengths.tolist(), start=1)
    ]


def naive_read(path: Path, count: int) -> list[tuple[str, dict[str, list[float]]]]:
    """The straightforward loop: each object through h5py's high-level interface."""
    photos = []
    with h5py.File(path, "r") as file:
        names, bboxes = file["digitStruct/name"], file["digitStruct/bbox"]
        for index in range(count):
            name = "".join(chr(unit[0]) for unit in file[names[index][0]])
            bbox = file[bboxes[index][0]]
            values = {}
            for field in ("height", "label", "left", "top", "width"):
                column = bbox[field]
                if len(column) > 1:
                    values[field] = [file[column[row].item()][0][0] for row in range(len(column))]
                else:
                    values[field] = [column[0][0]]
            photos.append((name, values))
    return photos


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def check_same(photos: list[LabelledPhoto], naive: list[tuple[str, dict]]) -> None:
    for photo, (name, values) in zip(photos, naive, strict=False):
        boxes = np.array([values[field] for field in ("left", "top", "width", "height")]).T
        digits = tuple(int(label) % 10 for label in values["label"])
        if (photo.file_name, photo.digits) != (name, digits) or (photo.boxes != boxes).any():
            raise AssertionError(f"the two readers disagree about {name}")


def main(config: BenchmarkConfig) -> int:
    naive_photos = min(config.naive_photos or config.photos, config.photos)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / DIGIT_STRUCT_NAME
        generated = generated_photos(config.photos, config.seed)
        write_seconds, _ = seconds(lambda: write_digit_struct(path, generated))
        megabytes = path.stat().st_size / 1e6
        naive_times, own_times = [], []
        # In turn, so that a busy machine slows both; the file is in the page cache for both.
        for _ in range(config.repeats):
            own, photos = seconds(lambda: read_digit_struct(path))
            naive, listed = seconds(lambda: naive_read(path, naive_photos))
            check_same(photos, listed)
            own_times.append(own)
            naive_times.append(naive * config.photos / naive_photos)
    own, naive = statistics.median(own_times), statistics.median(naive_times)
    scaled = f" (scaled from {naive_photos:,})" if naive_photos < config.photos else ""
    print_report(
        f"digitStruct.mat of {config.photos:,} photos, {megabytes:.0f} MB, generated",
        [
            Row("read, peers' h5py loop", f"{naive:.1f}", f"s{scaled}"),
            Row("read, svhn", f"{own:.2f}", "s"),
            Row("times as fast", f"{naive / own:.1f}", "×", f"at least {TARGET_RATIO:g}"),
            Row("write, svhn", f"{write_seconds:.1f}", "s"),
        ],
    )
    return 0


if __name__ == "__main__":
    run(main, BenchmarkConfig)
