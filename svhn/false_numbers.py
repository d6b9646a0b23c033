"""Cuts what a detector takes for a number out of photos without any, to train on: OUT in SVHN's
format, a folder `empty` for the converter.

Of all that is no number this is what a reader has to tell from one, and a detector has to learn.
"""

from svhn import command_line
from svhn.self_training.false_numbers_config import FalseNumbersConfig


def main(config: FalseNumbersConfig) -> int:
    """Returns the exit status."""
    from svhn.self_training.false_numbers import cut_false_numbers  # imports TensorFlow

    return cut_false_numbers(config)


if __name__ == "__main__":
    command_line.run(main, FalseNumbersConfig, "python -m svhn.false_numbers")
