"""The output folder of `inference.py`: annotated photos, predictions.json and predictions.csv.

Beside them lies predictions.jsonl, in which each photo's result stands as soon as it was read: the
next call goes on from there (`svhn.reading.journal`).
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from svhn.drawing import BOX_COLOUR, TEXT_COLOUR, DrawnNumber, draw_numbers
from svhn.errors import UserError
from svhn.files import write_whole
from svhn.labels import MAX_DIGITS
from svhn.reading.journal import Entry, Journal
from svhn.reading.results import ABSTAINED, SURE, UNSURE, Box, PhotoResult, Reading

DRAWINGS_FOLDER = "annotated"
JOURNAL_NAME = "predictions.jsonl"

BAND_COLOURS = {SURE: BOX_COLOUR, UNSURE: "#f0569a", ABSTAINED: "#56b4e9"}
"""Of box and text by `Reading.band`: amber, pink, blue; colour-blind people can tell them apart."""

_POSITIONS = range(1, MAX_DIGITS + 1)

CSV_COLUMNS = (
    "path",
    "rank",
    "number",
    "confidence",
    "sure",
    "length",
    *(f"digit_{position}" for position in _POSITIONS),
    *(f"digit_{position}_probability" for position in _POSITIONS),
    *("left", "top", "width", "height"),
    "digit_boxes",
    "detected",
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
        self.journal = Journal(folder / JOURNAL_NAME)
        self._drawings = dict(zip(paths, drawing_names(paths, root), strict=True))
        self._entries: dict[Path, Entry] = {}
        self._identities: dict[Path, str] = {}
        self._settings = ""
        # os.path.realpath, as Path.resolve raises where a link leads to itself.
        photos = {os.path.realpath(path) for path in paths}
        for name in self._drawings.values():
            if os.path.realpath(folder / name) in photos:
                raise UserError(
                    f"--output_dir: the drawings would replace the photos themselves in "
                    f"{folder / DRAWINGS_FOLDER}. Give another --output_dir"
                )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def resume(self, settings: str, identify: Callable[[Path], str]) -> dict[Path, PhotoResult]:
        """Returns what an earlier call has read that need not be read again. Before any `add`.

        Not taken: what was read with other settings, photos that have changed or that could not be
        read, and those whose drawing is missing. Results of photos that will not come are dropped.

        Args:
            settings: All that an answer depends on beside the photo, as one text.
            identify: From a photo's path to a text that changes when the photo does;
                "" where it can't be told.

        Raises:
            UserError: If the results can't be read or written.
        """
        self._settings = settings
        self._identities = {path: identify(path) for path in self._drawings}
        try:
            earlier = self.journal.read()
            self._entries = {
                path: earlier[str(path)]
                for path in self._drawings
                if str(path) in earlier and self._still_holds(path, earlier[str(path)])
            }
            # Also cuts off the beginning of a line that a killed call has left, and shows before
            # hours of reading that the folder can be written.
            self.journal.write(self._entries.values())
        except OSError as error:
            raise _unwritable(self.journal.path, error) from error
        return {
            path: PhotoResult.from_record(entry.record) for path, entry in self._entries.items()
        }

    def add(self, result: PhotoResult) -> None:
        """Draws the photo, if it was read, and writes down what was read.

        Raises:
            UserError: If that can't be written.
        """
        record = {**result.as_record(), "drawing": None}
        if result.error is None and result.preview is not None:
            name = self._drawings[result.path]
            _write(self.folder / name, drawing(result))
            record["drawing"] = str(name)
        identity = self._identities.get(result.path, "")
        entry = Entry(identity, self._settings, record)
        self._entries[result.path] = entry
        try:
            self.journal.append(entry)
        except OSError as error:
            raise _unwritable(self.journal.path, error) from error

    def finish(self) -> None:
        """Writes both tables, each as a whole, the photos in the order in which they were named.

        Raises:
            UserError: If they can't be written.
        """
        entries = [self._entries[path] for path in self._drawings if path in self._entries]
        records = [entry.record for entry in entries]
        table = io.StringIO()
        writer = csv.DictWriter(table, CSV_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for record in records for row in _csv_rows(record))
        # Names that are no UTF-8 keep their bytes: escaped in JSON, as they are in CSV.
        text = "[\n" + ",\n".join(map(json.dumps, records)) + "\n]\n"
        try:
            self.journal.write(entries)
        except OSError as error:
            raise _unwritable(self.journal.path, error) from error
        _write(self.folder / "predictions.csv", table.getvalue().encode(errors="surrogateescape"))
        _write(self.folder / "predictions.json", text.encode())

    def close(self) -> None:
        """Lets go of the files; what was added stays."""
        self.journal.close()

    def _still_holds(self, path: Path, entry: Entry) -> bool:
        drawing = str(self._drawings[path])
        return (
            entry.settings == self._settings
            and entry.photo == self._identities[path] != ""
            and entry.record["error"] is None
            and entry.record["drawing"] == drawing
            and (self.folder / drawing).is_file()
        )


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


def drawing(result: PhotoResult) -> bytes:
    """Returns the photo with its numbers, as a PNG file.

    Args:
        result: Of a photo that was read, with its preview.
    """
    scale = result.preview_scale
    several = len(result.readings) > 1
    numbers = [
        DrawnNumber(
            reading.text,
            reading.box and _scaled(reading.box, scale),
            [_scaled(box, scale) for box in reading.digit_boxes],
            BAND_COLOURS[reading.band],
            _tag(reading) if several else "",
        )
        for reading in result.readings
    ]
    if not numbers:
        numbers = [DrawnNumber(text, colour=TEXT_COLOUR) for text in result.texts]
    contents = io.BytesIO()
    # Higher levels take thrice as long.
    draw_numbers(result.preview, numbers).save(contents, "PNG", compress_level=1)
    return contents.getvalue()


def _tag(reading: Reading) -> str:
    return "?" if reading.band == ABSTAINED else reading.number


def _scaled(box: Box, scale: float) -> Box:
    return tuple(scale * value for value in box)


def _csv_rows(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each number of a photo, at least one."""
    for rank, number in enumerate(record["numbers"] or [record], start=1):
        row = {name: record[name] for name in ("path", "drawing", "error")}
        row |= {name: number[name] for name in ("number", "confidence", "detected")}
        if record["numbers"]:
            row["rank"] = rank
        if number["sure"] is not None:
            row["sure"] = str(number["sure"]).lower()  # as in JSON
        if number["label"] is not None:
            row["length"], *digits = number["label"]
            for position, digit, probability in zip(
                _POSITIONS, digits, number["digit_probabilities"], strict=True
            ):
                row[f"digit_{position}"] = digit
                row[f"digit_{position}_probability"] = probability
        if number["box"] is not None:
            row |= dict(zip(("left", "top", "width", "height"), number["box"], strict=True))
        if number["digit_boxes"]:
            row["digit_boxes"] = json.dumps(number["digit_boxes"])
        yield row


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
