"""Measures how accuracy falls when boxes are off and photos are turned, blurred, dim, compressed.

    python benchmarks/robustness.py --data_dir DIR --checkpoint_dir logs/train [--split=val]

Prints a table and writes robustness_SPLIT.png (a panel for each kind of change) and
robustness_SPLIT.json. The same checkpoint, data and seed give the same figures.
"""

import dataclasses
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from svhn.command_line import option, run  # noqa: E402


@dataclasses.dataclass
class RobustnessConfig:
    """What to measure, on what."""

    data_dir: str = option("The data folder that was converted.", group="input")
    checkpoint_dir: str = option("A run's folder, or one checkpoint.", "logs/train", group="input")
    split: str = option(
        "The split whose photos are changed.",
        "val",
        group="input",
        choices=("val", "test", "train", "extra"),
    )
    photos: int = option("At most so many photos; 0 for all.", 0, group="input", minimum=0)
    seed: int = option("Decides the random changes.", 0, group="input", minimum=0)
    output_dir: str = option("Where chart and figures go.", "logs/robustness", group="output")


def main(config: RobustnessConfig) -> int:
    """Measures, prints and writes."""
    from itertools import islice

    from svhn.checkpoints import load_model
    from svhn.data.manifest import manifest_digest
    from svhn.data.records import read_photos
    from svhn.evaluation.predict import make_predict_step
    from svhn.evaluation.robustness import measure_robustness
    from svhn.evaluation.robustness_report import (
        robustness_as_json,
        robustness_chart,
        robustness_table,
    )
    from svhn.files import write_whole
    from svhn.picture_size import picture_size

    loaded = load_model(config.checkpoint_dir)
    photos = list(islice(read_photos(config.data_dir, config.split), config.photos or None))
    predict_step = make_predict_step(loaded.model, loaded.calibration.temperature)
    measurements = measure_robustness(
        predict_step, photos, config.seed, size=picture_size(loaded.model)
    )
    about = {
        "model": loaded.config["model"],
        "checkpoint": str(loaded.path),
        "step": loaded.step,
        "manifest_sha256": manifest_digest(config.data_dir),
        "split": config.split,
        "photos": len(photos),
        "seed": config.seed,
    }
    folder = Path(config.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(robustness_as_json(measurements, about), indent=2, ensure_ascii=False)
    write_whole(folder / f"robustness_{config.split}.json", (text + "\n").encode())
    title = f"{about['model']}, {len(photos):,} photos of {config.split}"
    chart = robustness_chart(measurements, title)
    chart.savefig(folder / f"robustness_{config.split}.png")
    print(f"{loaded.path}: {title}")
    print(robustness_table(measurements))
    print(f"Chart and figures: {folder}/robustness_{config.split}.png, .json")
    return 0


if __name__ == "__main__":
    run(main, RobustnessConfig)
