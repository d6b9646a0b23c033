"""The recipe of weights like the released ones: from a folder with SVHN's photos to reader.npz and
detector.npz.

    python recipes/release.py --svhn_dir SVHN --out release

Calls the public programs one after the other, prints what they print, and keeps OUT/recipe.log:
every command with its time and what came of it. The same command goes on where it was stopped.
"""

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from stages import Recipe, Stage  # noqa: E402

from svhn import command_line  # noqa: E402
from svhn.command_line import option  # noqa: E402
from svhn.data.digit_struct import DIGIT_STRUCT_NAME  # noqa: E402
from svhn.errors import UserError  # noqa: E402
from svhn.models import PRECISIONS  # noqa: E402
from svhn.released import PACKAGED_DETECTOR, PACKAGED_READER  # noqa: E402

PACKAGED = (PACKAGED_READER, PACKAGED_DETECTOR)


@dataclasses.dataclass(frozen=True)
class Training:
    """The figures of one training."""

    steps: int
    mix: tuple[str, ...]
    """How often photos of each split come."""
    learning_rate: float
    seed: int

    def in_steps(self, steps: int) -> "Training":
        """Returns the same training, longer or shorter."""
        return dataclasses.replace(self, steps=steps)


TEACHER = Training(8_000, ("train:1", "extra:4"), learning_rate=0.002, seed=1)
"""The teacher: a reader of real, rendered and recombined photos."""
DETECTOR = Training(10_000, ("train:5", "extra:10", "empty:1"), learning_rate=0.002, seed=1)
"""The first detector: from the same photos, and those without a number."""
# Both go on from their weights, with the photos that they have labelled.
FURTHER_DETECTOR = Training(
    3_000, ("train:4", "pseudo:6", "extra:7", "empty:1"), learning_rate=0.0015, seed=3
)
READER = Training(
    4_500, ("train:3", "pseudo:4", "extra:6", "empty:1"), learning_rate=0.0015, seed=4
)


@dataclasses.dataclass(frozen=True)
class Labelling:
    """Which photos without labels are believed to be labelled right; `svhn.pseudo_labels`."""

    min_digits: int
    min_confidence: float
    min_consistency: float


LABELLINGS = (Labelling(2, 0.85, 0.75), Labelling(1, 0.7, 0.7))
"""Of the first round and the second, whose networks make fewer mistakes."""


@dataclasses.dataclass(frozen=True)
class Figures:
    """All figures of the recipe."""

    model: str = "compact"

    # Photos.
    rendered_photos: int = 60_000
    rendered_spaced: float = 0.07
    """The share of numbers whose digits stand far apart."""
    rendered_seed: int = 11
    empty_photos: int = 3_000
    """Rendered, too, without any number: for the detector, and for the reader what the detector
    takes for numbers in them."""
    recombined_photos: int = 40_000
    recombined_seed: int = 12
    """Of the first; each round's are one more."""
    recombined_lengths: tuple[str, ...] = ("5", "20", "25", "25", "25")
    """How often numbers of one to five digits are composed."""
    val_fraction_train: float = 0.2
    """Of the real train photos; of the others none is validated on."""

    # Self-training: what reader and detector find in photos without labels, round after round.
    labellings: tuple[Labelling, ...] = LABELLINGS
    agreement: str = "length"
    min_score: float = 0.3
    labelled_by_released: bool = False
    """Whether the networks of the package give the labels, not those that were trained before: a
    few steps teach too little to label anything."""
    twins: int = 8
    twins_seed: int = 1

    # Trainings.
    teacher: Training = TEACHER
    detector: Training = DETECTOR
    further_detector: Training = FURTHER_DETECTOR
    reader: Training = READER

    teacher_share: float = 0.6
    """What the last reader learns of the one before it, of several looks at each picture, beside
    the labels."""

    # All trainings of readers.
    batch_size: int = 64
    balance_lengths: float = 0.4

    # All trainings.
    average_decay: float = 0.999
    evaluate_every: int = 1_000
    precision: str = "float32"

    average_share: float = 0.5
    """Of the last reader but one in the mean of both weights, which is released."""


SCALES = {
    "full": Figures(),
    # Shows that the programs fit together, no more.
    "small": Figures(
        model="plain",
        rendered_photos=40,
        empty_photos=4,
        recombined_photos=10,
        labelled_by_released=True,
        twins=2,
        teacher=TEACHER.in_steps(4),
        detector=DETECTOR.in_steps(4),
        further_detector=FURTHER_DETECTOR.in_steps(2),
        reader=READER.in_steps(4),
        batch_size=8,
        evaluate_every=4,
    ),
}


