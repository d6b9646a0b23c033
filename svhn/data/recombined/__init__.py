"""New numbers composed of the digits of real photos, in SVHN's own format.

    python -m svhn.data.recombined --data_dir SVHN --out DIR --photos 20000 --seed 1
    python convert_to_tfrecords.py --data_dir DIR --val_fraction_extra 0

Real photos are few and four and five digits are rare among them. Here strips of a photo, each
with one digit, are put in another order, repeated and left out, so that its plaque grows and
shrinks with the number; and digits are taken from other photos that are like it, their colours
matched. Only photos of the split `train` are used: those that the converter draws for `val`, by
the same function, never.

Each photo is a pure function of (seed, index, the folder): the number of worker processes changes
nothing.

`sources` examines the photos; `donors` finds digits that would fit; `strips` cuts, moves and
blends; `composition` decides what a photo shows; `data_set` writes the folder.
"""

from svhn.data.recombined.config import RecombinedConfig
from svhn.data.recombined.data_set import recombine

__all__ = ["RecombinedConfig", "recombine"]
