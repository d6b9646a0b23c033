"""Writes HDF5 files that consist of very many small objects, many times as fast as the library.

A `digitStruct.mat` of the official size has half a million objects, and the HDF5 library takes
about 0.1 ms for each. Here they are packed as bytes, in the layout in which MATLAB writes them
(HDF5 File Format Specification 3.0: superblock 0, object headers 1, symbol tables). A file is
written from its leaves to its root: whoever writes an object gets its address, and needs it for
the group or the reference that leads there.
"""

import functools
import struct
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import numpy as np

_UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF
_SUPERBLOCK_BYTES = 96
_LEAF_MEMBERS = 8
_NODE_CHILDREN = 32
_NODE_BYTES = 24 + 8 * (2 * _NODE_CHILDREN + 1)
_COLLECTION_BYTES = 4096
_MOST_COMPACT_BYTES = 32_768
"""Data up to this size lie in the object's header, of which a message has at most 64 KiB."""

# Datatype messages: class and version, properties, bytes of an element; then, for numbers, the
# offset and the count of their bits; for floats the places of exponent and mantissa.
FLOAT64 = bytes.fromhex("11203f00 08000000 00004000 340b0034 ff030000")
UINT8 = bytes.fromhex("10000000 01000000 00000800")
UINT16 = bytes.fromhex("10000000 02000000 00001000")
UINT64 = bytes.fromhex("10000000 08000000 00004000")
INT32 = bytes.fromhex("10080000 04000000 00002000")
REFERENCE = bytes.fromhex("17000000 08000000")
_LETTERS = bytes.fromhex("19000000 10000000 13000000 01000000")  # of variable length


