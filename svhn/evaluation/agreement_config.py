"""The flags of `python -m svhn.agreement`, free of TensorFlow so that `--help` is instant."""

from dataclasses import dataclass

from svhn.command_line import option


@dataclass(frozen=True)
class AgreementConfig:
    """Which networks shall agree, and on which photos that is tried."""

    data_dir: str = option(
        "A converted data folder with photos that neither network was trained on.", group="Input"
    )
    checkpoint_dir: str = option(
        "The reader: a folder that train.py wrote checkpoints to, one checkpoint: "
        "DIR/model.ckpt-1000, or a file of released weights: reader.npz. The confidence is fitted "
        "for just these weights: for those that will be released, give their file.",
        group="Input",
    )
    detector_checkpoint: str = option(
        "The detector: a file of released weights that python -m svhn.release wrote: detector.npz. "
        "The rule is written into it.",
        group="Input",
    )
    for_reader: str = option(
        "The reader that will be released, where that is another: one that was made likewise and "
        "trained on these photos, too, so that nothing can be fitted with it here. By default "
        "--checkpoint_dir.",
        "",
        group="Input",
    )
    for_detector: str = option(
        "The detector that will be released, likewise where that is another: a file of released "
        "weights, into which the rule is written in place of --detector_checkpoint.",
        "",
        group="Input",
    )
    splits: list[str] = option(
        "Whose photos to take. Those of test would make the figures there worthless.",
        ["val"],
        group="Input",
    )
    without: int = option(
        "Pictures without a number, half of them parts of the photos away from their digits, half "
        "rendered: for the confidence from which on a number is shown.",
        400,
        group="Input",
        minimum=0,
    )
    seed: int = option("Of the rendered ones.", 77, group="Input", minimum=0)
    output: str = option(
        "The file to write; by default --for_detector or --detector_checkpoint itself.",
        "",
        group="Output",
    )
    batch_size: int = option("Numbers that the reader sees at a time.", 4, group="Speed", minimum=1)
