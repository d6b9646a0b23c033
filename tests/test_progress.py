import fcntl
import io
import os
import pty
import re
import struct
import termios

import pytest

from svhn.progress import progress

DESCRIPTION = "reading the photos of a folder with a name that is rather long"


@pytest.fixture
def terminal(monkeypatch):
    """Makes standard error a terminal of some size; returns what reads the screen."""
    ends = []

    def make(columns, lines=24):
        reading, writing = pty.openpty()
        fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        screen, watched = os.fdopen(writing, "w"), os.fdopen(reading, "rb", buffering=0)
        ends.extend((screen, watched))
        monkeypatch.setattr("sys.stderr", screen)

        def drawn():
            """All that stood on the screen, one after the other."""
            print("the end", file=screen, flush=True)
            written = b""
            while b"the end" not in written:
                written += watched.read(1000)
            lines = re.split(r"[\r\n]+", written.decode().partition("the end")[0])
            return [line.rstrip() for line in lines if line.strip()]

        return drawn

    yield make
    for end in ends:
        end.close()


@pytest.mark.parametrize(
    ("columns", "lines", "widest"), [(0, 0, 80), (0, 24, 80), (50, 24, 50), (200, 24, 200)]
)
def test_a_bar_fits_into_the_terminal(terminal, columns, lines, widest):
    drawn = terminal(columns, lines)
    with progress(total=3, description=DESCRIPTION, delay_seconds=0) as bar:
        bar.update(2)
        bar.refresh()
    bars = drawn()
    assert 0 < max(map(len, bars)) <= widest
    if widest > len(DESCRIPTION) + 4:
        assert any("67%" in bar for bar in bars)


def test_a_terminal_that_does_not_tell_its_size_gets_a_bar(terminal):
    drawn = terminal(0, 0)
    with progress(total=3, description="reading", delay_seconds=0) as bar:
        bar.update(2)
        bar.refresh()
    assert any("67%|███" in line for line in drawn())


def test_a_log_file_and_what_is_not_to_be_shown_get_no_bar(terminal, monkeypatch):
    drawn = terminal(80)
    with progress(range(3), delay_seconds=0, shown=False) as bar:
        assert list(bar) == [0, 1, 2]
    assert drawn() == []

    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    with progress(range(3), delay_seconds=0) as bar:
        assert list(bar) == [0, 1, 2]
    assert log.getvalue() == ""