@dataclasses.dataclass(frozen=True)
class RecipeConfig:
    """The flags of `recipes/release.py`."""

    svhn_dir: str = option(
        "The folder with SVHN's train/, test/ (if it is there, it is scored at the end) and "
        "extra/ (if it is there, only photos without a number are made).",
        group="Places",
    )
    out: str = option("The folder that everything is made in.", group="Places")
    unlabelled: str = option(
        "A folder of photos without labels, for self-training. Default: SVHN_DIR/unlabelled, if "
        "it is there.",
        "",
        group="Places",
    )
    detector: str = option(
        "A detector that is there already, as python -m svhn.pseudo_labels takes it. Default: one "
        "is trained.",
        "",
        group="Places",
    )
    scale: str = option(
        "full: hours on two cores. small: some minutes, to see that everything works.",
        "full",
        group="Course",
        choices=SCALES,
    )
    precision: str = option(
        "Of activations and gradients in all trainings, as train.py has it: bfloat16 is faster "
        "where there are units for it.",
        "float32",
        group="Course",
        choices=PRECISIONS,
    )
    dry_run: bool = option("Only print the commands.", False, group="Course")


def main(config: RecipeConfig) -> int:
    """Runs all stages that aren't done yet; returns the exit status."""
    figures = dataclasses.replace(SCALES[config.scale], precision=config.precision)
    stages, remarks = make_stages(config, figures)
    if config.dry_run:
        for line in (*remarks, *(stage.command_line for stage in stages)):
            print(line)
        return 0
    recipe = Recipe(Path(config.out), ROOT)
    recipe.say(f"The recipe of scale {config.scale}: {len(stages)} stages in {config.out}")
    for line in remarks:
        recipe.say(line)
    for stage in stages:
        status = recipe.run(stage)
        if status:
            return status
    made = ["reader.npz"] if config.detector else ["reader.npz", "detector.npz"]
    recipe.say("Done: " + ", ".join(str(Path(config.out) / name) for name in made))
    return 0


def make_stages(config: RecipeConfig, figures: Figures) -> tuple[list[Stage], list[str]]:
    """Returns all stages, and what to say about those that are left out.

    Raises:
        UserError: If there are no photos to begin with.
    """
    svhn_dir, out = Path(config.svhn_dir), Path(config.out)
    if not (svhn_dir / "train" / DIGIT_STRUCT_NAME).is_file():
        raise UserError(
            f"--svhn_dir={config.svhn_dir}: there is no train/{DIGIT_STRUCT_NAME} in it. Name the"
            " folder with SVHN's train/; python -m svhn.data.download fetches it"
        )
    unlabelled = Path(config.unlabelled or svhn_dir / "unlabelled")
    if config.unlabelled and not unlabelled.is_dir():
        raise UserError(
            f"--unlabelled={config.unlabelled}: there is no such folder. Check the path, or leave"
            " it out"
        )
    photos, converted = out / "photos", out / "converted"
    links = {name: svhn_dir / name for name in ("train", "test", "extra")}
    links = {name: folder for name, folder in links.items() if folder.is_dir()}
    rendered = {"empty": figures.empty_photos}
    remarks = []
    if "extra" in links:
        remarks.append(f"{links['extra']} is there: only photos without a number are made")
    else:
        rendered["extra"] = figures.rendered_photos
    stages = [_render(out, rendered, figures)]
    links["empty"] = out / "rendered" / "empty"
    if "extra" not in links:
        stages += _recombine(0, svhn_dir, out / "photos", out, figures)
    stages.append(_convert("convert", photos, converted, links, figures))
    reader, detector = out / "teacher", config.detector
    stages.append(_train_teacher(converted, reader, figures))
    if not detector:
        detector = out / "detector_1"
        stages.append(_train_detector(1, converted, None, detector, figures))
    if not unlabelled.is_dir():
        remarks.append(f"{unlabelled} is not there: no self-training")
    earlier_reader = reader
    labellings = figures.labellings if unlabelled.is_dir() else ()
    for number, labelling in enumerate(labellings, start=1):
        labelled, converted = out / f"photos_{number}", out / f"converted_{number}"
        labellers = PACKAGED if figures.labelled_by_released else (reader, detector)
        stages.append(_label(number, unlabelled, *labellers, labelled, labelling, figures))
        if "extra" not in links:
            stages += _recombine(number, svhn_dir, labelled, out, figures)
        stages.append(_cut_false_numbers(number, detector, out))
        links["empty"] = out / f"false_numbers_{number}" / "empty"
        stages.append(_convert(f"convert_{number}", labelled, converted, links, figures))
        if not config.detector:
            further = out / f"detector_{number + 1}"
            stages.append(_train_detector(number + 1, converted, detector, further, figures))
            detector = further
        further = out / f"reader_{number}"
        stages.append(_train_reader(number, converted, reader, further, figures))
        earlier_reader, reader = reader, further
    if not labellings:
        stages.append(_train_reader(1, converted, reader, out / "reader_1", figures))
        reader = out / "reader_1"

    average = {}
    if len(labellings) > 1:  # the teacher is too far away from what it becomes
        average = {"average_with": earlier_reader, "average_share": figures.average_share}
    stages.append(_release("release", converted, reader, out / "reader.npz", **average))
    if not config.detector:
        stages.append(_release("release_detector", converted, detector, out / "detector.npz"))
        stages.append(_fit_agreement(converted, out))
        detector = out / "detector.npz"
    stages += _evaluate(converted, out, detector, "test" in links)
    return stages, remarks


