import os
from pathlib import Path

import pytest

from svhn.files import UNFINISHED_NAME, locked, make_writable, outside, write_whole


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "results.json"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_the_disk_has_the_content_before_the_name(tmp_path, monkeypatch):
    path, on_disk = tmp_path / "manifest.json", []

    def fsync(descriptor):
        assert not path.exists()
        on_disk.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", fsync)
    write_whole(path, b"whole", on_disk=True)
    assert on_disk == [len(b"whole")]
    assert path.read_bytes() == b"whole"


def test_a_killed_writer_leaves_a_file_of_a_known_name(tmp_path, monkeypatch):
    # SIGKILL would run no clean-up.
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(TypeError):
        write_whole(tmp_path / "results.json", None)
    (left,) = tmp_path.iterdir()
    assert UNFINISHED_NAME.fullmatch(left.name)


def test_what_can_not_be_written_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "results.json"
    write_whole(path, b"old")
    with pytest.raises(TypeError):
        write_whole(path, None)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match="absent"):
        write_whole(tmp_path / "absent" / "results.json", b"new")


def test_one_alone_has_the_lock_of_a_folder(tmp_path):
    with locked(tmp_path) as is_alone:
        assert is_alone
        with locked(tmp_path) as is_alone:
            assert not is_alone
    with locked(tmp_path) as is_alone:
        assert is_alone


def test_a_folder_that_can_be_written_is_left_empty(tmp_path):
    make_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        make_writable(tmp_path / "file")


def test_paths_outside_of_folders(tmp_path):
    inner = tmp_path / "drawings"
    inner.mkdir()
    photo, drawing = tmp_path / "1.png", inner / "1.png"
    link = tmp_path / "link.png"
    link.symlink_to(drawing)
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    assert outside([photo, drawing, link, loop], inner, tmp_path / "none") == [photo, loop]
