"""Measures the training loop beside the bare train step and beside the peer's loop.

    python benchmarks/training.py [--peer_dir=CHECKOUT --peer_python=PYTHON] [--data_dir=FOLDER]

Three or five programs take turns, each for some seconds, round after round (benchmarks/turns.py):

- the loop: `train.py` as a user starts it, on a real conversion: reading, decoding, cropping and
  augmenting the photos, the steps, the curves' points for TensorBoard. Its speed is taken from
  the step numbers and times of these points. Start-up, evaluations and checkpoints are not in the
  figure, all else is. It writes points more often than by default, which costs it rather than
  helps it.
- the loop in memory: the same program and flags, but for the pictures, which lie in memory
  (benchmarks/loop_in_memory.py).
- the bare step: benchmarks/bare_training.py, with the same flags on the same pictures in memory.
- the peer: potterhsu/SVHNClassifier-PyTorch's own train loop with its own network, dataset and
  loading processes (benchmarks/torch_peer.py), on the same photos, converted by its own converter,
  and by the same measure: all that happens between two steps counts, where the examples/sec
  that it prints leave out the waiting for pictures.
- the loop with `goodfellow`, the model whose size is like that of the peer's.

The loop in memory beside the bare step says what the loop costs: calls, curves, bookkeeping. The
loop beside the bare step says what the pictures cost as well: on a machine whose processor trains,
the input pipeline takes its share of the same cores.

A ratio is taken in every round; the table has the median, the smallest and the largest. The
targets beside the peer are stated for the CPU.
"""

import dataclasses
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.input_pipeline import synthetic_data_dir  # noqa: E402
from benchmarks.peer import (  # noqa: E402
    NO_PEER,
    PEER,
    PeerConfig,
    check_peer,
    peer_command,
)
from benchmarks.report import Row, print_report  # noqa: E402
from benchmarks.turns import Point, Program, Turn, printed_points, spread, take_turns  # noqa: E402
from svhn.command_line import option, run  # noqa: E402
from svhn.errors import UserError  # noqa: E402
from svhn.models import DEFAULT_MODEL, MODEL_NAMES  # noqa: E402

TARGET_SHARE = 95
TARGET_TIMES = {"goodfellow": 1.0, "compact": 5.0}
LOOP_BESIDE_PEER = "goodfellow"
ENDLESS = 10**7
"""Steps: more than there is time for."""


@dataclasses.dataclass
class BenchmarkConfig(PeerConfig):
    """What to measure."""

    data_dir: str = option(
        "A folder with train/ and its conversion; by default synthetic photos are rendered and"
        " converted.",
        "",
        group="benchmark",
    )
    photos: int = option("Synthetic photos to render.", 1500, group="benchmark", minimum=200)
    model: str = option("Network.", DEFAULT_MODEL, group="benchmark", choices=MODEL_NAMES)
    batch_size: int = option("Pictures a step, for everybody.", 64, group="benchmark", minimum=1)
    train_flags: str = option(
        'More flags for our loops and the bare step, as in "--precision=bfloat16".',
        "",
        group="benchmark",
    )
    loop_flags: str = option(
        'More flags for our loops alone, as in "--steps_per_call=5"; a call never goes beyond'
        " --log_every.",
        "",
        group="benchmark",
    )
    log_every: int = option(
        "Steps between two points; goodfellow and the peer have one at every step.",
        5,
        group="benchmark",
        minimum=1,
    )
    rounds: int = option("Turns of each program.", 4, group="benchmark", minimum=1)
    seconds: float = option("How long a turn is.", 10.0, group="benchmark", minimum=1.0)


def main(config: BenchmarkConfig) -> int:
    """Prints the table."""
    check_peer(config)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data_dir = config.data_dir or synthetic_data_dir(folder, config.photos)
        bare, in_memory = f"{config.model}, bare step", f"{config.model}, loop in memory"
        loops = {f"{config.model}, loop": config.model}
        programs = [
            loop_program(config, *loop, data_dir, folder, config.log_every)
            for loop in loops.items()
        ]
        programs.append(_loop_in_memory(config, in_memory, data_dir, folder))
        programs.append(_bare_step(config, bare, data_dir, folder))
        if config.peer_dir:
            if config.model != LOOP_BESIDE_PEER:
                loops[f"{LOOP_BESIDE_PEER}, loop"] = LOOP_BESIDE_PEER
                programs.append(loop_program(config, *list(loops.items())[-1], data_dir, folder, 1))
            programs.append(_peer(config, data_dir, folder))
        turns = take_turns(programs, config.rounds, config.seconds)

    rows = speed_rows(turns, config.batch_size)
    loop = f"{config.model}, loop"
    for name, target in ((in_memory, f"at least {TARGET_SHARE}"), (loop, "")):
        share = spread(times_as_fast(turns[name], turns[bare], 100), 1)
        rows.append(Row(f"{name} beside bare step", share, "%", target))
    processor = [
        100 * each.cores / each.steps_a_second / (both.cores / both.steps_a_second)
        for both, each in zip(turns[loop], turns[bare], strict=True)
    ]
    rows.append(Row("bare step's share of the loop's processor time", spread(processor, 1), "%"))
    if config.peer_dir:
        for name, model in loops.items():
            target = f"at least {TARGET_TIMES[model]:g}" if model in TARGET_TIMES else ""
            times = times_as_fast(turns[name], turns[PEER])
            rows.append(Row(f"{name} beside the peer", spread(times, 2), "× as fast", target))
    else:
        rows.append(NO_PEER)
    kind = f"of {config.data_dir}" if config.data_dir else "synthetic"
    flags = "".join(f", {flags}" for flags in (config.train_flags, config.loop_flags) if flags)
    print_report(
        f"Training, photos {kind}, batches of {config.batch_size}{flags}; median (range) of "
        f"{config.rounds} turns of {config.seconds:g} s",
        rows,
    )
    return 0


