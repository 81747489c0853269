"""Numbers that a packed array can hold."""

import numpy as np
import numpy.typing as npt


def fits(values: np.ndarray, dtype: npt.DTypeLike) -> np.ndarray:
    """Where values are finite, also as a float type that holds fewer: bool of their shape.

    The largest float64 are infinite as float32, and all beyond 65504 as float16.
    """
    return np.abs(values) <= np.finfo(dtype).max  # False for NaN
