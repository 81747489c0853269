"""1D CNN on MFCC features, the audio branch of the emotion task (paper 4.1; layers as released)."""

from torch import Tensor, nn

from models.backbones.branch import Branch


class MFCCNet(Branch):
    """Three 1D convolutions over time; the defaults are the paper's (34,024 parameters, 8 classes).

    Stages and their output for `(B, 13, 212)`: `conv1` 32x210, `conv2` 32x208 (it ends after its
    ReLU), `conv3` 64x26 (it begins with the pool, norm and dropout, and ends after its norm).
    Features: the flattened map, 1664. The cut lies where the released network fuses.

    Args:
        outputs: classes of the head, or `None` for no head.
        coefficients: MFCCs per frame.
        frames: MFCC frames per clip.
        width: channels of the first two convolutions; the third has twice as many.

    Raises:
        ValueError: if the clip is too short for the convolutions and the pool.
    """

    def __init__(
        self, *, outputs: int | None, coefficients: int = 13, frames: int = 212, width: int = 32
    ) -> None:
        # Kernel 7 with padding 2 shortens by 2, twice; then windows of 8; kernel 5 keeps the rest.
        length = (frames - 4) // 8
        if length < 1:
            raise ValueError(f"{frames} MFCC frames are too few: the network needs at least 12")
        stages = {
            "conv1": nn.Sequential(
                nn.Conv1d(coefficients, width, 7, padding=2), nn.ReLU(), nn.BatchNorm1d(width)
            ),
            "conv2": nn.Sequential(nn.Conv1d(width, width, 7, padding=2), nn.ReLU()),
            "conv3": nn.Sequential(
                nn.MaxPool1d(8),
                nn.BatchNorm1d(width),
                nn.Dropout(0.2),
                nn.Conv1d(width, 2 * width, 5, padding=2),
                nn.ReLU(),
                nn.BatchNorm1d(2 * width),
            ),
        }
        channels = {"conv1": [width], "conv2": [width], "conv3": [2 * width]}
        super().__init__(
            stages, channels=channels, feature_size=2 * width * length, outputs=outputs
        )
        self.dropout = nn.Dropout(0.4)

    def summarise(self, values: list[Tensor]) -> Tensor:
        return self.dropout(values[0].flatten(1))  # (B, C, T) -> (B, C * T)
