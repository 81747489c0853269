"""Gated multimodal units: how much of each modality's message a feature takes, a mid-level fusion.

Legend: B samples, M modalities, C_m channels of modality m, d = C_1 + ... + C_M; `*` stands for
any spatial axes, or none, and may differ per modality.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.fusions.maps import at_every_position, check_channels, check_maps, spatial_mean


class GatedUnits(nn.Module):
    """Gated multimodal units (Arevalo et al. 2017, section 3.1), one for each modality.

    The unit of the source makes one feature of several: `h = sum_k z_k * tanh(W_k x_k)` with gates
    `z_k = sigmoid(U_k [x_1, ..., x_M])`. Here every modality has a unit of its own, whose feature
    it goes on with. With `g_k` the spatial means, that of modality m is at every position

        y_m = z_mm * x_m + sum over k != m of z_mk * tanh(W_mk g_k),
        z_mk = sigmoid(U_mk [g_1, ..., g_M] + c_mk).

    Chosen by us: the message of a modality to itself is its own map, not a tanh of it, because the
    stages behind were made for that map; gates and the messages of others are computed from means,
    and so the same at every position; gates have biases, messages have none, as in the source. The
    gates of several modalities stand for themselves also where there are two, of which the source
    ties the second to the first. Nothing is residual in the source: at first features are about
    halved, as by MMTM. Padding counts in the means, as in MMTM.

    There are `M d (d + 1)` parameters in the gates, and in the messages the sum of `C_m C_k` over
    all m and k != m, whatever the size of the maps.

    Args:
        in_channels: C_m of each modality, in the order of the inputs.

    Raises:
        ValueError: for fewer than two modalities; in use, for features that do not fit.
    """

    takes_masks = False

    def __init__(self, in_channels: Sequence[int]) -> None:
        super().__init__()
        self.in_channels = check_channels(in_channels, least=2)
        self.units = nn.ModuleList(_Unit(self.in_channels, m) for m in range(len(in_channels)))

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Return each modality's unit: new tensors `(B, C_m, *)` of the same shapes."""
        check_maps(features, self.in_channels)
        means = [spatial_mean(x) for x in features]  # (B, C_k) each
        return [unit(x, means) for unit, x in zip(self.units, features, strict=True)]


class _Unit(nn.Module):
    """The unit of one modality m."""

    def __init__(self, in_channels: Sequence[int], modality: int) -> None:
        super().__init__()
        own = in_channels[modality]
        self.others = [k for k in range(len(in_channels)) if k != modality]
        self.gates = nn.Linear(sum(in_channels), len(in_channels) * own)  # its own first
        self.messages = nn.ModuleList(
            nn.Linear(in_channels[k], own, bias=False) for k in self.others
        )

    def forward(self, x: Tensor, means: Sequence[Tensor]) -> Tensor:
        """Return `y_m` from the map `(B, C_m, *)` and the means `(B, C_k)` of all."""
        means = [mean.to(self.gates.weight.dtype) for mean in means]
        own, *gates = self.gates(torch.cat(means, 1)).sigmoid().chunk(1 + len(self.others), 1)
        messages = [
            gate * layer(means[k]).tanh()
            for gate, layer, k in zip(gates, self.messages, self.others, strict=True)
        ]
        given = torch.stack(messages).sum(0)  # (B, C_m)
        return x * at_every_position(own, x) + at_every_position(given, x)
