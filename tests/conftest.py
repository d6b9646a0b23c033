import signal

import pytest

from tests.warm_programs import WarmPrograms

# A shell's background jobs ignore Ctrl-C, and so would the programs that tests stop by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Starts the files with slow tests first: else a core would be idle while the last one runs."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def warm_programs(tmp_path_factory):
    """Starts programs of this project in processes of their own; see `tests.warm_programs`."""
    with WarmPrograms(tmp_path_factory.mktemp("programs")) as programs:
        yield programs
