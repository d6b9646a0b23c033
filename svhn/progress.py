"""Progress bars for people, and nothing at all where nobody watches."""

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


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
    return tqdm(
        items,
        total=total,
        initial=initial,
        desc=description,
        unit=unit,
        delay=delay_seconds,
        disable=not (shown and sys.stderr.isatty()),
        file=sys.stderr,
        dynamic_ncols=True,
        smoothing=0.1,
    )
