import errno
import hashlib
import http.server
import io
import re
import subprocess
import sys
import tarfile
import threading
from collections import namedtuple

import numpy as np
import pytest

from svhn.data import archives, digit_struct, download, resumable_download
from svhn.errors import UserError

PHOTOS = [
    digit_struct.LabelledPhoto(f"{number}.png", (number,), np.ones((1, 4), np.float32))
    for number in range(1, 6)
]


class Server(http.server.ThreadingHTTPServer):
    """Serves `files` (path to bytes) on loopback, as badly as it is told to."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.requests = []  # (path, Range header) in the order in which they came
        self.break_after = []  # bytes after which the next answers break off
        self.ignore_range = False
        self.statuses = []  # statuses of the next answers, instead of the file
        self.url = f"http://127.0.0.1:{self.server_port}/housenumbers/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        requested = self.headers.get("Range")
        server.requests.append((self.path, requested))
        data = server.files.get(self.path)
        if server.statuses:
            return self.send_error(server.statuses.pop(0))
        if data is None:
            return self.send_error(404)
        start = int(re.match(r"bytes=(\d+)-", requested)[1]) if requested else 0
        if requested and not server.ignore_range:
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                return self.end_headers()
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            data = data[start:]
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: server.break_after.pop(0) if server.break_after else None])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(resumable_download, "FIRST_WAIT_SECONDS", 0.001)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def tar_gz(members):
    """A tar.gz with (name, bytes) as files and (TarInfo, bytes) as they are."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, data in members:
            if isinstance(member, str):
                member = tarfile.TarInfo(member)
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def folder_members(split, tmp_path, photos=PHOTOS):
    list_path = tmp_path / "written.mat"
    digit_struct.write_digit_struct(list_path, PHOTOS)
    random = np.random.default_rng(1)
    members = [(f"{split}/{photo.file_name}", random.bytes(20_000)) for photo in photos]
    return [*members, (f"{split}/digitStruct.mat", list_path.read_bytes())]


@pytest.fixture
def serve(server, tmp_path, monkeypatch):
    """Puts an archive on the server and makes its checksum the official one."""

    def serve(split="train", members=None):
        data = tar_gz(members or folder_members(split, tmp_path))
        server.files[f"/housenumbers/{split}.tar.gz"] = data
        monkeypatch.setitem(download.SHA256, split, hashlib.sha256(data).hexdigest())
        return data

    return serve


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def run(server, data_dir):
    def run(*splits, **settings):
        settings = {"base_url": server.url, **settings}
        config = download.DownloadConfig(str(data_dir), list(splits or ["train"]), **settings)
        return download.main(config)

    return run


def assert_whole(data_dir, split="train"):
    photos = digit_struct.read_digit_struct(data_dir / split / "digitStruct.mat")
    assert len(photos) == len(PHOTOS)
    assert sorted(file.name for file in (data_dir / split).iterdir()) == sorted(
        ["digitStruct.mat", *(photo.file_name for photo in PHOTOS)]
    )
    names = {path.name for path in data_dir.iterdir()}
    assert not [name for name in names if "unfinished" in name or name.endswith(".part")]


def test_splits_are_downloaded_and_unpacked(serve, run, data_dir, capsys):
    serve("train")
    serve("extra")
    assert run("train", "extra") == 0
    assert_whole(data_dir, "train")
    assert_whole(data_dir, "extra")
    assert "train: 5 photos in" in capsys.readouterr().out


def test_what_is_whole_is_not_asked_for_again(serve, run, data_dir, server, capsys):
    serve()
    run(keep_archives=False)
    assert not (data_dir / "train.tar.gz").exists()
    run()
    assert len(server.requests) == 1
    assert "whole already, 5 photos" in capsys.readouterr().out


def test_broken_download_continues_where_it_stopped(serve, run, data_dir, server):
    data = serve()
    server.break_after = [30_000, 0, 40_000]
    run()
    ranges = [requested for _, requested in server.requests]
    assert ranges == [None, "bytes=30000-", "bytes=30000-", "bytes=70000-"]
    assert (data_dir / "train.tar.gz").read_bytes() == data
    assert_whole(data_dir)


