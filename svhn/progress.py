"""Progress bars for people, and nothing at all where nobody watches."""

import os
import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")

USUAL_COLUMNS, USUAL_LINES = 80, 24
"""What a terminal that doesn't tell its size is taken to have."""


def progress(
    items: Iterable[Item] | None = None,
    *,
    total: int | None = None,
    description: str = "",
    initial: int = 0,
    unit: str = " photos",
    delay_seconds: float = 1.0,
    shown: bool = True,
) -> tqdm:
    """Returns a tqdm progress bar on standard error.

    It shows only in a terminal, and only for work that takes longer than `delay_seconds`; a log
    file or a pipe gets no bar.

    Args:
        items: What to go through; without it, call `update` on the result.
        total: How many items there are, where `len(items)` can't tell.
        initial: How many were done before.
        description: The words before the bar.
        unit: What is counted.
        delay_seconds: The bar stays away for as long.
        shown: Whether there is a bar at all.
    """
    shown = shown and sys.stderr.isatty()
    # A serial line, or a container's terminal, may say that it has 0 columns and lines: tqdm would
    # draw nothing.
    size_is_known = shown and min(os.get_terminal_size(sys.stderr.fileno())) > 0
    size = {} if size_is_known else {"ncols": USUAL_COLUMNS - 1, "nrows": USUAL_LINES}
    return tqdm(
        items,
        total=total,
        initial=initial,
        desc=description,
        unit=unit,
        delay=delay_seconds,
        disable=not shown,
        file=sys.stderr,
        dynamic_ncols=size_is_known,
        smoothing=0.1,
        **size,
    )
