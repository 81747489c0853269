"""Multimodal transfer module: squeeze-and-excitation across modalities, a mid-level fusion.

Legend: B samples, M modalities, C_m channels of modality m, d = C_1 + ... + C_M, o bottleneck;
`*` stands for any spatial axes, or none, and may differ per modality.
"""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.fusions.maps import at_every_position, check_channels, check_maps, spatial_mean


class MMTM(nn.Module):
    """Multimodal Transfer Module (Joze et al. 2020).

    With `g_m` the spatial mean of modality m, every modality's channels are scaled by

        sigmoid(W_m relu(W [g_1, ..., g_M] + b) + b_m),  o = int(width_factor * d / ratio) units

    between, so `2 d o + o + d` parameters. As in the released code the gate has no factor 2, which
    the MMTM paper gives it: at first every feature is about halved. Figure 5's FLOPs show that the
    paper used `width_factor=2`, the released master; 1 is that code's later repair.

    On RAVDESS, at MSAF's places: 1,116,720 for [1024, 32] and 4,463,712 for [2048, 64], the
    network 31,496,512. The paper's 31.97M is not reached: no pair of MMTMs gives it. A joint head
    3712 -> 128 -> 8 beside both unimodal heads would (31,972,808), but the paper names none.

    Args:
        in_channels: C_m of each modality, in the order of the inputs.
        ratio: how much narrower the bottleneck is.
        width_factor: 2 or 1, see above.

    Raises:
        ValueError: for arguments outside their range; in use, for features that do not fit.
    """

    takes_masks = False

    def __init__(
        self, in_channels: Sequence[int], *, ratio: float = 4, width_factor: Literal[1, 2] = 2
    ) -> None:
        super().__init__()
        self.in_channels = check_channels(in_channels)
        if width_factor not in (1, 2):
            raise ValueError(f"expected width_factor 2 or 1, got {width_factor}")
        channels = sum(in_channels)
        if not 0 < ratio <= width_factor * channels:
            raise ValueError(
                f"expected a ratio above 0 and up to {width_factor * channels}, got {ratio}"
            )
        bottleneck = int(width_factor * channels / ratio)
        self.squeeze = nn.Linear(channels, bottleneck)
        # One layer for all modalities: its rows are those of a layer for each.
        self.excite = nn.Linear(bottleneck, channels)

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Scale the channels of every modality: new tensors `(B, C_m, *)` of the same shapes."""
        check_maps(features, self.in_channels)
        squeezed = torch.cat([spatial_mean(x) for x in features], 1)  # (B, d)
        joint = F.relu(self.squeeze(squeezed.to(self.squeeze.weight.dtype)))  # (B, o)
        gates = self.excite(joint).sigmoid().split(self.in_channels, 1)  # (B, C_m) each
        return [x * at_every_position(gate, x) for x, gate in zip(features, gates, strict=True)]
