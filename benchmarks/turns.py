"""Programs that are measured against each other take turns on the machine, many times.

Speeds of one machine differ from minute to minute by more than what is to be measured. So all
programs are started once and warmed up; then, round after round, each may run for some seconds
while the others are halted (SIGSTOP, for all their processes and threads). What is compared was
measured within the same minute, and nothing but the program itself runs in its turn.
"""

import contextlib
import dataclasses
import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from svhn.errors import UserError

START_SECONDS = 300.0
END_SECONDS = 60.0


class Point(NamedTuple):
    """What a program has told of itself."""

    time: float
    """By the clock, in seconds since 1970."""

    steps: int
    """How many it had done by then."""


class Turn(NamedTuple):
    """What a program did in a turn."""

    steps_a_second: float
    """From the last point before the turn to the last one of it, in the time that the program was
    not halted; so nothing that it did is left out."""

    cores: float
    """Processor seconds a second, over all of its processes: how many cores it kept busy."""


@dataclasses.dataclass
class Program:
    """A program that works until it is ended, and tells at times how far it is."""

    name: str
    command: Sequence[str | Path]
    log: Path
    """A file for what it prints."""
    points: Callable[[], list[Point]]
    """Returns what the program has told so far, in order."""


def printed_points(log: Path) -> list[Point]:
    """Returns the points of a program that prints lines of the form "point TIME STEPS"."""
    lines = log.read_text(errors="replace").rpartition("\n")[0].splitlines()
    words = [line.split() for line in lines if line.startswith("point ")]
    return [Point(float(seconds), int(steps)) for _, seconds, steps in words]


def take_turns(programs: Sequence[Program], rounds: int, seconds: float) -> dict[str, list[Turn]]:
    """Returns what each program, by name, did in each round.

    Args:
        programs: Started in this order; the order of turns is reversed from round to round.
        rounds: How many turns each program has.
        seconds: How long a turn lasts; also the time to warm up after a program's first point.

    Raises:
        UserError: If a program ends by itself, or has no point in a turn.
    """
    running = [_Running(program) for program in programs]
    previous = signal.signal(signal.SIGTERM, _end)
    try:
        for each in running:
            each.start(seconds)
        for number in range(rounds):
            for each in reversed(running) if number % 2 else running:
                each.take_turn(seconds)
        for each in running:
            each.end()
        return {each.program.name: each.turns() for each in running}
    finally:
        for each in running:
            each.kill()
        signal.signal(signal.SIGTERM, previous)


def spread(figures: Sequence[float], digits: int = 0) -> str:
    """Returns the median of some figures with the smallest and the largest: "12 (11-14)"."""
    shown = [f"{figure:,.{digits}f}" for figure in (min(figures), max(figures))]
    return f"{statistics.median(figures):,.{digits}f} ({'–'.join(shown)})"


class _Period(NamedTuple):
    """A time in which a program was not halted."""

    begun: float
    ended: float
    processor_seconds: float


class _Running:
    """The processes of a program: a group of its own, so that they halt together."""

    def __init__(self, program: Program):
        self.program = program
        self._process: subprocess.Popen | None = None
        self._periods: list[_Period] = []

    def start(self, warm_up_seconds: float) -> None:
        """Starts the program and halts it when it is warm."""
        with self.program.log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(word) for word in self.program.command],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=os.environ | {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "TF_CPP_MIN_LOG_LEVEL": "2"},
            )
        begun, give_up = time.time(), time.monotonic() + START_SECONDS
        while not self.program.points():
            self._check()
            if time.monotonic() > give_up:
                raise UserError(f"{self.program.name}: no step within {START_SECONDS:.0f} s")
            time.sleep(0.5)
        time.sleep(warm_up_seconds)
        self._halt(begun)

    def take_turn(self, seconds: float) -> None:
        """Lets the program run for a while."""
        begun = time.time()
        self._signal(signal.SIGCONT)
        time.sleep(seconds)
        self._halt(begun)

    def turns(self) -> list[Turn]:
        """Returns what the program did in each turn; to be called when it has ended."""
        points = self.program.points()
        turns = []
        for period in self._periods[1:]:
            before = [point for point in points if point.time < period.begun][-1]
            last = [point for point in points if point.time < period.ended][-1]
            seconds = period.ended - period.begun
            if last == before:
                raise UserError(
                    f"{self.program.name} came to no point in a turn of {seconds:.0f} s. Give a "
                    "larger --seconds"
                )
            steps = last.steps - before.steps
            time_taken = self._active_seconds(last.time) - self._active_seconds(before.time)
            turns.append(Turn(steps / time_taken, period.processor_seconds / seconds))
        return turns

    def end(self) -> None:
        """Ends the program as Ctrl-C's gentler sister does, so that it can write what it has."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Leaves nothing behind."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: int) -> None:
        os.killpg(self._process.pid, number)

    def _halt(self, begun: float) -> None:
        self._signal(signal.SIGSTOP)
        ended, earlier = time.time(), sum(period.processor_seconds for period in self._periods)
        self._check()
        self._periods.append(_Period(begun, ended, self._processor_seconds() - earlier))

    def _active_seconds(self, until: float) -> float:
        """How long the program was not halted before a time."""
        return sum(
            min(until, period.ended) - period.begun
            for period in self._periods
            if period.begun < until
        )

    def _processor_seconds(self) -> float:
        """What the group's living processes have used so far."""
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
                # proc(5): after the name in brackets come state, parent and group; utime and
                # stime are numbers 14 and 15 of all.
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self._process.pid:
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _check(self) -> None:
        if self._process.poll() is not None:
            lines = self.program.log.read_text(errors="replace").strip().splitlines()
            raise UserError(
                f"{self.program.name} ended with status {self._process.returncode}: "
                f"{lines[-1] if lines else 'no message'}"
            )


def _end(*_: object) -> None:
    raise SystemExit(128 + signal.SIGTERM)
