"""Many small HDF5 objects at once, straight from the bytes of the file.

The HDF5 library takes about a tenth of a millisecond to open one object, and a `digitStruct.mat`
has half a million. All of them are of a few kinds, so this module reads the bytes of thousands
at a time with NumPy. It knows only the layout in which MATLAB and h5py write such objects
(HDF5 File Format Specification 3.0: superblock 0, object headers 1, symbol tables, compact and
contiguous data), checks every byte that tells the layout, and says of each object whether it
looked like that. What did not is for the caller to read through the library.
"""

from pathlib import Path

import numpy as np

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SUPERBLOCK_STARTS = (0, 512, 1024, 2048)

_DATASPACE, _DATATYPE, _LAYOUT, _CONTINUATION, _SYMBOL_TABLE = 0x1, 0x3, 0x8, 0x10, 0x11
_MOST_MESSAGES = 16
"""Messages of one object header that are looked at; the ones wanted come first."""

_FLOAT64 = bytes.fromhex("11203f000800000000004000340b0034ff030000")
_UINT16 = bytes.fromhex("100000000200000000001000")
_REFERENCE = bytes.fromhex("1700000008000000")
"""Datatype messages, byte for byte: little-endian IEEE double, uint16, object reference."""

_SYMBOL_NODE_ENTRIES = 8
_SYMBOL_NODE_ENTRY_BYTES = 40


class UnknownLayoutError(Exception):
    """The file is HDF5 of a version that this module doesn't know."""


