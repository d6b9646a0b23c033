"""Where a run computes: one device, all GPUs of a machine, or several machines.

Several machines are told of each other by the environment variable TF_CONFIG, as TensorFlow
defines it and cluster managers set it: the same addresses on every machine, and which of them it
is itself. Every machine then runs the same program, a *worker*; the first of them, the *chief*,
alone evaluates, writes and speaks for all.
"""

import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from svhn.errors import UserError, first_line
from svhn.training.rendezvous import meet

_LOST_WORKER_ERRORS = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnknownError,
)
"""What TensorFlow may raise in a step when another worker can't be reached any more."""

_LOST_WORKER_WORDS = ("ollective", "rpc", "RPC")
"""One of them is in the message if the error is about other workers."""

_EXAMPLE = '{"cluster": {"worker": ["a:1234", "b:1234"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Cluster:
    """The workers of a run, and which of them this process is."""

    addresses: tuple[str, ...]
    """"host:port" of every worker, the chief's first."""

    position: int
    """The place of this process in `addresses`."""


def read_cluster(environment: Mapping[str, str] = os.environ) -> Cluster | None:
    """Returns the workers that TF_CONFIG names; None where there is one machine only.

    Args:
        environment: Where to look for TF_CONFIG.

    Raises:
        UserError: If TF_CONFIG is not what TensorFlow can use.
    """
    text = environment.get("TF_CONFIG", "").strip()
    if not text:
        return None
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise _wrong(f"is not JSON ({error})", text) from None
    if not isinstance(config, dict):
        raise _wrong("is not a JSON object", text)
    jobs = config.get("cluster")
    if not jobs:
        return None
    if not isinstance(jobs, dict) or not all(isinstance(tasks, list) for tasks in jobs.values()):
        raise _wrong('lists no addresses by kind of task in "cluster"', text)
    for kind in jobs:
        if kind not in ("chief", "worker"):
            raise _wrong(f'has tasks of the kind "{kind}"; "chief" and "worker" are known', text)
    if len(jobs.get("chief", [])) > 1:
        raise _wrong("has more than one chief", text)
    addresses = [*jobs.get("chief", []), *jobs.get("worker", [])]
    for address in addresses:
        if not _is_address(address):
            raise _wrong(f"has the address {address!r}, which is not HOST:PORT", text)
        if addresses.count(address) > 1:
            raise _wrong(f"has the address {address} twice", text)
    task = config.get("task")
    if not isinstance(task, dict):
        raise _wrong('doesn\'t say in "task" which of the workers this machine is', text)
    kind, index = task.get("type"), task.get("index")
    if kind not in jobs:
        raise _wrong(f'says that this is a task of type {kind!r}, which "cluster" lacks', text)
    if not str(index).isdecimal() or int(index) >= len(jobs[kind]):
        raise _wrong(f"says that this is {kind} {index!r}; there are {len(jobs[kind])}", text)
    if len(addresses) == 1:
        return None
    position = int(index) + (len(jobs.get("chief", [])) if kind == "worker" else 0)
    return Cluster(tuple(addresses), position)


