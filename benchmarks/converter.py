"""Measures how many photos a second are converted to TFRecords, and the peer beside.

    python benchmarks/converter.py [--peer_dir=CHECKOUT] [--source_dir=FOLDER]

The peer is potterhsu/SVHNClassifier (TensorFlow 1; runs through benchmarks/tensorflow1.py). Both
convert the same folder, in turn, as whole processes from the shell; its photos are in the page
cache. "Without start-up" is the slope between that folder and one with a few photos.
"""

import dataclasses
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

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
from svhn.errors import UserError  # noqa: E402
from svhn.worker_processes import usable_cores  # noqa: E402

TARGET_RATIO = 3.0
FEW_PHOTOS = 60
DIFFERENT_PICTURES = 200
"""Generated pictures repeat after as many: making them would take longer than all else."""


@dataclasses.dataclass
class BenchmarkConfig:
    """What to measure."""

    photos: int = option("Photos in the folder.", 3000, group="benchmark", minimum=2 * FEW_PHOTOS)
    repeats: int = option("Runs of each converter; medians count.", 3, group="benchmark", minimum=1)
    peer_dir: str = option(
        "A checkout of github.com/potterhsu/SVHNClassifier; without it, no peer is measured.",
        "",
        group="benchmark",
    )
    source_dir: str = option(
        "A folder with train/ and its digitStruct.mat to take the photos from; by default they"
        " are generated.",
        "",
        group="benchmark",
    )
    seed: int = option("Seed of the generated photos.", 1, group="benchmark")


def main(config: BenchmarkConfig) -> int:
    """Prints the table."""
    peer = Path(config.peer_dir) / "convert_to_tfrecords.py"
    if config.peer_dir and not peer.is_file():
        raise UserError(f"--peer_dir={config.peer_dir}: there is no convert_to_tfrecords.py in it")
    cores = usable_cores()
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        photos = _photos(config)
        _make_folder(few, photos, FEW_PHOTOS)
        _make_folder(many, photos, config.photos)
        converters = {f"ours, {cores} workers": _ours(0)}
        if cores > 1:
            converters["ours, 1 worker"] = _ours(1)
        if config.peer_dir:
            converters["potterhsu/SVHNClassifier"] = _peer(peer)
        seconds = {name: ([], []) for name in converters}
        for _ in range(config.repeats):
            for name, convert in converters.items():
                for data_dir, taken in zip((few, many), seconds[name], strict=True):
                    taken.append(_timed(convert, data_dir))
    total = config.photos
    size = sum(len(picture) for picture, _ in photos) / len(photos)
    kind = f"from {config.source_dir}" if config.source_dir else "generated"
    rows, rates = [], {}
    for name, (of_few, of_many) in seconds.items():
        short, long = statistics.median(of_few), statistics.median(of_many)
        steady = (total - FEW_PHOTOS) / (long - short)
        rates[name] = (total / long, steady)
        rows += [
            Row(f"{name}, whole process", f"{total / long:,.0f}", "photos/s"),
            Row(f"{name}, without start-up", f"{steady:,.0f}", "photos/s"),
        ]
    if config.peer_dir:
        ours, *_, theirs = rates.values()
        target = f"at least {TARGET_RATIO:g}"
        rows += [
            Row("times as fast, whole process", f"{ours[0] / theirs[0]:.1f}", "×", target),
            Row("times as fast, without start-up", f"{ours[1] / theirs[1]:.1f}", "×"),
        ]
    else:
        rows.append(Row("potterhsu/SVHNClassifier", "-", "not measured: give --peer_dir"))
    print_report(
        f"Conversion of {total:,} photos, {kind}, {size / 1000:.1f} kB on average, "
        f"median of {config.repeats} runs",
        rows,
    )
    return 0