class ObjectReader:
    """Reads objects by address; the arrays of addresses and results run in parallel.

    An address is what an object reference holds: bytes from the start of the superblock.
    Addresses of anything else, or beyond the end of the file, are safe: the object is reported as
    not understood.
    """

    def __init__(self, path: Path):
        """Opens the file.

        Raises:
            UnknownLayoutError: If its superblock is not of the version that MATLAB writes.
        """
        self._bytes = np.asarray(np.memmap(path, np.uint8, "r"))
        self._base = self._find_superblock()
        # Views with a stride of one byte: element i is the integer that starts at byte i.
        self._uint16 = self._view("<u2")
        self._uint32 = self._view("<u4")
        self._int64 = self._view("<i8")
        self._float64 = self._view("<f8")

    def _find_superblock(self) -> int:
        for start in _SUPERBLOCK_STARTS:
            block = self._bytes[start : start + 32].tobytes()
            if block.startswith(_SIGNATURE):
                version, size_of_offsets, size_of_lengths = block[8], block[13], block[14]
                base = int.from_bytes(block[24:32], "little")
                if (version, size_of_offsets, size_of_lengths, base) == (0, 8, 8, start):
                    return start
                break
        raise UnknownLayoutError

    def _view(self, kind: str) -> np.ndarray:
        count = max(0, len(self._bytes) - np.dtype(kind).itemsize + 1)
        return np.ndarray((count,), kind, self._bytes, strides=(1,))

    def doubles(self, addresses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the values of 1×1 datasets of doubles.

        Args:
            addresses: int64 array of shape (N,).

        Returns:
            (values, understood): float64 and bool arrays of shape (N,); a value that was not
            understood is 0.
        """
        data, count, understood = self._datasets(addresses, _FLOAT64)
        understood &= count == 1
        return np.where(understood, self._take(self._float64, data), 0.0), understood

    def references(self, addresses: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the addresses that datasets of object references hold.

        Args:
            addresses: int64 array of shape (N,).

        Returns:
            (values, counts, understood): int64 array with the references of all datasets, one
            dataset after the other; int64 array of shape (N,) with how many each has (0 where
            not understood); bool array of shape (N,).
        """
        data, counts, understood = self._datasets(addresses, _REFERENCE)
        values = self._take(self._int64, _element_positions(data, counts, 8))
        return values, counts, understood

    def texts(self, addresses: np.ndarray) -> tuple[list[str], np.ndarray]:
        """Returns the texts of datasets of UTF-16 code units.

        Args:
            addresses: int64 array of shape (N,).

        Returns:
            (texts, understood): a list of N texts, "" where not understood; bool array of
            shape (N,).
        """
        data, counts, understood = self._datasets(addresses, _UINT16)
        units = self._take(self._uint16, _element_positions(data, counts, 2))
        encoded = units.astype("<u2").tobytes()
        ends = np.cumsum(2 * counts).tolist()
        starts = [0, *ends[:-1]]
        texts = [
            encoded[start:end].decode("utf-16-le", errors="replace")
            for start, end in zip(starts, ends, strict=True)
        ]
        return texts, understood

    def members(
        self, addresses: np.ndarray, names: tuple[str, ...]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the addresses of groups' members.

        Args:
            addresses: int64 array of shape (N,).
            names: Names of members, each at most 7 characters of ASCII.

        Returns:
            (members, understood): int64 array of shape (N, len(names)); bool array of shape
            (N,), true where the group has all of them.
        """
        messages, understood = self._messages(addresses, (_SYMBOL_TABLE,))
        table = messages[_SYMBOL_TABLE]
        tree = self._base + self._take(self._int64, table)
        heap = self._base + self._take(self._int64, table + 8)
        # A group of few members has one leaf: "TREE", node type 0, level 0, one child.
        understood &= self._take(self._int64, tree) == _as_integer(b"TREE\0\0\1\0")
        understood &= self._take(self._int64, heap) == _as_integer(b"HEAP\0\0\0\0")
        node = self._base + self._take(self._int64, tree + 32)
        heap_data = self._base + self._take(self._int64, heap + 24)
        understood &= self._take(self._uint32, node) == _as_integer(b"SNOD")
        count = self._take(self._uint16, node + 6)
        found = np.zeros((len(addresses), len(names)), np.int64)
        for row in range(_SYMBOL_NODE_ENTRIES):
            entry = node + 8 + row * _SYMBOL_NODE_ENTRY_BYTES
            start = self._take(self._int64, heap_data + self._take(self._int64, entry))
            member = self._take(self._int64, entry + 8)
            for column, name in enumerate(names):
                stored = name.encode() + b"\0"
                mask = (1 << 8 * len(stored)) - 1
                same = (row < count) & ((start & mask) == _as_integer(stored))
                found[same, column] = member[same]
        return found, understood & (found > 0).all(axis=1)

    def _datasets(
        self, addresses: np.ndarray, datatype: bytes
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positions of the data, numbers of elements, and whether a dataset is as expected.

        Expected are two dimensions, the data type, and all data within the file; otherwise the
        number of elements is 0.
        """
        wanted = (_DATASPACE, _DATATYPE, _LAYOUT)
        messages, understood = self._messages(addresses, wanted)
        space, kind, layout = (messages[message] for message in wanted)
        for index, word in enumerate(np.frombuffer(datatype, "<u4").tolist()):
            understood &= self._take(self._uint32, kind + 4 * index) == word
        # Version 1, two dimensions; the flags only say whether their limits are stored too.
        understood &= self._take(self._uint16, space) == 0x0201
        rows = self._take(self._int64, space + 8)
        columns = self._take(self._int64, space + 16)
        for dimension in (rows, columns):
            understood &= (dimension > 0) & (dimension < len(self._bytes))
        count = rows * columns
        # Version 3; class 0 has its data in the message itself, class 1 elsewhere.
        version_and_class = self._take(self._uint16, layout)
        compact = version_and_class == 0x0003
        understood &= compact | (version_and_class == 0x0103)
        data = np.where(compact, layout + 4, self._base + self._take(self._int64, layout + 2))
        stored = np.where(
            compact, self._take(self._uint16, layout + 2), self._take(self._int64, layout + 10)
        )
        item_bytes = int.from_bytes(datatype[4:8], "little")
        understood &= stored == count * item_bytes
        understood &= (data > self._base) & (data <= len(self._bytes) - stored)
        return data, np.where(understood, count, 0), understood

    def _messages(
        self, addresses: np.ndarray, wanted: tuple[int, ...]
    ) -> tuple[dict[int, np.ndarray], np.ndarray]:
        """Positions of the wanted messages' bodies, and which object headers have all of them.

        A header is a chain of blocks: a message in one may say where the next one lies.
        """
        header = self._base + addresses
        inside = (addresses > 0) & (addresses < len(self._bytes))
        inside &= self._take(self._bytes, header) == 1
        count = np.where(inside, self._take(self._uint16, header + 2), 0)
        position = header + 16
        end = position + self._take(self._uint32, header + 8)
        next_position = next_end = np.zeros(len(addresses), np.int64)
        found = {message: np.zeros(len(addresses), np.int64) for message in wanted}
        complete = np.zeros(len(addresses), bool)
        for index in range(_MOST_MESSAGES):
            at_end = position >= end
            position = np.where(at_end, next_position, position)
            end = np.where(at_end, next_end, end)
            present = (index < count) & (position < end) & ~complete
            if not present.any():
                break
            message = self._take(self._uint16, position)
            body = position + 8
            for kind, bodies in found.items():
                np.copyto(bodies, body, where=present & (message == kind))
            complete = np.all([bodies > 0 for bodies in found.values()], axis=0)
            continues = present & (message == _CONTINUATION)
            next_position = np.where(
                continues, self._base + self._take(self._int64, body), next_position
            )
            next_end = np.where(
                continues, next_position + self._take(self._int64, body + 8), next_end
            )
            position = body + self._take(self._uint16, position + 2)
        return found, complete

    @staticmethod
    def _take(view: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Elements at the positions; outside the file those at its ends, where nothing fits."""
        # Not np.take: it would first copy a view that is not aligned.
        values = view[np.clip(positions, 0, len(view) - 1)]
        return values if values.dtype == np.float64 else values.astype(np.int64, copy=False)


def _element_positions(starts: np.ndarray, counts: np.ndarray, item_bytes: int) -> np.ndarray:
    """Positions of all elements of all runs, one run after the other."""
    firsts = np.cumsum(counts) - counts
    within = np.arange(counts.sum()) - np.repeat(firsts, counts)
    return np.repeat(starts, counts) + item_bytes * within


def _as_integer(text: bytes) -> int:
    return int.from_bytes(text, "little")