def test_killed_download_continues(serve, run, data_dir, server):
    data = serve()
    data_dir.mkdir()
    (data_dir / "train.tar.gz.part").write_bytes(data[:12_345])
    run()
    assert [requested for _, requested in server.requests] == ["bytes=12345-"]
    assert_whole(data_dir)


def test_whole_part_needs_no_more_bytes(serve, run, data_dir, server):
    data = serve()
    data_dir.mkdir()
    (data_dir / "train.tar.gz.part").write_bytes(data)
    run()
    assert len(server.requests) == 1
    assert_whole(data_dir)


def test_part_that_is_too_long_is_dropped(serve, run, data_dir):
    data = serve()
    data_dir.mkdir()
    (data_dir / "train.tar.gz.part").write_bytes(data + b"more")
    run()
    assert_whole(data_dir)


def test_server_that_ignores_ranges_sends_the_whole_again(serve, run, data_dir, server):
    data = serve()
    server.ignore_range = True
    server.break_after = [30_000]
    run()
    assert (data_dir / "train.tar.gz").read_bytes() == data
    assert_whole(data_dir)


def test_busy_server_is_asked_again(serve, run, data_dir, server):
    serve()
    server.statuses = [503, 429]
    run()
    assert_whole(data_dir)


def test_connection_that_never_lasts_ends_in_one_line(serve, run, data_dir, server):
    serve()
    server.break_after = [1000] + [0] * 20
    with pytest.raises(UserError, match=r"ended after 1,000 bytes.*run the same command again"):
        run()
    assert (data_dir / "train.tar.gz.part").stat().st_size == 1000
    assert len(server.requests) == 1 + resumable_download.ATTEMPTS - 1


def test_without_a_network_the_line_says_how_to_do_it_by_hand(run, data_dir, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError) as raised:
        run()
    message = str(raised.value)
    assert "refused" in message
    assert "http://ufldl.stanford.edu/housenumbers/train.tar.gz" in message
    assert str(data_dir / "train.tar.gz") in message
    assert "\n" not in message


def test_absent_archive_is_not_asked_for_twice(run, server):
    with pytest.raises(UserError, match=r"train.tar.gz: the server answers 404"):
        run()
    assert len(server.requests) == 1


def test_wrong_checksum_keeps_nothing(serve, run, data_dir, server):
    data = serve()
    server.files["/housenumbers/train.tar.gz"] = data[:-9] + b"x" + data[-8:]
    with pytest.raises(UserError, match=r"wrong checksum.*deleted: run the same command again"):
        run()
    assert list(data_dir.iterdir()) == []
    server.files["/housenumbers/train.tar.gz"] = data
    run()
    assert_whole(data_dir)


def test_archive_put_there_by_hand_is_unpacked_without_the_network(serve, run, data_dir, server):
    data_dir.mkdir()
    (data_dir / "train.tar.gz").write_bytes(serve())
    run()
    assert server.requests == []
    assert_whole(data_dir)


def test_wrong_archive_put_there_by_hand_is_named_and_kept(serve, run, data_dir):
    serve()
    data_dir.mkdir()
    (data_dir / "train.tar.gz").write_bytes(b"something else")
    with pytest.raises(UserError, match=r"train.tar.gz: wrong checksum.*delete .*train.tar.gz"):
        run()
    assert [path.name for path in data_dir.iterdir()] == ["train.tar.gz"]


