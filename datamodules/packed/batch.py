"""What a batch is, and what makes one; here, so that naming it takes no torch."""

from collections.abc import Callable
from typing import Any

import numpy as np

Draw = Callable[[tuple[int, ...], np.random.Generator], np.ndarray]
Change = Callable[[np.ndarray, int], np.ndarray]  # a sample as packed, its row -> the same shape
Batch = dict[str, Any]  # tensors, and arrays that stay with the processor, as what was drawn
