"""MLP on facial action units: a visual branch for people without the 25 GB of RAVDESS video.

It is ours, not the paper's: its results stand in tables of their own.
"""

from torch import Tensor, nn

from models.backbones.branch import Branch


class ActionUnitMLP(Branch):
    """Batch norm, then two hidden layers with ReLU and dropout, on `(B, units)` clip means.

    Stages `hidden1` and `hidden2` leave `(B, hidden)`: a feature without any spatial axis.

    Args:
        outputs: classes of the head, or `None` for no head.
        units: inputs a clip; OpenFace gives 17 intensities and 18 presences.
        hidden: size of both hidden layers.
        dropout: probability after each hidden layer.
    """

    def __init__(
        self, *, outputs: int | None, units: int = 35, hidden: int = 128, dropout: float = 0.3
    ) -> None:
        stages = {
            "hidden1": nn.Sequential(
                nn.BatchNorm1d(units), nn.Linear(units, hidden), nn.ReLU(), nn.Dropout(dropout)
            ),
            "hidden2": nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(dropout)),
        }
        channels = {stage: [hidden] for stage in stages}
        super().__init__(stages, channels=channels, feature_size=hidden, outputs=outputs)

    def summarise(self, values: list[Tensor]) -> Tensor:
        return values[0]
