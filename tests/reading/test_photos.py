from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svhn.drawing import MAX_SIDE
from svhn.reading.photos import MAX_THREADS, read_photos
from tests.reading.conftest import random_photo, save_photo


def always(box):
    return lambda _: box


@pytest.fixture
def folder(tmp_path) -> Path:
    """Twenty photos, of which 3, 4 and 11 are broken."""
    for number in range(20):
        path = save_photo(tmp_path / f"{number:02}.png", number)
        if number in (3, 4, 11):
            path.write_bytes(path.read_bytes()[:200])
    return tmp_path


def test_results_come_in_order_and_failures_stop_nothing(reader, folder):
    paths = sorted(folder.iterdir())
    results = list(read_photos(reader, paths))
    assert [result.path for result in results] == paths
    failed = [index for index, result in enumerate(results) if result.reading is None]
    assert failed == [3, 4, 11]
    for index, result in enumerate(results):
        assert (result.error is None) == (index not in failed)
        if result.error:
            assert result.error.startswith(str(paths[index]))
        else:
            picture = reader.prepare(random_photo(index))
            assert [result.reading] == reader.read([picture])


def test_same_answer_alone_and_in_a_folder_of_a_thousand(reader, tmp_path):
    paths = [save_photo(tmp_path / f"{number}.png", number, 12, 15) for number in range(1000)]
    together = [result.reading for result in read_photos(reader, paths)]
    assert len(together) == 1000
    for index in (0, 1, 499, 998, 999):
        [alone] = read_photos(reader, [paths[index]])
        assert alone.reading == together[index]  # floats: bit for bit


def test_photos_are_loaded_only_a_little_ahead(reader, folder):
    path = folder / "00.png"
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield path

    results = read_photos(reader, endless())
    for _ in range(100):
        next(results)
    results.close()
    assert taken <= 100 + 3 * reader.batch_size + MAX_THREADS


def test_nothing_but_failures(reader, folder):
    results = list(read_photos(reader, [folder / "absent.png"] * 30))
    assert len(results) == 30
    assert all("no such file" in result.error for result in results)


def test_no_photos(reader):
    assert list(read_photos(reader, [])) == []


def test_box_says_where_the_number_is(reader, tmp_path):
    path = save_photo(tmp_path / "photo.png", 5, 80, 100)
    [result] = read_photos(reader, [path], find_box=always((30, 20, 25, 40)))
    picture = reader.prepare(random_photo(5, 80, 100), (30, 20, 25, 40))
    assert [result.reading] == reader.read([picture])
    assert result.box == (30, 20, 25, 40)
    [whole] = read_photos(reader, [path])
    assert whole.reading != result.reading


def test_box_outside_of_the_photo_is_refused(reader, tmp_path):
    path = save_photo(tmp_path / "photo.png", 5, 80, 100)
    for box in [(100, 0, 5, 5), (0, 80, 5, 5), (-9, 0, 5, 5), (0, -9, 5, 5)]:
        [result] = read_photos(reader, [path], find_box=always(box))
        assert result.reading is None
        assert "100 × 80" in result.error
    [result] = read_photos(
        reader, [path], find_box=always((-9, -9, 50, 50))
    )  # partly outside is fine
    assert result.error is None


def test_previews_come_when_asked_for(reader, tmp_path):
    path = tmp_path / "large.png"
    photo = np.zeros((4 * MAX_SIDE, 2 * MAX_SIDE, 3), np.uint8)
    photo[:900, :440] = random_photo(1, 900, 440)
    Image.fromarray(photo).save(path, compress_level=1)
    [plain] = read_photos(reader, [path])
    assert plain.preview is None
    [result] = read_photos(reader, [path], find_box=always((400, 800, 40, 80)), with_previews=True)
    assert result.preview.shape == (MAX_SIDE, MAX_SIDE // 2, 3)
    np.testing.assert_allclose(result.preview_box, (100, 200, 10, 20))
    assert result.box == (400, 800, 40, 80)
    assert result.reading != plain.reading
