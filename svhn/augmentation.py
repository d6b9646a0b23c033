"""The random twin of `svhn.preprocessing.crop`, for training.

Every number that is drawn comes from the key alone, so a photo and a key give the same picture
whatever the order, the parallelism or the batch. Whatever needs no photo, or needs only the
pixels taken from it, is done for a batch at once: `plan_pictures`, then for each photo
`svhn.random_view.look_up`, then `make_pictures`. `random_crop` is all three for one photo.
"""

from typing import NamedTuple

import tensorflow as tf

from svhn import occlusion, photometry, preprocessing, random_view
from svhn.augmentation_config import Augmentation
from svhn.picture_size import PAPER_SIZE, PictureSize
from svhn.random_view import ViewPlan, look_up
from svhn.stateless_draws import uniform_draws


class PicturePlan(NamedTuple):
    """All that is random about a picture; in a batch, each tensor has one more axis."""

    view: ViewPlan
    """Where in the photo its pixels are looked up."""

    appearance_draws: tf.Tensor
    """float32 [16], -1 to 1: what decides its light, colour, blur and noise, and what is hidden."""


def random_crop(
    photo: tf.Tensor,
    digit_boxes: tf.Tensor,
    key: tf.Tensor,
    augmentation: Augmentation,
    size: PictureSize = PAPER_SIZE,
) -> tf.Tensor:
    """Returns what the network might have seen of the same number on another day.

    The photo is turned and slanted about the number, the box is drawn anew around the digits as
    they then lie, jittered, and a patch of it taken; then come blur, saturation, colour cast,
    contrast, brightness and noise; a part of it is hidden; at last the standardisation of `crop`.

    Args:
        photo: uint8 [H, W, 3], RGB.
        digit_boxes: float32 [N, 4], N ≥ 1: left, top, width, height of each digit, pixels.
        key: int64 [2]; all that is random follows from it.
        augmentation: How far the changes go. At strength 0 the picture is `crop`'s.
        size: Of the network's pictures.

    Returns:
        float32 [height, width, 3], mean 0.
    """
    if augmentation.strength == 0:
        return preprocessing.crop(photo, preprocessing.tight_box(digit_boxes), size)
    photo = tf.convert_to_tensor(photo)
    digit_boxes = tf.convert_to_tensor(digit_boxes)[tf.newaxis]
    plans = plan_pictures(
        digit_boxes,
        tf.ones_like(digit_boxes[..., 0], tf.bool),
        tf.gather(tf.shape(photo), [[1, 0]]),
        tf.convert_to_tensor(key)[tf.newaxis],
        augmentation,
        size,
    )
    plan = tf.nest.map_structure(lambda tensor: tensor[0], plans)
    view = look_up(tf.pad(photo, [[0, 0], [0, 0], [0, 1]]), plan.view)
    return make_pictures(view[tf.newaxis], plan.appearance_draws[tf.newaxis], augmentation, size)[0]


def plan_pictures(
    digit_boxes: tf.Tensor,
    is_digit: tf.Tensor,
    photo_sizes: tf.Tensor,
    keys: tf.Tensor,
    augmentation: Augmentation,
    size: PictureSize = PAPER_SIZE,
) -> PicturePlan:
    """Returns the plans of a batch of pictures, each from its own key alone.

    Args:
        digit_boxes: float32 [B, N, 4]: left, top, width, height of each digit, pixels.
        is_digit: bool [B, N]: False for padding; at least one is True for each number.
        photo_sizes: int64 or int32 [B, 2]: width and height, pixels.
        keys: int64 [B, 2].
        augmentation: How far the changes go; its strength is above 0.
        size: Of the network's pictures.
    """
    draws = uniform_draws(keys, random_view.DRAWS + photometry.DRAWS + occlusion.DRAWS)
    view_draws, appearance_draws = draws[:, : random_view.DRAWS], draws[:, random_view.DRAWS :]
    view = random_view.plan_views(
        digit_boxes, is_digit, photo_sizes, view_draws, augmentation, size
    )
    return PicturePlan(view, appearance_draws)


def make_pictures(
    views: tf.Tensor,
    appearance_draws: tf.Tensor,
    augmentation: Augmentation,
    size: PictureSize = PAPER_SIZE,
) -> tf.Tensor:
    """Returns the network's inputs for a batch.

    Args:
        views: uint16 [B, height · width, 4], 1/256 grey levels, as `look_up` gives them for each
            photo; the fourth channel takes no part.
        appearance_draws: float32 [B, 16], from the plans.
        augmentation: The one for which the plans were made.
        size: Likewise.

    Returns:
        float32 [B, height, width, 3], each of mean 0.
    """
    pictures = tf.cast(views, tf.float32)[..., :3] * (1 / 256)
    pictures = tf.reshape(pictures, [-1, *size, 3])
    photometry_draws = appearance_draws[:, : photometry.DRAWS]
    pictures = photometry.vary_pictures(pictures, photometry_draws, augmentation)
    pictures = occlusion.occlude(pictures, appearance_draws[:, photometry.DRAWS :], augmentation)
    return preprocessing.standardise(pictures)
