"""Runs `train.py` as several workers on this machine."""

import json
import socket
from collections.abc import Sequence
from contextlib import ExitStack

from tests.warm_programs import Program, WarmPrograms


def free_addresses(count: int) -> list[str]:
    """Returns addresses of this machine whose ports are free at the moment."""
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [f"127.0.0.1:{listener.getsockname()[1]}" for listener in sockets]


def start_workers(programs: WarmPrograms, flags: Sequence[Sequence[str]]) -> list[Program]:
    """Starts `train.py` for each of some lists of flags."""
    addresses = free_addresses(len(flags))
    return [
        programs.start(
            "train.py", *own_flags, environment={"TF_CONFIG": tf_config(addresses, position)}
        )
        for position, own_flags in enumerate(flags)
    ]


def tf_config(addresses: Sequence[str], position: int) -> str:
    """Returns what TF_CONFIG is at one of some workers."""
    task = {"type": "worker", "index": position}
    return json.dumps({"cluster": {"worker": list(addresses)}, "task": task})
