"""Composes photos of new numbers from the digits of real ones: DIR/extra in SVHN's format."""

from svhn import command_line
from svhn.data.recombined.config import RecombinedConfig
from svhn.data.recombined.data_set import recombine


def main(config: RecombinedConfig) -> int:
    """Composes the photos and returns the exit status."""
    recombine(config)
    return 0


if __name__ == "__main__":
    command_line.run(
        main, RecombinedConfig, "python -m svhn.data.recombined", needs_tensorflow=False
    )
