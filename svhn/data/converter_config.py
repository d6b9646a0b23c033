"""The flags of `convert_to_tfrecords.py`."""

import dataclasses

from svhn.command_line import option


@dataclasses.dataclass
class ConverterConfig:
    """What to convert, and how."""

    data_dir: str = option(
        "The folder with any of train/, test/ and extra/, each with photos and digitStruct.mat; "
        "pseudo/, likewise, where python -m svhn.pseudo_labels has made one, and empty/, photos "
        "without any number.",
        group="data",
    )
    output_dir: str = option(
        "Where the folder tfrecords/ is made, for photos on a disk that can't be written to; by"
        " default in data_dir. Give train.py this folder as --data_dir.",
        "",
        group="data",
    )
    val_fraction_train: float = option(
        "How much of train/ becomes the split val.", 0.1, group="splits", minimum=0, maximum=1
    )
    val_fraction_extra: float = option(
        "How much of extra/ becomes the split val.", 0.01, group="splits", minimum=0, maximum=1
    )
    shards: int = option(
        "Files that each split is spread over; fewer where a split has only a few photos.",
        16,
        group="files",
        minimum=1,
        maximum=99_999,
    )
    overwrite: bool = option("Replaces a whole conversion.", False, group="files")
    verify: bool = option(
        "Only checks an existing conversion against its manifest, file by file.",
        False,
        group="files",
    )
    workers: int = option(
        "Processes that write shards; 0 for one on each core.", 0, group="speed", minimum=0
    )
