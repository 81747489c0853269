"""What goes into an exported network: one array for each modality, and lengths where they vary.

Legend: B samples, T steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from experiments.evaluation.reopen import open_data
from experiments.prediction.load import LoadedRun
from experiments.runs.folder import RunError


@dataclass(frozen=True)
class Inputs:
    """The arrays that a run's network takes.

    Args:
        shapes: of each modality, without the batch, in the network's order.
        lengths: whether each modality comes with the number of its steps that are no padding, as
            `<modality>_length`.
    """

    shapes: Mapping[str, tuple[int, ...]]
    lengths: bool

    @classmethod
    def of(cls, run: LoadedRun) -> "Inputs":
        """Read them from the run's metrics; where a run is older than that, from its data set.

        Raises:
            RunError: if neither says them.
        """
        reopened = run.reopened
        written: Any = reopened.run.metrics.get("shapes")
        if written is None:
            try:
                written = open_data(reopened.cfg, reopened.run).shapes
            except RunError as error:
                raise RunError(
                    f"{reopened.run.folder.path / 'metrics.json'}: expected the shapes of the "
                    "network's inputs, found none, for the run is of an older version; they are "
                    f"looked up in its data set then, but {error}"
                ) from None
        shapes = {name: tuple(map(int, written[name])) for name in run.modalities}
        return cls(shapes, bool(reopened.cfg.task.get("lengths", False)))

    def draw(self, size: int) -> dict[str, Tensor]:
        """Return a random batch, the same for each size: normal numbers, and lengths up to T."""
        generator = torch.Generator().manual_seed(size)
        batch = {
            name: torch.randn(size, *shape, generator=generator)
            for name, shape in self.shapes.items()
        }
        if self.lengths:
            batch |= {
                f"{name}_length": torch.randint(1, shape[-1] + 1, (size,), generator=generator)
                for name, shape in self.shapes.items()
            }
        return batch
