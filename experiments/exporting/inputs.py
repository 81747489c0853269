"""What goes into an exported network: one array for each modality, and lengths where they vary.

Legend: B samples, T steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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

        Where that is gone too, a run on a data set of the user's is taken to be of the paper's
        size; a sample is smaller.

        Raises:
            RunError: for a sample that is gone.
        """
        reopened = run.reopened
        shapes: Mapping[str, Sequence[int]] = run.shapes
        if "shapes" not in reopened.run.metrics:
            try:
                shapes = open_data(reopened.cfg, reopened.run).shapes
            except RunError as error:
                if reopened.run.metrics["provenance"] == "sample":
                    raise RunError(
                        f"{reopened.run.folder.path / 'metrics.json'}: expected the shapes of the "
                        "network's inputs, found none, for the run is of an older version, and "
                        f"{error}"
                    ) from None
        return cls(
            {name: tuple(map(int, shapes[name])) for name in run.modalities},
            bool(reopened.cfg.task.get("lengths", False)),
        )

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
