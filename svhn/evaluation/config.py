"""The flags of `eval.py`, free of TensorFlow so that `--help` is instant."""

from dataclasses import dataclass

from svhn.command_line import option

TASKS = ("reader", "photos")

DEFAULT_SPLITS = ("train", "val", "test")
"""Evaluated when no split is asked for, as far as they exist; `extra` is long and easy."""


@dataclass(frozen=True)
class EvaluationConfig:
    """What to evaluate, and where the results go."""

    data_dir: str = option(
        "The data folder: its tfrecords/ is what convert_to_tfrecords.py wrote.", group="Input"
    )
    checkpoint_dir: str = option(
        "The folder that train.py wrote checkpoints to, one checkpoint: DIR/model.ckpt-1000, or a"
        " file of released weights: reader.npz.",
        "./logs/train",
        group="Input",
    )
    task: str = option(
        "What to evaluate. reader: the numbers are read in crops, at the labelled boxes. photos:"
        " whole photos; a detector finds the numbers, and the reader reads them.",
        "reader",
        group="Input",
        choices=TASKS,
    )
    detector_checkpoint: str = option(
        "With --task=photos: the detector that finds the numbers, likewise a folder, a checkpoint"
        " or a file of released weights: detector.npz.",
        "./logs/detector",
        group="Input",
    )
    raw_weights: bool = option(
        "Evaluate the weights themselves where the run kept their moving average, too"
        " (--average_decay of train.py); otherwise the average is evaluated. Temperature and"
        " thresholds are those of the average: they are left out.",
        False,
        group="Input",
    )
    splits: list[str] = option(
        "The splits to evaluate: train, extra, pseudo, val, test. By default train, val and"
        " test, as far as the conversion has them.",
        [],
        group="Input",
    )
    batch_size: int = option(
        "Photos at a time; it changes the speed, not the results.",
        128,
        group="Evaluation",
        minimum=1,
    )
    coverage_accuracy: list[str] = option(
        "The coverage is the share of photos kept by confidence such that the kept ones reach an"
        " accuracy: which ones, each 0 to 1.",
        ["0.95", "0.98", "0.99"],
        group="Evaluation",
    )
    eval_logdir: str = option(
        "The folder for results.json (photos.json with --task=photos), predictions, pictures of"
        " mistakes and TensorBoard's files.",
        "./logs/eval",
        group="Output",
    )
    sheet_size: int = option(
        "The most mistakes on the picture of a split's most confident mistakes; 0 for no picture.",
        40,
        group="Output",
        minimum=0,
        maximum=400,
    )
