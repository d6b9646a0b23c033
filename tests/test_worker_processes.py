import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from svhn.errors import UserError
from svhn.worker_processes import in_order, usable_cores

ENDLESS = """
import time
from svhn.worker_processes import in_order
from tests.test_worker_processes import tell_and_wait

if __name__ == "__main__":
    list(in_order(tell_and_wait, range(4), 2))
"""


def square_slowly(number):
    time.sleep(0.2 * (number % 2 == 0))  # later tasks are done first
    return number**2


def own_process(_):
    return os.getpid()


def die_of_three(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def fail_of_three(number):
    if number == 3:
        raise ValueError("three")
    return number


def tell_and_wait(_):
    print(os.getpid(), flush=True)
    time.sleep(60)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_tasks(workers):
    assert list(in_order(square_slowly, range(9), workers)) == [n**2 for n in range(9)]


def test_one_worker_is_this_process():
    assert set(in_order(own_process, range(3), 1)) == {os.getpid()}
    assert os.getpid() not in set(in_order(own_process, range(3), 2))


def test_no_more_workers_than_cores_that_may_be_used():
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system has no affinities")
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert usable_cores() == 1
        assert set(in_order(own_process, range(3), 0)) == {os.getpid()}
    finally:
        os.sched_setaffinity(0, before)


def test_a_worker_that_is_killed_is_told_and_nobody_waits_for_it():
    results = in_order(die_of_three, range(50), 2)
    with pytest.raises(UserError, match=r"worker process was killed.*--workers=2"):
        list(results)


def test_an_error_of_a_task_is_raised():
    results = in_order(fail_of_three, range(50), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    program = tmp_path / "endless.py"
    program.write_text(ENDLESS)
    root = str(Path(__file__).resolve().parents[1])
    parent = subprocess.Popen(
        [sys.executable, program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    try:
        workers = [int(parent.stdout.readline()) for _ in range(2)]
    finally:
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 20
    while any(_runs(worker) for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/status")
    return not (status.exists() and "State:\tZ" in status.read_text())
