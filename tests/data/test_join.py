import os

import numpy as np
import pytest

from svhn.data import join
from svhn.data.digit_struct import DIGIT_STRUCT_NAME, read_digit_struct
from svhn.data.join import JoinConfig
from svhn.errors import UserError
from tests.data.folders import encode, labelled, pixels, write_folder, write_numbered_folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Five photos, and two others of which one is a JPEG."""
    root = tmp_path_factory.mktemp("folders")
    write_numbered_folder(root / "first", 5)
    others = {
        labelled("2.png", "31"): encode(pixels(70)),
        labelled("1.JPG", "9"): encode(pixels(71), "JPEG"),
    }
    write_folder(root / "second", others)
    return [root / "first", root / "second"]


def joined(folders, out, **flags) -> JoinConfig:
    return JoinConfig([str(folder) for folder in folders], str(out), **flags)


@pytest.mark.parametrize("can_link", [True, False])
def test_photos_and_labels_in_order(folders, tmp_path, monkeypatch, capsys, can_link):
    if not can_link:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError("another disk")))
    out = tmp_path / "deep" / "extra"
    assert join.main(joined(folders, out)) == 0
    sources = [
        (folder, photo)
        for folder in folders
        for photo in read_digit_struct(folder / DIGIT_STRUCT_NAME)
    ]
    photos = read_digit_struct(out / DIGIT_STRUCT_NAME)
    names = [*(f"{number}.png" for number in range(1, 7)), "7.jpg"]
    assert [photo.file_name for photo in photos] == names
    for photo, (folder, source) in zip(photos, sources, strict=True):
        assert photo.digits == source.digits
        np.testing.assert_array_equal(photo.boxes, source.boxes)
        path = out / photo.file_name
        assert path.read_bytes() == (folder / source.file_name).read_bytes()
        assert (path.stat().st_nlink > 1) == can_link
    assert "7 photos of 2 folders" in capsys.readouterr().out


def test_only_its_own_folder_is_replaced(folders, tmp_path):
    out = tmp_path / "extra"
    join.main(joined(folders, out))
    with pytest.raises(UserError, match="--overwrite"):
        join.main(joined(folders, out))
    join.main(joined(folders[1:], out, overwrite=True))
    assert len(read_digit_struct(out / DIGIT_STRUCT_NAME)) == 2
    with pytest.raises(UserError, match="not made by this program"):
        join.main(joined(folders[1:], folders[0], overwrite=True))


def test_folders_that_are_not_whole(folders, tmp_path):
    with pytest.raises(UserError, match=rf"no {DIGIT_STRUCT_NAME} in "):
        join.main(joined([tmp_path], tmp_path / "extra"))
    write_folder(tmp_path / "gap", {labelled("1.png"): None})
    with pytest.raises(UserError, match=r"1 photos that are listed .* first is 1\.png"):
        join.main(joined([folders[0], tmp_path / "gap"], tmp_path / "extra"))
    assert not (tmp_path / "extra").exists()


def test_photos_without_any_number_are_joined_too(folders, tmp_path):
    write_folder(tmp_path / "empty", {labelled("7.png", ""): encode(pixels(72))})
    join.main(joined([tmp_path / "empty"] * 2, tmp_path / "out"))
    photos = read_digit_struct(tmp_path / "out" / DIGIT_STRUCT_NAME, may_lack_digits=True)
    assert [(photo.file_name, photo.digits) for photo in photos] == [("1.png", ()), ("2.png", ())]
