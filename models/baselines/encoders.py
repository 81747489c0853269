"""The encoders that TFN and LMF share, one a modality.

Legend: B samples, T steps, C channels, F features.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from models.baselines.sentiment import MODALITIES, SentimentNetwork
from models.baselines.sequences import Steps
from models.contracts import Batch


class MeanEncoder(nn.Module):
    """The mean over time, batch norm, dropout, three linear layers with ReLU: `(B, F)`.

    Args:
        channels: C.
        hidden: F.
        dropout: of the normalised input.
    """

    def __init__(self, channels: int, *, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm1d(channels),
            nn.Dropout(dropout),
            *(nn.Linear(channels, hidden), nn.ReLU()),
            *(nn.Linear(hidden, hidden), nn.ReLU()),
            *(nn.Linear(hidden, hidden), nn.ReLU()),
        )

    def forward(self, steps: Steps) -> Tensor:
        return self.layers(steps.mean())


class TextEncoder(nn.Module):
    """An LSTM's state at the last word piece, dropout, one linear layer: `(B, F)`.

    Args:
        channels: C.
        hidden: size of the LSTM's state.
        outputs: F.
        dropout: of the state.
    """

    def __init__(self, channels: int, *, hidden: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, hidden, batch_first=True)
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, outputs))

    def forward(self, steps: Steps) -> Tensor:
        states, _ = self.lstm(steps.values)  # (B, T, hidden)
        return self.layers(Steps(states, steps.real).last())


class EncodedNetwork(SentimentNetwork):
    """A network that reads one vector a modality: means of face and sound, an LSTM of the text.

    Args:
        features: see `SentimentNetwork`.
        hidden: size of each encoder.
        text_outputs: F of the text; that of the others is `hidden`.
        dropout: of every encoder.
    """

    def __init__(
        self,
        features: Mapping[str, int],
        *,
        hidden: Mapping[str, int],
        text_outputs: int,
        dropout: float,
    ) -> None:
        super().__init__(features)
        self.encoded_sizes = (hidden["visual"], hidden["audio"], text_outputs)
        self.visual = MeanEncoder(features["visual"], hidden=hidden["visual"], dropout=dropout)
        self.audio = MeanEncoder(features["audio"], hidden=hidden["audio"], dropout=dropout)
        self.text = TextEncoder(
            features["text"], hidden=hidden["text"], outputs=text_outputs, dropout=dropout
        )

    def encode(self, batch: Batch) -> list[Tensor]:
        """Return the vectors of visual, audio and text, `(B, F)` each."""
        steps = self.read(batch)
        return [self.get_submodule(name)(steps[name]) for name in MODALITIES]
