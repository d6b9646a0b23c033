"""Runs `train.py` as several workers on this machine."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def free_addresses(count: int) -> list[str]:
    """Returns addresses of this machine whose ports are free at the moment."""
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [f"127.0.0.1:{listener.getsockname()[1]}" for listener in sockets]


def start_workers(flags: Sequence[Sequence[str]]) -> list[subprocess.Popen]:
    """Starts `train.py` for each of some lists of flags; output and errors are pipes of text."""
    addresses = free_addresses(len(flags))
    return [
        subprocess.Popen(
            [sys.executable, str(ROOT / "train.py"), *own_flags],
            env={**os.environ, "TF_CONFIG": tf_config(addresses, position)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for position, own_flags in enumerate(flags)
    ]


def tf_config(addresses: Sequence[str], position: int) -> str:
    """Returns what TF_CONFIG is at one of some workers."""
    task = {"type": "worker", "index": position}
    return json.dumps({"cluster": {"worker": list(addresses)}, "task": task})
