"""recipes/release.py, whose stages with networks are forks of it: none imports TensorFlow anew.

python -m tests.recipes.warm_stages --flags of recipes/release.py

To be started by `tests.warm_programs`.
"""

import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from tests.warm_programs import ROOT, run_program

sys.path.insert(0, str(ROOT / "recipes"))
import stages

NETWORKS = (
    *("train.py", "eval.py", "svhn.release", "svhn.agreement"),
    *("svhn.pseudo_labels", "svhn.false_numbers"),
)


class Fork:
    """A program in a child of this process; what `stages` needs of `subprocess.Popen`."""

    def __init__(self, command: list[str], environment: Mapping[str, str]):
        sys.stdout.flush()
        reading, writing = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            os.dup2(writing, 1)
            os.dup2(writing, 2)
            os.close(reading)
            os.close(writing)
            os.environ.update(environment)
            run_program(command)
        os.close(writing)
        self.stdout = os.fdopen(reading, errors="replace")

    def wait(self) -> int:
        """Returns the exit status."""
        _, status = os.waitpid(self._pid, 0)
        return os.waitstatus_to_exitcode(status)


def start(command: list[str], **options: Any) -> Fork | subprocess.Popen:
    """Starts what `subprocess.Popen` would start."""
    if any(part.endswith(NETWORKS) for part in command[1:3]):
        return Fork(command[1:], options["env"])
    return subprocess.Popen(command, **options)


if __name__ == "__main__":
    stages.subprocess = SimpleNamespace(Popen=start, PIPE=subprocess.PIPE, STDOUT=subprocess.STDOUT)
    program = str(ROOT / "recipes" / "release.py")
    sys.argv[0] = program
    runpy.run_path(program, run_name="__main__")
