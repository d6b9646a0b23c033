"""Rendered photos of house numbers in SVHN's own format, so that everything runs offline.

From the shell:

    python -m svhn.data.synthetic --out DIR --train 8000 --test 1000 --seed 1

and to look at it and measure it beside real photos

    python -m svhn.data.synthetic.sheet --photos_dir DIR/train --beside_dir SVHN/train [--crops]
    python -m svhn.data.synthetic.likeness --photos_dir DIR/train --beside_dir SVHN/train

Photos without any number, from which a detector learns what is none:

    python -m svhn.data.synthetic --out DIR --train 0 --test 0 --empty 6000 --seed 501

From Python: `render_data_set(SyntheticConfig(out="DIR", train=100))`.

Each photo is a pure function of (seed, split, index, fonts found): the number of worker processes
changes nothing. The more fonts the machine has, the more varied the digits; the few that come with
matplotlib are enough to run. On Debian and Ubuntu a good set is

    apt-get install fonts-liberation2 fonts-freefont-ttf fonts-urw-base35 fonts-roboto fonts-lato \
        fonts-open-sans fonts-oldstandard fonts-gfs-didot fonts-bebas-neue fonts-league-spartan \
        fonts-texgyre fonts-opendin fonts-adf-universalis fonts-play fonts-dosis fonts-cabin

Way of a photo: `layout` says which number stands where and how large; `scene` paints a wall
(`walls`), a plaque (`plaques`), digits (`digits`, `ink`) and what is around them (`fittings`), and
lights them (`lighting`); `photography` does to the picture what a street-view camera and its JPEG
files do; `annotation` draws the boxes; `data_set` writes the folders. `without_number` makes photos
without any number, of `structures`, `street_things` and `signs` with `words`; `empty_scene` makes
other ones, on which the evaluation counts false numbers.
"""

from svhn.data.synthetic.config import SyntheticConfig
from svhn.data.synthetic.data_set import render_data_set

__all__ = ["SyntheticConfig", "render_data_set"]
