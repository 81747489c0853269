"""Inflated Inception-v1 (I3D, Carreira & Zisserman 2017), the video branch of paper 4.3.

Legend: B samples, C channels, T frames, H height, W width.
"""

import re
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.branch import Branch

# An Inception module's branches: 1x1x1 | 1x1x1, 3x3x3 | 1x1x1, 3x3x3 | pool, 1x1x1.
INCEPTION = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
WINDOW = (2, 7, 7)


class I3D(Branch):
    """I3D; the defaults are the paper's (12,348,764 parameters with 60 classes).

    Stages carry the names of the published layers; a pool belongs to the stage after it. Their
    output for `(B, 3, 32, 224, 224)`: `Conv3d_1a_7x7` 64x16x112x112, `Conv3d_2b_1x1` 64x16x56x56,
    `Conv3d_2c_3x3` 192x16x56x56, `Mixed_3b` 256x16x28x28, `Mixed_3c` 480x16x28x28, `Mixed_4b`,
    `4c` and `4d` 512x8x14x14, `4e` 528x8x14x14, `4f` 832x8x14x14, `Mixed_5b` 832x4x7x7, `Mixed_5c`
    1024x4x7x7. The last three are the paper's third last, second last and last Inception module.

    Features: an average pool of 2x7x7 with stride 1, then the mean over what is left (three steps
    in time, so the middle of a clip counts more). Where the map is smaller than the window, as on
    small frames, the window is cut to the map. The published network takes the logits before the
    mean over time; both are linear, so the order makes no difference.

    As in the released code paddings are symmetric (the original's are TensorFlow's, so its weights
    see other borders) and dropout takes whole channels.

    Args:
        outputs: classes of the head, or `None` for no head.
        width: channels of the first convolution, a multiple of 8; all others follow it.
        dropout: probability of the features.
        norm_momentum: of the batch norms' running statistics. The released 0.001 is for long
            training from published weights: they need some thousand steps to settle.

    Raises:
        ValueError: for a width that is no multiple of 8.
    """

    def __init__(
        self,
        *,
        outputs: int | None,
        width: int = 64,
        dropout: float = 0.5,
        norm_momentum: float = 0.001,
    ) -> None:
        if width < 8 or width % 8:
            raise ValueError(f"expected a width that is a multiple of 8, got {width}")

        def scaled(channels: int) -> int:
            return channels * width // 64

        spatial = nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
        pools = {
            "Conv3d_2b_1x1": spatial,
            "Mixed_3b": spatial,
            "Mixed_4b": nn.MaxPool3d(3, stride=2, padding=1),
            "Mixed_5b": nn.MaxPool3d(2, stride=2),
        }
        layers: dict[str, Unit | Inception] = {
            "Conv3d_1a_7x7": Unit(3, width, 7, stride=2),
            "Conv3d_2b_1x1": Unit(width, width, 1),
            "Conv3d_2c_3x3": Unit(width, 3 * width, 3),
        }
        channels = {name: [unit.channels] for name, unit in layers.items()}
        for name, sizes in INCEPTION.items():
            incoming = channels[list(channels)[-1]][0]
            layers[name] = Inception(incoming, *map(scaled, sizes))
            channels[name] = [layers[name].channels]
        stages = {
            name: nn.Sequential(*([pools[name]] if name in pools else []), layer)
            for name, layer in layers.items()
        }
        super().__init__(stages, channels=channels, feature_size=scaled(1024), outputs=outputs)
        self.dropout = nn.Dropout(dropout)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm3d):
                module.momentum = norm_momentum

    def summarise(self, values: list[Tensor]) -> Tensor:
        size = values[0].shape[2:]
        window = [min(wanted, found) for wanted, found in zip(WINDOW, size, strict=True)]
        pooled = F.avg_pool3d(values[0], window, stride=1)  # (B, C, T', 1, 1)
        return self.dropout(pooled.mean((2, 3, 4)))  # (B, C)

    def convert(self, published: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename the tensors of a PyTorch I3D file, such as the one trained on Kinetics-400."""
        # Ours carry the stage's prefix, and the layer's place behind its pool.
        ours = {
            re.sub(r"^stages\.(\w+)\.\d\.", r"\1.", name): name
            for name in self.state_dict()
            if name.startswith("stages.")
        }
        renamed = {ours.get(name, name): value for name, value in published.items()}
        for kind in ("weight", "bias"):
            if f"logits.conv3d.{kind}" in renamed:
                value = renamed.pop(f"logits.conv3d.{kind}")
                renamed[f"head.{kind}"] = value.flatten(1) if kind == "weight" else value
        return renamed


class Unit(nn.Module):
    """Convolution without bias, batch norm, ReLU; padded so that stride 1 keeps the size."""

    def __init__(self, channels: int, out: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.channels = out
        self.conv3d = nn.Conv3d(
            channels, out, kernel, stride=stride, padding=kernel // 2, bias=False
        )
        self.bn = nn.BatchNorm3d(out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv3d(x)), inplace=True)


class Inception(nn.Module):
    """Four branches over the same map, their channels side by side; the names are the published."""

    def __init__(
        self, channels: int, b0: int, b1a: int, b1b: int, b2a: int, b2b: int, b3b: int
    ) -> None:
        super().__init__()
        self.channels = b0 + b1b + b2b + b3b
        self.b0 = Unit(channels, b0, 1)
        self.b1a = Unit(channels, b1a, 1)
        self.b1b = Unit(b1a, b1b, 3)
        self.b2a = Unit(channels, b2a, 1)
        self.b2b = Unit(b2a, b2b, 3)
        self.b3a = nn.MaxPool3d(3, stride=1, padding=1)
        self.b3b = Unit(channels, b3b, 1)

    def forward(self, x: Tensor) -> Tensor:
        branches = [
            self.b0(x),
            self.b1b(self.b1a(x)),
            self.b2b(self.b2a(x)),
            self.b3b(self.b3a(x)),
        ]
        return torch.cat(branches, 1)
