"""Work spread over processes: how many, how they end, and results in the order of the tasks."""

import collections
import concurrent.futures
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from svhn.errors import UserError

_WAITING = 4
"""Tasks of each worker that are begun before their results are asked for."""


def usable_cores() -> int:
    """Returns the cores that this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def end_with_parent() -> None:
    """Leaves Ctrl-C to the parent of this worker process, and ends it if the parent is killed.

    A parent that was killed can't stop its workers: they would write on into its next run.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches all processes of a terminal
    threading.Thread(target=_wait_for_parent, daemon=True).start()


@contextmanager
def naming_killed_workers(workers: int) -> Iterator[None]:
    """Turns what Python says about a worker process that was killed into one line.

    Args:
        workers: How many there are.

    Raises:
        UserError: In place of a `BrokenProcessPool` inside.
    """
    try:
        yield
    except BrokenProcessPool as error:
        raise UserError(
            "A worker process was killed, perhaps because memory ran out: run the same"
            f" command again, with fewer than --workers={workers} if it happens again"
        ) from error


def in_order(
    function: Callable[[Any], Any],
    tasks: Sequence[Any],
    workers: int,
    initializer: Callable[..., None] | None = None,
    initial_arguments: tuple = (),
) -> Iterator[Any]:
    """Yields `function(task)` for each task, in the order of the tasks.

    Args:
        function: A function that worker processes can import.
        tasks: What it is called with.
        workers: Processes; 0 for one a core. One works in this process.
        initializer: Called first in each process.
        initial_arguments: What it is called with.

    Raises:
        UserError: If a worker is killed.
    """
    workers = min(workers or usable_cores(), len(tasks))
    if workers <= 1:
        if initializer is not None:
            initializer(*initial_arguments)
        yield from map(function, tasks)
        return
    # Fresh processes: a fork of a process that has TensorFlow's threads may hang.
    context = multiprocessing.get_context("spawn")
    start = (initializer, *initial_arguments)
    with (
        naming_killed_workers(workers),
        concurrent.futures.ProcessPoolExecutor(workers, context, _start, start) as executor,
    ):
        begun: collections.deque[concurrent.futures.Future] = collections.deque()
        try:
            for task in tasks:
                begun.append(executor.submit(function, task))
                if len(begun) == _WAITING * workers:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:  # after an error or Ctrl-C, too: what is being done is finished, nothing more
            executor.shutdown(cancel_futures=True)


def _start(initializer: Callable[..., None] | None = None, *arguments: Any) -> None:
    end_with_parent()
    if initializer is not None:
        initializer(*arguments)


def _wait_for_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
