"""How many synthetic photos a second are rendered, by one process and by all cores.

    .venv/bin/python benchmarks/synthetic.py [--photos=N] [--fonts_dir=DIR]

No peer renders house numbers; the rough trial of field-notes.md reached about 115 crops of 64×64
a second on two cores.
"""

import dataclasses
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.report import Row, print_report
from svhn import command_line
from svhn.command_line import option
from svhn.data.synthetic import SyntheticConfig
from svhn.data.synthetic.data_set import (
    photo_generator,
    png_bytes,
    render_split,
)
from svhn.data.synthetic.fonts import find_typefaces
from svhn.data.synthetic.scene import render_photo
from svhn.worker_processes import usable_cores

_TARGET_PHOTOS = 100
_TARGET_MILLISECONDS = 14


@dataclasses.dataclass(frozen=True)
class BenchmarkConfig:
    """The flags of this benchmark."""

    photos: int = option("Photos for each row.", 2000, group="Measurement", minimum=50)
    fonts_dir: str | None = option("Fonts; by default the system's.", None, group="Measurement")


def main(config: BenchmarkConfig) -> int:
    """Prints the table and returns the exit status."""
    started = time.perf_counter()
    typefaces = find_typefaces(config.fonts_dir)
    looking = time.perf_counter() - started
    render_photo(photo_generator(0, "train", 0), typefaces)  # warm
    busy, count = time.process_time(), max(config.photos // 8, 50)
    pixels = 0
    for index in range(count):
        photo = render_photo(photo_generator(1, "train", index), typefaces)
        pixels += photo.pixels.shape[0] * photo.pixels.shape[1]
        png_bytes(photo)
    milliseconds = (time.process_time() - busy) / count * 1000
    cores = usable_cores()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        render_split(
            SyntheticConfig(out=folder, train=config.photos, seed=1, workers=cores),
            "train",
            config.photos,
            typefaces,
        )
        rate = config.photos / (time.perf_counter() - started)
        size = sum(path.stat().st_size for path in Path(folder, "train").iterdir()) / config.photos
    print_report(
        "Synthetic photos",
        [
            Row("usable fonts", f"{len(typefaces)}", "fonts"),
            Row("finding them", f"{looking:.1f}", "s"),
            Row("mean photo", f"{pixels / count:,.0f}", "pixels"),
            Row("mean file", f"{size / 1000:.1f}", "kB"),
            Row(
                "one process",
                f"{milliseconds:.1f}",
                "ms of processor a photo",
                f"at most {_TARGET_MILLISECONDS}",
            ),
            Row(
                f"{cores} workers, with PNGs",
                f"{rate:.0f}",
                "photos/s",
                f"at least {_TARGET_PHOTOS}",
            ),
        ],
    )
    return 0


if __name__ == "__main__":
    command_line.run(main, BenchmarkConfig, needs_tensorflow=False)
