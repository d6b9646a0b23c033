"""Renders photos of house numbers in SVHN's format: N.png and digitStruct.mat in each folder."""

from svhn import command_line
from svhn.data.synthetic.config import SyntheticConfig
from svhn.data.synthetic.data_set import render_data_set


def main(config: SyntheticConfig) -> int:
    """Renders the data set and returns the exit status."""
    render_data_set(config)
    return 0


if __name__ == "__main__":
    command_line.run(main, SyntheticConfig, "python -m svhn.data.synthetic", needs_tensorflow=False)
