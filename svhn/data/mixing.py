"""In which order examples are taken from several splits, so that every stretch has their ratio.

All of it is integer arithmetic in closed form: how many examples each split has given before
any example is known without counting them. The functions take Python's whole numbers, NumPy's
arrays and TensorFlow's int64 tensors alike.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from svhn.errors import UserError

_LARGEST_PART = 1e9
_LARGEST_PERIOD = 2**30
"""Its square, doubled, is still a 64-bit number."""


def parse_mix(parts: Sequence[str], splits: Sequence[str]) -> list[int] | None:
    """Returns what `--mix` says, as whole numbers.

    Args:
        parts: A part for each split, in any order: `["train:1", "extra:2.5"]`.
        splits: The splits that are trained on.

    Returns:
        For each of `splits` how many of `sum(…)` examples are its own, in lowest terms; None if
        there are no parts, so that no ratio is wanted.

    Raises:
        UserError: If a part is not a positive number, or the parts don't name just the splits.
    """
    if not parts:
        return None
    flag = f"--mix={','.join(parts)}"
    expected = ",".join(f"{split}:{place}" for place, split in enumerate(splits, start=1))
    shares: dict[str, Fraction] = {}
    for part in parts:
        split, _, number = part.partition(":")
        if split in shares:
            raise UserError(f"{flag} names {split} twice. Expected: --mix={expected}, or the like")
        shares[split] = _positive_number(number, part, flag, expected)
    if set(shares) != set(splits):
        raise UserError(
            f"{flag} must name just the splits that are trained on: {', '.join(splits)}. Give the "
            f"like of --mix={expected}, or choose others with --splits"
        )
    denominator = math.lcm(*(share.denominator for share in shares.values()))
    weights = [int(shares[split] * denominator) for split in splits]
    divisor = math.gcd(*weights)
    if sum(weights) // divisor > _LARGEST_PERIOD:
        raise UserError(f"{flag} is too fine a ratio. Expected: numbers of fewer digits")
    return [weight // divisor for weight in weights]


def taken(weights: Sequence[int], examples: Any) -> list[Any]:
    """Returns how many of the first examples come from each split.

    The counts differ by less than one from the exact ratio, for up to four splits.

    Args:
        weights: As `parse_mix` returns them.
        examples: A whole number, or an array or int64 tensor of such; as tensors at most
            `sum(weights)`, after which the pattern repeats.

    Returns:
        For each split a count, like `examples`; their sum is `examples`.
    """
    if len(weights) == 1:
        return [examples]
    half, total = len(weights) // 2, sum(weights)
    # Rounded to the nearest, so that halving twice is wrong by less than one.
    in_half = (2 * examples * sum(weights[:half]) + total) // (2 * total)
    return [*taken(weights[:half], in_half), *taken(weights[half:], examples - in_half)]


def split_of(weights: Sequence[int], examples: Any) -> Any:
    """Returns the place in `weights` of the split from which an example comes.

    Args:
        weights: As `parse_mix` returns them.
        examples: Which example, 0 for the first; a whole number, an array or an int64 tensor.
    """
    place = examples % sum(weights)
    counts = zip(taken(weights, place), taken(weights, place + 1), strict=True)
    return sum(split * (after - before) for split, (before, after) in enumerate(counts))


def _positive_number(text: str, part: str, flag: str, expected: str) -> Fraction:
    try:
        if 1 / _LARGEST_PART <= float(text) <= _LARGEST_PART:  # no others are worth a fraction
            return Fraction(text)
    except ValueError:
        pass
    raise UserError(
        f"{flag}: {part!r} is not a split and a positive number. Expected: --mix={expected}, or "
        "the like"
    )
