"""The encoders of one modality that TFN and LMF share.

Legend: B samples, T steps, C channels, F features.
"""

from torch import Tensor, nn

from models.baselines.sequences import Steps


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
