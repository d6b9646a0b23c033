"""The flags of `python -m svhn.false_numbers`, free of TensorFlow so that `--help` is instant."""

from dataclasses import dataclass

from svhn.command_line import option


@dataclass(frozen=True)
class FalseNumbersConfig:
    """Which photos to search, with which detector, and where the parts go."""

    photos: str = option(
        "Photos without any number: a folder (with its sub-folders), or a quoted pattern, such as "
        "what python -m svhn.data.synthetic --empty rendered.",
        group="Input",
    )
    detector: str = option(
        "The network that finds digits: a folder that train.py wrote, DIR/model.ckpt-1000, or a "
        "file of released weights.",
        group="Input",
    )
    out: str = option("The folder that gets the parts, and digitStruct.mat.", group="Output")
    keep_photos: bool = option(
        "Put the photos themselves into the folder, too, before the parts.", False, group="Output"
    )
    overwrite: bool = option("Replace what an earlier run has finished.", False, group="Output")
    min_score: float = option(
        "What is found has at least this score. Low: what the detector doubts, the reader decides.",
        0.2,
        group="Choice",
        minimum=0.0,
        maximum=1.0,
    )
    most_per_photo: int = option(
        "Of each photo so many parts at most, the surest.", 3, group="Choice", minimum=1
    )
