import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from svhn import preprocessing
from svhn.geometry import union_box
from svhn.picture_size import PAPER_SIZE, PictureSize
from svhn.preprocessing import MINIMUM_DEVIATION, crop, standardise, tight_box


def photo(seed: int, width: int = 90, height: int = 60) -> np.ndarray:
    """Smooth random colours with a little noise, as photos are."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (5, 7, 3)).astype(np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    noise = random.integers(-9, 10, (height, width, 3))
    return np.clip(smooth.astype(int) + noise, 0, 255).astype(np.uint8)


def photos_and_boxes(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Photos of many sizes, with boxes inside, across the edge, tiny and large."""
    random = np.random.default_rng(5)
    pairs = []
    for seed in range(count):
        width, height = random.integers(12, 200, 2)
        left, top = random.uniform(-0.2, 0.6, 2) * (width, height)
        box = [left, top, *(random.uniform(0.05, 0.9, 2) * (width, height))]
        pairs.append((photo(seed, width, height), np.array(box, np.float32)))
    return pairs


def cropped_by_pillow(pixels: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The paper's crop by other means: edges repeated, 64×64 with Pillow, its centre 54×54."""
    left, top, width, height = (float(value) for value in box)
    padding = int(max(width, height)) + 8
    padded = np.pad(pixels, ((padding, padding), (padding, padding), (0, 0)), "edge")
    centre_x, centre_y = left + width / 2 + padding, top + height / 2 + padding
    width, height = 1.3 * max(width, 1), 1.3 * max(height, 1)
    region = (
        centre_x - width / 2,
        centre_y - height / 2,
        centre_x + width / 2,
        centre_y + height / 2,
    )
    resized = Image.fromarray(padded).resize((64, 64), Image.Resampling.BILINEAR, box=region)
    return np.asarray(resized)[5:59, 5:59].astype(np.float64)


@pytest.mark.parametrize("case", range(12))
def test_crop_is_the_papers_within_two_grey_levels(case):
    pixels, box = photos_and_boxes(12)[case]
    expected = cropped_by_pillow(pixels, box)
    picture = crop(pixels, box).numpy()
    assert picture.dtype == np.float32
    assert picture.shape == (54, 54, 3)
    levels = picture * max(expected.std(), MINIMUM_DEVIATION) + expected.mean()
    assert np.abs(levels - expected).max() < 2


@pytest.mark.parametrize("size", [PictureSize(40, 72), PictureSize(70, 30)], ids=str)
@pytest.mark.parametrize("case", range(6))
def test_a_picture_of_another_size_shows_the_same(case, size):
    pixels, box = photos_and_boxes(12)[case]
    picture = crop(pixels, box, size).numpy()
    assert picture.shape == (*size, 3)
    large, other = (
        tf.image.resize(shown, (210, 210), "bicubic").numpy()
        for shown in (crop(pixels, box), picture)
    )
    # Other kernels: what differs is sharpness, not a shift.
    difference = np.abs(other - large).mean()
    assert difference < 0.25
    for axis in (0, 1):
        assert difference < np.abs(np.roll(other, 6, axis) - large).mean()


def test_the_middle_of_the_box_is_the_middle_of_the_picture():
    pixels = np.zeros((70, 120, 3), np.uint8)
    pixels[30:34, 80:84] = 255  # its centre is at (82, 32)
    picture = crop(pixels, [62, 22, 40, 20]).numpy()
    weight = (picture - picture.min()).sum(axis=2)
    for axis in (0, 1):
        profile = weight.sum(axis=axis)
        centre = (profile * (np.arange(54) + 0.5)).sum() / profile.sum()
        assert centre == pytest.approx(27, abs=0.05)


def test_the_same_bits_eagerly_in_graphs_in_maps_and_after_export(tmp_path):
    pairs = photos_and_boxes(24)
    expected = [crop(pixels, box).numpy() for pixels, box in pairs]

    signature = [tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([4], tf.float32)]
    in_function = tf.function(crop, input_signature=signature)
    module = tf.Module()
    module.crop = in_function
    tf.saved_model.save(module, str(tmp_path))
    exported = tf.saved_model.load(str(tmp_path)).crop

    def generate():
        yield from pairs

    data_set = tf.data.Dataset.from_generator(generate, output_signature=tuple(signature))
    in_parallel = data_set.map(crop, num_parallel_calls=8).batch(7).unbatch()
    one_thread = data_set.map(crop)
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.threading.max_intra_op_parallelism = 1
    one_thread = one_thread.with_options(options)

    for (pixels, box), picture, parallel, alone in zip(
        pairs, expected, in_parallel, one_thread, strict=True
    ):
        assert np.array_equal(picture, in_function(pixels, box))
        assert np.array_equal(picture, exported(tf.constant(pixels), tf.constant(box)))
        assert np.array_equal(picture, parallel)
        assert np.array_equal(picture, alone)


def test_the_same_bits_in_a_map_over_a_batch():
    batch = np.stack([photo(seed) for seed in range(6)])
    boxes = np.array([[10 + 3 * row, 8.3, 30.7, 20] for row in range(6)], np.float32)
    together = tf.map_fn(
        lambda pair: crop(*pair), (batch, boxes), fn_output_signature=tf.float32
    ).numpy()
    for row in range(6):
        assert np.array_equal(together[row], crop(batch[row], boxes[row]))


def test_beyond_the_photo_its_edge_is_repeated():
    pixels = photo(1)
    padded = np.pad(pixels, ((40, 40), (40, 40), (0, 0)), "edge")
    box = np.array([-7.25, 45.5, 30, 22], np.float32)
    assert np.array_equal(crop(pixels, box), crop(padded, box + np.float32([40, 40, 0, 0])))


def test_pixels_outside_the_crop_take_no_part():
    pixels = photo(2)
    changed = pixels.copy()
    changed[:14] = 255
    changed[:, 80:] = 0
    box = np.array([30, 20, 40, 30], np.float32)
    assert np.array_equal(crop(pixels, box), crop(changed, box))


@pytest.mark.parametrize(
    "box",
    [
        [30, 20, 0, 0],
        [30, 20, 12, -3],
        [-500, 20, 20, 20],
        [30, 9000, 20, 20],
        [90, 60, 5, 5],
        [-1e6, -1e6, 2e6, 2e6],
        [0, 0, 1e-6, 60],
    ],
    ids=str,
)
def test_strange_boxes_give_finite_pictures(box):
    picture = crop(photo(3), np.array(box, np.float32)).numpy()
    assert picture.shape == (54, 54, 3)
    assert np.isfinite(picture).all()


def test_a_photo_of_one_pixel():
    assert not crop(np.full((1, 1, 3), 200, np.uint8), [0, 0, 1, 1]).numpy().any()


def test_standardised_pictures_have_mean_0_and_deviation_1():
    picture = standardise(tf.constant(photo(4), tf.float32)).numpy()
    assert picture.mean() == pytest.approx(0, abs=1e-6)
    assert picture.std() == pytest.approx(1, abs=1e-5)


def test_flat_pictures_are_not_stretched():
    picture = np.full((54, 54, 3), 90, np.float32)
    assert not standardise(picture).numpy().any()
    picture[::2] += 1
    assert np.abs(standardise(picture)).max() == pytest.approx(0.5 / MINIMUM_DEVIATION)


def test_neighbours_in_a_batch_change_no_bit():
    batch = tf.constant(np.stack([photo(seed) for seed in range(5)]), tf.float32)
    together = standardise(batch).numpy()
    for row in range(5):
        assert np.array_equal(together[row], standardise(batch[row]))


def test_tight_box_is_the_numpy_one_bit_for_bit():
    random = np.random.default_rng(0)
    for count in range(1, 7):
        boxes = random.normal(50, 40, (count, 4)).astype(np.float32)
        assert np.array_equal(tight_box(boxes), union_box(boxes))


def test_sizes_are_the_papers():
    assert preprocessing.PATCH_SHARE == 54 / 64
    assert PAPER_SIZE == (54, 54)
    assert preprocessing.MARGIN == 0.3