def _render(out: Path, photos: Mapping[str, int], figures: Figures) -> Stage:
    """Photos by folder, in OUT/rendered."""
    return Stage(
        "render",
        "python -m svhn.data.synthetic",
        {
            "out": out / "rendered",
            "train": 0,
            "test": 0,
            **photos,
            "spaced": figures.rendered_spaced,
            "seed": figures.rendered_seed,
            "overwrite": True,
        },
    )


def _recombine(
    number: int, svhn_dir: Path, photos: Path, out: Path, figures: Figures
) -> list[Stage]:
    """Numbers of real digits; with all that were made before in PHOTOS/extra.

    Args:
        number: 0 for digits of train alone; of a round, whose labelled photos are in PHOTOS.
        svhn_dir: The folder with SVHN's photos.
        photos: The folder that gets extra/.
        out: The recipe's folder.
        figures: How many, and of what lengths.
    """
    suffix = f"_{number}" if number else ""
    further = {"folders": "train,pseudo"} if number else {}
    recombined = [out / f"recombined_{each}" for each in range(1, number + 1)]
    made = [out / "rendered", out / "recombined", *recombined]
    return [
        Stage(
            f"recombine{suffix}",
            "python -m svhn.data.recombined",
            {
                "data_dir": photos if number else svhn_dir,
                **further,
                "out": made[-1],
                "val_fraction_train": figures.val_fraction_train,
                "photos": figures.recombined_photos,
                "lengths": _list(figures.recombined_lengths),
                "seed": figures.recombined_seed + number,
                "overwrite": True,
            },
            links={photos / "train": svhn_dir / "train"} if number else {},
        ),
        Stage(
            f"join{suffix}",
            "python -m svhn.data.join",
            {
                "folders": _list([str(folder / "extra") for folder in made]),
                "out": photos / "extra",
                "overwrite": True,
            },
            result="photos of",
        ),
    ]


def _convert(
    name: str, photos: Path, converted: Path, links: dict[str, Path], figures: Figures
) -> Stage:
    return Stage(
        name,
        "python convert_to_tfrecords.py",
        {
            "data_dir": photos,
            "output_dir": converted,
            "val_fraction_train": figures.val_fraction_train,
            "val_fraction_extra": 0,
            "overwrite": True,
        },
        links={photos / folder: source for folder, source in links.items()},
        result="photos in",
    )


def _train_teacher(converted: Path, teacher: Path, figures: Figures) -> Stage:
    return Stage(
        "teacher",
        "python train.py",
        {
            "data_dir": converted,
            "train_logdir": teacher,
            **_training_flags(figures.teacher, figures),
            **_reader_flags(figures),
        },
        result="Best",
    )


def _train_detector(
    number: int, converted: Path, start: Path | None, detector: Path, figures: Figures
) -> Stage:
    """The first from nothing, further ones from the one before and with its labels."""
    training = figures.further_detector if start else figures.detector
    return Stage(
        f"detector_{number}",
        "python train.py",
        {
            "task": "detector",
            "data_dir": converted,
            "train_logdir": detector,
            **({"restore_checkpoint": start} if start else {}),
            **_training_flags(training, figures),
        },
        result="Best",
    )


