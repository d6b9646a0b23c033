import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from svhn.errors import UserError
from svhn.training.rendezvous import meet
from tests.training.workers import free_addresses


def meet_in_threads(calls):
    """Calls `meet` with each of some arguments at the same time; returns errors or None."""

    def error_of(arguments):
        try:
            meet(*arguments, say=lambda line: None)
        except UserError as error:
            return error
        return None

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(error_of, calls))


def test_all_go_on_together_and_the_port_is_free_again():
    addresses = free_addresses(3)
    for _ in range(2):
        errors = meet_in_threads([(addresses, position, 20) for position in (1, 2, 0)])
        assert errors == [None] * 3


def test_the_one_who_is_missing_is_named():
    addresses = free_addresses(3)
    errors = meet_in_threads([(addresses, 0, 2), (addresses, 1, 2)])
    assert f"worker 3 ({addresses[2]})" in str(errors[0])
    assert "worker 2" not in str(errors[0])
    assert "\n" not in str(errors[0])
    assert f"the chief at {addresses[0]}" in str(errors[1])


def test_a_worker_that_was_told_of_others_is_refused():
    addresses = free_addresses(2)
    errors = meet_in_threads([(addresses, 0, 5), ([addresses[0], "elsewhere:1"], 1, 2)])
    assert "elsewhere:1" in str(errors[0])


def test_a_port_that_is_taken_is_named():
    addresses = free_addresses(2)
    host, port = addresses[0].split(":")
    with socket.create_server((host, int(port))), pytest.raises(UserError, match=addresses[0]):
        meet(addresses, 0, 5, say=lambda line: None)


def test_a_stranger_at_the_port_does_no_harm():
    addresses = free_addresses(2)
    host, port = addresses[0].split(":")
    with ThreadPoolExecutor(2) as threads:
        chief = threads.submit(meet, addresses, 0, 20, lambda line: None)
        for _ in range(50):
            try:
                with socket.create_connection((host, int(port)), timeout=5) as stranger:
                    stranger.sendall(b"GET / HTTP/1.0\r\n\r\n")
                break
            except ConnectionRefusedError:
                continue
        threads.submit(meet, addresses, 1, 20, lambda line: None).result()
        chief.result()
