"""EmbraceNet: every output feature is taken from one modality, drawn at random.

Legend: B samples, M modalities, n_m features of modality m, c embraced features, K classes.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from models.backbones import BranchOutput
from models.contracts import Prediction
from models.fusions.readout import Readout, check_features


class Embrace(nn.Module):
    """Docking and multinomial choice (Choi and Lee 2019).

    Each modality is docked to c features, `d_m = relu(W_m x_m + b_m)`; each of the c outputs is
    that feature of one modality, drawn uniformly, in training and in evaluation alike.

    The draw of training is new for every sample and comes from the global generator. In evaluation
    it would make the same clip score differently from one call to the next, or with its place in
    the batch; so there one draw stands for all samples. It comes from `seed` when the module is
    built and is a buffer: results repeat, whatever the batch, and after loading a checkpoint.

    Args:
        in_features: n_m of each modality; any number of them.
        size: c.
        seed: of the draw that evaluation uses.

    Raises:
        ValueError: for no modality, or no output; in use, for other sizes.
    """

    evaluation_choice: Tensor  # (c,)

    def __init__(self, in_features: Sequence[int], *, size: int = 256, seed: int = 0) -> None:
        super().__init__()
        if not in_features or size < 1:
            raise ValueError(
                "expected one modality or more and size of 1 or more, "
                f"got in_features={list(in_features)}, size={size}"
            )
        self.in_features = tuple(in_features)
        self.docking = nn.ModuleList(nn.Linear(n, size) for n in in_features)
        generator = torch.Generator().manual_seed(seed)
        choice = torch.randint(len(in_features), (size,), generator=generator, device="cpu")
        self.register_buffer("evaluation_choice", choice.to(torch.get_default_device()))

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Embrace `(B, n_m)` of every modality into `(B, c)`."""
        check_features(features, self.in_features)
        docked = torch.stack(
            [dock(x).relu() for dock, x in zip(self.docking, features, strict=True)], 1
        )  # (B, M, c)
        return docked.gather(1, self._choice(docked)).squeeze(1)  # (B, c)

    def _choice(self, docked: Tensor) -> Tensor:
        batch, modalities, size = docked.shape
        if self.training:
            return torch.randint(modalities, (batch, 1, size), device=docked.device)
        return self.evaluation_choice.expand(batch, 1, size)


class EmbraceNet(Readout):
    """Embrace the branches' features, then classify; the paper cites it without a table row.

    On RAVDESS with c = 256 it has 952,840 parameters; the network, counted with the unimodal heads
    that it does not use, 26,868,920.

    Args:
        feature_sizes: n_m of each branch, in the order of the branches.
        outputs: K, the classes.
        size: c, 256 as in the released code.
        seed: of the draw that evaluation uses; a part of the model, not of the run.

    Raises:
        ValueError: for a size below one; in use, for features of other sizes.
    """

    uses: ClassVar[Literal["logits", "features"]] = "features"

    def __init__(
        self, feature_sizes: Sequence[int], *, outputs: int, size: int = 256, seed: int = 0
    ) -> None:
        super().__init__(feature_sizes, outputs=outputs)
        self.embrace = Embrace(feature_sizes, size=size, seed=seed)
        self.classify = nn.Linear(size, outputs)

    def forward(self, branches: Mapping[str, BranchOutput]) -> Prediction:
        embraced = self.embrace([out.features for out in branches.values()])  # (B, c)
        return Prediction(self.classify(embraced), {})  # (B, K)
