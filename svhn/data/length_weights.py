"""How often made photos have numbers of each length, as `--lengths` says it."""

from svhn.errors import UserError
from svhn.labels import MAX_DIGITS


def length_weights(texts: list[str]) -> list[float]:
    """Returns the weights of the lengths 1 to 5 that a flag gives.

    Raises:
        UserError: If they aren't five numbers, none below 0 and one above.
    """
    try:
        weights = [float(text) for text in texts]
    except ValueError:
        weights = []
    if len(weights) != MAX_DIGITS or not min(weights) >= 0 or not 0 < sum(weights) < float("inf"):
        raise UserError(
            f"--lengths={','.join(texts)}: give five weights, for numbers of 1 to 5 digits, none"
            " below 0, such as 5,25,30,25,15"
        )
    return weights
