"""Workers meet before TensorFlow starts to wait for them.

TensorFlow waits for the other workers for up to an hour, and meanwhile neither Ctrl-C nor SIGTERM
ends the process and nothing says who is missing. So the workers meet here first: each connects to
the chief, at the address that TensorFlow will use, and the chief lets all go on together.
"""

import json
import socket
import time
from collections.abc import Callable, Sequence

from svhn.errors import UserError

WAIT_SECONDS = 600.0
"""How long workers wait for each other: machines of a cluster start minutes apart."""

_RETRY_SECONDS = 0.5
_GO = b"go"


def meet(
    addresses: Sequence[str],
    position: int,
    wait_seconds: float = WAIT_SECONDS,
    say: Callable[[str], None] = print,
) -> None:
    """Returns when all workers are here.

    Args:
        addresses: "host:port" of every worker, the chief's first.
        position: Which of them this process is.
        wait_seconds: After how long to give up.
        say: Is given a line when there is somebody to wait for.

    Raises:
        UserError: If not all have come in time, the chief's port is taken, or a worker was told
            of other addresses than the chief.
    """
    deadline = time.monotonic() + wait_seconds
    if position == 0:
        _receive_all(addresses, deadline, say)
    else:
        _report_to_chief(addresses, position, deadline, say)


def _receive_all(addresses: Sequence[str], deadline: float, say: Callable[[str], None]) -> None:
    waiting: dict[int, socket.socket] = {}
    try:
        listener = _listen(addresses[0])
    except OSError as error:
        raise UserError(
            f"TF_CONFIG: the chief can't listen at {addresses[0]} ({error.strerror or error}). "
            "Give its address a free port of this machine"
        ) from error
    with listener:
        say(f"Waits for {_named(addresses, range(1, len(addresses)))}")
        while len(waiting) < len(addresses) - 1:
            listener.settimeout(max(deadline - time.monotonic(), 0.01))
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                missing = sorted(set(range(1, len(addresses))) - set(waiting))
                raise _nobody_came(_named(addresses, missing)) from None
            message = _message(connection)
            if message is None:
                connection.close()
                continue
            told, position = message
            if told != list(addresses):
                connection.close()
                raise UserError(
                    f"TF_CONFIG: a worker was told of {told}, the chief of {list(addresses)}. "
                    'Give all of them the same "cluster"'
                )
            waiting[position] = connection
        for position, connection in waiting.items():
            try:
                connection.sendall(_GO)
                # The workers hang up first: then the system keeps the chief's port free.
                connection.recv(1)
            except OSError:
                raise _nobody_came(f"{_named(addresses, [position])}, who came and went") from None
            finally:
                connection.close()


def _message(connection: socket.socket) -> tuple[list[str], int] | None:
    """What a worker says: the addresses it was told and its position; None from anybody else."""
    connection.settimeout(5)
    try:
        addresses, position = json.loads(connection.makefile().readline())
    except (ValueError, TypeError, OSError):
        return None
    return (addresses, position) if isinstance(position, int) else None


def _report_to_chief(
    addresses: Sequence[str], position: int, deadline: float, say: Callable[[str], None]
) -> None:
    host, port = _host_and_port(addresses[0])
    said = False
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((host, port), timeout=5) as connection:
                connection.sendall(json.dumps([list(addresses), position]).encode() + b"\n")
                connection.settimeout(max(deadline - time.monotonic(), 0.01))
                if connection.recv(len(_GO)) == _GO:
                    return
        except OSError:
            pass  # the chief has not started yet
        if not said:
            say(f"Waits for the chief at {addresses[0]}")
            said = True
        time.sleep(_RETRY_SECONDS)
    raise _nobody_came(f"the chief at {addresses[0]}")


def _listen(address: str) -> socket.socket:
    _, port = _host_and_port(address)
    # At every interface, as TensorFlow does: the name in the address may be known to others only.
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _named(addresses: Sequence[str], positions: Sequence[int]) -> str:
    return ", ".join(f"worker {position + 1} ({addresses[position]})" for position in positions)


def _nobody_came(who: str) -> UserError:
    return UserError(
        f"TF_CONFIG: gave up waiting for {who}. Check that it is running and that its address can "
        "be reached from here, and start all workers again"
    )
