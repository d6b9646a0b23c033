import h5py
import numpy as np
import pytest

from svhn.data import hdf5_writer
from svhn.data.hdf5_objects import ObjectReader, UnknownLayoutError
from svhn.data.hdf5_writer import HDF5Writer, attribute


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.h5"


def write(path, make_members):
    with path.open("wb") as file:
        writer = HDF5Writer(file, bytes(512))
        writer.finish(make_members(writer))


def double(writer, value, attributes=()):
    data = np.float64(value).tobytes()
    return writer.dataset(hdf5_writer.FLOAT64, (1, 1), data, attributes)


@pytest.mark.parametrize("count", [1, 8, 9, 256, 257, 8193])
def test_the_library_finds_every_member_of_a_group(path, count):
    """Up to 8 members are one leaf, up to 256 one node, up to 8,192 two levels of nodes."""
    names = [f"n{index * 7919 % count}" for index in range(count)]

    def members(writer):
        value = double(writer, 3)
        return [("group", writer.group((name, value) for name in names))]

    write(path, members)
    with h5py.File(path) as file:
        group = file["group"]
        assert list(group) == sorted(names)
        assert all(name in group for name in names)
        assert "n" not in group
        assert f"n{count}" not in group


def test_the_library_can_change_the_file(path):
    def members(writer):
        values = [(f"n{index}", double(writer, index)) for index in range(300)]
        return [("group", writer.group(values, [attribute("MATLAB_class", "struct")]))]

    write(path, members)
    with h5py.File(path, "r+") as file:
        for index in range(0, 300, 3):
            del file[f"group/n{index}"]
        for index in range(200):
            file[f"group/new{index}"] = index
        file["group"].attrs["note"] = "changed"
    with h5py.File(path) as file:
        kept = {f"n{index}": index for index in range(300) if index % 3}
        added = {f"new{index}": index for index in range(200)}
        assert {name: int(item[()].item()) for name, item in file["group"].items()} == kept | added
        assert file["group"].attrs["MATLAB_class"] == b"struct"


def test_data_in_the_header_and_outside_it(path):
    small, large = np.arange(4096, dtype="<u8"), np.arange(4097, dtype="<u8")

    def members(writer):
        return [
            (name, writer.dataset(hdf5_writer.UINT64, data.shape, data.tobytes()))
            for name, data in (("small", small), ("large", large))
        ]

    write(path, members)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["small"], small)
        np.testing.assert_array_equal(file["large"], large)
        layouts = [file[name].id.get_create_plist().get_layout() for name in ("small", "large")]
        assert layouts == [h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS]


def test_attributes(path):
    def members(writer):
        lists = [writer.list_attribute("fields", ("height", "to", "eightabc")) for _ in range(99)]
        values = [("first", double(writer, 1, [lists[0], attribute("text", "double")]))]
        number = attribute("number", np.int32(-2))
        return [*values, ("last", double(writer, 2, [lists[-1], number]))]

    write(path, members)
    with h5py.File(path) as file:
        for name in ("first", "last"):
            fields = [b"".join(letters) for letters in file[name].attrs["fields"]]
            assert fields == [b"height", b"to", b"eightabc"]
        assert file["first"].attrs["text"] == b"double"
        assert file["last"].attrs["number"] == -2


def test_references_lead_to_their_objects(path):
    def members(writer):
        addresses = [double(writer, value) for value in (5, 6)]
        data = np.array(addresses, "<i8").tobytes()
        return [("cells", writer.dataset(hdf5_writer.REFERENCE, (2, 1), data))]

    write(path, members)
    with h5py.File(path) as file:
        assert [file[cell][()].item() for cell in file["cells"][:, 0]] == [5, 6]


def test_bulk_reader_says_what_it_does_not_understand(path):
    with h5py.File(path, "w", userblock_size=512) as file:
        file["double"] = np.array([[2.5]])
        file["float"] = np.array([[2.5]], np.float32)
        file["big-endian"] = np.array([[2.5]], ">f8")
        file["scalar"] = 2.5
        file["two"] = np.array([[2.5], [3.5]])
        file.create_dataset("chunked", data=np.array([[2.5]]), chunks=(1, 1))
        file.create_dataset("unwritten", (1, 1), "<f8")
        file.create_group("group")
        addresses = {name: h5py.h5o.get_info(file[name].id).addr for name in file}
    addresses |= {"none": 0, "negative": -1, "inside": addresses["double"] + 8, "beyond": 2**40}
    values, understood = ObjectReader(path).doubles(np.array(list(addresses.values())))
    found = {
        name: value
        for name, value, known in zip(addresses, values, understood, strict=True)
        if known
    }
    assert found == {"double": 2.5}


def test_bulk_reader_refuses_a_newer_file(path):
    with h5py.File(path, "w", libver="latest") as file:
        file["double"] = 1.0
    with pytest.raises(UnknownLayoutError):
        ObjectReader(path)
