"""Archives of other people: checked before they are used, unpacked without trust."""

import errno
import gzip
import hashlib
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from svhn.errors import UserError
from svhn.progress import progress

_BLOCK_BYTES = 1 << 20


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    size = path.stat().st_size
    with (
        path.open("rb") as file,
        progress(total=size, description=f"checking {path.name}", unit="B") as bar,
    ):
        bar.unit_scale = True
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            bar.update(len(block))
    return digest.hexdigest()


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks the files of a tar.gz into a folder.

    Only plain files and folders are taken, and only their contents: no owners, no permissions.

    Args:
        archive: The tar.gz file.
        folder: An empty folder. After an error it holds part of the files.

    Raises:
        UserError: If the archive is damaged, holds a link, a device or a path that leads outside
            the folder, or if the disk is full.
    """
    size = archive.stat().st_size
    try:
        with (
            archive.open("rb") as compressed,
            gzip.open(compressed) as stream,
            tarfile.open(fileobj=stream) as members,
            progress(total=size, description=f"unpacking {archive.name}", unit="B") as bar,
        ):
            bar.unit_scale = True
            for member in members:
                _unpack_member(archive, members, member, folder)
                bar.update(compressed.tell() - bar.n)
            while stream.read(_BLOCK_BYTES):  # to the end, where gzip keeps its checksum
                pass
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(
            f"{archive}: damaged or truncated ({error}); delete it and run the same command again"
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"{folder}: the disk is full; free some space and run the same command again"
            ) from error
        raise UserError(
            f"{archive}: cannot be unpacked ({error.strerror or error}); change the permissions of "
            f"{folder}, or give another folder"
        ) from error


def _unpack_member(
    archive: Path, members: tarfile.TarFile, member: tarfile.TarInfo, folder: Path
) -> None:
    name = PurePosixPath(member.name)
    # A backslash or a colon is a separator elsewhere, and never in an honest archive of photos.
    leaves_folder = name.is_absolute() or ".." in name.parts or set("\\:\0") & set(member.name)
    if leaves_folder or not (member.isfile() or member.isdir()):
        what = "leads outside the folder" if leaves_folder else "is not a plain file"
        raise UserError(
            f"{archive}: not unpacked, its member {member.name!r} {what}; this is not the official "
            "archive: delete it"
        )
    target = folder / name
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with members.extractfile(member) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file, _BLOCK_BYTES)
