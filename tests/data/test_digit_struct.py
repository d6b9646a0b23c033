import csv
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from svhn.data import digit_struct
from svhn.data.digit_struct import (
    LabelledPhoto,
    compare_with_folder,
    read_digit_struct,
    write_digit_struct,
)
from svhn.errors import UserError

REAL_DATA = Path(__file__).parents[3] / "shared" / "data"
FIELDS = ("height", "left", "top", "width", "label")


def labelled(file_name, number):
    digits = tuple(int(digit) for digit in number)
    boxes = [[10.0 * index - 3, 2.5 * index, 8 + index, 20] for index in range(len(digits))]
    return LabelledPhoto(file_name, digits, np.array(boxes, np.float32).reshape(-1, 4))


@pytest.fixture
def photos():
    return [
        labelled("1.png", "7"),
        labelled("2.png", "150"),
        labelled("3.png", ""),
        labelled("straße.png", "123456"),
        labelled("5.png", "0"),
    ]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "digitStruct.mat"


def assert_same(photos, expected):
    assert [photo.file_name for photo in photos] == [photo.file_name for photo in expected]
    assert [photo.digits for photo in photos] == [photo.digits for photo in expected]
    for photo, other in zip(photos, expected, strict=True):
        assert photo.boxes.dtype == np.float32
        np.testing.assert_array_equal(photo.boxes, other.boxes.reshape(-1, 4))


def write_with_h5py(path, entries, **file_settings):
    """Writes a file as others do, through h5py's high-level interface.

    Each entry is a name and a dict from field to a list of values.
    """
    with h5py.File(path, "w", userblock_size=512, **file_settings) as file:
        references = file.create_group("#refs#")

        def refer(name, data):
            references[name] = data
            return references[name].ref

        columns = {"name": [], "bbox": []}
        for index, (file_name, fields) in enumerate(entries):
            units = np.array([[ord(letter)] for letter in file_name], np.uint16)
            columns["name"].append(refer(f"name{index}", units))
            bbox = references.create_group(f"bbox{index}")
            for field, values in fields.items():
                if len(values) == 1:
                    bbox[field] = np.array([values], np.float64)
                    continue
                cells = [
                    refer(f"{field}{index}_{row}", np.array([[value]], np.float64))
                    for row, value in enumerate(values)
                ]
                bbox.create_dataset(field, (len(cells), 1), h5py.ref_dtype)[:, 0] = cells
            columns["bbox"].append(bbox.ref)
        for field, cells in columns.items():
            column = file.create_dataset(f"digitStruct/{field}", (len(cells), 1), h5py.ref_dtype)
            column[:, 0] = cells


def fields_of(count, **changes):
    fields = {field: [float(row + 1) for row in range(count)] for field in FIELDS}
    return {**fields, **changes}


def forbid_one_by_one(monkeypatch):
    def fail(*_):
        pytest.fail("an entry was read one by one")

    monkeypatch.setattr(digit_struct._EntryReader, "read", fail)


def test_what_is_written_is_read(path, photos):
    write_digit_struct(path, photos)
    assert_same(read_digit_struct(path), photos)


def test_a_file_with_one_photo_is_read(path, photos):
    for photo in (photos[0], photos[1]):
        write_digit_struct(path, [photo])
        assert_same(read_digit_struct(path), [photo])


def test_written_files_are_read_in_bulk(path, monkeypatch):
    photos = [labelled(f"{index}.png", str(index)) for index in range(1, 300)]
    write_digit_struct(path, photos)
    forbid_one_by_one(monkeypatch)
    monkeypatch.setattr(digit_struct, "_PHOTOS_AT_ONCE", 70)
    assert_same(read_digit_struct(path), photos)


@pytest.mark.parametrize("settings", [{}, {"libver": "latest"}])
def test_files_of_the_high_level_interface_are_read(path, settings):
    entries = [("1.png", fields_of(1)), ("2.png", fields_of(3, label=[9, 10, 1]))]
    write_with_h5py(path, entries, **settings)
    photos = read_digit_struct(path)
    assert [photo.digits for photo in photos] == [(1,), (9, 0, 1)]
    np.testing.assert_array_equal(photos[1].boxes, [[1] * 4, [2] * 4, [3] * 4])


@pytest.mark.parametrize("name", ["train", "test", "extra"])
def test_matlab_files_are_read_in_bulk_as_one_by_one(name, monkeypatch):
    path = REAL_DATA / "fixtures" / f"matlab_{name}_digitStruct.mat"
    if not path.exists():
        pytest.skip(f"the files that MATLAB wrote are not at {path}")
    with monkeypatch.context() as bulk_only:
        forbid_one_by_one(bulk_only)
        photos = read_digit_struct(path)
    assert len(photos) in (39, 40)
    assert photos[0].file_name == "1.png"
    monkeypatch.setattr(
        digit_struct, "_read_in_parts", lambda path, names, bboxes: iter([[None] * names.size])
    )
    assert_same(read_digit_struct(path), photos)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("fixtures/matlab_train_digitStruct.mat", "train"),
        ("fixtures/matlab_test_digitStruct.mat", "test"),
        ("svhn/train/digitStruct.mat", "train"),
        ("svhn/test/digitStruct.mat", "test"),
    ],
)
def test_real_labels_are_read_exactly(name, split):
    path, table = REAL_DATA / name, REAL_DATA / "labels" / f"{split}.csv"
    if not (path.exists() and table.exists()):
        pytest.skip(f"the real data is not at {REAL_DATA}")
    with table.open(newline="") as file:
        digits_of = {row[0]: row[4].split(";") for row in csv.reader(file)}
    photos = read_digit_struct(path)
    assert len(photos) >= 39
    for photo in photos:
        rows = np.array([row.split() for row in digits_of[photo.file_name]], np.float64)
        assert photo.digits == tuple(rows[:, 0].astype(int))
        np.testing.assert_array_equal(photo.boxes, rows[:, 1:])


