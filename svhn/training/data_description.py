"""What a run trains on, in words that tell another data set apart."""

from typing import Any

from svhn.data.manifest import (
    DEFAULT_TRAINING_SPLITS,
    EMPTY,
    manifest_digest,
    photo_count,
    shard_folder,
    splits_with_photos,
)
from svhn.data.mixing import parse_mix
from svhn.errors import UserError
from svhn.training.config import TrainingConfig


def describe_data(config: TrainingConfig) -> dict[str, Any]:
    """Returns what is trained on, as JSON can hold it; another data set is described otherwise.

    Args:
        config: `task`, `data_dir`, `splits` and `mix`.

    Returns:
        "splits" (names), "photos" (their number) and "manifest_sha256" (of the conversion).

    Raises:
        UserError: If there is no whole conversion, or nothing to train or to validate on, or a
            split is named twice, or the mix doesn't fit the splits.
    """
    present = splits_with_photos(config.data_dir)
    default = DEFAULT_TRAINING_SPLITS[config.task]
    splits = config.splits or [split for split in default if split in present]
    if splits == [EMPTY]:
        raise UserError(
            f"On the split {EMPTY} alone a {config.task} learns nothing. Name one with numbers "
            f"beside it, such as --splits=train,{EMPTY}, or convert a folder that has train/"
        )
    if not splits:
        raise UserError(
            f"{shard_folder(config.data_dir)} has neither train nor extra photos to train on. "
            "Convert a folder that has train/ or extra/"
        )
    if len(set(splits)) < len(splits):
        raise UserError(
            f"--splits={','.join(splits)} names a split twice. Name each once; "
            "--mix=train:2,extra:1 shows one more often"
        )
    photo_count(config.data_dir, "val")  # says what to do where there is none
    parse_mix(config.mix, splits)  # says what is wrong with it before anything is made
    return {
        "splits": list(splits),
        "photos": sum(photo_count(config.data_dir, split) for split in splits),
        "manifest_sha256": manifest_digest(config.data_dir),
    }
