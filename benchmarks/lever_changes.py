"""What each lever changes: flags of train.py, or what no flag can say."""

import dataclasses
from collections.abc import Callable
from typing import Any

from svhn.picture_size import PictureSize

BASE = "base"

BASE_FLAGS = {
    "batch_size": 32,
    "learning_rate": 0.001,
    "splits": ["train", "extra"],
    "mix": ["train:1", "extra:2"],
    "average_decay": 0.998,
    "patience": 0,
    "seed": 1,
}

START_LEARNING_RATE = 0.002
"""Of the training that all begin from."""


@dataclasses.dataclass(frozen=True)
class Lever:
    """One change of the training that goes on from the start that all share."""

    what: str
    flags: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Of the training; the others are `BASE_FLAGS`."""

    patch: Callable[[], None] | None = None
    """Changes what no flag can say, in the process that trains."""

    from_nothing: bool = False
    """Whether it begins from a start of its own, as its network or its pictures differ."""

    rendered_alone: bool = False
    """Whether it trains on the conversion without recombined photos."""

    crops: int = 1
    """How many crops of each photo are read and averaged. With more than one nothing is trained:
    the base run reads."""

    @property
    def splits(self) -> list[str]:
        """The splits that it trains on."""
        return (BASE_FLAGS | self.flags)["splits"]


def squared_crop() -> None:
    """Grows every box to the square of its longer side, as the peers do."""
    import tensorflow as tf

    from svhn import preprocessing, random_view

    tight_box, turned_bounds = preprocessing.tight_box, random_view._turned_bounds

    def squared_box(digit_boxes: tf.Tensor) -> tf.Tensor:
        box = tight_box(digit_boxes)
        side = tf.reduce_max(box[2:])
        return tf.concat([box[:2] + (box[2:] - side) * 0.5, [side, side]], axis=0)

    def squared_bounds(*arguments: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        pivot, start, end = turned_bounds(*arguments)
        half = tf.reduce_max(end - start, axis=1, keepdims=True) * 0.5
        centre = (start + end) * 0.5
        return pivot, centre - half, centre + half

    preprocessing.tight_box, random_view._turned_bounds = squared_box, squared_bounds


def margin(share: float) -> Callable[[], None]:
    """Returns a patch that grows boxes by another share."""

    def patch() -> None:
        from svhn import preprocessing, random_view

        preprocessing.MARGIN = random_view.MARGIN = share

    return patch


def augmentation(**changes: float) -> Callable[[], None]:
    """Returns a patch of how far the random changes go."""

    def patch() -> None:
        from svhn.augmentation_config import Augmentation

        fields = [field.name for field in dataclasses.fields(Augmentation)]
        values = dict(zip(fields, Augmentation.__init__.__defaults__, strict=True))
        Augmentation.__init__.__defaults__ = tuple((values | changes).values())

    return patch


def compact(**constants: Any) -> Callable[[], None]:
    """Returns a patch of the network's constants."""

    def patch() -> None:
        from svhn.models import compact as module

        for name, value in constants.items():
            setattr(module, name, value)

    return patch


def heads_alone() -> None:
    """Leaves out the classifier that the digit heads share: it never has an opinion."""
    from keras import ops

    from svhn.labels import DIGIT_CLASSES, MAX_DIGITS
    from svhn.models import compact as module

    def no_opinion(_: Any, features: Any) -> Any:
        return ops.repeat(ops.zeros_like(features[:, None, :DIGIT_CLASSES]), MAX_DIGITS, axis=1)

    module._shared_digit_logits = no_opinion


def blank_class() -> None:
    """Gives the digit heads an eleventh class, as the peers do: no digit at this position.

    All five positions take part in the loss, and a number is read up to its first blank; the length
    head trains along, as theirs does, and has no say.
    """
    from keras import ops

    from svhn.decoding import Decoded
    from svhn.evaluation import predict
    from svhn.evaluation import temperature as temperature_fit
    from svhn.labels import HEAD_NAMES, LENGTH_CLASSES, MAX_DIGITS, NO_DIGIT
    from svhn.models import compact as network
    from svhn.models import heads, loss
    from svhn.training import reader_task

    classes = NO_DIGIT + 1

    def number_loss(logits: Any, labels: Any, label_smoothing: float = 0.0) -> Any:
        total = loss._cross_entropy(logits["length"], labels[:, 0], LENGTH_CLASSES, label_smoothing)
        for position, name in enumerate(HEAD_NAMES[1:], start=1):
            total += loss._cross_entropy(
                logits[name], labels[:, position], classes, label_smoothing
            )
        return total

    def decode(logits: Any, temperature: float = 1.0) -> Decoded:
        scores = ops.stack(
            [ops.log_softmax(logits[name] / temperature, axis=-1) for name in HEAD_NAMES[1:]],
            axis=1,
        )
        best = ops.cast(ops.argmax(scores, axis=-1), "int32")
        probabilities = ops.exp(ops.max(scores, axis=-1))
        is_digit = ops.cumprod(ops.cast(best != NO_DIGIT, "int32"), axis=1)
        length = ops.sum(is_digit, axis=1)
        # The first blank is part of what was read.
        is_read = ops.arange(MAX_DIGITS)[None, :] <= length[:, None]
        return Decoded(
            label=ops.concatenate(
                [length[:, None], ops.where(is_digit == 1, best, NO_DIGIT)], axis=1
            ),
            confidence=ops.prod(ops.where(is_read, probabilities, 1.0), axis=1),
            digit_probabilities=ops.where(is_digit == 1, probabilities, 0.0),
        )

    heads.DIGIT_CLASSES = network.DIGIT_CLASSES = predict.DIGIT_CLASSES = classes
    for module in (predict, reader_task, temperature_fit):
        module.number_loss, module.decode = number_loss, decode


