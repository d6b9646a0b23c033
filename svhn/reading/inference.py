"""The whole of `inference.py`: photos, networks, lines on the screen, an output folder."""

import logging
import math
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from svhn.command_line import start_tensorflow
from svhn.errors import UserError
from svhn.files import outside
from svhn.images import find_pictures
from svhn.progress import progress
from svhn.reading.boxes import BoxFinder, labelled_boxes, whole_photo
from svhn.reading.config import ReadingConfig
from svhn.reading.journal import photo_identity
from svhn.reading.output import DRAWINGS_FOLDER, OutputFolder
from svhn.reading.results import PhotoResult
from svhn.released import PACKAGED_DETECTOR, PACKAGED_READER
from svhn.stop_signals import stop_signals


def infer(config: ReadingConfig) -> int:
    """Reads photos, prints a line for each number, and writes the output folder if one is named.

    A line on standard output: `75  97.3 %  photos/house.jpg`, or, with `min_accuracy`,
    `not sure  (75  61.2 %)  photos/house.jpg`; several for a photo with several numbers, best
    first; `no number found  photos/tree.jpg`. What can't be read is reported on standard error, a
    line each, and stops nothing else.

    Ctrl-C and SIGTERM end it after the photos at hand, and what was read is kept: the same call
    goes on from there.

    Returns:
        The exit status: 0 if every photo was read, 1 if any failed; 130 or 143 if it was stopped.

    Raises:
        UserError: If there are no photos, a network is missing or has no threshold for
            `min_accuracy`, or the results can't be written.
    """
    box = _parse_box(config.box)
    paths, root = _photos(config, box)
    networks = _networks(config, box)
    find_box = None if networks.detector else _box_finder(config, box, paths)
    output = None
    if config.output_dir:
        output = OutputFolder(Path(config.output_dir), paths, root)

    # After all that can go wrong without it: it takes seconds.
    start_tensorflow()
    from svhn.reading.loading import load_photo_reader
    from svhn.reading.photos import read_photos

    photo_reader, settings = load_photo_reader(
        networks.reader,
        detector=networks.detector,
        find_box=find_box,
        batch_size=config.batch_size,
        min_accuracy=config.min_accuracy,
    )
    for remark in networks.remarks:  # not before it is sure that nothing else must be said
        print(remark, file=sys.stderr)
    earlier: dict[Path, PhotoResult] = {}
    if output:
        earlier = output.resume(settings, lambda path: photo_identity(path, find_box))
        if earlier:
            print(
                f"{_photo_count(len(earlier))} of {len(paths):,} had been read before, with the "
                f"same flags, into {output.folder}",
                file=sys.stderr,
            )
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="surrogateescape")  # file names that are no UTF-8
    count = _Count(earlier=len(earlier))
    with (
        _quiet_pillow(),
        closing(output) if output else nullcontext(),
        stop_signals() as stops,
        progress(total=len(paths), initial=len(earlier), description="reading") as bar,
    ):
        new = read_photos(
            photo_reader,
            [path for path in paths if path not in earlier],
            with_previews=output is not None,
            stopped=lambda: bool(stops),
        )
        for path in paths:
            result = earlier.get(path) or next(new, None)
            if result is None:  # stopped
                break
            _print_result(result)
            count.add(result)
            if path not in earlier:
                if output:
                    output.add(result)
                bar.update()
        if output and count.photos == len(paths):
            output.finish()
    if count.photos < len(paths):
        return _stopped(stops[0], count.photos, len(paths), output)
    _print_summary(count, output)
    return 1 if count.failed else 0


@dataclass
class _Count:
    """What came of the photos so far."""

    earlier: int = 0
    read: int = 0
    unsure: int = 0
    empty: int = 0
    failed: int = 0
    started: float = 0.0

    def __post_init__(self):
        self.started = time.perf_counter()

    @property
    def photos(self) -> int:
        return self.read + self.failed

    def add(self, result: PhotoResult) -> None:
        if result.error is not None:
            self.failed += 1
            return
        self.read += 1
        self.unsure += result.best is not None and result.best.sure is False
        self.empty += not result.readings


class _Networks(NamedTuple):
    """The files of the networks."""

    reader: str
    detector: str | None
    """None if something else says where the numbers are."""

    remarks: tuple[str, ...]
    """What to tell of those that the user didn't name."""