class HDF5Writer:
    """Writes objects one after the other into an empty binary file."""

    def __init__(self, file: BinaryIO, user_block: bytes):
        """Starts the file.

        Args:
            file: Open for writing, empty, seekable.
            user_block: What stands before the HDF5 data; 512, 1024, 2048 … bytes.
        """
        self._file = file
        self._base = len(user_block)
        self._end = _SUPERBLOCK_BYTES
        self._spare_lists: dict[tuple[str, ...], list[bytes]] = {}
        file.write(user_block + bytes(_SUPERBLOCK_BYTES))

    def dataset(
        self, datatype: bytes, shape: tuple[int, ...], data: bytes, attributes: Sequence[bytes] = ()
    ) -> int:
        """Writes a dataset and returns its address.

        Args:
            datatype: One of this module's constants.
            shape: Its dimensions.
            data: The elements in the order of C, little-endian; for `REFERENCE` the addresses of
                the objects meant, as int64.
            attributes: What `attribute` and `list_attribute` gave; b"" for none.
        """
        if len(data) <= _MOST_COMPACT_BYTES:
            layout = struct.pack("<BBH", 3, 0, len(data)) + data
        else:
            layout = struct.pack("<BBQQ", 3, 1, self._append(data), len(data))
        return self._object([*_type_and_shape(datatype, shape), _message(0x8, layout), *attributes])

    def group(self, members: Iterable[tuple[str, int]], attributes: Sequence[bytes] = ()) -> int:
        """Writes a group and returns its address.

        Args:
            members: Names and addresses of at least one member, in any order.
            attributes: What `attribute` and `list_attribute` gave; b"" for none.
        """
        tree, heap = self._symbol_table(sorted((name.encode(), at) for name, at in members))
        return self._object([_message(0x11, struct.pack("<QQ", tree, heap)), *attributes])

    def list_attribute(self, name: str, texts: tuple[str, ...]) -> bytes:
        """Returns an attribute that is a list of texts, as `MATLAB_fields` is."""
        spare = self._spare_lists.setdefault(texts, [])
        if not spare:
            spare.extend(self._collection_of_lists(texts))
        return _attribute(name, _LETTERS, (len(texts),), spare.pop(0))

    def finish(self, members: Iterable[tuple[str, int]]) -> None:
        """Writes the root group and the superblock, which makes the file whole.

        Args:
            members: Names and addresses of the root's members.
        """
        root = self.group(members)
        superblock = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0])
        superblock += struct.pack("<HHI", _LEAF_MEMBERS // 2, _NODE_CHILDREN // 2, 0)
        superblock += struct.pack(
            "<QQQQ", self._base, _UNDEFINED, self._base + self._end, _UNDEFINED
        )
        superblock += struct.pack("<QQQQQ", 0, root, 0, 0, 0)
        self._file.seek(self._base)
        self._file.write(superblock)

    def _append(self, data: bytes) -> int:
        """Writes at the end, aligned to 8 bytes, and returns the address."""
        address, data = self._end, _padded(data)
        self._file.write(data)
        self._end += len(data)
        return address

    def _object(self, messages: Sequence[bytes]) -> int:
        messages = [message for message in messages if message]
        body = b"".join(messages)
        return self._append(struct.pack("<BxHII4x", 1, len(messages), 1, len(body)) + body)

    def _symbol_table(self, members: Sequence[tuple[bytes, int]]) -> tuple[int, int]:
        """Writes the members of a group, sorted by name; returns addresses of B-tree and heap."""
        names = bytearray(8)  # the empty name, which comes before all others
        entries = []
        for name, address in members:
            entries.append(struct.pack("<QQ24x", len(names), address))
            names += name + bytes(8 - len(name) % 8)
        no_free_block = 1
        heap = self._end
        self._append(b"HEAP" + struct.pack("<IQQQ", 0, len(names), no_free_block, heap + 32))
        self._append(bytes(names))

        # Children of the level above: their addresses, and the last name that each holds.
        children = []
        for start in range(0, len(entries), _LEAF_MEMBERS):
            leaf = entries[start : start + _LEAF_MEMBERS]
            last_name = leaf[-1][:8]
            data = b"SNOD" + struct.pack("<BxH", 1, len(leaf)) + b"".join(leaf)
            children.append((self._append(data.ljust(8 + 40 * _LEAF_MEMBERS, b"\0")), last_name))
        level = 0
        while True:
            children = self._tree_level(level, children)
            if len(children) == 1:
                return children[0][0], heap
            level += 1

    def _tree_level(
        self, level: int, children: Sequence[tuple[int, bytes]]
    ) -> list[tuple[int, bytes]]:
        """Writes the nodes of one level of a B-tree, side by side, and returns them."""
        first = self._end
        count = -(-len(children) // _NODE_CHILDREN)
        nodes = []
        last_name = bytes(8)
        for index in range(count):
            left = first + (index - 1) * _NODE_BYTES if index else _UNDEFINED
            right = first + (index + 1) * _NODE_BYTES if index + 1 < count else _UNDEFINED
            mine = children[index * _NODE_CHILDREN : (index + 1) * _NODE_CHILDREN]
            data = b"TREE" + struct.pack("<BBHQQ", 0, level, len(mine), left, right) + last_name
            for address, last_name in mine:
                data += struct.pack("<Q", address) + last_name
            nodes.append((self._append(data.ljust(_NODE_BYTES, b"\0")), last_name))
        return nodes

    def _collection_of_lists(self, texts: Sequence[str]) -> list[bytes]:
        """Writes a heap with as many copies of the texts as fit; returns what points to each.

        The format wants each attribute to have its own copy.
        """
        address = self._end
        data = b"GCOL" + struct.pack("<IQ", 1, _COLLECTION_BYTES)
        lists = []
        index = 0
        while True:
            copy, pointers = b"", b""
            for text in texts:
                index += 1
                copy += struct.pack("<HHIQ", index, 0, 0, len(text))
                copy += text.encode().ljust(-(-len(text) // 8) * 8, b"\0")
                pointers += struct.pack("<IQI", len(text), address, index)
            if len(data) + len(copy) > _COLLECTION_BYTES:
                break
            data += copy
            lists.append(pointers)
        rest = _COLLECTION_BYTES - len(data)
        if rest >= 16:  # an object of index 0 is the free space; less than its header needs none
            data += struct.pack("<HHIQ", 0, 0, 0, rest)
        self._append(data.ljust(_COLLECTION_BYTES, b"\0"))
        return lists


def attribute(name: str, value: str | np.integer) -> bytes:
    """Returns an attribute that is one text of ASCII or one number.

    Args:
        name: Its name.
        value: A text, an int32 or a uint8.
    """
    if isinstance(value, str):
        datatype = struct.pack("<II", 0x13, len(value))
        return _attribute(name, datatype, (), value.encode())
    datatype = {"int32": INT32, "uint8": UINT8}[value.dtype.name]
    return _attribute(name, datatype, (), value.tobytes())


def _attribute(name: str, datatype: bytes, shape: tuple[int, ...], data: bytes) -> bytes:
    return _message(0xC, _attribute_start(name, datatype, shape) + data)


@functools.cache
def _attribute_start(name: str, datatype: bytes, shape: tuple[int, ...]) -> bytes:
    parts = (name.encode() + b"\0", datatype, _dataspace(shape))
    sizes = struct.pack("<BxHHH", 1, *(len(part) for part in parts))
    return sizes + b"".join(_padded(part) for part in parts)


@functools.cache
def _type_and_shape(datatype: bytes, shape: tuple[int, ...]) -> tuple[bytes, ...]:
    """The messages that datasets of a type and a shape have in common."""
    # Version 2 of the fill value; space is given early, filled if a value is set; the default one.
    fill_value = bytes.fromhex("02010201 00000000")
    constant = 1
    return (
        _message(0x1, _dataspace(shape)),
        _message(0x3, datatype, constant),
        _message(0x5, fill_value, constant),
    )


def _dataspace(shape: tuple[int, ...]) -> bytes:
    """Version 1; with dimensions, their limits follow them."""
    dimensions = struct.pack(f"<{len(shape)}Q", *shape)
    return struct.pack("<BBB5x", 1, len(shape), bool(shape)) + 2 * dimensions


def _message(kind: int, body: bytes, flags: int = 0) -> bytes:
    body = _padded(body)
    return struct.pack("<HHB3x", kind, len(body), flags) + body


def _padded(data: bytes) -> bytes:
    padding = -len(data) % 8
    return data + bytes(padding) if padding else data
