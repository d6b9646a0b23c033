"""Labels photos with the networks that are there, to train on: DATA_DIR/pseudo in SVHN's format.

A photo is kept where detector and reader agree on its number, the reader is sure of it, reads it
again in most of some randomly varied pictures, and reads no further digit where it is shown more
room at either side.
"""

from svhn import command_line
from svhn.self_training.config import PseudoLabelsConfig


def main(config: PseudoLabelsConfig) -> int:
    """Returns the exit status."""
    from svhn.self_training.pseudo_labels import label_photos  # imports TensorFlow

    return label_photos(config)


if __name__ == "__main__":
    command_line.run(main, PseudoLabelsConfig, "python -m svhn.pseudo_labels")
