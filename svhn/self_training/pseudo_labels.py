"""The whole of `python -m svhn.pseudo_labels`: photos and two networks in, a folder out."""

import dataclasses
import functools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from svhn.augmentation_config import Augmentation
from svhn.data.digit_struct import LabelledPhoto
from svhn.data.photo_folder import check_place, in_rows, make_folder, telling_why_not_written
from svhn.errors import PictureError, UserError
from svhn.images import load_picture
from svhn.picture_size import picture_size
from svhn.progress import progress
from svhn.reading.reader import Reader
from svhn.self_training.config import PseudoLabelsConfig
from svhn.self_training.judgement import UNREADABLE, Demands, FindNumbers, Judgement, judge
from svhn.self_training.networks import load_finder, load_reader
from svhn.self_training.photos import photos_outside
from svhn.self_training.report import summarise, summary_text, write_report, write_sheets
from svhn.self_training.twins import TwinCrops
from svhn.self_training.wider_boxes import SIDES

FOLDER_NAME = "pseudo"
REPORT_FOLDER = "pseudo_report"

SETTINGS_NAME = "pseudo_labels.json"
"""Lies in the finished folder: how it was made. Only such a folder is ever replaced."""

_PHOTOS_A_TASK = 64
_WHERE = ("data_dir", "overwrite", "sheet_photos")
"""Flags that change no label."""


def label_photos(config: PseudoLabelsConfig) -> int:
    """Labels photos, writes DATA_DIR/pseudo with those to believe, and a report on all.

    Returns:
        The exit status, 0.

    Raises:
        UserError: If there are no photos, a network can't be loaded, no photo is kept, or the
            folder is there already or can't be written.
    """
    data_dir = Path(config.data_dir)
    place, report_folder = data_dir / FOLDER_NAME, data_dir / REPORT_FOLDER
    check_place(place, SETTINGS_NAME, config.overwrite, "--data_dir")
    paths = photos_outside(config.photos, place, report_folder)
    root = _root(config.photos, paths)
    reader, loaded = load_reader(config.reader, 1 + len(SIDES) + config.twins)
    find = load_finder(config.detector, config.min_score)
    judgements = judge_photos(paths, root, find, reader, config)
    summary = summarise(judgements)
    settings = {
        "program": "svhn.pseudo_labels",
        **{name: value for name, value in dataclasses.asdict(config).items() if name not in _WHERE},
        "reader_model": loaded.config["model"],
        "reader_step": loaded.step,
        "reader_temperature": loaded.calibration.temperature,
    }
    print(summary_text(summary))
    with telling_why_not_written(f"--data_dir={config.data_dir}", "for a copy of the photos"):
        report_folder.mkdir(parents=True, exist_ok=True)
        write_report(report_folder, settings, summary, judgements)
        load = functools.partial(_load_again, dict(zip(_names(paths, root), paths, strict=True)))
        write_sheets(report_folder, judgements, load, config.sheet_photos)
        if not summary["kept"]:
            raise UserError(
                f"None of the {len(paths)} photos is kept; {report_folder} says why. Lower"
                f" --min_confidence={config.min_confidence:g} or"
                f" --min_consistency={config.min_consistency:g}, or train better networks first"
            )
        _write_folder(place, paths, judgements, {**settings, **summary})
    print(f"{place}: photos and labels; {report_folder}: what was decided, to look at")
    return 0


def judge_photos(
    paths: Sequence[Path],
    root: Path,
    find: FindNumbers,
    reader: Reader,
    config: PseudoLabelsConfig,
) -> list[Judgement]:
    """Returns what the networks make of each photo, in order.

    Args:
        paths: The photos.
        root: The folder below which they have their names.
        find: Finds numbers in a photo.
        reader: Reads them.
        config: What to demand.
    """
    count = config.twins if config.augmentation > 0 else 0
    augmentation = Augmentation(strength=config.augmentation)
    twins = TwinCrops(count, config.seed, augmentation, picture_size(reader.model))
    demands = Demands(
        config.min_confidence, config.min_consistency, config.agreement, config.min_digits
    )
    judgements = []
    for path, name in zip(
        progress(paths, total=len(paths), description="Labelling"),
        _names(paths, root),
        strict=True,
    ):
        try:
            photo = load_picture(path)
        except PictureError as error:
            judgements.append(Judgement(name, UNREADABLE, error=str(error)))
            continue
        judgements.append(judge(name, photo, find, reader, twins, demands))
    return judgements


@dataclasses.dataclass(frozen=True, eq=False)
class _Copy:
    """A photo on its way into the folder."""

    source: Path
    target: Path
    judgement: Judgement


def _root(pattern: str, paths: Sequence[Path]) -> Path:
    """The folder below which the photos that a pattern names have their names."""
    folder = Path(pattern)
    if folder.is_dir():
        return folder
    return Path(os.path.commonpath([path.parent for path in paths]))


def _names(paths: Sequence[Path], root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


def _load_again(paths: dict[str, Path], judgement: Judgement) -> np.ndarray:
    return load_picture(paths[judgement.photo])


def _write_folder(
    place: Path, paths: Sequence[Path], judgements: Sequence[Judgement], settings: dict[str, Any]
) -> None:
    def tasks(folder: str) -> list[Sequence[_Copy]]:
        # Numbered among all photos: a photo keeps its name when others are kept.
        copies = [
            _Copy(path, Path(folder, f"{number}{path.suffix.lower()}"), judgement)
            for number, (path, judgement) in enumerate(zip(paths, judgements, strict=True), start=1)
            if judgement.kept
        ]
        return in_rows(copies, _PHOTOS_A_TASK)

    count = sum(judgement.kept for judgement in judgements)
    make_folder(place, _copy, tasks, count, 1, SETTINGS_NAME, settings, "Copying")


def _copy(copies: Sequence[_Copy]) -> list[LabelledPhoto]:
    labels = []
    for copy in copies:
        shutil.copyfile(copy.source, copy.target)
        judgement = copy.judgement
        labels.append(LabelledPhoto(copy.target.name, judgement.label, judgement.digit_boxes))
    return labels