def make_strategy() -> tf.distribute.Strategy:
    """Returns the strategy for what is there; to be called before TensorFlow computes anything.

    Several workers in TF_CONFIG: MultiWorkerMirroredStrategy over all of their GPUs, or over
    their CPUs; it waits until all of them have started. Several GPUs: MirroredStrategy. One
    device: TensorFlow's default.

    Raises:
        UserError: If TF_CONFIG is malformed, or the workers can't come together.
    """
    cluster = read_cluster()
    if cluster:
        name = f"Worker {cluster.position + 1} of {len(cluster.addresses)}: "
        meet(cluster.addresses, cluster.position, say=lambda line: print(name + line, flush=True))
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except tf.errors.OpError as error:
            raise UserError(
                f"TF_CONFIG: the workers {', '.join(cluster.addresses)} did not come together: "
                f"{_first_line(error)}. Check that every address can be reached from every "
                "worker and its port is free, and start all of them again"
            ) from error
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def distribute(
    strategy: tf.distribute.Strategy, batches: tf.data.Dataset
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """Returns endless batches, each cut into one part for each replica.

    Every worker makes whole batches and keeps its rows: so the pictures of a step are the same
    however many workers there are. (`experimental_distribute_dataset` without sharding would give
    all workers the same rows, and with it rows of other batches.)

    Args:
        strategy: Has one or more replicas.
        batches: Endless; every tensor has as many rows as there are pictures in a batch, a
            multiple of the number of replicas.
    """
    if strategy.num_replicas_in_sync == 1:
        return batches

    def local_parts(context: tf.distribute.InputContext) -> tf.data.Dataset:
        replicas = context.num_replicas_in_sync
        local = replicas // context.num_input_pipelines
        first = context.input_pipeline_id * local

        def own_rows(*tensors: tf.Tensor) -> tuple[tf.Tensor, ...]:
            return tuple(
                tf.reshape(tensor, (replicas, -1, *tensor.shape[1:]))[first : first + local]
                for tensor in tensors
            )

        parts = batches.map(own_rows).unbatch().prefetch(2 * local)
        # Parts that may come to an end would have the workers ask each other at every step.
        endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
        return parts.apply(endless)

    return strategy.distribute_datasets_from_function(local_parts)


class Workers:
    """The processes of a run, of which this is one, and what they agree on.

    Every worker must make the same calls in the same order: each waits for the others. Where
    there is only one worker nothing waits.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        """Finds the place of this process among the strategy's workers."""
        # A graph: outside of one, TensorFlow would trace a new function at every call.
        self._reduce = tf.function(
            lambda values: strategy.reduce(tf.distribute.ReduceOp.SUM, values, axis=None)
        )
        resolver = strategy.cluster_resolver
        jobs = resolver.cluster_spec().as_dict() if resolver else {}
        chiefs, others = len(jobs.get("chief", [])), len(jobs.get("worker", []))
        self.count: int = max(chiefs + others, 1)
        self.position: int = 0
        if self.count > 1:
            self.position = resolver.task_id + (chiefs if resolver.task_type == "worker" else 0)

    @property
    def is_chief(self) -> bool:
        """Whether this worker evaluates, writes and speaks for all."""
        return self.position == 0

    def sums(self, values: Sequence[float]) -> list[float]:
        """Returns the sum over all workers of each of some numbers, which are float64."""
        if self.count == 1:
            return list(values)
        return self._reduce(tf.constant(values, tf.float64)).numpy().tolist()

    def say(self, line: str) -> None:
        """Prints a line at the chief alone."""
        if self.is_chief:
            print(line, flush=True)

    def from_chief(self, value: float) -> float:
        """Returns the chief's value at every worker; the others' values don't count."""
        return self.sums([value if self.is_chief else 0.0])[0]

    def asked_by_any(self, asked: Sequence[int], of: Sequence[int]) -> list[int]:
        """Returns which of the numbers `of` are among those `asked` at any worker."""
        counts = self.sums([float(number in asked) for number in of])
        return [number for number, count in zip(of, counts, strict=True) if count]

    def require_same(self, what: str, value: Any) -> None:
        """Makes sure that all workers have the same value.

        Args:
            what: Names it in the error.
            value: What JSON can hold.

        Raises:
            UserError: At every worker, if the chief has another value than some worker.
        """
        digest = float(zlib.crc32(json.dumps(value, sort_keys=True).encode()))
        differing = self.sums([float(digest != self.from_chief(digest))])[0]
        if differing:
            raise UserError(
                f"TF_CONFIG: {differing:.0f} of {self.count} workers have {what} other than the "
                "chief's. Give every worker the same command and the same shared folders"
            )

    def wait_for_all(self) -> None:
        """Returns when every worker has come here."""
        self.sums([0.0])


@contextmanager
def naming_lost_workers(workers: Workers, folder: str) -> Iterator[None]:
    """Turns what TensorFlow says when a worker is gone into one line.

    TensorFlow notices at once when a worker's process ends, and within about ten seconds when a
    machine falls silent.

    Args:
        workers: Of the run.
        folder: Where its checkpoints are.

    Raises:
        UserError: If a worker is lost inside.
    """
    try:
        yield
    except _LOST_WORKER_ERRORS as error:
        if workers.count == 1 or not any(word in str(error) for word in _LOST_WORKER_WORDS):
            raise
        raise UserError(
            f"Worker {workers.position + 1} of {workers.count} stops: another worker can't be "
            f"reached any more ({_reason(error)}). Start all workers again with the same "
            f"command: the run goes on from the last checkpoint in {folder}"
        ) from error


def _wrong(problem: str, text: str) -> UserError:
    shown = text if len(text) <= 200 else f"{text[:200]}…"
    return UserError(f"TF_CONFIG {problem}. Received: {shown}. Expected: like {_EXAMPLE}")


def _is_address(address: object) -> bool:
    if not isinstance(address, str):
        return False
    host, _, port = address.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 65536


def _reason(error: tf.errors.OpError) -> str:
    """What happened, out of TensorFlow's many lines."""
    words = "aborted by: "
    for line in str(error).splitlines():
        if words in line:
            return line.split(words, 1)[1].strip()
    return _first_line(error)


def _first_line(error: tf.errors.OpError) -> str:
    return first_line(error)
