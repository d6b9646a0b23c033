"""The flags of `eval.py`, free of TensorFlow so that `--help` is instant."""

from dataclasses import dataclass

from svhn.command_line import option

DEFAULT_SPLITS = ("train", "val", "test")
"""Evaluated when no split is asked for, as far as they exist; `extra` is long and easy."""


@dataclass(frozen=True)
class EvaluationConfig:
    """What to evaluate, and where the results go."""

    data_dir: str = option(
        "The data folder: its tfrecords/ is what convert_to_tfrecords.py wrote.", group="Input"
    )
    checkpoint_dir: str = option(
        "The folder that train.py wrote checkpoints to, or one checkpoint: DIR/model.ckpt-1000.",
        "./logs/train",
        group="Input",
    )
    raw_weights: bool = option(
        "Evaluate the weights themselves where the run kept their moving average, too"
        " (--average_decay of train.py); otherwise the average is evaluated.",
        False,
        group="Input",
    )
    splits: list[str] = option(
        "The splits to evaluate: train, extra, val, test. By default train, val and test, as far"
        " as the conversion has them.",
        [],
        group="Input",
    )
    batch_size: int = option(
        "Photos at a time; it changes the speed, not the results.",
        128,
        group="Evaluation",
        minimum=1,
    )
    coverage_accuracy: float = option(
        "The coverage is the share of photos kept by confidence such that the kept ones reach this"
        " accuracy, 0 to 1.",
        0.98,
        group="Evaluation",
        minimum=0.0,
        maximum=1.0,
    )
    eval_logdir: str = option(
        "The folder for results.json, predictions, pictures of mistakes and TensorBoard's files.",
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
