"""The PyTorch peer that speeds are measured beside: a checkout and a Python on the user's disk."""

import dataclasses
import subprocess
from pathlib import Path

from benchmarks.report import Row
from svhn.command_line import option
from svhn.errors import UserError

PEER = "potterhsu/SVHNClassifier-PyTorch"

NO_PEER = Row(PEER, "-", "not measured: give --peer_dir and --peer_python")


@dataclasses.dataclass(kw_only=True)
class PeerConfig:
    """Where it is; nothing if it is not to be measured."""

    peer_dir: str = option(
        f"A checkout of github.com/{PEER}; without it, no peer is measured.", "", group="peer"
    )
    peer_python: str = option(
        "A Python with torch, torchvision, lmdb, h5py, pillow and protobuf<3.21.",
        "",
        group="peer",
    )


def check_peer(config: PeerConfig) -> None:
    """Makes sure that the peer can be run, or that nobody wants it.

    Raises:
        UserError: If it can't.
    """
    peer_dir, peer_python = config.peer_dir, config.peer_python
    if not peer_dir and not peer_python:
        return
    if not peer_dir or not peer_python:
        raise UserError("--peer_dir and --peer_python: one was given. Give both, or neither")
    if not Path(peer_dir, "train.py").is_file():
        raise UserError(
            f"--peer_dir={peer_dir}: there is no train.py in it. Expected: a checkout of "
            f"github.com/{PEER}"
        )
    needed = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "import torch, torchvision, lmdb, h5py, PIL, example_pb2"
    )
    try:
        result = subprocess.run(
            [peer_python, "-W", "ignore", "-c", needed, peer_dir],
            capture_output=True,
            text=True,
        )
    except OSError as error:
        raise UserError(f"--peer_python={peer_python} can't be run: {error.strerror}") from error
    if result.returncode:
        raise UserError(
            f"--peer_python={peer_python} lacks what the peer needs: "
            f"{result.stderr.strip().splitlines()[-1]}. Install torch, torchvision, lmdb, h5py, "
            "pillow and protobuf<3.21 there"
        )


def peer_command(config: PeerConfig, task: str, *arguments: str) -> list[str]:
    """Returns the command that runs a task of benchmarks/torch_peer.py."""
    program = str(Path(__file__).with_name("torch_peer.py"))
    peer_dir = str(Path(config.peer_dir).resolve())
    return [config.peer_python, "-W", "ignore", program, task, peer_dir, *arguments]
