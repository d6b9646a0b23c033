"""The flags of `python -m svhn.release`, free of TensorFlow so that `--help` is instant."""

from dataclasses import dataclass

from svhn.command_line import option


@dataclass(frozen=True)
class ReleaseConfig:
    """Which weights to release, and what to say about them."""

    checkpoint_dir: str = option(
        "The folder that train.py wrote checkpoints to, or one checkpoint: DIR/model.ckpt-1000. "
        "Where the run averaged its weights, the average is released.",
        group="Input",
    )
    output: str = option(
        "The file to write, such as reader.npz; svhn/released/reader.npz and detector.npz are the "
        "ones that inference.py takes when none is named.",
        group="Output",
    )
    recipe: str = option(
        "How the weights came about, in words or as the name of a script; kept in the file beside "
        "the flags of the run.",
        "",
        group="Output",
    )
    data_dir: str = option(
        "A converted data folder. The scores on its val photos are kept in the file, and what half "
        "precision changes is measured. A reader's temperature and thresholds are found anew, for "
        "the weights as they are released; without the folder the checkpoint's are kept. How large "
        "a detector's boxes are to be, val and train tell.",
        "",
        group="Scores",
    )
    calibration_of: str = option(
        "For a network that was trained on val, too, which therefore tells nothing about it: "
        "another that was made likewise without val. A reader's temperature and thresholds, or how "
        "large a detector's boxes are to be, are taken over from it.",
        "",
        group="Scores",
    )
    batch_size: int = option("Photos at a time.", 128, group="Scores", minimum=1)
    average_with: str = option(
        "Another network of the same architecture, likewise or a file of released weights: the "
        "mean of their weights is released. Where one began from the other, it is often better "
        "than both (Wortsman et al. 2022, arXiv 2109.01903); --data_dir shows it.",
        "",
        group="Input",
    )
    average_share: float = option(
        "Its share in the mean, 0 to 1.", 0.5, group="Input", minimum=0, maximum=1
    )
