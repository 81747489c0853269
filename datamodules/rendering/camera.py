"""What a camera does to rendered frames: focus, light and grain."""

import numpy as np


def blur(image: np.ndarray, radius: float) -> np.ndarray:
    """Out of focus: Gaussian of `radius` pixels."""
    import cv2

    return cv2.GaussianBlur(image, (0, 0), radius)


def expose(
    images: np.ndarray, light: float, noise: float, generator: np.random.Generator
) -> np.ndarray:
    """Multiply (T, H, W, 3) bytes by `light` and add grain of `noise` grey levels."""
    grain = generator.standard_normal(images.shape[:3], dtype=np.float32)[..., None] * noise
    return np.clip(images * np.float32(light) + grain, 0, 255).astype(np.uint8)
