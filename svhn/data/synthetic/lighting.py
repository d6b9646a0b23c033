"""Light on the painted wall: gradients, shadows with an edge, dappled shade, glare."""

import numpy as np

from svhn.data.synthetic.textures import smooth_noise


def light_wall(
    random: np.random.Generator, picture: np.ndarray, x: np.ndarray, y: np.ndarray, unit: float
) -> None:
    """Lights a picture as uneven daylight does.

    Args:
        random: Where the light comes from.
        picture: float32 (3, H, W), 0 to 1; changed.
        x: Wall coordinates of the pixels, float32 (H, W).
        y: The same downwards.
        unit: Pixels in one wall unit.
    """
    strength = abs(random.normal(0, 0.08))
    direction = random.uniform(0, 2 * np.pi)
    light = x * np.float32(strength * np.cos(direction))
    light += y * np.float32(strength * np.sin(direction)) + 1
    light = light.clip(0.6, 1.5)
    kind = random.random()
    if kind < 0.16:  # the shadow of a roof, a frame, a neighbour
        direction = random.choice([np.pi / 2, 0.0, np.pi]) + random.normal(0, 0.35)
        across = x * np.float32(np.cos(direction)) + y * np.float32(np.sin(direction))
        softness = random.uniform(3, 25)
        edge = np.clip((across - np.float32(random.normal(0, 0.8))) * np.float32(softness), 0, 1)
        light *= 1 - np.float32(random.uniform(0.25, 0.6)) * edge
    elif kind < 0.22:  # leaves of a tree
        blotches = smooth_noise(random, x.shape, unit * random.uniform(0.3, 1.2))
        shade = np.clip(blotches * np.float32(1.5) + np.float32(random.normal(0, 0.7)), 0, 1)
        light *= 1 - np.float32(random.uniform(0.2, 0.55)) * shade
    picture *= light
    if kind > 0.95:  # glare on enamel and glass
        across, down = random.normal(0, 0.8, 2)
        radius = random.uniform(0.3, 1.0)
        falloff = (x - np.float32(across)) ** 2 + (y - np.float32(down)) ** 2
        picture += np.exp(falloff * np.float32(-1 / radius**2)) * np.float32(
            random.uniform(0.05, 0.25)
        )
