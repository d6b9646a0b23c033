"""Writes the weights of a checkpoint to one small file that can be given away.

python -m svhn.release --checkpoint_dir ./logs/train --output reader.npz --data_dir your_data_dir
"""

from svhn import command_line
from svhn.evaluation.release_config import ReleaseConfig


def main(config: ReleaseConfig) -> int:
    """Returns the exit status."""
    from svhn.evaluation.release import release  # imports TensorFlow

    return release(config)


if __name__ == "__main__":
    command_line.run(main, ReleaseConfig, "python -m svhn.release")
