"""Stages of a recipe: public programs, called one after the other, each done once."""

import dataclasses
import datetime
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from svhn.errors import UserError
from svhn.files import write_whole


@dataclasses.dataclass(frozen=True)
class Stage:
    """A call of a program."""

    name: str
    program: str
    """As a reader of the README calls it: "python train.py", "python -m svhn.release"."""

    flags: Mapping[str, object]
    """By name; True for a flag without a value."""

    links: Mapping[Path, Path] = dataclasses.field(default_factory=dict)
    """Symbolic links to make before, and where they point."""

    result: str | Callable[[], str] = ""
    """What came of it: the last line of the output that holds this text; or what this returns."""

    @property
    def arguments(self) -> list[str]:
        """The flags as the program gets them."""
        return [
            f"--{name}" if value is True else f"--{name}={value}"
            for name, value in self.flags.items()
        ]

    @property
    def command_line(self) -> str:
        """The command for a shell."""
        return f"{self.program} {shlex.join(self.arguments)}"


class Recipe:
    """Runs stages in a folder and remembers which are done."""

    def __init__(self, out: Path, root: Path):
        """Makes the folder.

        Args:
            out: Gets `recipe.log`, `stages/NAME.json` for each stage that is done, and
                `stages/NAME.txt`, what it printed.
            root: The folder of the programs.

        Raises:
            UserError: If the folder can't be made.
        """
        self._out, self._root = out, root
        try:
            (out / "stages").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"--out={out} can't be made ({error.strerror or error}): give another folder"
            ) from error

    def say(self, text: str) -> None:
        """Prints a line and writes it to the log."""
        now = datetime.datetime.now(datetime.UTC)
        line = f"{now:%Y-%m-%d %H:%M:%S} UTC  {text}"
        print(line, flush=True)
        with (self._out / "recipe.log").open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    def run(self, stage: Stage) -> int:
        """Runs a stage, unless it is done; returns the exit status, 0 for success.

        Raises:
            UserError: If it was done with other flags.
        """
        marker = self._out / "stages" / f"{stage.name}.json"
        if marker.is_file():
            done = json.loads(marker.read_text("utf-8"))
            if done["command"] != stage.command_line:
                raise UserError(
                    f"{marker} says that the stage {stage.name} was done with other flags"
                    f" ({done['command']}). Delete it, and those of later stages, with what they"
                    " have made to do it again; or give another --out"
                )
            print(f"{stage.name}: done before: {done['result']}", flush=True)
            return 0
        for link, target in stage.links.items():
            _link(link, target)
        self.say(f"{stage.name}: {stage.command_line}")
        start = time.perf_counter()
        status, lines = self._call(stage)
        seconds = time.perf_counter() - start
        if status:
            self.say(
                f"{stage.name}: ended with status {status} after {seconds:,.0f} s; the same"
                " command goes on here"
            )
            return status
        result = _result(stage, lines)
        self.say(f"{stage.name}: {seconds:,.0f} s: {result}")
        done = {"command": stage.command_line, "seconds": round(seconds), "result": result}
        write_whole(marker, (json.dumps(done, indent=1) + "\n").encode())
        return 0

    def _call(self, stage: Stage) -> tuple[int, list[str]]:
        """Runs the program, shows and keeps what it prints; returns its status and its lines."""
        _, *program = stage.program.split()
        if program[0] != "-m":
            program = [str(self._root / program[0])]
        # The programs of this checkout, whatever is installed.
        paths = [str(self._root), *filter(None, [os.environ.get("PYTHONPATH")])]
        # Ctrl-C reaches the program by itself: it saves what it has, and we wait for it.
        before = {signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None)}
        process = subprocess.Popen(
            [sys.executable, *program, *stage.arguments],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        before[signal.SIGTERM] = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        lines = []
        try:
            with (self._out / "stages" / f"{stage.name}.txt").open("a", encoding="utf-8") as log:
                for line in process.stdout:
                    lines.append(line.rstrip())
                    log.write(line)
                    log.flush()
                    print(line, end="", flush=True)
            status = process.wait()
            return 128 - status if status < 0 else status, lines
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _result(stage: Stage, lines: list[str]) -> str:
    if callable(stage.result):
        return stage.result()
    found = [line for line in lines if line and stage.result in line]
    return found[-1] if found else "done"


def _link(link: Path, target: Path) -> None:
    target = target.resolve()
    if link.is_symlink() and link.resolve() == target:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        link.symlink_to(target)
    except FileExistsError:
        raise UserError(
            f"{link} is there already and doesn't lead to {target}: delete it, or give another"
            " --out"
        ) from None
