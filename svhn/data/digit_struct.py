"""`digitStruct.mat`: the file in which SVHN keeps names, digits and boxes of its photos.

It is a MATLAB v7.3 file, which is HDF5 behind a header of 512 bytes. `digitStruct` is an array
of MATLAB structs; its fields `name` and `bbox` are columns of references into the group
`#refs#`, one for each photo. A name is a column of UTF-16 code units. A `bbox` is a group with
the fields `height`, `left`, `top`, `width` and `label`: with one digit each is a plain 1×1
value, with more digits a column of references to 1×1 values. Label 10 means the digit 0.
(Source: http://ufldl.stanford.edu/housenumbers/, "Format 1", and the files themselves.)
"""

import contextlib
import dataclasses
import os
import string
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from svhn.data import hdf5_writer
from svhn.data.hdf5_objects import ObjectReader, UnknownLayoutError
from svhn.data.hdf5_writer import HDF5Writer, attribute
from svhn.errors import UserError
from svhn.images import has_picture_suffix
from svhn.natural_order import natural_key
from svhn.progress import progress

DIGIT_STRUCT_NAME = "digitStruct.mat"
"""The file's name in each of the folders train, test and extra."""

BOX_FIELDS = ("left", "top", "width", "height")
"""The columns of `LabelledPhoto.boxes`, as the fields of a `bbox` are called."""

