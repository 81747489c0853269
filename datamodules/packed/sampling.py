"""Order of the samples: a function of seed and epoch alone, so that a resumed run sees the same."""

from collections.abc import Iterator

import numpy as np
import torch.distributed as dist
from torch.utils.data import Sampler

from datamodules.packed.errors import DataError


class EpochSampler(Sampler[tuple[int, int]]):
    """Yields `(row, epoch)` pairs; the epoch lets the data set seed its augmentation.

    Lightning calls `set_epoch` at the start of every epoch, also of the first one after a resume.

    Processes that train one network together share the rows. Shuffled, all get the same number,
    because their steps go together: what is left over sits out the epoch. In order, each row goes
    to exactly one of them, because an evaluation counts it once.

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
        return len(self._share(self.rows))

    def __iter__(self) -> Iterator[tuple[int, int]]:
        rows = self.rows
        if self.shuffle:
            rows = np.random.default_rng((self.seed, self.epoch)).permutation(rows)
        epoch = self.epoch  # of this pass, whatever is set before it ends
        return iter([(int(row), epoch) for row in self._share(rows)])

    def _share(self, rows: np.ndarray) -> np.ndarray:
        """Return this process's own of the rows, all of them if it is alone."""
        if not (dist.is_available() and dist.is_initialized()):
            return rows
        rank, processes = dist.get_rank(), dist.get_world_size()
        if len(rows) < processes:
            raise DataError(
                f"{processes} processes cannot share {len(rows)} samples: take fewer devices"
            )
        end = len(rows) // processes * processes if self.shuffle else len(rows)
        return rows[rank:end:processes]
