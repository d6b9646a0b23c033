"""Measures what several crops of each photo, their probabilities averaged, give over one crop.

    python benchmarks/crops.py --data_dir DIR --checkpoint_dir logs/train [--crops=1,3,5,7,11]

A choice at test time, as costly as there are crops; reported apart from the single-crop figures.
"""

import dataclasses
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.report import print_table  # noqa: E402
from svhn.command_line import option, run  # noqa: E402
from svhn.errors import UserError  # noqa: E402


@dataclasses.dataclass
class CropsConfig:
    """What to measure, on what."""

    data_dir: str = option("The data folder that was converted.", group="input")
    checkpoint_dir: str = option("A run's folder, or one checkpoint.", "logs/train", group="input")
    split: str = option(
        "The split.", "val", group="input", choices=("val", "test", "train", "extra")
    )
    crops: list[str] = option(
        "How many crops of each photo.", ["1", "3", "5", "7", "11"], group="input"
    )


def main(config: CropsConfig) -> int:
    """Prints a row for each number of crops."""
    from svhn.checkpoints import load_model
    from svhn.data.records import read_photos
    from svhn.evaluation.calibration import calibrate
    from svhn.evaluation.metrics import Proportion, count_right_digits, coverage_at_accuracy
    from svhn.evaluation.pictures import batches_of_pictures
    from svhn.evaluation.predict import make_predict_step, predict
    from svhn.evaluation.several_crops import averaging_model, crops_of_photos
    from svhn.picture_size import picture_size
    from svhn.reading.looks import MOST_CROPS

    counts = [int(text) for text in config.crops if text.isdecimal()]
    if len(counts) < len(config.crops) or not all(1 <= count <= MOST_CROPS for count in counts):
        raise UserError(f"--crops={','.join(config.crops)}: give numbers from 1 to {MOST_CROPS}")
    loaded = load_model(config.checkpoint_dir)
    temperature = loaded.calibration.temperature
    size = picture_size(loaded.model)
    photos = list(read_photos(config.data_dir, config.split))
    rows = []
    for count in counts:
        predictions = predict(
            make_predict_step(averaging_model(loaded.model, count), temperature),
            batches_of_pictures(photos, crops_of_photos(photos, count, size), 64),
            total=len(photos),
            description=f"{count} crops",
        )
        right, confidence = predictions.right, predictions.confidence
        sequence = Proportion(int(right.sum()), len(photos))
        low, high = sequence.interval
        digit = count_right_digits(predictions.labels, predictions.predicted)
        rows.append(
            (
                str(count),
                f"{100 * sequence.share:.2f} %",
                f"{100 * low:.2f}–{100 * high:.2f}",
                f"{100 * digit.share:.2f} %",
                f"{100 * coverage_at_accuracy(right, confidence, 0.98).share:.2f} %",
                f"{100 * calibrate(right, confidence).expected_calibration_error:.2f} %",
            )
        )
    header = ("crops", "sequence", "95 %", "digit", "coverage at 98 %", "calibration error")
    title = f"{loaded.path}: {len(photos):,} photos of {config.split}, crops averaged"
    print_table(title, header, rows)
    return 0


if __name__ == "__main__":
    run(main, CropsConfig)
