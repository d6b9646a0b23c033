"""The flags of `inference.py`, free of TensorFlow so that `--help` is instant."""

from dataclasses import dataclass

from svhn.command_line import option

BOX_SOURCES = ("whole", "labels")
"""What `--boxes` may be."""


@dataclass(frozen=True)
class ReadingConfig:
    """Which photos to read, with which network, and where the results go."""

    image: str = option(
        "The photos: a file, a folder (with its sub-folders), or a quoted pattern such as "
        "'photos/**/*.jpg'. Any format and size.",
        group="Input",
    )
    restore_checkpoint: str = option(
        "The trained network: a folder that train.py wrote, DIR/model.ckpt (the best checkpoint "
        "there), DIR/model.ckpt-1000, or a file of released weights, reader.npz. Default: the "
        "reader that comes with the package, if it has one.",
        "",
        group="Input",
    )
    boxes: str = option(
        "Where the number is: the whole photo is taken for the number (cut it out first), or "
        "labels: the digits' boxes in the digitStruct.mat beside the photos.",
        "whole",
        group="Input",
        choices=BOX_SOURCES,
    )
    box: list[str] = option(
        "The tight box around the digits of a single photo: left, top, width and height in "
        "pixels; it goes before --boxes.",
        [],
        group="Input",
    )
    min_accuracy: float = option(
        "Of the readings that are given, this share shall be right, such as 0.98; where the "
        'confidence doesn\'t suffice, the answer is "not sure". The confidence it takes was found '
        "on val and is stored with the network. With 0 every reading is given.",
        0.0,
        group="Answer",
        minimum=0.0,
        maximum=1.0,
    )
    output_dir: str = option(
        "The folder for predictions.json, predictions.csv and annotated/ (each photo with what "
        "was read). Nothing is written by default.",
        "",
        group="Output",
    )
    batch_size: int = option(
        "Photos that the network sees at a time. A photo's answer depends neither on its "
        "neighbours nor on the number of photos.",
        32,
        group="Speed",
        minimum=1,
        maximum=4096,
    )
