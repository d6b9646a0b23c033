"""Measures accuracy by length, 1 to 5 digits, on photos made so that there are enough of each.

    python benchmarks/long_numbers.py --data_dir DIR --checkpoint_dir logs/train

Beside the held-out photos themselves: new numbers composed of strips of their digits
(python -m svhn.data.recombined), once with digits of other photos among them and once each of the
digits of one photo alone, and rendered ones. All go the usual way: convert_to_tfrecords.py,
eval.py. Composed photos share digits, so that their intervals, which are those of independent
photos, are somewhat too narrow. Then the same with a closer look at numbers of four and five digits
(svhn/reading/long_numbers.py), which inference.py takes.

Digits that come from several photos are hard or easy independently of each other, as those of a
real photo are not: a reader that reads each of them with the chance p reads five with p to the
power of five, however well it has learnt long numbers. The last row but one says what that would
be, with p from the numbers of three digits.
"""

import dataclasses
import json
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.report import print_table  # noqa: E402
from svhn.command_line import option, run  # noqa: E402
from svhn.errors import UserError  # noqa: E402


@dataclasses.dataclass
class LongNumbersConfig:
    """What to measure, on what."""

    data_dir: str = option("The data folder that was converted.", group="input")
    checkpoint_dir: str = option("A run's folder, or one checkpoint.", "logs/train", group="input")
    split: str = option(
        "Where digits come from; a split that wasn't trained on.",
        "val",
        group="input",
        choices=("val", "test"),
    )
    photos_a_length: int = option("Photos of each length and kind.", 1_000, group="made", minimum=1)
    seed: int = option(
        "Of the photos that are made; not one that training photos were made with.",
        20_261_121,
        group="made",
        minimum=0,
    )
    work_dir: str = option(
        "Keeps what is made; a new folder. Default: a temporary one.", "", group="output"
    )


def call(*command: object) -> None:
    """Runs one of the programs of this project."""
    done = subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, stdout=subprocess.PIPE)
    if done.returncode:
        raise UserError(f"{command[0]} ended with status {done.returncode}; see above")


def by_length(data_dir: Path, split: str, checkpoint_dir: str, eval_logdir: Path):
    """Evaluates one split and returns its accuracy by length."""
    from svhn.evaluation.long_numbers import proportions_by_length

    call(
        *(ROOT / "eval.py", "--data_dir", data_dir, "--checkpoint_dir", checkpoint_dir),
        *("--eval_logdir", eval_logdir, "--splits", split),
    )
    return proportions_by_length(json.loads((eval_logdir / "results.json").read_text()), split)


def main(config: LongNumbersConfig) -> int:
    """Makes the photos, converts and evaluates them, prints a row for each length."""
    from svhn.data.synthetic.fonts import find_typefaces
    from svhn.evaluation.long_numbers import (
        closely_read_by_length,
        gap_row,
        independent_row,
        length_rows,
        write_held_out,
        write_rendered,
    )
    from svhn.reading.reader import Reader

    data_dir = Path(config.data_dir).resolve()
    checkpoint = str(Path(config.checkpoint_dir).resolve())
    if config.work_dir:
        place = Path(config.work_dir).resolve()
        if place.exists():
            raise UserError(f"--work_dir={config.work_dir} exists: give a folder that doesn't")
        place.mkdir(parents=True)
    with nullcontext(place) if config.work_dir else tempfile.TemporaryDirectory() as folder:
        held_out, composed, own, rendered = (
            Path(folder, name) for name in ("held_out", "composed", "own_digits", "rendered")
        )
        for made in (held_out, rendered):
            made.mkdir()
        sources = write_held_out(data_dir, config.split, held_out)
        for made, exchanged in ((composed, ()), (own, ("--exchanged", 0))):
            call(
                *("-m", "svhn.data.recombined", "--data_dir", held_out, "--out", made),
                # All of them: what the folder holds is held out already.
                *("--val_fraction_train", 0, "--lengths", "1,1,1,1,1", *exchanged),
                *("--photos", 5 * config.photos_a_length, "--seed", config.seed),
            )
        write_rendered(rendered, config.photos_a_length, config.seed, find_typefaces(None))
        for made in (composed, own, rendered):
            call(
                *(ROOT / "convert_to_tfrecords.py", "--data_dir", made),
                *("--val_fraction_extra", 0),
            )
        places = {
            config.split: (data_dir, config.split, held_out),
            "composed": (composed, "extra", composed),
            "own digits": (own, "extra", own),
            "rendered": (rendered, "extra", rendered),
        }
        kinds = {
            name: by_length(converted, split, checkpoint, out / "eval")
            for name, (converted, split, out) in places.items()
        }
        reader = Reader.from_checkpoint(checkpoint)
        closely = {
            name: closely_read_by_length(reader, converted, split)
            for name, (converted, split, _) in places.items()
        }
    title = (
        f"Numbers read right by length (95 %), photos; composed of {sources} photos of "
        f"{config.split}"
    )
    for how, shares in (
        ("one crop", kinds),
        ("with a closer look at four and five digits, as inference.py reads", closely),
    ):
        rows = [*length_rows(shares), independent_row(shares), gap_row(shares)]
        print_table(f"{title}; {how}", ("digits", *shares), rows)
    print("  target: composed, 3 less 5 digits, at most 5 points")
    return 0


if __name__ == "__main__":
    run(main, LongNumbersConfig)
