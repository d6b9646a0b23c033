"""Runs potterhsu/SVHNClassifier-PyTorch, unchanged, with or without a GPU, and tells how far it is.

    PEER_PYTHON benchmarks/torch_peer.py convert PEER_DIR DATA_DIR LMDB_DIR BATCH_SIZE
    PEER_PYTHON benchmarks/torch_peer.py train PEER_DIR LMDB_DIR BATCH_SIZE
    PEER_PYTHON benchmarks/torch_peer.py read PEER_DIR BATCH_SIZE

PEER_PYTHON is a Python that has what the peer needs: torch, torchvision, lmdb, h5py, pillow and
protobuf older than 3.21 (its example_pb2.py is that old). This file needs nothing else.

The peer calls `.cuda()` wherever it runs; where PyTorch finds no GPU, that does nothing here. And
today's PyTorch can't make batches of protobuf's lists, which the peer's digits are; it is told how
it did so in the peer's time. Nothing else is touched: `train` is the peer's own `_train`, with its
model, loss, optimizer, dataset and four worker processes that load the pictures. PyTorch itself
tells when the optimizer has made a step.
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

LEARNING_RATE = 1e-2
"""The peer's default, like the rest of its options below."""


def convert(peer_dir: str, data_dir: str, lmdb_dir: str, batch_size: str) -> None:
    """Converts DATA_DIR/train with the peer's converter, one photo in ten for validation.

    Its training set gets a number of photos that batches divide, so that all steps are equal.
    """
    sys.path.insert(0, peer_dir)
    import convert_to_lmdb

    train = Path(data_dir, "train")
    photos = len(list(train.glob("*.png")))
    for_training = int(0.9 * photos) // int(batch_size) * int(batch_size)
    numbers = itertools.count()
    convert_to_lmdb.convert_to_lmdb(
        [(str(train), str(train / "digitStruct.mat"))],
        [str(Path(lmdb_dir, "train.lmdb")), str(Path(lmdb_dir, "val.lmdb"))],
        lambda _: int(next(numbers) >= for_training),
    )


def train(peer_dir: str, lmdb_dir: str, batch_size: str) -> None:
    """Trains with the peer's loop and prints a point after every step."""
    sys.path.insert(0, peer_dir)
    from torch.optim.optimizer import register_optimizer_step_post_hook

    import train as peer

    do_without_cuda()
    make_batches_of_digits()
    steps = itertools.count(1)
    register_optimizer_step_post_hook(lambda *_: print_point(next(steps)))
    with tempfile.TemporaryDirectory() as log_dir:
        peer._train(
            str(Path(lmdb_dir, "train.lmdb")),
            str(Path(lmdb_dir, "val.lmdb")),
            log_dir,
            None,
            {
                "batch_size": int(batch_size),
                "learning_rate": LEARNING_RATE,
                "patience": 100,
                "decay_steps": 10000,
                "decay_rate": 0.9,
            },
        )


def read(peer_dir: str, batch_size: str) -> None:
    """Reads pictures in memory with the peer's network and prints a point after every batch."""
    sys.path.insert(0, peer_dir)
    import torch
    from model import Model

    do_without_cuda()
    model = Model()
    model.cuda()
    model.eval()
    images = torch.randn(int(batch_size), 3, 54, 54).cuda()
    with torch.no_grad():
        for batches in itertools.count(1):
            for logits in model(images):
                logits.max(1)[1].cpu()
            print_point(batches)


def do_without_cuda() -> None:
    """Lets `.cuda()` do nothing where there is no GPU."""
    import torch

    if not torch.cuda.is_available():
        for kind in (torch.Tensor, torch.nn.Module, torch.jit.ScriptModule):
            kind.cuda = lambda itself, *_, **__: itself


def make_batches_of_digits() -> None:
    """Lets a batch of lists of digits be a list of batches of digits, as it was in 2019."""
    import example_pb2
    from torch.utils.data._utils.collate import collate, default_collate_fn_map

    def of_lists(batch: list, *, collate_fn_map: dict) -> list:
        places = zip(*batch, strict=True)
        return [collate(list(place), collate_fn_map=collate_fn_map) for place in places]

    default_collate_fn_map[type(example_pb2.Example().digits)] = of_lists


def print_point(steps: int) -> None:
    """Tells how many steps are done."""
    print("point", time.time(), steps, flush=True)


if __name__ == "__main__":
    tasks: dict[str, Callable[..., None]] = {"convert": convert, "train": train, "read": read}
    tasks[sys.argv[1]](*sys.argv[2:])
