"""What readouts ask of the branches."""

import pytest
import torch

from models.backbones import BranchOutput
from models.fusions import AverageProbabilities, MeanLogits, SumLogits
from models.fusions.readout import Readout


@pytest.mark.parametrize("readout", [SumLogits, MeanLogits, AverageProbabilities])
def test_a_branch_without_a_head_is_named(readout: type[Readout]) -> None:
    x = torch.zeros(2, 3)
    branches = {"video": BranchOutput(x, x), "audio": BranchOutput(x, None)}
    with pytest.raises(ValueError, match="got none from audio"):
        readout([3, 3], outputs=3)(branches)
