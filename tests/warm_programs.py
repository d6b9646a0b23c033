"""Programs in processes of their own that start at once.

To import TensorFlow takes a core five seconds, each time. A warm process has imported it and
computes nothing: it forks. Each child becomes a program with the command line, folder and
environment that it is given, with output and exit status of its own, and can be killed like any
other. What is about the start itself must be tested with a new Python.

python -m tests.warm_programs

That is the warm process; it answers requests, a line of JSON each.
"""

import itertools
import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import absl.app

ROOT = Path(__file__).resolve().parents[1]


class WarmPrograms:
    """Starts programs as children of one warm process; use as a context manager."""

    def __init__(self, folder: Path):
        """Starts the warm process; what the programs print is kept in `folder`."""
        self._folder, self._numbers = folder, itertools.count()
        self._warm = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_programs"],
            cwd=ROOT,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # no threads before the fork
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "WarmPrograms":
        return self

    def __exit__(self, *_: object) -> None:
        self._warm.communicate()  # it ends with its input

    def start(
        self, *command: str, cwd: Path = ROOT, environment: Mapping[str, str] | None = None
    ) -> "Program":
        """Starts a program.

        Args:
            command: What would follow `python` in the shell: a script or `-m` and a module's
                name, and flags.
            cwd: The folder it is started in.
            environment: Variables beside those of this process.
        """
        place = self._folder / str(next(self._numbers))
        place.mkdir()
        os.mkfifo(place / "stdout")
        request = {
            "command": list(map(str, command)),
            "cwd": str(cwd),
            "environment": dict(environment or {}),
            "place": str(place),
        }
        return Program(self, self.ask(request), place)

    def run(self, *command: str, **options: Any) -> subprocess.CompletedProcess:
        """Runs a program to its end; arguments as in `start`."""
        program = self.start(*command, **options)
        output, errors = program.communicate()
        return subprocess.CompletedProcess(command, program.returncode, output, errors)

    def ask(self, request: Mapping[str, Any]) -> int:
        """Returns what the warm process answers."""
        self._warm.stdin.write(json.dumps(request) + "\n")
        self._warm.stdin.flush()
        return int(self._warm.stdout.readline())


class Program:
    """A running program, with as much of `subprocess.Popen` as the tests need."""

    def __init__(self, programs: WarmPrograms, pid: int, place: Path):
        self._programs, self.pid, self._errors = programs, pid, place / "stderr"
        self.stdout = (place / "stdout").open()
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        """Sends a signal; a program that has ended stays to be waited for, and isn't harmed."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)

    def errors(self) -> str:
        """Returns what it has written to standard error so far."""
        return self._errors.read_text()

    def communicate(self) -> tuple[str, str]:
        """Waits for its end; returns what is left of its output, and all errors."""
        with self.stdout:
            output = self.stdout.read()
        if self.returncode is None:
            self.returncode = self._programs.ask({"wait": self.pid})
        return output, self.errors()


def serve() -> None:
    """The warm process."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import svhn.evaluation.evaluate
    import svhn.reading.inference
    import svhn.training.loop  # noqa: F401

    # TensorFlow's tools for its own tests ask for the devices as soon as absl starts a program,
    # also one that would never have imported TensorFlow.
    absl.app._init_callbacks.clear()
    warm = not has_threads()  # a child has none of them, and would wait for them for ever
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        child = os.fork()
        if not child:
            become(**request, warm=warm)
        print(child, flush=True)


def become(
    command: list[str], cwd: str, environment: Mapping[str, str], place: str, *, warm: bool
) -> None:
    """Turns this process into a program, as it is if it is warm and else anew; ends with it.

    Raises:
        SystemExit: When the program ends.
    """
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(Path(place) / name, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    os.chdir(cwd)
    os.environ.update(environment)
    if not warm:
        os.environ["PYTHONPATH"] = str(ROOT)
        os.execv(sys.executable, [sys.executable, *command])
    run_program(command)


def run_program(command: list[str]) -> None:
    """Runs a program in this process, which ends with it.

    Args:
        command: As in `WarmPrograms.start`.

    Raises:
        SystemExit: When the program ends.
    """
    if command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        runpy.run_path(command[0], run_name="__main__")
    raise SystemExit


def has_threads() -> bool:
    """Whether there are threads beside this one, as far as the machine tells."""
    tasks = Path("/proc/self/task")
    return not tasks.exists() or len(list(tasks.iterdir())) > 1


if __name__ == "__main__":
    serve()
