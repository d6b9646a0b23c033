"""Where in a photo the number is."""

from collections.abc import Callable, Sequence
from pathlib import Path

from svhn.data.digit_struct import DIGIT_STRUCT_NAME, LabelledPhoto, read_digit_struct
from svhn.errors import PictureError
from svhn.geometry import union_box

BoxFinder = Callable[[Path], Sequence[float] | None]
"""From a photo's path to the tight box around its digits (left, top, width, height, pixels), or
None for the whole photo. Raises `PictureError` if the photo can't be read for want of a box."""


def whole_photo(path: Path) -> None:
    """Finds no box: the whole photo is the number."""


def labelled_boxes(paths: Sequence[Path]) -> BoxFinder:
    """Returns a finder that takes the digits' boxes of the `digitStruct.mat` beside each photo.

    Args:
        paths: The photos that will be asked for; their folders' labels are read now.

    Raises:
        UserError: If a folder has no `digitStruct.mat`, or a damaged one.
    """
    photos: dict[Path, dict[str, LabelledPhoto]] = {}
    for folder in dict.fromkeys(path.parent for path in paths):
        listed = read_digit_struct(folder / DIGIT_STRUCT_NAME)
        photos[folder] = {photo.file_name: photo for photo in listed}

    def find(path: Path) -> Sequence[float]:
        photo = photos[path.parent].get(path.name)
        if photo is None or not photo.digits:
            raise PictureError(
                f"{path}: {path.parent / DIGIT_STRUCT_NAME} has no box for it. Read it with "
                "--boxes=whole, or with a --box of its own"
            )
        return tuple(union_box(photo.boxes).tolist())

    return find
