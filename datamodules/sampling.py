"""Order of the samples: a function of seed and epoch alone, so that a resumed run sees the same."""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler


class EpochSampler(Sampler[tuple[int, int]]):
    """Yields `(row, epoch)` pairs; the epoch lets the data set seed its augmentation.

    Lightning calls `set_epoch` at the start of every epoch, also of the first one after a resume.

    Args:
        rows: rows of the packed set.
        seed: of the run.
        shuffle: draw a new order every epoch, or keep that of `rows`.
    """

    def __init__(self, rows: np.ndarray, *, seed: int, shuffle: bool) -> None:
        self.rows = rows
        self.seed = seed
        self.shuffle = shuffle
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        rows = self.rows
        if self.shuffle:
            rows = np.random.default_rng((self.seed, self.epoch)).permutation(rows)
        epoch = self.epoch  # of this pass, whatever is set before it ends
        return iter([(int(row), epoch) for row in rows])