def test_own_file_has_the_structure_of_matlabs(path):
    matlab = REAL_DATA / "fixtures" / "matlab_train_digitStruct.mat"
    if not matlab.exists():
        pytest.skip(f"no file that MATLAB wrote at {matlab}")
    write_digit_struct(path, read_digit_struct(matlab))
    with h5py.File(path) as own, h5py.File(matlab) as theirs:
        assert structure(own) == structure(theirs)


def structure(file):
    """Kinds, shapes, classes and fields of everything that is reached from digitStruct."""
    found = []

    def visit(where, item):
        attributes = {
            key: [b"".join(part) for part in value] if key == "MATLAB_fields" else np.asarray(value)
            for key, value in item.attrs.items()
            if key != "H5PATH"
        }
        described = {key: str(value) for key, value in sorted(attributes.items())}
        if isinstance(item, h5py.Group):
            found.append((where, "group", described))
            for name in item:
                visit(f"{where}/{name}", item[name])
        elif item.dtype == h5py.ref_dtype:
            found.append((where, "references", item.shape, described))
            for row, reference in enumerate(item[:, 0]):
                visit(f"{where}[{row}]", file[reference])
        else:
            layout = item.id.get_create_plist().get_layout()
            value = item[()].tolist()
            found.append((where, str(item.dtype), item.shape, layout, value, described))

    assert {"#refs#", "digitStruct"} == set(file)
    visit("digitStruct", file["digitStruct"])
    visit("empty", file["#refs#/a"])
    return found


def test_scipy_takes_it_for_matlab_7_3(path, photos):
    write_digit_struct(path, photos)
    assert scipy.io.matlab.matfile_version(path) == (2, 0)


def test_same_photos_give_same_bytes(tmp_path, photos):
    write_digit_struct(tmp_path / "a.mat", photos)
    write_digit_struct(tmp_path / "b.mat", photos)
    assert (tmp_path / "a.mat").read_bytes() == (tmp_path / "b.mat").read_bytes()


def test_failed_write_leaves_the_old_file_and_nothing_else(path, photos, monkeypatch):
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(digit_struct.os, "fsync", fail)
    with pytest.raises(UserError, match="No space left on device"):
        write_digit_struct(path, photos)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"


def test_writer_refuses_boxes_that_do_not_belong(path):
    with pytest.raises(ValueError, match=r"expected boxes of shape \(2, 4\)"):
        write_digit_struct(path, [LabelledPhoto("1.png", (1, 2), np.zeros((1, 4)))])
    with pytest.raises(ValueError, match="0 to 9"):
        write_digit_struct(path, [LabelledPhoto("1.png", (10,), np.zeros((1, 4)))])
    with pytest.raises(ValueError, match="0 photos"):
        write_digit_struct(path, [])
    assert not path.exists()


def test_missing_file(path):
    with pytest.raises(UserError, match=r"digitStruct.mat: no such file"):
        read_digit_struct(path)


def test_matlab_v5_file(path):
    scipy.io.savemat(path, {"digitStruct": {"name": "1.png"}})
    with pytest.raises(UserError, match=r"v5.*save\('digitStruct.mat', 'digitStruct', '-v7.3'\)"):
        read_digit_struct(path)


@pytest.mark.parametrize("data", [b"", b"<html>not found</html>" * 100])
def test_not_hdf5(path, data):
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"not a MATLAB v7\.3"):
        read_digit_struct(path)


@pytest.mark.parametrize("fraction", [0.0001, 0.01, 0.5, 0.999])
def test_truncated_file(path, fraction):
    write_digit_struct(path, [labelled(f"{index}.png", "12") for index in range(100)])
    data = path.read_bytes()
    path.write_bytes(data[: max(128, int(len(data) * fraction))])
    with pytest.raises(UserError, match="truncated"):
        read_digit_struct(path)


def test_damaged_bytes_give_photos_or_one_line(path, photos):
    """Whatever is overwritten, the answer is photos or a UserError, never another exception."""
    write_digit_struct(path, photos)
    data = path.read_bytes()
    errors = 0
    random = np.random.default_rng(5)
    for _ in range(120):
        damaged = bytearray(data)
        start = int(random.integers(512, len(data) - 16))
        damaged[start : start + 16] = random.bytes(16)
        path.write_bytes(damaged)
        try:
            read_digit_struct(path)
        except UserError as error:
            assert "\n" not in str(error)
            errors += 1
    assert errors > 5


