"""Modality-invariant and -specific representations.

Legend: B samples, C channels, H codes.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.baselines.sentiment import MODALITIES, SentimentNetwork
from models.baselines.two_way_lstm import SequenceEncoder
from models.contracts import Batch, Criterion, Losses, Prediction

MOMENTS = 5
NORM_FLOOR = 1e-6


def central_moment_discrepancy(x: Tensor, y: Tensor) -> Tensor:
    """Return the distance of the means, plus those of the central moments 2 to 5, over the batch.

    Args:
        x: codes in [0, 1], `(B, H)`.
        y: likewise.
    """
    means = x.mean(0), y.mean(0)
    total = torch.linalg.vector_norm(means[0] - means[1])
    a, b = x - means[0], y - means[1]
    for order in range(2, MOMENTS + 1):
        moments = a.pow(order).mean(0), b.pow(order).mean(0)
        # Unlike a root of squares, this norm has a finite slope where both are equal.
        total = total + torch.linalg.vector_norm(moments[0] - moments[1])
    return total


def difference(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean of `(X^T Y)^2`, of codes `(B, H)` centered over the batch, rows of length 1.

    It is zero if no code of one side goes with any code of the other. As in the authors' code the
    lengths are constants to the gradient, which may so make a row shorter as well as turn it.
    """
    rows = [_unit_rows(codes - codes.mean(0)) for codes in (x, y)]
    return (rows[0].T @ rows[1]).square().mean()


def _unit_rows(codes: Tensor) -> Tensor:
    lengths = torch.linalg.vector_norm(codes.detach(), dim=1, keepdim=True)  # (B, 1)
    return codes / lengths.clamp(min=NORM_FLOOR)  # (B, H)


class MISA(SentimentNetwork):
    """Modality-invariant and -specific representations (Hazarika et al. 2020; Table 2, "MISA").

    Each modality becomes a vector, and this a private code by layers of its own and a shared code
    by layers that all have in common; the six codes pass a transformer layer and two linear ones.
    Trained by `MSE + similarity * CMD of the shared codes + difference * (private against shared,
    private against private) + reconstruction * MSE of the vectors rebuilt from both codes`.

    Card. Known from the published code: all layers and losses; weights 1.0, 0.3 and 1.0; Adam 1e-4,
    batch 16, gradients clipped by value at 1.0; visual and audio standardised over each utterance
    (deviation + 1e-6); orthogonal recurrent weights; sizes as in `configs/fusion/misa.yaml`. At 35,
    74 and 768 features it has 1,431,517 parameters: the published 1,432,033 outside BERT contain a
    discriminator, 516 parameters, whose loss has the weight zero.
    Here the text features are frozen, the same that every other row of the table gets: the mean
    over the word pieces. The published figure is of a BERT that is trained along, which is not
    offered here; the two are not like for like.
    Chosen by us: each modality has lengths of its own (an implementation packs visual and audio
    with the text's, and drops most frames); infinities are zero before the standardisation, not
    huge numbers; a fixed number of epochs for early stopping with patience 6.

    Args:
        features: see `SentimentNetwork`.
        codes: H.
        heads: of the transformer layer.
        feedforward: inner size of the transformer layer.
        transformer_dropout: in the transformer layer.
        dropout: between the two last linear layers.
        similarity: weight of the central moment discrepancy.
        difference: weight of the difference.
        reconstruction: weight of the reconstruction.
    """

    def __init__(
        self,
        features: Mapping[str, int],
        *,
        codes: int,
        heads: int,
        feedforward: int,
        transformer_dropout: float,
        dropout: float,
        similarity: float,
        difference: float,
        reconstruction: float,
    ) -> None:
        super().__init__(features)
        self.loss_weights = {
            "similarity": similarity, "difference": difference, "reconstruction": reconstruction,
        }  # fmt: skip
        self.lstms = nn.ModuleDict(
            {name: SequenceEncoder(features[name]) for name in ("visual", "audio")}
        )
        sizes = {name: 4 * features[name] if name in self.lstms else features[name]
                 for name in MODALITIES}  # fmt: skip
        self.projections = nn.ModuleDict(
            {
                name: nn.Sequential(nn.Linear(size, codes), nn.ReLU(), nn.LayerNorm(codes))
                for name, size in sizes.items()
            }
        )
        self.private = nn.ModuleDict({name: _coder(codes) for name in MODALITIES})
        self.shared = _coder(codes)
        self.rebuild = nn.ModuleDict({name: nn.Linear(codes, codes) for name in MODALITIES})
        self.fusion = nn.TransformerEncoderLayer(
            codes, heads, feedforward, transformer_dropout, batch_first=True
        )
        self.readout = nn.Sequential(
            nn.Linear(6 * codes, 3 * codes), nn.Dropout(dropout), nn.ReLU(),
            nn.Linear(3 * codes, 1),
        )  # fmt: skip

    def forward(self, batch: Batch) -> Prediction:
        parts = {}
        for name, steps in self.read(batch).items():
            summary = self.lstms[name](steps.standardised()) if name in self.lstms else steps.mean()
            vector = self.projections[name](summary)  # (B, H)
            parts[f"{name}_vector"] = vector
            parts[f"{name}_private"] = self.private[name](vector)
            parts[f"{name}_shared"] = self.shared(vector)
        codes = [parts[f"{name}_{kind}"] for kind in ("private", "shared") for name in MODALITIES]
        fused = self.fusion(torch.stack(codes, 1))  # (B, 6, H)
        return Prediction(self.readout(fused.flatten(1)), parts)

    def loss(self, prediction: Prediction, batch: Batch, criterion: Criterion) -> Losses:
        """Return the published losses, whatever the task's criterion."""
        vectors, private, shared = (
            [prediction.parts[f"{name}_{kind}"] for name in MODALITIES]
            for kind in ("vector", "private", "shared")
        )
        pairs = [*zip(private, shared, strict=True), *combinations(private, 2)]
        rebuilt = [self.rebuild[name](p + s)
                   for name, p, s in zip(MODALITIES, private, shared, strict=True)]  # fmt: skip
        losses = {
            "similarity": _mean(central_moment_discrepancy(*p) for p in combinations(shared, 2)),
            "difference": torch.stack([difference(*pair) for pair in pairs]).sum(),
            "reconstruction": _mean(map(F.mse_loss, rebuilt, vectors)),
        }
        error = F.mse_loss(prediction.scores.squeeze(1), batch["label"])
        total = error
        for name, value in losses.items():
            total = total + self.loss_weights[name] * value
        return {"total": total, "error": error, **losses}


def _coder(codes: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(codes, codes), nn.Sigmoid())


def _mean(values: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()