def _ours(workers: int) -> Callable[[Path], int]:
    def convert(data_dir: Path) -> int:
        output = data_dir / "ours"
        command = ["convert_to_tfrecords.py", "--data_dir", data_dir, "--output_dir", output]
        _call([*command, f"--workers={workers}"])
        manifest = json.loads((output / "tfrecords" / "manifest.json").read_text())
        return sum(split["photos"] for split in manifest["splits"].values())

    return convert


def _peer(program: Path) -> Callable[[Path], int]:
    def convert(data_dir: Path) -> int:
        for path in data_dir.glob("*.tfrecords"):
            path.unlink()  # it refuses to overwrite
        _call(["benchmarks/tensorflow1.py", program.resolve(), "--data_dir", data_dir])
        return sum(json.loads((data_dir / "meta.json").read_text())["num_examples"].values())

    return convert


def _call(command: list[str | Path]) -> None:
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    if result.returncode:
        last_line = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise UserError(f"{command[0]} failed with status {result.returncode}: {last_line}")


def _timed(convert: Callable[[Path], int], data_dir: Path) -> float:
    """Seconds of one conversion from nothing."""
    shutil.rmtree(data_dir / "ours", ignore_errors=True)
    start = time.perf_counter()
    converted = convert(data_dir)
    seconds = time.perf_counter() - start
    expected = len(list(data_dir.glob("*/*.png")))
    if converted != expected:
        raise UserError(f"{converted} of {expected} photos were converted: not comparable")
    return seconds


def _photos(config: BenchmarkConfig) -> list[tuple[bytes, LabelledPhoto]]:
    """Different photos with their labels; of one to five digits, which both converters take."""
    if config.source_dir:
        folder = Path(config.source_dir) / "train"
        listed = read_digit_struct(folder / DIGIT_STRUCT_NAME)
        return [
            ((folder / photo.file_name).read_bytes(), photo)
            for photo in listed
            if 1 <= len(photo.digits) <= 5
        ]
    generator = np.random.default_rng(config.seed)
    return [_generated(generator) for _ in range(min(DIFFERENT_PICTURES, config.photos))]


def _generated(generator: np.random.Generator) -> tuple[bytes, LabelledPhoto]:
    """A blurred texture with noise, in the sizes of SVHN's train photos (median 104 × 47)."""
    height = int(np.clip(generator.lognormal(3.9, 0.5), 16, 400))
    width = int(np.clip(height * generator.lognormal(0.75, 0.25), 25, 800))
    texture = generator.integers(0, 256, (height, width, 3), np.uint8)
    blurred = np.asarray(Image.fromarray(texture).filter(ImageFilter.GaussianBlur(4)), np.int16)
    pixels = np.clip(blurred + generator.integers(-4, 5, blurred.shape), 0, 255)
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, "PNG")
    count = int(generator.choice([1, 2, 3, 4, 5], p=[0.15, 0.54, 0.26, 0.04, 0.01]))
    step = width // 2 // count
    boxes = [[width // 4 + step * index, height // 4, step, height // 2] for index in range(count)]
    digits = tuple(generator.integers(0, 10, count).tolist())
    return stream.getvalue(), LabelledPhoto("", digits, np.array(boxes, np.float32))


def _make_folder(data_dir: Path, photos: list[tuple[bytes, LabelledPhoto]], count: int) -> None:
    """Makes train/, test/ and extra/, which the peer wants all, numbered from 1 as it wants it."""
    first = 0
    for folder, share in (("train", 0.5), ("test", 0.25), ("extra", 0.25)):
        (data_dir / folder).mkdir(parents=True)
        listed = []
        for number in range(1, round(count * share) + 1):
            picture, labels = photos[(first + number) % len(photos)]
            photo = dataclasses.replace(labels, file_name=f"{number}.png")
            (data_dir / folder / photo.file_name).write_bytes(picture)
            listed.append(photo)
        first += len(listed)
        write_digit_struct(data_dir / folder / DIGIT_STRUCT_NAME, listed)


if __name__ == "__main__":
    run(main, BenchmarkConfig, needs_tensorflow=False)
