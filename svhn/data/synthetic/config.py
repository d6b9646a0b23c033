"""What a synthetic data set is made from."""

import dataclasses

from svhn.command_line import option
from svhn.data.manifest import EMPTY

SPLITS = ("train", "test", "extra", EMPTY)
"""The folders that can be rendered, in their order: those of SVHN, and photos without a number."""


@dataclasses.dataclass(frozen=True)
class SyntheticConfig:
    """The flags of `python -m svhn.data.synthetic`."""

    out: str = option("The folder that gets train/, test/, extra/ and empty/.", group="Data set")
    train: int = option("Photos in train/.", 8000, group="Data set", minimum=0)
    test: int = option("Photos in test/.", 1000, group="Data set", minimum=0)
    extra: int = option("Photos in extra/.", 0, group="Data set", minimum=0)
    empty: int = option(
        "Photos in empty/: walls, railings, windows, leaves, words, but no number, to train a "
        "detector on what is none.",
        0,
        group="Data set",
        minimum=0,
    )
    lengths: list[str] = option(
        "How often numbers of 1, 2, 3, 4 and 5 digits are rendered: five weights. Default: as in "
        "SVHN, where hardly one of 1,000 has five.",
        [],
        group="Data set",
    )
    spaced: float = option(
        "The share of numbers whose digits stand far apart, each by itself, as some are mounted on "
        "doors; SVHN shows hardly any.",
        0.0,
        group="Data set",
        minimum=0.0,
        maximum=1.0,
    )
    seed: int = option(
        "Another seed gives other photos; the same seed and fonts give the same bytes.",
        1,
        group="Data set",
        minimum=0,
    )
    overwrite: bool = option(
        "Replace splits that an earlier run has finished.", False, group="Data set"
    )
    fonts_dir: str | None = option(
        "Take the fonts from this folder (.ttf, .otf) instead of the system's.",
        None,
        group="Rendering",
    )
    workers: int = option(
        "Worker processes; 0 for one a core. The photos don't depend on it.",
        0,
        group="Rendering",
        minimum=0,
    )
