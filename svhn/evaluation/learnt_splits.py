"""Splits that are held out as a rule, and that a network was trained on nevertheless."""

from collections.abc import Iterable

from svhn.command_line import warn
from svhn.loaded_model import LoadedModel

HELD_OUT = ("val", "test")
"""Splits that networks aren't trained on, unless somebody wants to."""


def warn_of_learnt(loaded: LoadedModel, splits: Iterable[str]) -> None:
    """Warns of held-out splits that a network has learnt from.

    Args:
        loaded: The network.
        splits: Where something is to be found out about it.
    """
    learnt = loaded.state.get("data", {}).get("splits", [])
    if seen := [split for split in splits if split in HELD_OUT and split in learnt]:
        warn(
            f"{loaded.path} was trained on {' and '.join(seen)}, too. If the photos there were "
            "the same as these, what is found on these doesn't hold for others; take a split that "
            "it hasn't seen"
        )
