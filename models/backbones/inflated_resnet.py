"""Inflated ResNet-50 (Baradel et al. 2018), the other video branch of the paper's Table 3.

Legend: B samples, C channels, T frames, H height, W width; `w` is the `width` argument.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.branch import Branch

EXPANSION = 4


class InflatedResNet(Branch):
    """ResNet whose 3x3 convolutions also look one frame ahead and back; time is never shortened.

    The defaults are the paper's Inflated ResNet50 (46,265,468 parameters with 60 classes). Stages
    and their output for `(B, 3, 8, 224, 224)`: `stem` 64x8x56x56 (it sees every frame by itself),
    `layer1` 256x8x56x56, `layer2` 512x8x28x28, `layer3` 1024x8x14x14, `layer4` 2048x8x7x7.
    Features: the mean over time and space, 2048.

    Args:
        outputs: classes of the head, or `None` for no head.
        depths: blocks in each of the four layers.
        width: channels of the stem; `layer1` leaves `4 * width`, `layer4` `32 * width`.
    """

    def __init__(
        self, *, outputs: int | None, depths: Sequence[int] = (3, 4, 6, 3), width: int = 64
    ) -> None:
        stages: dict[str, nn.Module] = {"stem": FrameStem(width)}
        channels = {"stem": [width]}
        for layer, depth in enumerate(depths, start=1):
            incoming, planes = channels[list(channels)[-1]][0], width * 2 ** (layer - 1)
            stages[f"layer{layer}"] = nn.Sequential(
                *(
                    Bottleneck(
                        EXPANSION * planes if block else incoming,
                        planes,
                        stride=2 if block == 0 and layer > 1 else 1,
                        project=block == 0,
                    )
                    for block in range(depth)
                )
            )
            channels[f"layer{layer}"] = [EXPANSION * planes]
        last = channels[list(channels)[-1]][0]
        super().__init__(stages, channels=channels, feature_size=last, outputs=outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def summarise(self, values: list[Tensor]) -> Tensor:
        return values[0].mean((2, 3, 4))  # (B, C, T, H, W) -> (B, C)

    def convert(self, published: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Inflate torchvision's ResNet: its kernels become the middle of ours, zeros around them.

        So a fresh network sees every frame as the image network does.
        """
        converted = {}
        for name, value in published.items():
            place, _, rest = name.partition(".")
            if place in ("conv1", "bn1"):
                converted[f"stages.stem.{name}"] = value
            elif place == "fc":
                converted[f"head.{rest}"] = value
            else:
                converted[f"stages.{name}"] = inflate(value) if value.ndim == 4 else value
        return converted


class FrameStem(nn.Module):
    """7x7 convolution, batch norm, ReLU, 3x3 max pool on each frame, the frames in the batch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        frames = x.transpose(1, 2).flatten(0, 1)  # (B T, 3, H, W)
        y = F.relu(self.bn1(self.conv1(frames)), inplace=True)
        y = F.max_pool2d(y, 3, stride=2, padding=1)
        return y.unflatten(0, (x.shape[0], x.shape[2])).transpose(1, 2)  # (B, w, T, H/4, W/4)


class Bottleneck(nn.Module):
    """1x1x1 convolution, 3x3x3 convolution that carries the spatial stride, 1x1x1 convolution."""

    def __init__(self, channels: int, planes: int, *, stride: int, project: bool) -> None:
        super().__init__()
        out, strides = EXPANSION * planes, (1, stride, stride)
        self.conv1 = nn.Conv3d(channels, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(planes)
        self.conv2 = nn.Conv3d(planes, planes, 3, stride=strides, padding=1, bias=False)
        self.bn2 = nn.BatchNorm3d(planes)
        self.conv3 = nn.Conv3d(planes, out, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(out)
        self.downsample: nn.Module = nn.Identity()
        if project:
            self.downsample = nn.Sequential(
                nn.Conv3d(channels, out, 1, stride=strides, bias=False), nn.BatchNorm3d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = F.relu(self.bn2(self.conv2(y)), inplace=True)
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x), inplace=True)


def inflate(kernel: Tensor) -> Tensor:
    """`(out, in, k, k)` -> `(out, in, k, k, k)`: the image kernel in the middle of the frames."""
    size = kernel.shape[-1]
    inflated = torch.zeros(*kernel.shape[:2], size, size, size, dtype=kernel.dtype)
    inflated[:, :, size // 2] = kernel
    return inflated
