"""Ctrl-C and SIGTERM, which long work answers by saving what is done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals() -> Iterator[list[int]]:
    """Collects Ctrl-C and SIGTERM instead of being ended by them; a second one ends at once.

    Yields:
        A list that grows by the number of each signal that comes while this is entered.
    """
    received: list[int] = []

    def take(number: int, _: object) -> None:
        received.append(number)
        signal.signal(number, signal.SIG_DFL)

    previous = {number: signal.signal(number, take) for number in STOP_SIGNALS}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
