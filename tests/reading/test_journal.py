import os
from pathlib import Path

import pytest

from svhn.errors import PictureError
from svhn.reading.journal import Entry, Journal, photo_identity
from tests.reading.conftest import save_photo


def entry(path: str, number: str = "75") -> Entry:
    return Entry("1 bytes", "settings", {"path": path, "number": number})


@pytest.fixture
def journal(tmp_path) -> Journal:
    return Journal(tmp_path / "journal.jsonl")


def test_entries_come_back_the_last_one_of_a_photo_counting(journal):
    assert journal.read() == {}
    odd = os.fsdecode(b"caf\xe9\n.png")
    for line in (entry("a.png"), entry(odd), entry("a.png", "76")):
        journal.append(line)
    assert journal.read() == {"a.png": entry("a.png", "76"), odd: entry(odd)}


def test_an_entry_is_there_at_once(journal):
    journal.append(entry("a.png"))
    assert Journal(journal.path).read() == {"a.png": entry("a.png")}


def test_what_a_killed_call_left_is_passed_over_wherever_it_was_cut(journal):
    journal.append(entry("a.png"))
    whole = journal.path.read_bytes()
    journal.append(entry("b.png"))
    both = journal.path.read_bytes()
    journal.close()
    for cut in range(len(whole), len(both) - 1):  # without its line break an entry is whole, too
        journal.path.write_bytes(both[:cut])
        assert list(journal.read()) == ["a.png"]
        journal.write(journal.read().values())
        journal.append(entry("c.png"))
        assert list(journal.read()) == ["a.png", "c.png"]
        journal.close()


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b"null", b'{"photo": "", "settings": "", "record": {}}', b"\xff{"]
)
def test_lines_that_are_no_entry_are_passed_over(journal, line):
    journal.path.write_bytes(line + b"\n")
    journal.append(entry("a.png"))
    assert list(journal.read()) == ["a.png"]


def test_writing_replaces_everything(journal):
    journal.append(entry("a.png"))
    journal.write([entry("b.png")])
    journal.append(entry("c.png"))
    assert list(journal.read()) == ["b.png", "c.png"]
    assert [path.name for path in journal.path.parent.iterdir()] == ["journal.jsonl"]


def test_identity_of_a_photo_changes_with_it(tmp_path):
    path = save_photo(tmp_path / "photo.png", 1)
    first = photo_identity(path)
    assert first == photo_identity(path) != ""
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1000))
    touched = photo_identity(path)
    assert touched != first
    times = path.stat()
    path.write_bytes(path.read_bytes() + b" ")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert photo_identity(path) != touched


def test_identity_of_a_photo_changes_with_its_box(tmp_path):
    path = save_photo(tmp_path / "photo.png", 1)
    identities = {
        photo_identity(path),
        photo_identity(path, lambda _: (1, 2, 3, 4)),
        photo_identity(path, lambda _: (1, 2, 3, 4.5)),
    }
    assert len(identities) == 3
    assert photo_identity(path, lambda _: None) == photo_identity(path)


def test_what_cannot_be_read_has_no_identity(tmp_path):
    def no_box(path: Path):
        raise PictureError("no box")

    assert photo_identity(tmp_path / "absent.png") == ""
    assert photo_identity(Path("null\0character.png")) == ""
    assert photo_identity(save_photo(tmp_path / "photo.png", 1), no_box) == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_once():
    journal = Journal(Path("/dev/full"))
    with pytest.raises(OSError, match="No space left"):
        journal.append(entry("a.png"))
    journal.close()
