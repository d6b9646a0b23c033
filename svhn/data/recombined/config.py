"""What photos of recombined digits are made from."""

import dataclasses

from svhn.command_line import option


@dataclasses.dataclass(frozen=True)
class RecombinedConfig:
    """The flags of `python -m svhn.data.recombined`."""

    data_dir: str = option(
        "The folder with the real train/: photos and digitStruct.mat.", group="Sources"
    )
    out: str = option("The folder that gets extra/.", group="Data set")
    folders: list[str] = option(
        "Its folders whose digits are taken: train; or train,pseudo, where python -m"
        " svhn.pseudo_labels has labelled more.",
        ["train"],
        group="Sources",
    )
    val_fraction_train: float = option(
        "As given to convert_to_tfrecords.py: photos that it draws for val are no sources.",
        0.1,
        group="Sources",
        minimum=0,
        maximum=1,
    )
    photos: int = option("Photos to compose.", 10_000, group="Data set", minimum=1)
    lengths: list[str] = option(
        "How often numbers of 1, 2, 3, 4 and 5 digits are composed: five weights.",
        ["5", "25", "30", "25", "15"],
        group="Data set",
    )
    exchanged: float = option(
        "Share of the digits that come from other photos of like looks.",
        0.5,
        group="Data set",
        minimum=0,
        maximum=1,
    )
    seed: int = option(
        "Another seed gives other photos; the same seed and folder give the same bytes.",
        1,
        group="Data set",
        minimum=0,
    )
    overwrite: bool = option("Replace what an earlier run has finished.", False, group="Data set")
    workers: int = option(
        "Worker processes; 0 for one a core. The photos don't depend on it.",
        0,
        group="Speed",
        minimum=0,
    )
