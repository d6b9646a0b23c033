"""The flags of `python -m svhn.pseudo_labels`, free of TensorFlow so that `--help` is instant."""

from dataclasses import dataclass

from svhn.command_line import option

AGREEMENTS = ("number", "length")
"""What `--agreement` may be."""


@dataclass(frozen=True)
class PseudoLabelsConfig:
    """Which photos to label, with which networks, and which of them to keep."""

    photos: str = option(
        "The photos without labels: a folder (with its sub-folders), or a quoted pattern. Any "
        "format and size.",
        group="Input",
    )
    reader: str = option(
        "The network that reads: a folder that train.py wrote, DIR/model.ckpt-1000, or a file of "
        "released weights.",
        group="Input",
    )
    detector: str = option(
        "The network that finds the digits: likewise, or Keras weights of svhn.models.detector: "
        "detector.weights.h5.",
        group="Input",
    )
    data_dir: str = option(
        "The folder that gets pseudo/ (the photos that are kept, and digitStruct.mat) and "
        "pseudo_report/ (report.json and contact sheets).",
        group="Output",
    )
    overwrite: bool = option("Replace what an earlier run has finished.", False, group="Output")
    sheet_photos: int = option(
        "The most photos on each contact sheet (the surest and the least sure that are kept, and "
        "the surest that are refused); 0 for no sheets.",
        60,
        group="Output",
        minimum=0,
        maximum=400,
    )
    agreement: str = option(
        "What detector and reader must agree on: the number; or its length alone, so that the "
        "detector says where the digits are and the reader which: for a detector that finds "
        "digits well and tells them apart badly. Where it misses a digit at an end, the wrong "
        "label is kept.",
        "number",
        group="Choice",
        choices=AGREEMENTS,
    )
    min_digits: int = option(
        "Numbers of fewer digits are refused: a single digit is often all that the detector has "
        "found of a number.",
        2,
        group="Choice",
        minimum=1,
        maximum=5,
    )
    min_score: float = option(
        "The detector's numbers have at least this score. It can be low, as the reader must agree.",
        0.4,
        group="Choice",
        minimum=0.0,
        maximum=1.0,
    )
    min_confidence: float = option(
        "A photo is kept where the reader is at least so sure of its number. Less keeps more "
        "photos, and harder ones, with more wrong labels.",
        0.9,
        group="Choice",
        minimum=0.0,
        maximum=1.0,
    )
    twins: int = option(
        "Random pictures of each number, varied as in training, that are read beside the plain "
        "one; 0 for none.",
        8,
        group="Choice",
        minimum=0,
        maximum=1000,
    )
    min_consistency: float = option(
        "A photo is kept where at least this share of the random pictures is read alike.",
        0.75,
        group="Choice",
        minimum=0.0,
        maximum=1.0,
    )
    augmentation: float = option(
        "Strength of the random changes, as train.py's flag.",
        1.0,
        group="Choice",
        minimum=0.0,
        maximum=3.0,
    )
    seed: int = option(
        "Decides the random pictures, with each photo's name; the same seed, networks and photos "
        "give the same bytes.",
        1,
        group="Choice",
        minimum=0,
    )
