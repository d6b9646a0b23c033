"""The whole of `inference.py`: photos, a checkpoint, lines on the screen, an output folder."""

import logging
import math
import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from svhn.command_line import start_tensorflow
from svhn.errors import UserError
from svhn.images import find_pictures
from svhn.progress import progress
from svhn.reading.boxes import BoxFinder, labelled_boxes, whole_photo
from svhn.reading.config import ReadingConfig
from svhn.reading.output import DRAWINGS_FOLDER, OutputFolder
from svhn.released import PACKAGED_READER


def infer(config: ReadingConfig) -> int:
    """Reads photos, prints a line for each, and writes the output folder if one is named.

    A line on standard output: `75  97.3 %  photos/house.jpg`, or, with `min_accuracy`,
    `not sure  (75  61.2 %)  photos/house.jpg`. What can't be read is reported on
    standard error, a line each, and stops nothing else.

    Returns:
        The exit status: 0 if every photo was read, 1 if any failed.

    Raises:
        UserError: If there are no photos, there is no checkpoint or it has no threshold for
            `min_accuracy`, or the results can't be written.
    """
    box = _parse_box(config.box)
    paths, root = _photos(config, box)
    find_box = _box_finder(config, box, paths)
    checkpoint = config.restore_checkpoint or _packaged_reader()
    output = None
    if config.output_dir:
        output = OutputFolder(Path(config.output_dir).expanduser(), paths, root)

    # After all that can go wrong without it: it takes seconds.
    start_tensorflow()
    from svhn.reading.photos import read_photos
    from svhn.reading.reader import Reader

    reader = Reader.from_checkpoint(checkpoint, config.batch_size, config.min_accuracy)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="surrogateescape")  # file names that are no UTF-8
    failed, unsure, started = 0, 0, time.perf_counter()
    with _quiet_pillow(), progress(total=len(paths), description="reading") as bar:
        results = read_photos(reader, paths, find_box=find_box, with_previews=output is not None)
        for result in results:
            if result.reading is None:
                failed += 1
                tqdm.write(_one_line(result.error), file=sys.stderr)
            else:
                unsure += result.reading.sure is False
                tqdm.write(f"{result.reading.text}  {_one_line(str(result.path))}", file=sys.stdout)
                sys.stdout.flush()
            if output:
                output.add(result)
            bar.update()
    if output:
        output.finish()
    seconds = time.perf_counter() - started
    _print_summary(len(paths) - failed, unsure, failed, seconds, output)
    return 1 if failed else 0


def _packaged_reader() -> str:
    if not PACKAGED_READER.is_file():
        raise UserError(
            "--restore_checkpoint must name a trained network, such as ./logs/train/model.ckpt. To "
            "train one: python train.py --data_dir your_data_dir --train_logdir ./logs/train"
        )
    print(f"Reads with the packaged reader, {PACKAGED_READER}", file=sys.stderr)
    return str(PACKAGED_READER)


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
    paths = find_pictures(config.image)
    folder = Path(config.image).expanduser()
    if folder.is_dir():
        root = folder
        # What an earlier call has drawn into a folder within the photos is no photo.
        drawings = (Path(config.output_dir).expanduser() / DRAWINGS_FOLDER).resolve()
        if config.output_dir and drawings != folder.resolve():
            paths = [path for path in paths if drawings not in path.resolve().parents]
            if not paths:
                raise UserError(
                    f"--image={config.image}: the only pictures there are the drawings in "
                    f"{drawings}. Name a folder with photos, or give another --output_dir"
                )
    else:
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


def _one_line(text: str) -> str:
    """The text with the line breaks shown that a file's name may hold."""
    return text.replace("\n", r"\n").replace("\r", r"\r")


def _print_summary(
    read: int, unsure: int, failed: int, seconds: float, output: OutputFolder | None
) -> None:
    doubts = f" ({unsure:,} not sure)" if unsure else ""
    failures = f", {failed:,} failed" if failed else ""
    rate = (read + failed) / max(seconds, 1e-9)
    print(
        f"{read:,} {'photo' if read == 1 else 'photos'} read{doubts}{failures} "
        f"in {seconds:.1f} s ({rate:,.1f} photos/s)",
        file=sys.stderr,
    )
    if output:
        print(
            f"Results: {output.folder / 'predictions.json'}, {output.folder / 'predictions.csv'}, "
            f"{output.folder / DRAWINGS_FOLDER}",
            file=sys.stderr,
        )
