"""Measures how many pictures a second the network reads, and the peer's network beside.

    python benchmarks/inference.py [--peer_dir=CHECKOUT --peer_python=PYTHON] [--model=compact]

Pictures in memory to numbers, decoding included: benchmarks/bare_reading.py, and the network of
potterhsu/SVHNClassifier-PyTorch with the highest class of each head, in turns.
"""

import dataclasses
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.peer import (  # noqa: E402
    NO_PEER,
    PEER,
    PeerConfig,
    check_peer,
    peer_command,
)
from benchmarks.report import Row, print_report  # noqa: E402
from benchmarks.training import speed_rows, times_as_fast  # noqa: E402
from benchmarks.turns import Program, printed_points, spread, take_turns  # noqa: E402
from svhn.command_line import option, run  # noqa: E402
from svhn.models import DEFAULT_MODEL, MODEL_NAMES  # noqa: E402

TARGET_TIMES = {"compact": 10.0}


@dataclasses.dataclass
class BenchmarkConfig(PeerConfig):
    """What to measure."""

    model: str = option("Network.", DEFAULT_MODEL, group="benchmark", choices=MODEL_NAMES)
    batch_size: int = option("Pictures at once.", 64, group="benchmark", minimum=1)
    rounds: int = option("Turns of each program.", 5, group="benchmark", minimum=1)
    seconds: float = option("How long a turn is.", 5.0, group="benchmark", minimum=1.0)


def main(config: BenchmarkConfig) -> int:
    """Prints the table."""
    check_peer(config)
    ours, batch_size = f"{config.model}, inference", str(config.batch_size)
    program = str(ROOT / "benchmarks" / "bare_reading.py")
    flags = [f"--model={config.model}", f"--batch_size={batch_size}"]
    commands = {ours: [sys.executable, program, *flags]}
    if config.peer_dir:
        commands[PEER] = peer_command(config, "read", batch_size)
    with tempfile.TemporaryDirectory() as folder:
        programs = []
        for number, (name, command) in enumerate(commands.items()):
            log = Path(folder) / f"{number}.log"
            programs.append(Program(name, command, log, lambda log=log: printed_points(log)))
        turns = take_turns(programs, config.rounds, config.seconds)

    rows = speed_rows(turns, config.batch_size)
    if config.peer_dir:
        times = times_as_fast(turns[ours], turns[PEER])
        target = TARGET_TIMES.get(config.model)
        target = f"at least {target:g}" if target else ""
        rows.append(Row(f"{ours} beside the peer", spread(times, 1), "× as fast", target))
    else:
        rows.append(NO_PEER)
    print_report(
        f"Inference, batches of {config.batch_size} in memory; median (range) of "
        f"{config.rounds} turns of {config.seconds:g} s",
        rows,
    )
    return 0


if __name__ == "__main__":
    run(main, BenchmarkConfig, needs_tensorflow=False)
