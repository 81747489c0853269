"""Deep canonical correlation of text with the two other modalities.

Legend: B samples, C channels, K dimensions of a view.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from models.baselines.correlation import CorrelatedNetwork, head
from models.contracts import Batch, Prediction


def mlp(inputs: int, hidden: Sequence[int], outputs: int) -> nn.Sequential:
    """Return batch norm, then linear layers, each but the last with a sigmoid and batch norm."""
    layers: list[nn.Module] = [nn.BatchNorm1d(inputs, affine=False)]
    for size in hidden:
        layers += [nn.Linear(inputs, size), nn.Sigmoid(), nn.BatchNorm1d(size, affine=False)]
        inputs = size
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


class DCCA(CorrelatedNetwork):
    """Deep CCA embeddings (Sun et al. 2019; Table 2, "DCCA"). Under-specified.

    A view of the text and a view of visual and audio side by side, trained to correlate; then,
    with both frozen, a linear layer on the two views predicts the label.

    Card. Known, from the abstract and from what others report of it, no code having been found:
    text features of BERT, deep CCA of text with the other two in one step (better than the two
    steps audio with video, then text), the CCA loss. Known from public code of deep CCA: three
    layers of 1024 with sigmoid and batch norm, ridge 1e-3, RMSprop 1e-3 with weight decay 1e-5,
    batch 800. The paper quotes its row from another paper.
    Chosen by us: means over the real steps as the inputs of both views, K, the linear head and its
    squared error, its rate of 1e-2 (under that of the views it stays unfitted), how long the two
    phases last. This is a re-implementation of an incomplete description: its figures are not to be
    taken for the authors'.

    Args:
        features: see `SentimentNetwork`.
        hidden: sizes of the hidden layers of each view.
        dimensions: K.
    """

    def __init__(
        self,
        features: Mapping[str, int],
        *,
        hidden: Sequence[int],
        dimensions: int,
    ) -> None:
        super().__init__(features, dimensions=dimensions)
        others = features["visual"] + features["audio"]
        self.views["text"] = mlp(features["text"], hidden, dimensions)
        self.views["others"] = mlp(others, hidden, dimensions)
        self.readout = head(2 * dimensions)

    def forward(self, batch: Batch) -> Prediction:
        means = {name: steps.mean() for name, steps in self.read(batch).items()}  # (B, C)
        text = self.views["text"](means["text"])  # (B, K)
        others = self.views["others"](torch.cat([means["visual"], means["audio"]], 1))
        scores = self.readout(torch.cat([text, others], 1).detach())
        return Prediction(scores, {"first_view": text, "second_view": others})
