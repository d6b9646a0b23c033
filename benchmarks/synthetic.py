"""How many synthetic photos a second are rendered, by one process and by all cores.

    .venv/bin/python benchmarks/synthetic.py [--photos=N] [--fonts_dir=DIR]

No peer renders house numbers; the rough trial of field-notes.md reached about 115 crops of 64×64
a second on two cores.
"""

import dataclasses
import datetime
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

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
    cores = os.cpu_count() or 1
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
    rows = [
        ("usable fonts", f"{len(typefaces)}", "fonts", ""),
        ("finding them", f"{looking:.1f}", "s", ""),
        ("mean photo", f"{pixels / count:,.0f}", "pixels", ""),
        ("mean file", f"{size / 1000:.1f}", "kB", ""),
        ("one process", f"{milliseconds:.1f}", "ms CPU/photo", f"≤ {_TARGET_MILLISECONDS}"),
        (f"{cores} workers, with PNGs", f"{rate:.0f}", "photos/s", f"≥ {_TARGET_PHOTOS}"),
    ]
    print(f"{'what':28s}{'figure':>10s}  {'unit':14s}{'target':>8s}")
    for what, figure, unit, target in rows:
        print(f"{what:28s}{figure:>10s}  {unit:14s}{target:>8s}")
    print(f"{processor()}, {cores} cores, {datetime.date.today()}")
    return 0


def processor() -> str:
    """Returns the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    command_line.run(main, BenchmarkConfig)