@pytest.mark.parametrize("damage", ["cut", "trailer", "text"])
def test_damaged_archive_without_known_checksum(serve, run, data_dir, server, monkeypatch, damage):
    data = serve("extra")
    monkeypatch.setitem(download.SHA256, "extra", None)
    server.files["/housenumbers/extra.tar.gz"] = {
        "cut": data[: len(data) // 2],
        "trailer": data[:-8] + b"\0\0\0\0" + data[-4:],
        "text": b"<html>moved</html>",
    }[damage]
    with pytest.raises(UserError, match=r"extra.tar.gz: damaged or truncated.*delete it"):
        run("extra")
    assert [path.name for path in data_dir.iterdir()] == ["extra.tar.gz"]


def member(name, kind, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize(
    "evil",
    [
        ("../escaped.txt", b"x"),
        ("train/../../escaped.txt", b"x"),
        ("/tmp/svhn-escaped.txt", b"x"),
        ("train\\..\\escaped.txt", b"x"),
        (member("train/link", tarfile.SYMTYPE, "/etc"), b""),
        (member("train/link", tarfile.LNKTYPE, "../../escaped.txt"), b""),
        (member("train/pipe", tarfile.FIFOTYPE), b""),
    ],
)
def test_malicious_archive_leaves_nothing(serve, run, data_dir, tmp_path, evil):
    serve(members=[*folder_members("train", tmp_path), evil])
    with pytest.raises(UserError, match=r"train.tar.gz: not unpacked, its member"):
        run()
    assert [path.name for path in data_dir.iterdir()] == ["train.tar.gz"]
    assert not list(tmp_path.rglob("*escaped*"))


def test_archive_that_lacks_photos_is_not_taken_for_whole(serve, run, data_dir, tmp_path):
    serve(members=folder_members("train", tmp_path, PHOTOS[:3]))
    with pytest.raises(UserError, match=r"2 of its 5 photos are missing, the first is 4.png"):
        run()
    assert not (data_dir / "train").exists()


def test_killed_unpacking_is_done_again(serve, run, data_dir):
    data_dir.mkdir()
    (data_dir / "train.tar.gz").write_bytes(serve())
    unfinished = data_dir / ".train-unfinished" / "train"
    unfinished.mkdir(parents=True)
    (unfinished / "1.png").write_bytes(b"half")
    run()
    assert_whole(data_dir)
    assert (data_dir / "train" / "1.png").stat().st_size == 20_000


def test_folder_that_lost_photos_is_named(serve, run, data_dir):
    serve()
    run()
    (data_dir / "train" / "2.png").unlink()
    with pytest.raises(UserError, match=r"1 of its 5 photos are missing, the first is 2.png; move"):
        run()


def test_empty_folder_is_filled(serve, run, data_dir):
    serve()
    (data_dir / "train").mkdir(parents=True)
    run()
    assert_whole(data_dir)


def test_too_small_a_disk_is_told_before_the_download(serve, run, data_dir, monkeypatch):
    serve()
    usage = namedtuple("usage", "total used free")(100, 90, 10)
    monkeypatch.setattr(resumable_download.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match=r"the disk has 10 bytes free, the download needs"):
        run()
    assert list(data_dir.iterdir()) == []


def test_disk_that_fills_up_while_downloading(serve, run, data_dir):
    serve()
    data_dir.mkdir()
    (data_dir / "train.tar.gz.part").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"train.tar.gz.part: .*free some space"):
        run()


def test_disk_that_fills_up_while_unpacking(serve, run, data_dir, monkeypatch):
    serve()

    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archives.shutil, "copyfileobj", fail)
    with pytest.raises(UserError, match=r"the disk is full; free some space"):
        run()
    assert [path.name for path in data_dir.iterdir()] == ["train.tar.gz"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"splits": ["train", "tset"]}, r"--splits=train,tset: expected"),
        ({"splits": []}, r"--splits=: expected"),
        ({"base_url": "ftp://host"}, r"--base_url=ftp://host: expected http"),
    ],
)
def test_wrong_flags(data_dir, settings, expected):
    with pytest.raises(UserError, match=expected):
        download.main(download.DownloadConfig(str(data_dir), **settings))


def test_data_dir_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"--data_dir=.*file.*cannot be made"):
        download.main(download.DownloadConfig(str(tmp_path / "file" / "data")))


def test_from_the_shell_a_mistake_is_one_line(tmp_path):
    command = [sys.executable, "-m", "svhn.data.download", f"--data_dir={tmp_path}"]
    result = subprocess.run(
        [*command, "--splits=tset"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (
        "python -m svhn.data.download: error: --splits=tset: expected one or more of "
        "train,test,extra\n"
    )
