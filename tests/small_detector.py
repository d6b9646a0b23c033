"""A detector of a few weights, with every kind of layer: compiled and run in no time."""

import pytest

from svhn.models import detector


def shrink_detector(patch: pytest.MonkeyPatch) -> None:
    """Makes `build_model("detector")` build it until the patch is undone.

    Before training it finds digits everywhere, so that there are some to draw and to count.
    """
    patch.setattr(detector, "STEM_CHANNELS", 4)
    patch.setattr(detector, "STAGES", ((4, 1), (6, 1), (8, 1), (8, 1)))
    patch.setattr(detector, "PYRAMID_CHANNELS", (4, 6, 8))
    patch.setattr(detector, "_SCORE_BEFORE_TRAINING", 0.3)
