"""3D ResNeXt, the video branch of the emotion task (paper 4.1).

Legend: B samples, C channels, T frames, H height, W width; `w` is the `width` argument.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.branch import Branch

EXPANSION = 2


class Bottleneck(nn.Module):
    """1x1x1 convolution, grouped 3x3x3 convolution that carries the stride, 1x1x1 convolution."""

    def __init__(self, channels: int, planes: int, *, stride: int, cardinality: int) -> None:
        super().__init__()
        middle = cardinality * (planes // cardinality)
        out = EXPANSION * planes
        self.conv1 = nn.Conv3d(channels, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(middle)
        self.conv2 = nn.Conv3d(
            middle, middle, 3, stride=stride, padding=1, groups=cardinality, bias=False
        )
        self.bn2 = nn.BatchNorm3d(middle)
        self.conv3 = nn.Conv3d(middle, out, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(
                nn.Conv3d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm3d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        return F.relu(self.bn3(self.conv3(y)) + self.shortcut(x), inplace=True)


class ResNeXt3D(Branch):
    """3D ResNeXt; the defaults are the paper's 3D ResNeXt50 (25,882,056 parameters, 8 classes).

    Stages and their output for `(B, 3, 30, 224, 224)`: `stem` 64x15x56x56, `layer1` 256x15x56x56,
    `layer2` 512x8x28x28, `layer3` 1024x4x14x14, `layer4` 2048x2x7x7. Features: the mean over time
    and space, 2048.

    Args:
        outputs: classes of the head, or `None` for no head.
        depths: blocks in each of the four layers.
        width: channels of the stem; `layer1` leaves `4 * width`, `layer4` `32 * width`.
        cardinality: groups of the 3x3x3 convolutions.
        stem_relu: `False` leaves out the ReLU after the first batch norm, as the released fusion
            network does (its unimodal network has it).

    Raises:
        ValueError: if the width gives layers narrower than the cardinality.
    """

    def __init__(
        self,
        *,
        outputs: int | None,
        depths: Sequence[int] = (3, 4, 6, 3),
        width: int = 64,
        cardinality: int = 32,
        stem_relu: bool = True,
    ) -> None:
        if 2 * width < cardinality:
            raise ValueError(f"width {width} gives {2 * width} channels, fewer than {cardinality=}")
        stages: dict[str, nn.Module] = {"stem": stem(width, relu=stem_relu)}
        channels = {"stem": [width]}
        for layer, depth in enumerate(depths, start=1):
            incoming, planes = channels[list(channels)[-1]][0], width * 2**layer
            stages[f"layer{layer}"] = nn.Sequential(
                *(
                    Bottleneck(
                        EXPANSION * planes if block else incoming,
                        planes,
                        stride=2 if block == 0 and layer > 1 else 1,
                        cardinality=cardinality,
                    )
                    for block in range(depth)
                )
            )
            channels[f"layer{layer}"] = [EXPANSION * planes]
        last = channels[list(channels)[-1]][0]
        super().__init__(stages, channels=channels, feature_size=last, outputs=outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def summarise(self, values: list[Tensor]) -> Tensor:
        # The paper's (2, 7, 7) average pool covers the whole map at its input size.
        return values[0].mean((2, 3, 4))  # (B, C, T, H, W) -> (B, C)


def stem(width: int, *, relu: bool) -> nn.Sequential:
    """7x7x7 convolution, batch norm, ReLU, 3x3x3 max pool: `(B, 3, T, H, W)` -> w channels."""
    convolution = nn.Conv3d(3, width, 7, stride=(1, 2, 2), padding=3, bias=False)
    activation = [nn.ReLU(inplace=True)] if relu else []
    return nn.Sequential(
        convolution, nn.BatchNorm3d(width), *activation, nn.MaxPool3d(3, stride=2, padding=1)
    )
