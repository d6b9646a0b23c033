"""Runs a Python 2 program for TensorFlow 1 and an old h5py, unchanged in what it does, today.

    python benchmarks/tensorflow1.py PROGRAM.py [its arguments]

Peers' programs are that old. Only names that have moved are put back, at run time: `print` as a
statement, `tensorflow` as version 1, and h5py's `Dataset.value`.
"""

import re
import sys
import types
from pathlib import Path

import h5py
import tensorflow.compat.v1 as tensorflow1


def run_program(path: Path, arguments: list[str]) -> None:
    """Runs the program as `python path arguments` would have done it."""
    sys.modules["tensorflow"] = tensorflow1
    h5py.Dataset.value = property(lambda dataset: dataset[()])  # h5py 2 had it, in these words
    sys.argv = [str(path), *arguments]
    sys.path[0] = str(path.parent)
    source = re.sub(r"^(\s*)print (.+)$", r"\1print(\2)", path.read_text(), flags=re.MULTILINE)
    program = types.ModuleType("__main__")
    program.__file__ = str(path)
    sys.modules["__main__"] = program
    exec(compile(source, str(path), "exec"), program.__dict__)


if __name__ == "__main__":
    run_program(Path(sys.argv[1]), sys.argv[2:])
