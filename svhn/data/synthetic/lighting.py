"""Light on the painted wall: gradients, shadows with an edge, dappled shade, glare."""

import numpy as np

from svhn.data.synthetic.textures import smooth_noise


def light_wall(
    random: np.random.Generator, picture: np.ndarray, x: np.ndarray, y: np.ndarray, unit: float
) -> np.ndarray:
    """Returns the picture as uneven daylight shows it.

    Args:
        random: Where the light comes from.
        picture: float32 (H, W, 3), 0 to 1.
        x: Wall coordinates of the pixels, float32 (H, W).
        y: The same downwards.
        unit: Pixels in one wall unit.
    """
    strength = np.float32(abs(random.normal(0, 0.08)))
    direction = random.uniform(0, 2 * np.pi)
    cosine, sine = np.float32(np.cos(direction)), np.float32(np.sin(direction))
    light = 1 + strength * (x * cosine + y * sine).clip(-2.5, 2.5)
    kind = random.random()
    if kind < 0.16:  # the shadow of a roof, a frame, a neighbour
        direction = random.choice([np.pi / 2, 0.0, np.pi]) + random.normal(0, 0.35)
        across = x * np.float32(np.cos(direction)) + y * np.float32(np.sin(direction))
        softness = random.uniform(3, 25)
        edge = np.clip((across - np.float32(random.normal(0, 0.8))) * np.float32(softness), 0, 1)
        light = light * (1 - np.float32(random.uniform(0.25, 0.65)) * edge)
    elif kind < 0.22:  # leaves of a tree
        blotches = smooth_noise(random, x.shape, unit * random.uniform(0.3, 1.2))
        shade = np.clip(blotches * np.float32(1.5) + np.float32(random.normal(0, 0.7)), 0, 1)
        light = light * (1 - np.float32(random.uniform(0.2, 0.55)) * shade)
    elif kind < 0.27:  # glare on enamel and glass
        middle = random.normal(0, 0.8, 2)
        radius = random.uniform(0.3, 1.0)
        falloff = ((x - np.float32(middle[0])) ** 2 + (y - np.float32(middle[1])) ** 2) / radius**2
        glare = np.exp(-falloff.astype(np.float32)) * np.float32(random.uniform(0.1, 0.5))
        return picture * light[..., None] + glare[..., None]
    return picture * light[..., None].astype(np.float32)