_FIELDS = (*BOX_FIELDS, "label")
_LABEL_OF_ZERO = 10
_LABELS = np.arange(_LABEL_OF_ZERO + 1)
_PHOTOS_AT_ONCE = 8192
_MATLAB_FIELDS = ("height", "left", "top", "width", "label")
_CLASS = {
    name: attribute("MATLAB_class", name)
    for name in ("char", "double", "struct", "canonical empty")
}
_REFERENCES = "#refs#"
_USER_BLOCK_BYTES = 512
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HDF5_ERRORS = (
    AttributeError,
    KeyError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What h5py raises when it meets damaged bytes, and what follows from a reference to anything but
a data set."""


@dataclasses.dataclass(frozen=True, eq=False)
class LabelledPhoto:
    """What `digitStruct.mat` says about one photo.

    Attributes:
        file_name: The photo's file, relative to the folder of `digitStruct.mat`.
        digits: From left to right as listed, each 0 to 9; empty if the photo has none.
        boxes: float32 array of shape (N, 4), a row for each digit: left, top, width, height in
            pixels as the file has them; they may start outside the photo.
    """

    file_name: str
    digits: tuple[int, ...]
    boxes: np.ndarray


@dataclasses.dataclass(frozen=True)
class FolderComparison:
    """How a list of photos and a folder differ.

    Attributes:
        missing: File names that are listed and not on disk, in the order of the list.
        unlisted: Pictures that are on disk and not listed, in natural order.
    """

    missing: tuple[str, ...]
    unlisted: tuple[str, ...]


def compare_with_folder(photos: Iterable[LabelledPhoto], folder: Path | str) -> FolderComparison:
    """Returns which photos are listed and not in the folder, and the other way round.

    Args:
        photos: What `read_digit_struct` gave.
        folder: The folder that should hold them; subfolders are not searched.

    Raises:
        UserError: If the folder can't be listed.
    """
    folder = Path(folder)
    try:
        with os.scandir(folder) as entries:
            on_disk = {entry.name for entry in entries if entry.is_file()}
    except OSError as error:
        raise UserError(
            f"{folder}: cannot list the folder ({error.strerror}); expected a readable folder with "
            f"photos and {DIGIT_STRUCT_NAME}"
        ) from error
    listed = dict.fromkeys(photo.file_name for photo in photos)
    pictures = {name for name in on_disk if has_picture_suffix(Path(name))}
    return FolderComparison(
        missing=tuple(name for name in listed if name not in on_disk),
        unlisted=tuple(sorted(pictures.difference(listed), key=natural_key)),
    )


def read_digit_struct(path: Path | str, may_lack_digits: bool = False) -> list[LabelledPhoto]:
    """Returns what a `digitStruct.mat` says about its photos, in the order of the file.

    A photo without digits (an empty `bbox`) has empty `digits` and boxes of shape (0, 4), so
    that the caller can skip it and say why. A label 0 is read as 10 is: the digit 0.

    Args:
        path: The file, MATLAB v7.3.
        may_lack_digits: Whether all of its photos may be without digits.

    Raises:
        UserError: If the file is missing, not MATLAB v7.3, truncated or damaged, lists no photos
            or, unless it may, none with digits, lacks a field, or has a label or box that means
            nothing.
    """
    path = Path(path)
    _check_header(path)
    with _damage_as_user_error(path), h5py.File(path, "r") as file:
        photos = _read_photos(path, file)
    if not photos:
        raise UserError(f"{path}: digitStruct lists no photos; expected one entry for each photo")
    if not may_lack_digits and not any(photo.digits for photo in photos):
        raise UserError(
            f"{path}: none of its {len(photos)} photos has a digit; expected bbox.label with "
            "digits 1 to 9, and 10 for the digit 0"
        )
    return photos


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(_USER_BLOCK_BYTES + len(_HDF5_SIGNATURE))
    except FileNotFoundError:
        raise UserError(
            f"{path}: no such file; expected the {DIGIT_STRUCT_NAME} that belongs to the photos "
            "(python -m svhn.data.download fetches the official ones)"
        ) from None
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); expected a readable {DIGIT_STRUCT_NAME}"
        ) from error
    if start.startswith(b"MATLAB 5.0"):
        raise UserError(
            f"{path}: a MATLAB v5 file; expected MATLAB v7.3 (HDF5): load it in MATLAB and save "
            f"it with save('{DIGIT_STRUCT_NAME}', 'digitStruct', '-v7.3')"
        )
    if start.startswith(_HDF5_SIGNATURE) or start[_USER_BLOCK_BYTES:] == _HDF5_SIGNATURE:
        return
    if start.startswith(b"MATLAB 7.3") and len(start) < _USER_BLOCK_BYTES + len(_HDF5_SIGNATURE):
        raise UserError(f"{path}: truncated after {len(start)} bytes; copy or download it again")
    found = f"starts with {start[:16]!r}" if start else "is empty"
    raise UserError(
        f"{path}: not a MATLAB v7.3 (HDF5) file, it {found}; expected SVHN's {DIGIT_STRUCT_NAME}"
    )


@contextlib.contextmanager
def _damage_as_user_error(path: Path) -> Iterator[None]:
    try:
        yield
    except _HDF5_ERRORS as error:
        raise UserError(
            f"{path}: damaged or truncated ({_one_line(error)}); copy or download it again"
        ) from error


def _one_line(error: Exception) -> str:
    """The message of an exception of h5py or the system, without its number."""
    words = getattr(error, "strerror", None) or (error.args[0] if error.args else repr(error))
    return " ".join(str(words).split())


def _read_photos(path: Path, file: h5py.File) -> list[LabelledPhoto]:
    names, bboxes = _columns(path, file)
    if names is None:
        return []
    one_by_one = _EntryReader(path, file)
    if not (_is_references(names) and _is_references(bboxes)):
        # A 1×1 array of structs: MATLAB stores its only values in place.
        if _is_references(names) or _is_references(bboxes):
            raise UserError(f"{path}: digitStruct.name and .bbox disagree in length")
        return [one_by_one.read(1, names.id, bboxes.id)]
    if names.size != bboxes.size:
        raise UserError(
            f"{path}: digitStruct has {names.size} names and {bboxes.size} bboxes; expected as many"
        )
    photos = []
    with progress(total=names.size, description=path.name) as bar:
        for part in _read_in_parts(path, names, bboxes):
            for photo in part:
                photos.append(photo or one_by_one.read_listed(len(photos) + 1, names, bboxes))
                bar.update()
    return photos


def _columns(path: Path, file: h5py.File) -> tuple[h5py.HLObject | None, h5py.HLObject | None]:
    """The fields `name` and `bbox` of `digitStruct`; None for an empty array of structs."""
    struct = file.get("digitStruct")
    if struct is None:
        found = ", ".join(sorted(file)) or "nothing"
        raise UserError(f"{path}: no variable digitStruct; found: {found}")
    if isinstance(struct, h5py.Dataset):
        if "MATLAB_empty" in struct.attrs:
            return None, None
        raise UserError(f"{path}: digitStruct is not an array of structs")
    for field in ("name", "bbox"):
        if field not in struct:
            raise UserError(f"{path}: digitStruct has no field '{field}'")
    return struct["name"], struct["bbox"]


def _is_references(field: h5py.HLObject) -> bool:
    return isinstance(field, h5py.Dataset) and field.dtype == h5py.ref_dtype


def _read_in_parts(
    path: Path, names: h5py.Dataset, bboxes: h5py.Dataset
) -> Iterator[list[LabelledPhoto | None]]:
    """Yields the photos of the file, in parts; None for what must be read one by one."""
    try:
        objects = ObjectReader(path)
    except UnknownLayoutError:
        yield [None] * names.size
        return
    addresses = np.array([h5py.h5o.get_info(field.id).addr for field in (names, bboxes)])
    listed, counts, _ = objects.references(addresses.astype(np.int64))
    if counts.tolist() != [names.size, bboxes.size]:
        yield [None] * names.size
        return
    names_listed, bboxes_listed = np.split(listed, 2)
    for start in range(0, names.size, _PHOTOS_AT_ONCE):
        part = slice(start, start + _PHOTOS_AT_ONCE)
        yield _read_many(objects, names_listed[part], bboxes_listed[part])


def _read_many(
    objects: ObjectReader, names: np.ndarray, bboxes: np.ndarray
) -> list[LabelledPhoto | None]:
    """Returns the photos whose names and bboxes lie at the addresses.

    A photo that is not in every detail as expected is None: one by one, it is either read all the
    same or gives the error that says what is wrong.
    """
    file_names, understood = objects.texts(names)
    fields, has_fields = objects.members(bboxes, _FIELDS)
    understood &= has_fields

    # One row for each field of each photo: one plain value, or references to many.
    fields = fields.reshape(-1)
    plain, is_plain = objects.doubles(fields)
    is_column = ~is_plain
    references, counts, is_column[is_column] = objects.references(fields[is_column])
    lengths = is_plain.astype(np.int64)
    lengths[np.flatnonzero(~is_plain)] = counts
    length_table = lengths.reshape(-1, len(_FIELDS))
    understood &= (length_table > 0).all(axis=1)
    understood &= (length_table == length_table[:, :1]).all(axis=1)

    # One row for each value, in the order: photo, field, digit.
    from_column = np.repeat(is_column, lengths)
    values, known = np.empty(len(from_column)), np.ones(len(from_column), bool)
    values[from_column], known[from_column] = objects.doubles(references)
    values[~from_column] = plain[is_plain]
    is_label = np.repeat(np.arange(len(lengths)) % len(_FIELDS) == _FIELDS.index("label"), lengths)
    sensible = np.where(is_label, np.isin(values, _LABELS), _fits_float32(values))
    photo_of_value = np.repeat(np.arange(len(names)), length_table.sum(axis=1))
    understood[photo_of_value[~(sensible & known)]] = False

    ends = np.cumsum(length_table.sum(axis=1)).tolist()
    photos: list[LabelledPhoto | None] = []
    start = 0
    for file_name, end, is_understood in zip(file_names, ends, understood.tolist(), strict=True):
        photo = None
        if is_understood and file_name.isprintable():
            table = values[start:end].reshape(len(_FIELDS), -1)
            photo = _labelled_photo(file_name, table[:-1].T, table[-1].tolist())
        photos.append(photo)
        start = end
    return photos


def _fits_float32(values: np.ndarray) -> np.ndarray:
    return np.abs(values) <= np.finfo(np.float32).max  # false for NaN and infinities too


def _labelled_photo(file_name: str, boxes: np.ndarray, labels: list[float]) -> LabelledPhoto:
    digits = tuple([int(label) % _LABEL_OF_ZERO for label in labels])
    return LabelledPhoto(file_name, digits, boxes.astype(np.float32, order="C"))


class _EntryReader:
    """Reads one entry at a time through the HDF5 library, and says what is wrong with it."""

    def __init__(self, path: Path, file: h5py.File):
        self._path = path
        self._file = file.id
        self._listed: list[np.ndarray] = []

    def read_listed(self, entry: int, names: h5py.Dataset, bboxes: h5py.Dataset) -> LabelledPhoto:
        """Returns the photo to which the columns of references refer at `entry`, from 1."""
        self._listed = self._listed or [field[()].reshape(-1) for field in (names, bboxes)]
        name, bbox = (
            h5py.h5r.dereference(column[entry - 1], self._file) for column in self._listed
        )
        return self.read(entry, name, bbox)

    def read(
        self, entry: int, name: h5py.h5d.DatasetID, bbox: h5py.h5g.GroupID | h5py.h5d.DatasetID
    ) -> LabelledPhoto:
        """Returns the photo.

        Args:
            entry: Its place in the file, from 1, for messages.
            name: The dataset of its name.
            bbox: Its struct; an empty one is a dataset.
        """
        file_name = self._text(name)
        where = f"{self._path}: entry {entry} ({file_name})"
        if not file_name or not file_name.isprintable():
            raise UserError(
                f"{self._path}: entry {entry}: name {file_name!r}; expected the photo's file name"
            )
        if isinstance(bbox, h5py.h5d.DatasetID):
            return LabelledPhoto(file_name, (), np.zeros((0, 4), np.float32))
        values = {}
        for field in _FIELDS:
            if field.encode() not in bbox:
                raise UserError(f"{where}: bbox has no field '{field}'")
            values[field] = self._numbers(h5py.h5d.open(bbox, field.encode()))
        if len({len(numbers) for numbers in values.values()}) > 1:
            found = ", ".join(f"{len(numbers)} {field}" for field, numbers in values.items())
            raise UserError(f"{where}: the fields of bbox disagree in length: {found}")
        labels = values["label"]
        if not np.isin(labels, _LABELS).all():
            raise UserError(f"{where}: labels {labels}; expected 1 to 9, and 10 for the digit 0")
        boxes = np.array([values[field] for field in BOX_FIELDS], np.float64).T
        if not _fits_float32(boxes).all():
            raise UserError(f"{where}: box {boxes.tolist()}; expected finite numbers")
        return _labelled_photo(file_name, boxes, labels)

    def _text(self, dataset: h5py.h5d.DatasetID) -> str:
        if h5py.h5a.exists(dataset, b"MATLAB_empty"):
            return ""
        code_units = np.empty(dataset.shape, np.uint16)
        dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, code_units)
        return code_units.tobytes().decode("utf-16-le", errors="replace")

    def _numbers(self, dataset: h5py.h5d.DatasetID) -> list[float]:
        if h5py.h5a.exists(dataset, b"MATLAB_empty"):
            return []
        is_references = dataset.get_type().get_class() == h5py.h5t.REFERENCE
        numbers = np.empty(dataset.shape, h5py.ref_dtype if is_references else np.float64)
        dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, numbers)
        if not is_references:
            return numbers.reshape(-1).tolist()
        targets = (h5py.h5r.dereference(value, self._file) for value in numbers.reshape(-1))
        return [number for target in targets for number in self._numbers(target)]


def write_digit_struct(path: Path | str, photos: Sequence[LabelledPhoto]) -> None:
    """Writes a `digitStruct.mat` with the structure that MATLAB gives it.

    The same photos give the same bytes. The file appears under its name only when it is whole.

    Args:
        path: The file; it is replaced if it exists.
        photos: In the order in which they shall be listed.

    Raises:
        ValueError: If there are no photos, or digits and boxes of one disagree.
        UserError: If the file can't be written.
    """
    path = Path(path)
    if not photos:
        raise ValueError("A digitStruct.mat needs at least one photo. Received: 0 photos")
    for photo in photos:
        if np.shape(photo.boxes) != (len(photo.digits), 4):
            raise ValueError(
                f"{photo.file_name}: expected boxes of shape ({len(photo.digits)}, 4), one for "
                f"each digit. Received: {np.shape(photo.boxes)}"
            )
        if not all(0 <= digit <= 9 for digit in photo.digits):
            raise ValueError(f"{photo.file_name}: a digit must be 0 to 9: {photo.digits}")
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            _MatlabWriter(file).write(photos)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({_one_line(error)}); expected a folder with space in it"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


class _MatlabWriter:
    """Writes MATLAB's values as HDF5 objects; the methods return their addresses.

    The argument `place` is the attribute that tells the path of a value in `#refs#`; the fields
    of a struct have none.
    """

    def __init__(self, file: BinaryIO):
        self._hdf5 = HDF5Writer(file, _user_block())
        self._referenced: list[tuple[str, int]] = []
        self._names = _reference_names()

    def write(self, photos: Sequence[LabelledPhoto]) -> None:
        # MATLAB keeps the name 'a' for the empty value that other variables may refer to.
        empty = self._empty("canonical empty")
        self._referenced.append((next(self._names), empty))
        if len(photos) == 1:  # the only values of a 1×1 struct stand in place
            name, bbox = self._text(photos[0].file_name), self._bbox(photos[0])
        else:
            names, bboxes = [], []
            for photo in progress(photos, description=f"writing {DIGIT_STRUCT_NAME}"):
                names.append(self._refer(self._text, photo.file_name))
                bboxes.append(self._refer(self._bbox, photo))
            name, bbox = self._references(names), self._references(bboxes)
        struct = self._struct({"name": name, "bbox": bbox})
        references = self._hdf5.group(self._referenced)
        self._hdf5.finish([("digitStruct", struct), (_REFERENCES, references)])

    def _refer(self, write: Callable[[Any, bytes], int], value: Any) -> int:
        """Writes a value into `#refs#`."""
        name = next(self._names)
        address = write(value, attribute("H5PATH", f"/{_REFERENCES}/{name}"))
        self._referenced.append((name, address))
        return address

    def _text(self, text: str, place: bytes = b"") -> int:
        code_units = text.encode("utf-16-le")
        decoded_as = attribute("MATLAB_int_decode", np.int32(2))
        attributes = (place, _CLASS["char"], decoded_as)
        return self._hdf5.dataset(
            hdf5_writer.UINT16, (len(code_units) // 2, 1), code_units, attributes
        )

    def _bbox(self, photo: LabelledPhoto, place: bytes = b"") -> int:
        if not photo.digits:
            return self._empty("struct", place, self._fields(_MATLAB_FIELDS))
        columns = dict(zip(BOX_FIELDS, np.asarray(photo.boxes, np.float64).T.tolist(), strict=True))
        columns["label"] = [float(digit or _LABEL_OF_ZERO) for digit in photo.digits]
        fields = {}
        for field in _MATLAB_FIELDS:
            if len(photo.digits) == 1:
                fields[field] = self._double(columns[field][0])
            else:
                values = [self._refer(self._double, value) for value in columns[field]]
                fields[field] = self._references(values)
        return self._struct(fields, place)

    def _double(self, value: float, place: bytes = b"") -> int:
        data = struct.pack("<d", value)
        return self._hdf5.dataset(hdf5_writer.FLOAT64, (1, 1), data, (place, _CLASS["double"]))

    def _references(self, addresses: Sequence[int]) -> int:
        data = np.array(addresses, "<i8").tobytes()
        return self._hdf5.dataset(hdf5_writer.REFERENCE, (len(addresses), 1), data)

    def _struct(self, fields: dict[str, int], place: bytes = b"") -> int:
        return self._hdf5.group(
            fields.items(), (place, _CLASS["struct"], self._fields(tuple(fields)))
        )

    def _fields(self, names: tuple[str, ...]) -> bytes:
        return self._hdf5.list_attribute("MATLAB_fields", names)

    def _empty(self, matlab_class: str, place: bytes = b"", fields: bytes = b"") -> int:
        """MATLAB writes an array without elements as a vector of its dimensions, and says so."""
        is_empty = attribute("MATLAB_empty", np.uint8(1))
        attributes = (place, _CLASS[matlab_class], is_empty, fields)
        return self._hdf5.dataset(hdf5_writer.UINT64, (2,), bytes(16), attributes)


def _user_block() -> bytes:
    """MATLAB's header: text, subsystem offset, version, byte order; then zeros.

    The time is fixed, so that the same photos give the same bytes.
    """
    text = (
        "MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 1970 "
        "HDF5 schema 1.00 ."
    )
    header = text.ljust(116).encode() + bytes(8) + b"\x00\x02IM"
    return header.ljust(_USER_BLOCK_BYTES, b"\0")


def _reference_names() -> Iterator[str]:
    """Names as MATLAB gives them: a, b, …, z, A, …, Z, 1, …, 9, 0, ab, bb, …"""
    alphabet = f"{string.ascii_letters}1234567890"
    yield from alphabet
    for ending in _reference_names():
        if ending != "a":
            yield from (letter + ending for letter in alphabet)
