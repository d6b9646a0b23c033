"""Puts photos of several folders in SVHN's format together in one, such as rendered and recombined.

python -m svhn.data.join --folders rendered/extra,recombined/extra --out your_data_dir/extra

The photos are numbered anew, 1.png, 2.png …, in the order of the folders and their lists. They are
linked, not copied, where the disk can do that.
"""

import dataclasses
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from svhn import command_line
from svhn.data.digit_struct import (
    DIGIT_STRUCT_NAME,
    LabelledPhoto,
    compare_with_folder,
    read_digit_struct,
)
from svhn.data.photo_folder import check_place, in_rows, make_folder, telling_why_not_written
from svhn.errors import UserError

SETTINGS_NAME = "joined.json"
"""Lies in the finished folder: what it was made from. Only such a folder is ever replaced."""

_PHOTOS_A_TASK = 1000


@dataclasses.dataclass(frozen=True)
class JoinConfig:
    """The flags of `python -m svhn.data.join`."""

    folders: list[str] = command_line.option(
        "Folders with photos and digitStruct.mat, at least one.", group="Photos"
    )
    out: str = command_line.option("The folder that gets all of them.", group="Photos")
    overwrite: bool = command_line.option(
        "Replace what an earlier run has finished.", False, group="Photos"
    )


@dataclasses.dataclass(frozen=True, eq=False)
class _Photo:
    """A photo on its way."""

    source: Path
    target: Path
    labels: LabelledPhoto


def main(config: JoinConfig) -> int:
    """Joins the folders; returns the exit status 0.

    Raises:
        UserError: If a folder has no list or lacks photos, or the new one is there already or
            can't be written.
    """
    out = Path(config.out)
    folders = [Path(folder) for folder in config.folders]
    sources = [(folder, photo) for folder in folders for photo in _listed(folder)]
    if not sources:
        raise UserError(f"--folders={','.join(config.folders)}: no photo is listed in any of them")

    def tasks(unfinished: str) -> list[Sequence[_Photo]]:
        photos = [
            _Photo(
                folder / labels.file_name,
                Path(unfinished, f"{number}{Path(labels.file_name).suffix.lower()}"),
                labels,
            )
            for number, (folder, labels) in enumerate(sources, start=1)
        ]
        return in_rows(photos, _PHOTOS_A_TASK)

    settings = {"program": "svhn.data.join", "folders": config.folders, "photos": len(sources)}
    with telling_why_not_written(f"--out={config.out}"):
        check_place(out, SETTINGS_NAME, config.overwrite)
        out.parent.mkdir(parents=True, exist_ok=True)
        make_folder(out, _take, tasks, len(sources), 1, SETTINGS_NAME, settings, "Joining")
    print(f"{len(sources):,} photos of {len(folders)} folders → {out}")
    return 0


def _listed(folder: Path) -> list[LabelledPhoto]:
    if not (folder / DIGIT_STRUCT_NAME).is_file():
        raise UserError(
            f"--folders: there is no {DIGIT_STRUCT_NAME} in {folder}. Name folders with photos and"
            " their labels, such as DIR/extra"
        )
    # Photos without any number can be joined, too.
    photos = read_digit_struct(folder / DIGIT_STRUCT_NAME, may_lack_digits=True)
    missing = compare_with_folder(photos, folder).missing
    if missing:
        raise UserError(
            f"--folders: {len(missing):,} photos that are listed in {folder} are not there, the"
            f" first is {missing[0]}. Make the folder anew, or leave it out"
        )
    return photos


def _take(photos: Sequence[_Photo]) -> list[LabelledPhoto]:
    for photo in photos:
        source = photo.source.resolve()
        try:
            os.link(source, photo.target)
        except OSError:  # another disk, or one that knows no links
            shutil.copyfile(source, photo.target)
    return [dataclasses.replace(photo.labels, file_name=photo.target.name) for photo in photos]


if __name__ == "__main__":
    command_line.run(main, JoinConfig, "python -m svhn.data.join", needs_tensorflow=False)
