"""Measures whole photos without boxes: numbers found, read, invented, and how fast.

    python benchmarks/photos.py --data_dir DIR [--detector_checkpoint F] [--checkpoint_dir F]

Photos without any number are, half and half, parts of the split's photos away from all labelled
digits, and rendered scenes. The speed is that of reading a folder as inference.py does it, two
photos at a time on two cores; beside it that of photos which come one by one.
"""

import dataclasses
import statistics
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.report import Row, print_report, share_row  # noqa: E402
from svhn.command_line import option, run  # noqa: E402

SPEED_SIZE = (640, 480)
LARGE_SIZE = (4000, 3000)


@dataclasses.dataclass
class PhotosConfig:
    """What to measure, on what."""

    data_dir: str = option("The data folder that was converted.", group="input")
    checkpoint_dir: str = option(
        "The reader: a run's folder, a checkpoint, or a file of released weights.",
        "logs/train",
        group="input",
    )
    detector_checkpoint: str = option("The detector, likewise.", "logs/detector", group="input")
    split: str = option(
        "The split.", "val", group="input", choices=("val", "test", "train", "extra")
    )
    photos: int = option("At most so many photos; 0 for all.", 0, group="input", minimum=0)
    without: int = option("Photos without any number.", 200, group="made", minimum=0)
    seed: int = option("Of the rendered ones.", 20_261_121, group="made", minimum=0)
    drawings_dir: str = option(
        "A folder for those in which a number is found all the same, drawn. Worth a look: parts of "
        "photos may show digits that their labels leave out.",
        "",
        group="made",
    )
    rounds: int = option("Turns of the speed.", 5, group="speed", minimum=1)
    photos_a_round: int = option("Photos of 640×480 a turn.", 32, group="speed", minimum=1)


def main(config: PhotosConfig) -> int:
    """Prints the table."""
    from svhn.checkpoints import load_model
    from svhn.data.records import read_photos
    from svhn.detection.finder import NumberFinder
    from svhn.evaluation.photo_metrics import measure_photos
    from svhn.evaluation.photos import read_all
    from svhn.reading.agreement import AgreementRule
    from svhn.reading.reader import Reader
    from svhn.reading.whole_photo import WholePhotoReader

    loaded = load_model(config.checkpoint_dir)
    detector = load_model(config.detector_checkpoint, task="detector")
    reader = Reader.of(loaded)
    finder = NumberFinder.of(detector)
    rule = AgreementRule.from_json(detector.state.get("agreement"))
    photo_reader = WholePhotoReader(reader, finder, rule)
    photos = list(islice(read_photos(config.data_dir, config.split), config.photos or None))
    predictions = read_all(reader, finder, iter(photos), len(photos), rule)
    rows = accuracy_rows(measure_photos(predictions))
    if config.without:
        rows.append(false_number_row(photo_reader, photos, config))
    rows += [*speed_rows(photo_reader, photos, config), memory_row(finder)]
    print_report(
        f"{len(photos):,} whole photos of {config.split}; {detector.path}, {loaded.path}", rows
    )
    return 0


def accuracy_rows(figures: Any) -> list[Row]:
    """Returns what `svhn.evaluation.photo_metrics.PhotoMetrics` say, with the targets."""
    whole, told = figures.read.sequence, figures.read_in_true_boxes.sequence
    points = 100 * (told.share - whole.share)
    return [
        share_row("whole-photo accuracy, no boxes given", whole, "at least 86 %"),
        share_row("the same reader, given the true boxes", told),
        Row("what finding costs", f"{points:.2f}", "points", "at most 6"),
        share_row("number's box found (IoU ≥ 0.5)", figures.box_found, "at least 95 %"),
        share_row("the same, by the best number alone", figures.best_box),
        Row("digit AP at IoU 0.5", f"{figures.digits.at_half:.3f}", "", "at least 0.85"),
        Row("digit AP at IoU 0.5:0.95", f"{figures.digits.mean:.3f}"),
    ]


def false_number_row(photo_reader: Any, photos: list, config: PhotosConfig) -> Row:
    """Returns how many numbers are found and read where there are none, and draws them."""
    from svhn.data.synthetic.fonts import find_typefaces
    from svhn.evaluation.photos_without_numbers import parts_without_digits, rendered_scenes
    from svhn.files import write_whole
    from svhn.reading.output import drawing
    from svhn.reading.results import PhotoResult

    parts = parts_without_digits(photos, config.without // 2)
    scenes = rendered_scenes(config.without - len(parts), config.seed, find_typefaces())
    if config.drawings_dir:
        Path(config.drawings_dir).mkdir(parents=True, exist_ok=True)
    counts = []
    for kind, pictures in (("part", parts), ("scene", scenes)):
        count = 0
        for number, picture in enumerate(pictures, start=1):
            readings = tuple(photo_reader.read(picture))
            count += len(readings)
            if readings and config.drawings_dir:
                path = Path(config.drawings_dir) / f"{kind}_{number}.png"
                write_whole(path, drawing(PhotoResult(path, readings, preview=picture)))
        counts.append(count)
    what = f"false numbers on {len(parts)} cut-away parts and {len(scenes)} rendered scenes"
    return Row(what, str(sum(counts)), f"{counts[0]} and {counts[1]}", "at most 4 on 200")


def speed_rows(photo_reader: Any, photos: list, config: PhotosConfig) -> list[Row]:
    """Returns photos a second from files to numbers, as inference.py reads a folder and singly."""
    from PIL import Image

    from svhn.images import load_picture
    from svhn.reading.photos import read_photos

    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for place, photo in enumerate(photos[: config.photos_a_round]):
            paths.append(Path(folder) / f"{place}.jpg")
            picture = Image.fromarray(load_picture(photo.encoded, photo.file_name))
            picture = picture.resize(SPEED_SIZE, Image.Resampling.BICUBIC)
            picture.save(paths[-1], quality=90)

        def read_folder() -> None:
            if any(result.error for result in read_photos(photo_reader, paths)):
                raise AssertionError("A photo of the benchmark's own can't be read")

        def read_singly() -> None:
            for path in paths:
                photo_reader.read(load_picture(path))

        rates = {read_folder: [], read_singly: []}
        for number in range(config.rounds + 1):
            for read, of_way in rates.items():
                started = time.perf_counter()
                read()
                if number:  # the first time is for making ready
                    of_way.append(len(paths) / (time.perf_counter() - started))
    size = "×".join(map(str, SPEED_SIZE))
    return [
        speed_row(f"photos a second at {size}, whole path", rates[read_folder], "at least 10"),
        speed_row("the same, each by itself, one after the other", rates[read_singly]),
    ]


def speed_row(what: str, rates: list[float], target: str = "") -> Row:
    """Returns the row of some turns' photos a second."""
    figure = f"{statistics.median(rates):.1f} ({min(rates):.1f}–{max(rates):.1f})"
    return Row(what, figure, "photos/s", target)


def memory_row(finder: Any) -> Row:
    """Returns the peak of the process after a large photo, all that came before included."""
    import resource

    import numpy as np

    width, height = LARGE_SIZE
    started = time.perf_counter()
    finder.find(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    what = f"peak memory with a photo of {width:,}×{height:,} ({seconds:.1f} s)"
    return Row(what, f"{peak:,.0f}", "MiB")


if __name__ == "__main__":
    run(main, PhotosConfig)
