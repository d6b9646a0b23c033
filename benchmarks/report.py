"""What every benchmark prints: rows of figures with their targets, and the machine."""

import datetime
import os
import platform
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from svhn.errors import UserError
from svhn.evaluation.metrics import Proportion


def require_known(flag: str, names: Iterable[str], known: Collection[str]) -> None:
    """Raises a `UserError` if a list of names has one that isn't known."""
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UserError(f"--{flag} names {unknown[0]}; expected some of: {', '.join(known)}")


class Row(NamedTuple):
    """A figure that was measured."""

    what: str
    figure: str
    unit: str = ""
    target: str = ""


def share_row(what: str, share: Proportion, target: str = "") -> Row:
    """Returns the row of a share of photos, in per cent with its 95 % interval."""
    return percent_row(what, share.share, share.interval, target)


def percent_row(what: str, value: float, interval: tuple[float, float], target: str = "") -> Row:
    """Returns the row of a figure between 0 and 1, in per cent with its 95 % interval."""
    low, high = interval
    return Row(what, f"{100 * value:.2f}", f"% ({100 * low:.2f}–{100 * high:.2f})", target)


def print_report(title: str, rows: Sequence[Row]) -> None:
    """Prints the title, the rows in columns, and the machine with the date."""
    what, figure, unit = (max(len(row[column]) for row in rows) for column in range(3))
    print(title)
    for row in rows:
        target = f"target: {row.target}" if row.target else ""
        line = f"  {row.what:<{what}}  {row.figure:>{figure}} {row.unit:<{unit}}  {target}"
        print(line.rstrip())
    print(f"  on {machine()}", flush=True)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints the title, a header and the rows in columns, and the machine with the date.

    The first column is text, on the left; the others are figures, on the right.
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    print(title)
    for cells in (header, *rows):
        first, *others = (
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        print("  " + "  ".join([first, *others]).rstrip())
    print(f"  on {machine()}", flush=True)


def machine() -> str:
    """Returns the processor, the cores and the date: "AMD EPYC 7B13, 2 cores, 2026-11-21"."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    return f"{processor}, {os.cpu_count()} cores, {datetime.datetime.now().astimezone():%Y-%m-%d}"