def test_a_name_that_is_no_text_is_one_line(path, photos):
    write_digit_struct(path, photos)
    with h5py.File(path, "r+") as file:
        file["digitStruct/name"][...] = file["digitStruct/bbox"][...]  # references to groups
    with pytest.raises(UserError) as told:
        read_digit_struct(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("field", FIELDS)
def test_missing_field_is_named_with_its_entry(path, field):
    fields = fields_of(2)
    del fields[field]
    write_with_h5py(path, [("1.png", fields_of(1)), ("2.png", fields)])
    with pytest.raises(UserError, match=rf"entry 2 \(2.png\): bbox has no field '{field}'"):
        read_digit_struct(path)


@pytest.mark.parametrize("field", ["name", "bbox"])
def test_missing_column_is_named(path, photos, field):
    write_digit_struct(path, photos)
    with h5py.File(path, "r+") as file:
        del file[f"digitStruct/{field}"]
    with pytest.raises(UserError, match=f"digitStruct has no field '{field}'"):
        read_digit_struct(path)


def test_missing_variable_is_named_with_what_is_there(path):
    with h5py.File(path, "w", userblock_size=512) as file:
        file["other"] = 1
    with pytest.raises(UserError, match="no variable digitStruct; found: other"):
        read_digit_struct(path)


def test_fields_that_disagree_in_length(path):
    write_with_h5py(path, [("1.png", fields_of(1)), ("2.png", fields_of(3, label=[1, 2]))])
    with pytest.raises(UserError, match=r"entry 2 \(2.png\).*disagree.*3 left.*2 label"):
        read_digit_struct(path)


def test_columns_that_disagree_in_length(path, photos):
    write_digit_struct(path, photos)
    with h5py.File(path, "r+") as file:
        names = file["digitStruct/name"][:4]
        del file["digitStruct/name"]
        file["digitStruct/name"] = names
    with pytest.raises(UserError, match="4 names and 5 bboxes"):
        read_digit_struct(path)


@pytest.mark.parametrize("label", [11, -1, 2.5, float("nan")])
def test_label_that_is_no_digit(path, label):
    write_with_h5py(path, [("1.png", fields_of(1)), ("2.png", fields_of(2, label=[3, label]))])
    with pytest.raises(UserError, match=r"entry 2 \(2.png\): labels"):
        read_digit_struct(path)


def test_box_that_is_not_finite(path):
    broken = fields_of(2, left=[3, float("inf")])
    write_with_h5py(path, [("1.png", fields_of(1)), ("2.png", broken)])
    with pytest.raises(UserError, match=r"entry 2 \(2.png\): box.*expected finite"):
        read_digit_struct(path)


def test_name_that_is_no_file_name(path):
    write_with_h5py(path, [("1.png", fields_of(1)), ("2\0png", fields_of(1))])
    with pytest.raises(UserError, match=r"entry 2: name '2\\x00png'"):
        read_digit_struct(path)


def test_no_photos(path):
    with h5py.File(path, "w", userblock_size=512) as file:
        file["digitStruct"] = np.zeros(2, np.uint64)
        file["digitStruct"].attrs["MATLAB_empty"] = np.uint8(1)
    with pytest.raises(UserError, match="lists no photos"):
        read_digit_struct(path)


def test_no_photo_with_digits(path):
    write_digit_struct(path, [labelled("1.png", ""), labelled("2.png", "")])
    with pytest.raises(UserError, match="none of its 2 photos has a digit"):
        read_digit_struct(path)


@pytest.mark.parametrize("count", [1, 4])
def test_photos_of_which_none_has_a_digit_are_read_where_they_may_be(path, count):
    write_digit_struct(path, [labelled(f"{number}.png", "") for number in range(count)])
    photos = read_digit_struct(path, may_lack_digits=True)
    assert [photo.file_name for photo in photos] == [f"{number}.png" for number in range(count)]
    assert all(photo.digits == () and photo.boxes.shape == (0, 4) for photo in photos)


def test_comparison_with_a_folder(tmp_path, photos):
    for name in (
        "1.png",
        "2.png",
        "b10.png",
        "b9.PNG",
        "c1.png",
        "digitStruct.mat",
        "see_bboxes.m",
    ):
        (tmp_path / name).touch()
    (tmp_path / "5.png").mkdir()
    comparison = compare_with_folder(photos, tmp_path)
    assert comparison.missing == ("3.png", "straße.png", "5.png")
    assert comparison.unlisted == ("b9.PNG", "b10.png", "c1.png")


def test_comparison_with_a_folder_that_is_not_there(tmp_path, photos):
    with pytest.raises(UserError, match="cannot list the folder"):
        compare_with_folder(photos, tmp_path / "absent")


def test_path_may_be_text(path, photos):
    write_digit_struct(str(path), photos)
    copy = shutil.copy(path, path.with_name("copy.mat"))
    assert_same(read_digit_struct(str(copy)), photos)