def speed_rows(turns: Mapping[str, Sequence[Turn]], batch_size: int) -> list[Row]:
    """Returns a row for each program: its speed, and how many cores it kept busy."""
    rows = []
    for name, of_rounds in turns.items():
        speeds = [batch_size * turn.steps_a_second for turn in of_rounds]
        cores = statistics.median(turn.cores for turn in of_rounds)
        rows.append(
            Row(
                name,
                spread(speeds, 1 if min(speeds) < 100 else 0),
                f"images/s, {cores:.2f} cores busy",
            )
        )
    return rows


def times_as_fast(ours: Sequence[Turn], others: Sequence[Turn], factor: float = 1) -> list[float]:
    """Returns our speed over the other's, times a factor, round by round."""
    return [
        factor * our.steps_a_second / other.steps_a_second
        for our, other in zip(ours, others, strict=True)
    ]


def loop_program(
    config: BenchmarkConfig,
    name: str,
    model: str,
    data_dir: str,
    folder: Path,
    log_every: int,
    program: str = "train.py",
) -> Program:
    """Returns `train.py` as a program whose speed can be measured.

    Args:
        config: `batch_size`, `train_flags` and `loop_flags`.
        name: The program's, in the table.
        model: To train.
        data_dir: With train/, converted.
        folder: Gets its logs.
        log_every: Steps between two points.
        program: What to run in place of train.py, with the same flags.
    """
    logdir = folder / f"logs_{model}_{Path(program).stem}"
    command = [
        *[sys.executable, ROOT / program, f"--train_logdir={logdir}"],
        *_flags(config, model, data_dir, log_every),
        *["--patience=0", f"--evaluate_every={ENDLESS}", *shlex.split(config.loop_flags)],
    ]
    return Program(name, command, logdir.with_suffix(".log"), lambda: _logged_points(logdir))


def _loop_in_memory(config: BenchmarkConfig, name: str, data_dir: str, folder: Path) -> Program:
    program = "benchmarks/loop_in_memory.py"
    return loop_program(config, name, config.model, data_dir, folder, config.log_every, program)


def _bare_step(config: BenchmarkConfig, name: str, data_dir: str, folder: Path) -> Program:
    program = ROOT / "benchmarks" / "bare_training.py"
    log = folder / "bare_training.log"
    flags = _flags(config, config.model, data_dir, config.log_every)
    return Program(name, [sys.executable, program, *flags], log, lambda: printed_points(log))


def _flags(config: BenchmarkConfig, model: str, data_dir: str, log_every: int) -> list[str]:
    """What loop and bare step have in common."""
    return [
        f"--data_dir={data_dir}",
        "--splits=train",
        f"--model={model}",
        f"--batch_size={config.batch_size}",
        f"--log_every={log_every}",
        f"--steps={ENDLESS}",
        *shlex.split(config.train_flags),
    ]


def _peer(config: BenchmarkConfig, data_dir: str, folder: Path) -> Program:
    """The peer's loop, after the peer's conversion of the photos in train/."""
    lmdb_dir = folder / "lmdb"
    lmdb_dir.mkdir()
    batch_size = str(config.batch_size)
    convert = peer_command(config, "convert", str(Path(data_dir).resolve()), str(lmdb_dir))
    result = subprocess.run([*convert, batch_size], capture_output=True, text=True)
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["no message"]
        raise UserError(f"{PEER} can't convert {data_dir}/train: {lines[-1]}")
    log = folder / "peer.log"
    command = peer_command(config, "train", str(lmdb_dir), batch_size)
    return Program(PEER, command, log, lambda: printed_points(log))


def _logged_points(logdir: Path) -> list[Point]:
    """Returns the points on the training curves that train.py has written."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = logdir / "train"
    if not folder.is_dir():
        return []
    everything = {"tensors": 0}
    events = EventAccumulator(str(folder), everything).Reload()
    if "training/images_per_second" not in events.Tags()["tensors"]:
        return []
    logged = events.Tensors("training/images_per_second")
    return [Point(event.wall_time, event.step) for event in logged]


if __name__ == "__main__":
    run(main, BenchmarkConfig)
