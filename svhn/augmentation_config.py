"""How strongly training pictures are varied. Free of TensorFlow, so that flags can hold it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """The furthest that each random change goes at strength 1; each is drawn uniformly.

    With `strength` 0 nothing is random: training sees exactly what evaluation sees.
    """

    strength: float = 1.0
    """Multiplies everything below but the next; 0 is off."""

    photometric_share: float = 1.0
    """Multiplies once more what changes light and colour, from `brightness` to `noise`."""

    patch_offset: float = 5.0
    """The 54×54 patch leaves the centre of the 64×64 crop by as many of its pixels; 5 is all."""

    shift: float = 0.1
    """The box moves by this fraction of a digit's width and of the number's height."""

    scale: float = 0.15
    """The box becomes larger or smaller, natural logarithm."""

    aspect: float = 0.2
    """The box becomes wider or higher, natural logarithm of the ratio."""

    room: float = 1.0
    """A third of the pictures go on beyond one end of the number, by up to so many digits' widths.
    A detector takes door frames and edges of plaques for digits; the reader is to tell."""

    rotation: float = 10.0
    """Degrees to either side, in the photo."""

    shear: float = 0.25
    """Slant: the sideways step for each step down, in the photo."""

    brightness: float = 0.5
    """The mean rises or falls by this fraction of its distance to black or white, the nearer."""

    contrast: float = 0.4
    """Distances from the mean grow or shrink, natural logarithm."""

    saturation: float = 0.6
    """Distances from each pixel's own grey grow or shrink by this fraction; 1 is grey."""

    colour_cast: float = 0.06
    """Each channel's gain leaves 1 by as much."""

    inversion: float = 0.25
    """The share of pictures that are shown as a negative: numbers are dark on light as well as
    light on dark. With slant what AutoAugment found best for SVHN (Cubuk et al. 2019, arXiv
    1805.09501)."""

    blur: float = 1.2
    """Standard deviation of a Gaussian, input pixels, 0 upwards."""

    noise: float = 6.0
    """Standard deviation of the noise, grey levels, 0 upwards."""

    occlusion: float = 0.35
    """A rectangle that hides a part of a number is at most this fraction of its picture high and
    wide; both are drawn, 0 upwards. Not for the detector, which would be taught a hidden digit."""

    @property
    def photometric_strength(self) -> float:
        """Multiplies what changes light and colour; 0 leaves them alone."""
        return self.strength * self.photometric_share
