"""Which photos a program of this folder works on."""

from pathlib import Path

from svhn.errors import UserError
from svhn.files import outside
from svhn.images import find_pictures


def photos_outside(pattern: str, *written: Path) -> list[Path]:
    """Returns the pictures that a pattern names, without what an earlier call has written.

    Args:
        pattern: `--photos`, as `svhn.images.find_pictures` takes it.
        written: The folders that the program writes to.

    Raises:
        UserError: If there is none.
    """
    paths = outside(find_pictures(pattern), *written)
    if not paths:
        raise UserError(
            f"--photos={pattern}: the only pictures there are what this program has written into"
            f" {' and '.join(map(str, written))}. Name a folder with photos"
        )
    return paths