def _networks(config: ReadingConfig, box: Sequence[float] | None) -> _Networks:
    finds = box is None and config.boxes == "auto"
    if config.detector_checkpoint and not finds:
        other = f"--boxes={config.boxes}" if box is None else "--box"
        raise UserError(
            f"--detector_checkpoint={config.detector_checkpoint} is for --boxes=auto without "
            f"--box. Received: {other}, too. Leave one of the two out"
        )
    reader, detector, remarks = config.restore_checkpoint, config.detector_checkpoint, []
    if not reader:
        if not PACKAGED_READER.is_file():
            raise UserError(
                "--restore_checkpoint must name a trained network, such as "
                "./logs/train/model.ckpt. To train one: python train.py --data_dir your_data_dir "
                "--train_logdir ./logs/train"
            )
        reader = str(PACKAGED_READER)
        remarks.append(f"Reads with the packaged reader, {reader}")
    if finds and not detector:
        if PACKAGED_DETECTOR.is_file():
            detector = str(PACKAGED_DETECTOR)
            remarks.append(f"Finds numbers with the packaged detector, {detector}")
        else:
            remarks.append(
                "No detector in the package: takes each whole photo for the number, as with "
                "--boxes=whole. To find numbers in photos, name a detector with "
                "--detector_checkpoint"
            )
    return _Networks(reader, detector or None, tuple(remarks))


def _parse_box(values: Sequence[str]) -> tuple[float, ...] | None:
    if not values:
        return None
    try:
        box = tuple(float(value) for value in values)
    except ValueError:
        box = ()
    if len(box) != 4 or not all(map(math.isfinite, box)) or min(box[2:]) <= 0:
        raise UserError(
            f"--box={','.join(values)} is not a box. Expected left,top,width,height in pixels, "
            "such as --box=12,8,40,25, with width and height above 0"
        )
    return box


def _box_finder(
    config: ReadingConfig, box: tuple[float, ...] | None, paths: Sequence[Path]
) -> BoxFinder:
    if box is not None:
        return lambda _: box
    return labelled_boxes(paths) if config.boxes == "labels" else whole_photo


def _photos(config: ReadingConfig, box: Sequence[float] | None) -> tuple[list[Path], Path]:
    """The photos to read, and the folder that they have in common."""
    paths, root = find_pictures(config.image), Path(config.image)
    drawings = Path(config.output_dir) / DRAWINGS_FOLDER
    # What an earlier call has drawn into a folder within the photos is no photo, unless somebody
    # names it.
    is_named = os.path.realpath(root) == os.path.realpath(drawings) or root.is_file()
    if config.output_dir and not is_named:
        paths = outside(paths, drawings)
        if not paths:
            raise UserError(
                f"--image={config.image}: the only pictures there are the drawings in "
                f"{drawings}. Name a folder with photos, or give another --output_dir"
            )
    if not root.is_dir():
        root = Path(os.path.commonpath([path.parent for path in paths]))
    if box is not None and len(paths) != 1:
        raise UserError(
            f"--box is for a single photo, and --image={config.image} names {len(paths)}. Name one "
            "photo, or leave --box out"
        )
    return paths, root


@contextmanager
def _quiet_pillow() -> Iterator[None]:
    """Keeps Pillow's remarks about odd files off the screen: each file has one line of ours."""
    logger = logging.getLogger("PIL")
    level = logger.level
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            logger.setLevel(level)


def _print_result(result: PhotoResult) -> None:
    if result.error is not None:
        tqdm.write(_one_line(result.error), file=sys.stderr)
    for text in result.texts:
        tqdm.write(f"{text}  {_one_line(str(result.path))}", file=sys.stdout)
    sys.stdout.flush()


def _one_line(text: str) -> str:
    """The text with the line breaks shown that a file's name may hold."""
    return text.replace("\n", r"\n").replace("\r", r"\r")


def _stopped(number: int, done: int, total: int, output: OutputFolder | None) -> int:
    """Says what is kept; returns the exit status, as shells know it."""
    cause = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
    if output:
        kept = f"they are kept in {output.journal.path}, and the same command goes on from there"
    else:
        kept = "with --output_dir the same command would go on from there"
    print(
        f"inference.py: stopped by {cause} after {done:,} of {_photo_count(total)}; {kept}",
        file=sys.stderr,
    )
    return 128 + number


def _print_summary(count: _Count, output: OutputFolder | None) -> None:
    seconds = time.perf_counter() - count.started
    remarks = [f"{count.unsure:,} not sure"] if count.unsure else []
    remarks += [f"{count.empty:,} without a number"] if count.empty else []
    remarks += [f"{count.earlier:,} before"] if count.earlier else []
    details = f" ({', '.join(remarks)})" if remarks else ""
    failures = f", {count.failed:,} failed" if count.failed else ""
    rate = (count.photos - count.earlier) / max(seconds, 1e-9)
    print(
        f"{_photo_count(count.read)} read{details}{failures} "
        f"in {seconds:.1f} s ({rate:,.1f} photos/s)",
        file=sys.stderr,
    )
    if output:
        print(
            f"Results: {output.folder / 'predictions.json'}, {output.folder / 'predictions.csv'}, "
            f"{output.folder / DRAWINGS_FOLDER}",
            file=sys.stderr,
        )


def _photo_count(count: int) -> str:
    return f"{count:,} {'photo' if count == 1 else 'photos'}"
