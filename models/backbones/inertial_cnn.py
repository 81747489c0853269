"""1D CNN on inertial signals: ours, not the paper's.

Its form is that of the fully convolutional network of Wang, Yan and Oates (2017), "Time Series
Classification from Scratch with Deep Neural Networks: A Strong Baseline".
"""

from torch import Tensor, nn

from models.backbones.branch import Branch


class InertialCNN(Branch):
    """Three blocks of 1D convolution, batch norm and ReLU, then the mean over time.

    The published network has kernels of 8, 5 and 3 and 128, 256 and 128 channels. Ours has a first
    kernel of 7, which keeps the steps; it is narrower, halves the steps before the second and the
    third block, and has dropout, since recordings are few. Stages and their output for `(B, 6,
    128)`: `conv1` 64x128, `conv2` 128x64, `conv3` 64x32; each ends after its ReLU.

    Args:
        outputs: classes of the head, or `None` for no head.
        channels: of the input; acceleration and angular velocity have six.
        width: channels of the first and the third block; the second has twice as many.
        dropout: probability of the features.
    """

    def __init__(
        self, *, outputs: int | None, channels: int = 6, width: int = 64, dropout: float = 0.3
    ) -> None:
        stages = {
            "conv1": block(channels, width, 7),
            "conv2": nn.Sequential(nn.MaxPool1d(2), block(width, 2 * width, 5)),
            "conv3": nn.Sequential(nn.MaxPool1d(2), block(2 * width, width, 3)),
        }
        sizes = {"conv1": [width], "conv2": [2 * width], "conv3": [width]}
        super().__init__(stages, channels=sizes, feature_size=width, outputs=outputs)
        self.dropout = nn.Dropout(dropout)

    def summarise(self, values: list[Tensor]) -> Tensor:
        return self.dropout(values[0].mean(2))  # (B, C, T) -> (B, C)


def block(channels: int, out: int, kernel: int) -> nn.Sequential:
    """Convolution that keeps the steps, batch norm, ReLU."""
    convolution = nn.Conv1d(channels, out, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm1d(out), nn.ReLU())
