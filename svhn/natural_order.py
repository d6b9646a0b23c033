"""Names in the order in which people count: 2.png before 10.png."""

import re
from pathlib import Path


def natural_key(path: Path | str) -> tuple:
    """Returns by what to sort file names, or paths, folder by folder.

    Numbers are compared as numbers, the rest as text, capitals or not; of names that differ in
    nothing else, the text itself decides, so that the order is always the same.
    """
    return tuple(_pieces(part) for part in Path(path).parts), str(path)


def _pieces(part: str) -> list[str | int]:
    # Text and digits take turns, so text is only ever compared with text.
    pieces = re.split(r"([0-9]+)", part.casefold())
    return [int(piece) if index % 2 else piece for index, piece in enumerate(pieces)]
