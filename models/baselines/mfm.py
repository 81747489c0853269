"""Multimodal factorisation model: what is shared by the modalities, and what is each one's own.

Legend: B samples, T steps, C channels, Z codes, F factors.
"""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.baselines.memory_fusion import MemoryFusion, advance, two_layers
from models.baselines.sentiment import MODALITIES, SentimentNetwork
from models.contracts import Batch, Criterion, Losses, Prediction

SHARED = "shared"


def discrepancy(x: Tensor, y: Tensor) -> Tensor:
    """Return the squared maximum mean discrepancy of two samples `(N, Z)` and `(M, Z)`.

    The mean of `k` within x, plus that within y, less twice that between them, with the kernel
    `k(a, b) = exp(-mean over Z of (a - b)^2 / Z)`.
    """

    def mean_kernel(a: Tensor, b: Tensor) -> Tensor:
        # Not by `cdist`: its root has no slope where a row meets itself.
        squares = (a.unsqueeze(1) - b.unsqueeze(0)).square().mean(2)
        return torch.exp(-squares / a.shape[1]).mean()

    return mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)


class Encoder(nn.Module):
    """An LSTM's last state, then one linear layer: codes `(B, Z)` from `(B, T, C)`."""

    def __init__(self, channels: int, codes: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, codes, batch_first=True)
        self.layer = nn.Linear(codes, codes)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.lstm(x)
        return self.layer(states[:, -1])


class Decoder(nn.Module):
    """An LSTM that reads the factors once and then its own state: `(B, T, C)` from `(B, F)`."""

    def __init__(self, factors: int, channels: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(factors, factors)
        self.layer = nn.Linear(factors, channels)

    def forward(self, factors: Tensor, steps: int) -> Tensor:
        state, memory = self.cell(factors)
        states = [state]
        # Input and state are the same from here on, so one product serves both.
        weight = (self.cell.weight_ih + self.cell.weight_hh).T
        bias = self.cell.bias_ih + self.cell.bias_hh
        for _ in range(steps - 1):
            state, memory = advance(torch.addmm(bias, state, weight), memory)
            states.append(state)
        return self.layer(torch.stack(states, 1))


class MFM(SentimentNetwork):
    """Multimodal factorisation model (Tsai et al. 2019; Table 2, "MFM").

    A code of each modality and one of all together (the memory fusion network) become factors;
    the shared factors give the label, and with a modality's own factors they rebuild its sequence.
    Trained by `L1 + sum_m reconstruction_m MSE_m + prior * sum of MMD(code, N(0, I))`.

    Card. Known from the published code and its re-run on MOSEI (MMSA): all layers, the losses and
    their weights, Adam with its default rate 1e-3 (the re-run's `learning_rate` is not used) and
    weight decay 5e-4, batch 64, sizes and dropouts as in `configs/fusion/mfm.yaml` (1278 there
    looks like a slip of the pen, and is kept); 30 epochs in the authors' code. At 35, 74 and 768
    features it has 5,840,380 parameters: the re-run counts 5,996,541 with a head of the memory
    fusion network, 156,161 parameters, that it never uses.
    Chosen by us: all sequences are moved so that they end together, with zeros in front, since the
    padding's side differs; a word is then not always beside its own word pieces. Visual and audio
    features are standardised by a batch norm without weights, because the raw columns of COVAREP
    would drown every other term of the loss. The normal sample has the size of the batch. The rate
    is constant, where the authors' code lowers it on a plateau.
    The decoders only serve the loss, so the FLOPs of a prediction do not contain them.

    Args:
        features: see `SentimentNetwork`.
        memory_fusion: the sizes of `MemoryFusion`.
        codes: Z of each modality, and of `shared`.
        factors: F likewise.
        dropout: on the way from each code to its factors, and `label` from factors to label.
        reconstruction: weight of each modality's reconstruction in the loss.
        prior: weight of the discrepancies.
    """

    def __init__(
        self,
        features: Mapping[str, int],
        *,
        memory_fusion: Mapping[str, Any],
        codes: Mapping[str, int],
        factors: Mapping[str, int],
        dropout: Mapping[str, float],
        reconstruction: Mapping[str, float],
        prior: float,
    ) -> None:
        super().__init__(features)
        self.weights = {name: reconstruction[name] for name in MODALITIES}
        self.prior = prior
        self.norms = nn.ModuleDict(
            {name: nn.BatchNorm1d(features[name], affine=False) for name in ("visual", "audio")}
        )
        self.encoders = nn.ModuleDict(
            {name: Encoder(features[name], codes[name]) for name in MODALITIES}
        )
        self.fusion = MemoryFusion(features, **memory_fusion)
        self.to_codes = nn.Linear(self.fusion.outputs, codes[SHARED])
        self.to_factors = nn.ModuleDict(
            {
                name: two_layers(codes[name], factors[name], factors[name], dropout[name])
                for name in (*MODALITIES, SHARED)
            }
        )
        shared = factors[SHARED]
        self.decoders = nn.ModuleDict(
            {name: Decoder(shared + factors[name], features[name]) for name in MODALITIES}
        )
        self.readout = two_layers(shared, shared, 1, dropout["label"])

    def forward(self, batch: Batch) -> Prediction:
        sequences = self._sequences(batch)
        codes = {name: self.encoders[name](x) for name, x in sequences.items()}
        codes[SHARED] = self.to_codes(self.fusion(list(sequences.values())))
        factors = self.to_factors[SHARED](codes[SHARED]).relu()
        named = {f"{name}_codes": code for name, code in codes.items()}
        inputs = {f"{name}_input": x for name, x in sequences.items()}
        return Prediction(self.readout(factors), {**named, **inputs, "factors": factors})

    def loss(self, prediction: Prediction, batch: Batch, criterion: Criterion) -> Losses:
        """Return the published losses, whatever the task's criterion."""
        parts = prediction.parts
        error = F.l1_loss(prediction.scores.squeeze(1), batch["label"])
        rebuilt = {name: F.mse_loss(self._rebuilt(name, parts), parts[f"{name}_input"])
                   for name in MODALITIES}  # fmt: skip
        prior = torch.stack(
            [
                discrepancy(torch.randn_like(code), code)
                for code in (parts[f"{name}_codes"] for name in (*MODALITIES, SHARED))
            ]
        ).sum()
        total = error + self.prior * prior
        for name, value in rebuilt.items():
            total = total + self.weights[name] * value
        named = {f"{name}_reconstruction": value for name, value in rebuilt.items()}
        return {"total": total, "error": error, "prior": prior, **named}

    def _sequences(self, batch: Batch) -> dict[str, Tensor]:
        found = {}
        for name, steps in self.read(batch).items():
            values, real = steps.at_end()
            if name in self.norms:
                normed = self.norms[name](values.transpose(1, 2)).transpose(1, 2)
                values = normed.masked_fill(~real.unsqueeze(2), 0)
            found[name] = values
        return found

    def _rebuilt(self, name: str, parts: Mapping[str, Tensor]) -> Tensor:
        own = self.to_factors[name](parts[f"{name}_codes"]).relu()
        factors = torch.cat([parts["factors"], own], 1)
        return self.decoders[name](factors, parts[f"{name}_input"].shape[1])