LEVERS = {
    BASE: Lever("the base run"),
    "seed": Lever("another seed: what is chance", {"seed": 2}),
    "seed_from_nothing": Lever(
        "another seed from nothing: what is chance where * stands *", {"seed": 3}, from_nothing=True
    ),
    "real_only": Lever("no made photos", {"splits": ["train"], "mix": []}),
    "rendered_only": Lever("no real photos", {"splits": ["extra"], "mix": []}),
    "mix_1_1": Lever("real : made 1 : 1 in place of 1 : 2", {"mix": ["train:1", "extra:1"]}),
    "mix_1_4": Lever("real : made 1 : 4", {"mix": ["train:1", "extra:4"]}),
    "no_recombined": Lever("no recombined photos among the made ones", rendered_alone=True),
    "pseudo": Lever(
        "photos that the networks have labelled, real : these : made 2 : 3 : 4",
        {"splits": ["train", "extra", "pseudo"], "mix": ["train:2", "pseudo:3", "extra:4"]},
    ),
    "balance": Lever("lengths balanced, --balance_lengths=0.3", {"balance_lengths": 0.3}),
    "no_augmentation": Lever("no augmentation", {"augmentation": 0.0}),
    "augmentation_1.5": Lever("augmentation half as strong again", {"augmentation": 1.5}),
    "no_jitter": Lever(
        "no jitter of the box beyond the paper's patches",
        patch=augmentation(shift=0.0, scale=0.0, aspect=0.0),
    ),
    "no_turning": Lever("no rotation, no slant", patch=augmentation(rotation=0.0, shear=0.0)),
    "no_light": Lever(
        "light, colour, blur and noise as they are",
        patch=augmentation(
            brightness=0.0,
            contrast=0.0,
            saturation=0.0,
            colour_cast=0.0,
            inversion=0.0,
            blur=0.0,
            noise=0.0,
        ),
    ),
    "no_occlusion": Lever("no part of a picture hidden", patch=augmentation(occlusion=0.0)),
    "no_room": Lever("no room beyond an end of the number", patch=augmentation(room=0.0)),
    "no_negatives": Lever("no negatives of photos", patch=augmentation(inversion=0.0)),
    "squared_crop": Lever(
        "the crop squared, as the peers do *", patch=squared_crop, from_nothing=True
    ),
    "wide_picture": Lever(
        # As many pixels, but more side by side: five digits are 13 wide each, and not 10.
        "pictures of 40×72 in place of 54×54 *",
        patch=compact(PICTURE_SIZE=PictureSize(40, 72)),
        from_nothing=True,
    ),
    "margin_0.15": Lever(
        "the crop's margin 15 % in place of 30 % *", patch=margin(0.15), from_nothing=True
    ),
    "margin_0.6": Lever("the crop's margin 60 % *", patch=margin(0.6), from_nothing=True),
    "no_average": Lever("no averaged weights", {"average_decay": 0.0}),
    "label_smoothing": Lever("label smoothing 0.05", {"label_smoothing": 0.05}),
    "no_dropout": Lever("no dropout", patch=compact(DROPOUT=0.0)),
    "dropout_0.5": Lever("dropout 0.5 in place of 0.3", patch=compact(DROPOUT=0.5)),
    "constant_rate": Lever("a constant learning rate", {"schedule": "constant"}),
    "half_rate": Lever("half the learning rate", {"learning_rate": 0.0005}),
    "twice_rate": Lever("twice the learning rate", {"learning_rate": 0.002}),
    "wider": Lever(
        "wider and shallower, 83 million multiply-adds *",
        patch=compact(STAGES=((40, 1), (80, 1), (160, 2))),
        from_nothing=True,
    ),
    "deeper": Lever(
        "narrower and deeper, 83 million multiply-adds *",
        patch=compact(STAGES=((26, 3), (52, 3), (104, 3))),
        from_nothing=True,
    ),
    "heads_alone": Lever(
        "digit heads without the classifier they share *", patch=heads_alone, from_nothing=True
    ),
    "blank_class": Lever(
        "heads with a class blank, as the peers' *", patch=blank_class, from_nothing=True
    ),
    "crops_3": Lever("three crops of each photo averaged", crops=3),
    "crops_11": Lever("eleven crops of each photo averaged", crops=11),
}
"""By name. Each is one change of the base; where its words end with *, from nothing."""
