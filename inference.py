"""Reads the house numbers of photos: a file, a folder or a pattern; any format."""

from svhn.command_line import run
from svhn.reading.config import ReadingConfig


def main(config: ReadingConfig) -> int:
    """Returns the exit status."""
    from svhn.reading.inference import infer  # only once --help has been answered

    return infer(config)


if __name__ == "__main__":
    run(main, ReadingConfig, needs_tensorflow=False)  # `infer` starts it, after its checks
