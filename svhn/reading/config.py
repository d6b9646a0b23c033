"""The flags of `inference.py`, free of TensorFlow so that `--help` is instant."""

from dataclasses import dataclass

from svhn.command_line import option

BOX_SOURCES = ("auto", "whole", "labels")
"""What `--boxes` may be."""


@dataclass(frozen=True)
class ReadingConfig:
    """Which photos to read, with which network, and where the results go."""

    image: str = option(
        "The photos: a file, a folder (with its sub-folders), or a quoted pattern such as "
        "'photos/**/*.jpg'. JPEG, PNG and whatever else Pillow reads, of any size.",
        group="Input",
    )
    restore_checkpoint: str = option(
        "The trained network: a folder that train.py wrote, DIR/model.ckpt (the best checkpoint "
        "there), DIR/model.ckpt-1000, or a file of released weights, reader.npz. Default: the "
        "reader that comes with the package, if it has one.",
        "",
        group="Input",
    )
    detector_checkpoint: str = option(
        "The trained detector, which finds the numbers in photos: likewise a folder, a checkpoint "
        "in it, or a file of released weights, detector.npz. Default: the detector that comes with "
        "the package, if it has one.",
        "",
        group="Input",
    )
    boxes: str = option(
        "Where the numbers are. auto: the detector finds them; without a detector, the whole photo "
        "is taken for the number. whole: the whole photo is the number (cut it out first). labels: "
        "the digits' boxes in the digitStruct.mat beside the photos.",
        "auto",
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
        "on val and is stored with the reader, that of numbers that were found with the detector. "
        "With 0 every reading is given.",
        0.0,
        group="Answer",
        minimum=0.0,
        maximum=1.0,
    )
    output_dir: str = option(
        "The folder for predictions.json, predictions.csv and annotated/ (each photo with what "
        "was read). Photos that an earlier call with the same flags has read into it, and that "
        "have not changed since, are not read again. Nothing is written by default.",
        "",
        group="Output",
    )
    batch_size: int = option(
        "Numbers that the reader sees at a time. A photo's answer depends neither on its "
        "neighbours nor on the number of photos.",
        32,
        group="Speed",
        minimum=1,
        maximum=4096,
    )
