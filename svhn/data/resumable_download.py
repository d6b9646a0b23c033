"""One file over HTTP, however often the connection breaks."""

import errno
import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

from svhn.command_line import warn
from svhn.errors import UserError
from svhn.progress import progress

ATTEMPTS = 4
"""Connections in a row that may fail without a single new byte."""

FIRST_WAIT_SECONDS = 1.0
"""The wait before the second attempt; it doubles with each further one."""

TIMEOUT_SECONDS = 30.0
_BLOCK_BYTES = 1 << 18
_BROKEN_CONNECTION = (OSError, http.client.HTTPException)


class UnreachableError(UserError):
    """The server can't be reached, or no connection to it lasts."""


def fetch(url: str, part: Path) -> None:
    """Downloads `url` into the file `part`, continuing where an earlier call was stopped.

    The length is checked where the server tells it. Other checks, and giving the file the name
    under which it counts as whole, are the caller's.

    Args:
        url: An address that starts with http:// or https://.
        part: The unfinished file; made if it isn't there.

    Raises:
        UnreachableError: If `ATTEMPTS` connections in a row bring nothing.
        UserError: If the server refuses, or the file can't be written.
    """
    failures = 0
    with progress(description=part.stem, unit="B") as bar:
        bar.unit_scale = True
        while True:
            before = _size(part)
            try:
                if _fetch_once(url, part, bar):
                    return
                reason = f"the connection ended after {_size(part):,} bytes"
            except _BROKEN_CONNECTION as error:
                reason = _reason(error)
            failures = 1 if _size(part) > before else failures + 1
            if failures == ATTEMPTS:
                raise UnreachableError(f"{url}: {reason}, after {ATTEMPTS} attempts")
            wait = FIRST_WAIT_SECONDS * 2 ** (failures - 1)
            warn(f"{url}: {reason}; trying again in {wait:g} s")
            time.sleep(wait)


def _fetch_once(url: str, part: Path, bar: tqdm) -> bool:
    """Adds to `part` what one connection brings; returns whether the file is then whole."""
    start = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                # Nothing lies beyond what is there: it is whole, or of another file.
                if _range_total(error) == start:
                    return True
                part.unlink()
                return False
            if error.code >= 500 or error.code == http.client.TOO_MANY_REQUESTS:
                raise
            raise UserError(
                f"{url}: the server answers {error.code} {error.reason}; check the address"
            ) from error
    with response:
        if response.status != http.client.PARTIAL_CONTENT:
            start = 0  # the server ignores ranges and sends the whole file
        elif _range_start(response) != start:
            raise http.client.HTTPException("the server sends another range than asked for")
        length = response.headers.get("Content-Length")
        total = start + int(length) if length and length.isdecimal() else None
        bar.total = total
        bar.n = start
        _check_space(part, total, start)
        _append(part, start, response, bar)
    return total is None or _size(part) == total


def _append(part: Path, start: int, response: http.client.HTTPResponse, bar: tqdm) -> None:
    try:
        with part.open("ab" if start else "wb") as file:
            while block := _receive(response):
                file.write(block)
                bar.update(len(block))
    except _ReceivingError as error:
        raise error.__cause__ from None
    except OSError as error:
        raise _writing_error(part, error) from error


class _ReceivingError(Exception):
    """Keeps an error of the connection apart from one of the disk: both may be an OSError."""


def _receive(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_BLOCK_BYTES)
    except _BROKEN_CONNECTION as error:
        raise _ReceivingError from error


def _check_space(part: Path, total: int | None, start: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - start > free:
        raise UserError(
            f"{part}: the disk has {free:,} bytes free, the download needs {total - start:,}; "
            "free some space and run the same command again"
        )


def _writing_error(part: Path, error: OSError) -> UserError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            f"{part}: the disk is full; free some space and run the same command again: it "
            "continues"
        )
    return UserError(
        f"{part}: cannot be written ({error.strerror or error}); change its permissions, or give "
        "another folder"
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _range_start(response: http.client.HTTPResponse) -> int | None:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _range_total(error: urllib.error.HTTPError) -> int | None:
    match = re.match(r"bytes \*/(\d+)", error.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", None) or error
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
