"""The output folder of `inference.py`: annotated photos, predictions.json and predictions.csv."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from svhn.drawing import BOX_COLOUR, draw_reading
from svhn.errors import UserError
from svhn.files import write_whole
from svhn.labels import MAX_DIGITS
from svhn.reading.results import PhotoResult

DRAWINGS_FOLDER = "annotated"

NOT_SURE_COLOUR = "#56b4e9"
"""Of box and text of a reading that is not sure; colour-blind people can tell it from the other."""

_POSITIONS = range(1, MAX_DIGITS + 1)

CSV_COLUMNS = (
    "path",
    "number",
    "confidence",
    "sure",
    "length",
    *(f"digit_{position}" for position in _POSITIONS),
    *(f"digit_{position}_probability" for position in _POSITIONS),
    "drawing",
    "error",
)


class OutputFolder:
    """Takes the results one by one; the two tables are written when all are there."""

    def __init__(self, folder: Path, paths: Sequence[Path], root: Path):
        """Makes the folder.

        Args:
            folder: Where to write; files of an earlier call are replaced.
            paths: All photos that will come.
            root: The folder whose sub-folders the drawings keep.

        Raises:
            UserError: If the folder can't be made, or a photo would be overwritten.
        """
        self.folder = folder
        self._drawings = dict(zip(paths, drawing_names(paths, root), strict=True))
        self._records: list[dict[str, Any]] = []
        photos = {path.resolve() for path in paths}
        for name in self._drawings.values():
            if (folder / name).resolve() in photos:
                raise UserError(
                    f"--output_dir: the drawings would replace the photos themselves in "
                    f"{folder / DRAWINGS_FOLDER}. Give another --output_dir"
                )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def add(self, result: PhotoResult) -> None:
        """Draws the photo, if it was read, and keeps what was read for the tables.

        Raises:
            UserError: If the drawing can't be written.
        """
        record = {**result.as_record(), "drawing": None}
        if result.reading is not None and result.preview is not None:
            colour = NOT_SURE_COLOUR if result.reading.sure is False else BOX_COLOUR
            drawing = draw_reading(
                result.preview, result.preview_box, result.reading.text, colour=colour
            )
            contents = io.BytesIO()
            drawing.save(contents, "PNG", compress_level=1)  # higher levels take thrice as long
            name = self._drawings[result.path]
            _write(self.folder / name, contents.getvalue())
            record["drawing"] = str(name)
        self._records.append(record)

    def finish(self) -> None:
        """Writes both tables, each as a whole, one record a photo in the order of `add`.

        Raises:
            UserError: If they can't be written.
        """
        # Names that are no UTF-8 keep their bytes: escaped in JSON, as they are in CSV.
        text = "[\n" + ",\n".join(json.dumps(record) for record in self._records) + "\n]\n"
        _write(self.folder / "predictions.json", text.encode())
        table = io.StringIO()
        writer = csv.DictWriter(table, CSV_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(_csv_row, self._records))
        _write(self.folder / "predictions.csv", table.getvalue().encode(errors="surrogateescape"))


def drawing_names(paths: Sequence[Path], root: Path) -> list[Path]:
    """Returns where each photo's drawing goes, relative to the output folder: no name twice.

    `root/a/house.jpg` becomes `annotated/a/house.png`; where another photo has that already (on
    some systems `House.png` is the same file), `annotated/a/house.jpg.png`, and so on.

    Args:
        paths: Files below `root`.
        root: The folder whose sub-folders are kept.
    """
    taken: set[str] = set()
    names = []
    for path in paths:
        relative = path.relative_to(root)
        candidates = [relative.with_suffix(".png"), relative.with_name(f"{path.name}.png")]
        while str(candidates[0]).casefold() in taken:
            candidates.append(relative.with_name(f"{path.name}_{len(candidates)}.png"))
            candidates.pop(0)
        taken.add(str(candidates[0]).casefold())
        names.append(Path(DRAWINGS_FOLDER) / candidates[0])
    return names


def _csv_row(record: dict[str, Any]) -> dict[str, Any]:
    row = {name: record[name] for name in ("path", "number", "confidence", "drawing", "error")}
    if record["sure"] is not None:
        row["sure"] = str(record["sure"]).lower()  # as in JSON
    if record["error"] is None:
        row["length"], *digits = record["label"]
        for position, digit, probability in zip(
            _POSITIONS, digits, record["digit_probabilities"], strict=True
        ):
            row[f"digit_{position}"] = digit
            row[f"digit_{position}_probability"] = probability
    return row


def _write(path: Path, contents: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, contents)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"--output_dir: {path} can't be written ({error.strerror or error}). Make room or change "
        "its permissions, or give another folder"
    )
