"""Interaction canonical correlation network: text with sound and text with face, correlated.

Legend: B samples, T steps, C channels, H features, K dimensions of a view.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from models.baselines.correlation import CorrelatedNetwork, head
from models.baselines.sequences import Steps
from models.contracts import Batch, Prediction

KERNEL = 3


class SequenceSummary(nn.Module):
    """Batch norm, a convolution over time, ReLU, and an LSTM's last state: `(B, H)`."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels, affine=False)
        self.convolution = nn.Conv1d(channels, hidden, KERNEL, padding=KERNEL // 2)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)

    def forward(self, steps: Steps) -> Tensor:
        x = self.norm(steps.values.transpose(1, 2)).masked_fill(~steps.real.unsqueeze(1), 0)
        x = self.convolution(x).relu().transpose(1, 2)  # (B, T, H)
        started = Steps(x, steps.real).at_start()
        return Steps(self.lstm(started.values)[0], started.real).last()


class TextBasedView(nn.Module):
    """The outer product of text and another modality, read as an image: `(B, K)`.

    Two convolutions, each with ReLU and max pooling, then one linear layer.

    Args:
        channels: C of the other modality.
        text: size of the text vector, one side of the image.
        hidden: H of the other modality, the other side.
        filters: of the two convolutions.
        dimensions: K.
    """

    def __init__(
        self, channels: int, *, text: int, hidden: int, filters: Sequence[int], dimensions: int
    ) -> None:
        super().__init__()
        self.summary = SequenceSummary(channels, hidden)
        layers: list[nn.Module] = []
        inputs, size = 1, (text, hidden)
        for outputs in filters:
            layers += [nn.Conv2d(inputs, outputs, KERNEL, padding=KERNEL // 2), nn.ReLU()]
            layers += [nn.MaxPool2d(2)]
            inputs, size = outputs, (size[0] // 2, size[1] // 2)
        self.layers = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(inputs * size[0] * size[1], dimensions)
        )

    def forward(self, text: Tensor, steps: Steps) -> Tensor:
        outer = torch.einsum("bi,bj->bij", text, self.summary(steps))
        return self.layers(outer.unsqueeze(1))


class ICCN(CorrelatedNetwork):
    """Interaction canonical correlation network (Sun et al. 2020; Table 2, "ICCN").

    Under-specified. Text-based audio and text-based video are the outer products of the text vector
    with a vector of either, each read by a convolutional network; the two views are trained to
    correlate. Then, with them frozen, a linear layer on both and the text predicts the label.

    Card. Known, from the abstract and from what others report of it, no code having been found:
    the two outer products, the deep CCA loss on what is learned from them, and that the views are
    used side by side with the text by a simple model downstream. Less sure: convolution and LSTM
    for sound and face, one text vector of BERT, 2D convolutions over the products.
    Chosen by us: everything else, that is every size, the mean over the word pieces as the text
    vector, the linear head and its squared error, Adam 1e-3 and 1e-2 for the head, batch 128,
    how long the two phases last. This is a re-implementation of an incomplete description: its
    figures are not to be taken for the authors'.

    Args:
        features: see `SentimentNetwork`.
        hidden: H of visual and audio.
        filters: of the convolutions over the outer products.
        dimensions: K.
    """

    def __init__(
        self,
        features: Mapping[str, int],
        *,
        hidden: int,
        filters: Sequence[int],
        dimensions: int,
    ) -> None:
        super().__init__(features, dimensions=dimensions)
        for name in ("visual", "audio"):
            self.views[name] = TextBasedView(
                features[name],
                text=features["text"],
                hidden=hidden,
                filters=filters,
                dimensions=dimensions,
            )
        self.readout = head(2 * dimensions + features["text"])

    def forward(self, batch: Batch) -> Prediction:
        steps = self.read(batch)
        text = steps["text"].mean()  # (B, C)
        audio, visual = (self.views[name](text, steps[name]) for name in ("audio", "visual"))
        scores = self.readout(torch.cat([audio, text, visual], 1).detach())
        return Prediction(scores, {"first_view": audio, "second_view": visual})
