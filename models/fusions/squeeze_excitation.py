"""Squeeze-and-excitation of each modality by itself: attention to channels without any exchange.

Legend: B samples, M modalities, C_m channels of modality m, o bottleneck; `*` stands for any
spatial axes, or none, and may differ per modality.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from models.fusions.maps import check_channels, check_maps
from models.fusions.mmtm import MMTM


class SqueezeExcitation(nn.Module):
    """Squeeze-and-excitation (Hu et al. 2018, equations 2 to 4), one block a modality.

    With `g_m` the spatial mean of modality m, its channels are scaled by

        sigmoid(V_m relu(W_m g_m + b_m) + c_m),  o_m = int(C_m / reduction) units between.

    It is the control for exchange: all that MMTM does but that no modality sees another. MMTM of
    one modality is this block, so that both share their code. `msaf.UniformGate` is the other
    control, for attention.

    Chosen by us: the block stands at a fusion point, where its source has it in every residual
    unit, on the residual before the sum; here there is no such sum, and the gate acts on the
    feature itself, at first with about a half, as MMTM's does. `reduction` is 2, which is the width
    of MMTM's bottleneck as the paper counts it; the source advises 16. Layers have biases.
    Padding counts in the mean, as in MMTM.

    Args:
        in_channels: C_m of each modality, in the order of the inputs.
        reduction: how much narrower the bottleneck is.

    Raises:
        ValueError: for arguments outside their range; in use, for features that do not fit.
    """

    takes_masks = False

    def __init__(self, in_channels: Sequence[int], *, reduction: float = 2) -> None:
        super().__init__()
        self.in_channels = check_channels(in_channels)
        if not 0 < reduction <= min(in_channels):
            raise ValueError(
                f"expected a reduction above 0 and up to {min(in_channels)}, got {reduction}"
            )
        self.blocks = nn.ModuleList(
            MMTM([channels], ratio=reduction, width_factor=1) for channels in in_channels
        )

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Scale the channels of every modality: new tensors `(B, C_m, *)` of the same shapes."""
        check_maps(features, self.in_channels)
        return [block([x])[0] for block, x in zip(self.blocks, features, strict=True)]
