import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from svhn.drawing import MAX_SIDE
from svhn.reading import photos
from svhn.reading.given_box import GivenBoxReader
from svhn.reading.photos import MAX_THREADS, read_photos
from tests.reading.conftest import random_photo, save_photo


def reading_in(reader, box) -> GivenBoxReader:
    return GivenBoxReader(reader, lambda _: box)


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
    results = list(read_photos(GivenBoxReader(reader), paths))
    assert [result.path for result in results] == paths
    failed = [index for index, result in enumerate(results) if not result.readings]
    assert failed == [3, 4, 11]
    for index, result in enumerate(results):
        assert (result.error is None) == (index not in failed)
        if result.error:
            assert result.error.startswith(str(paths[index]))
        else:
            picture = reader.prepare(random_photo(index))
            assert list(result.readings) == reader.read([picture])


def test_same_answer_alone_and_in_a_folder_of_a_thousand(reader, tmp_path):
    paths = [save_photo(tmp_path / f"{number}.png", number, 12, 15) for number in range(1000)]
    photo_reader = GivenBoxReader(reader)
    together = [result.best for result in read_photos(photo_reader, paths)]
    assert len(together) == 1000
    for index in (0, 1, 499, 998, 999):
        [alone] = read_photos(photo_reader, [paths[index]])
        assert alone.best == together[index]  # floats: bit for bit


def test_photos_are_loaded_only_a_little_ahead(reader, folder):
    path = folder / "00.png"
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield path

    results = read_photos(GivenBoxReader(reader), endless())
    for _ in range(100):
        next(results)
    results.close()
    assert taken <= 100 + 3 * reader.batch_size + MAX_THREADS


def test_previews_do_not_pile_up_where_many_numbers_are_read_at_a_time(reader, folder, monkeypatch):
    monkeypatch.setattr(photos, "MAX_PREVIEWS", 2)
    photo_reader = GivenBoxReader(reader)
    assert photo_reader.batch_size > 2
    paths = [folder / "00.png", folder / "01.png"] * 50
    taken = iter(paths)
    results = read_photos(photo_reader, taken, with_previews=True)
    first = next(results)
    assert len(paths) - len(list(taken)) <= 3 * 2 + MAX_THREADS
    results.close()
    [alone] = read_photos(photo_reader, paths[:1], with_previews=True)
    assert first.readings == alone.readings


def test_nothing_but_failures(reader, folder):
    results = list(read_photos(GivenBoxReader(reader), [folder / "absent.png"] * 30))
    assert len(results) == 30
    assert all("no such file" in result.error for result in results)


def test_no_photos(reader):
    assert list(read_photos(GivenBoxReader(reader), [])) == []


def test_box_says_where_the_number_is(reader, tmp_path):
    path = save_photo(tmp_path / "photo.png", 5, 80, 100)
    [result] = read_photos(reading_in(reader, (30, 20, 25, 40)), [path])
    picture = reader.prepare(random_photo(5, 80, 100), (30, 20, 25, 40))
    [expected] = reader.read([picture])
    assert result.readings == (dataclasses.replace(expected, box=(30, 20, 25, 40)),)
    [whole] = read_photos(GivenBoxReader(reader), [path])
    assert whole.best.box is None
    assert whole.best.confidence != result.best.confidence


def test_box_outside_of_the_photo_is_refused(reader, tmp_path):
    path = save_photo(tmp_path / "photo.png", 5, 80, 100)
    for box in [(100, 0, 5, 5), (0, 80, 5, 5), (-9, 0, 5, 5), (0, -9, 5, 5)]:
        [result] = read_photos(reading_in(reader, box), [path])
        assert not result.readings
        assert "100 × 80" in result.error
    [result] = read_photos(reading_in(reader, (-9, -9, 50, 50)), [path])  # partly outside is fine
    assert result.error is None


def test_previews_come_when_asked_for(reader, tmp_path):
    path = tmp_path / "large.png"
    photo = np.zeros((4 * MAX_SIDE, 2 * MAX_SIDE, 3), np.uint8)
    photo[:900, :440] = random_photo(1, 900, 440)
    Image.fromarray(photo).save(path, compress_level=1)
    photo_reader = reading_in(reader, (400, 800, 40, 80))
    [plain] = read_photos(photo_reader, [path])
    assert plain.preview is None
    [result] = read_photos(photo_reader, [path], with_previews=True)
    assert result.preview.shape == (MAX_SIDE, MAX_SIDE // 2, 3)
    assert result.preview_scale == 1 / 4
    assert result.readings == plain.readings


def test_boxes_stay_in_their_place_in_previews_of_long_photos(reader, tmp_path):
    path = tmp_path / "tall.png"
    Image.fromarray(np.zeros((8000, 300, 3), np.uint8)).save(path)
    photo_reader = reading_in(reader, (10, 7000, 200, 1000))
    [result] = read_photos(photo_reader, [path], with_previews=True)
    assert 8000 * result.preview_scale == pytest.approx(result.preview.shape[0], abs=1)


def test_once_stopped_only_what_is_prepared_is_read(reader, folder):
    prepared = []

    class Preparing(GivenBoxReader):
        def prepare(self, photo, path):
            prepared.append(path)
            return super().prepare(photo, path)

    paths = [folder / "00.png"] * 500
    asked = iter([False] * 10 + [True])
    results = list(read_photos(Preparing(reader), paths, stopped=lambda: next(asked)))
    assert len(results) == 11
    assert all(result.readings for result in results)
    assert len(prepared) <= 11 + reader.batch_size + 2 * MAX_THREADS


class ManyCrops(GivenBoxReader):
    """Reads each photo as often as the last digit of its width says."""

    batches: list[int]  # crops read at a time

    def prepare(self, photo, path):
        return super().prepare(photo, path) * (photo.shape[1] % 10)

    def read_prepared(self, prepared):
        self.batches.append(sum(map(len, prepared)))
        single = [[crop] for crops in prepared for crop in crops]
        readings = (reading for [reading] in super().read_prepared(single))
        return [tuple(next(readings) for _ in crops) for crops in prepared]


def test_photos_without_a_number_do_not_pile_up(reader, tmp_path):
    paths = [save_photo(tmp_path / "one.png", 1, 24, 31)]
    paths += [save_photo(tmp_path / "none.png", 2, 24, 30)] * 200
    taken = 0

    def counted():
        nonlocal taken
        for path in paths:
            taken += 1
            yield path

    photo_reader = ManyCrops(reader)
    photo_reader.batches = []
    results = read_photos(photo_reader, counted())
    assert len(next(results).readings) == 1
    assert taken <= 3 * reader.batch_size + MAX_THREADS
    assert sum(not result.readings for result in results) == 200


def test_several_numbers_in_a_photo_or_none(reader, tmp_path):
    counts = [3, 0, 0, 7, 2, 0, 9, 1, 8, 4]
    paths = [
        save_photo(tmp_path / f"{index}.png", index, 24, 30 + count)
        for index, count in enumerate(counts)
    ]
    photo_reader = ManyCrops(reader)
    photo_reader.batches = []
    results = list(read_photos(photo_reader, paths))
    assert [result.path for result in results] == paths
    assert [len(result.readings) for result in results] == counts
    for index, result in enumerate(results):
        picture = reader.prepare(random_photo(index, 24, 30 + counts[index]))
        assert result.readings == tuple(reader.read([picture]) * counts[index])
    # A batch is full where it can be: only a photo with more numbers than it holds is more.
    assert all(count <= reader.batch_size or count == 9 for count in photo_reader.batches)
