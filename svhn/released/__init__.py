"""Where the weights that come with the package lie; free of TensorFlow."""

from pathlib import Path

PACKAGED_READER = Path(__file__).parent / "reader.npz"
"""The reader that is taken where no checkpoint is named; a package without one lacks the file."""

PACKAGED_DETECTOR = Path(__file__).parent / "detector.npz"
"""The detector that is taken where none is named; likewise."""