def _label(
    number: int,
    unlabelled: Path,
    reader: str | Path,
    detector: str | Path,
    labelled: Path,
    labelling: Labelling,
    figures: Figures,
) -> Stage:
    return Stage(
        f"pseudo_{number}",
        "python -m svhn.pseudo_labels",
        {
            "photos": unlabelled,
            "reader": reader,
            "detector": detector,
            "data_dir": labelled,
            "agreement": figures.agreement,
            "min_digits": labelling.min_digits,
            "min_score": figures.min_score,
            "min_confidence": labelling.min_confidence,
            "twins": figures.twins,
            "min_consistency": labelling.min_consistency,
            "seed": figures.twins_seed,
            "overwrite": True,
        },
        result="are kept",
    )


def _cut_false_numbers(number: int, detector: str | Path, out: Path) -> Stage:
    """The photos without a number, and what a detector takes for one in them."""
    return Stage(
        f"false_numbers_{number}",
        "python -m svhn.false_numbers",
        {
            "photos": out / "rendered" / "empty",
            "detector": detector,
            "keep_photos": True,
            "out": out / f"false_numbers_{number}" / "empty",
            "overwrite": True,
        },
        result="parts of",
    )


def _train_reader(
    number: int, converted: Path, start: Path, reader: Path, figures: Figures
) -> Stage:
    training = figures.reader
    # From the second on: the teacher of the first one knows less than its labels do.
    taught = {"teachers": start, "teacher_share": figures.teacher_share} if number > 1 else {}
    if converted.name == "converted":  # no photos that a machine has labelled
        mix = tuple(part for part in training.mix if not part.startswith("pseudo:"))
        training = dataclasses.replace(training, mix=mix)
    return Stage(
        f"reader_{number}",
        "python train.py",
        {
            "data_dir": converted,
            "train_logdir": reader,
            "restore_checkpoint": start,
            **taught,
            **_training_flags(training, figures),
            **_reader_flags(figures),
        },
        result="Best",
    )


def _release(
    name: str, converted: Path, checkpoint: Path, output: Path, **average: Path | float
) -> Stage:
    return Stage(
        name,
        "python -m svhn.release",
        {
            "checkpoint_dir": checkpoint,
            "output": output,
            "data_dir": converted,
            "recipe": "recipes/release.py",
            **average,
        },
        result="MB",
    )


def _fit_agreement(converted: Path, out: Path) -> Stage:
    """The rule of reader against detector, for just these two; it is kept in detector.npz."""
    return Stage(
        "agreement",
        "python -m svhn.agreement",
        {
            "data_dir": converted,
            "checkpoint_dir": out / "reader.npz",
            "detector_checkpoint": out / "detector.npz",
        },
    )


def _evaluate(converted: Path, out: Path, detector: str | Path, has_test: bool) -> list[Stage]:
    """The official test photos are looked at here alone: nothing before depends on them."""
    folder = out / "evaluation"
    flags = {
        "data_dir": converted,
        "checkpoint_dir": out / "reader.npz",
        "eval_logdir": folder,
        "splits": "val,test" if has_test else "val",
    }

    def crops() -> str:
        splits = json.loads((folder / "results.json").read_text())["splits"]
        return _scores({name: split["sequence_accuracy"] for name, split in splits.items()})

    def photos() -> str:
        splits = json.loads((folder / "photos.json").read_text())["splits"]
        read = {name: split["found_and_read"] for name, split in splits.items()}
        return _scores({name: scores["sequence_accuracy"] for name, scores in read.items()})

    of_photos = {"task": "photos", **flags, "detector_checkpoint": detector}
    return [
        Stage("evaluate", "python eval.py", flags, result=crops),
        Stage("evaluate_photos", "python eval.py", of_photos, result=photos),
    ]


def _scores(splits: Mapping[str, Mapping[str, float]]) -> str:
    return "; ".join(
        f"{name} {score['value']:.2%} ({score['low_95']:.2%} to {score['high_95']:.2%}) of"
        f" {score['count']:,} photos"
        for name, score in splits.items()
    )


def _training_flags(training: Training, figures: Figures) -> dict[str, object]:
    return {
        "steps": training.steps,
        "learning_rate": training.learning_rate,
        "splits": _list([part.split(":")[0] for part in training.mix]),
        "mix": _list(training.mix),
        "average_decay": figures.average_decay,
        "evaluate_every": figures.evaluate_every,
        "patience": 0,
        "precision": figures.precision,
        "seed": training.seed,
    }


def _reader_flags(figures: Figures) -> dict[str, object]:
    return {
        "model": figures.model,
        "batch_size": figures.batch_size,
        "balance_lengths": figures.balance_lengths,
    }


def _list(parts: Sequence[str]) -> str:
    return ",".join(parts)


if __name__ == "__main__":
    command_line.run(main, RecipeConfig, needs_tensorflow=False)
