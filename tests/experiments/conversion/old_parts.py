"""The parts of the released networks, written plainly from their description.

One linear layer for each block, one module for each segment, loops in place of batched products.
Layers bear the names that they have in the released files, and `width` makes them small.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class OldBlock(nn.Module):
    """Equations 1 to 5 of the paper, a block at a time; inference only."""

    def __init__(self, channels: list[int], size: int, reduction: int, lowest: float) -> None:
        super().__init__()
        self.size, self.lowest = size, lowest
        reduced = size // reduction
        self.joint_features = nn.Sequential(
            nn.Linear(size, reduced), nn.BatchNorm1d(reduced), nn.ReLU()
        )
        count = sum(c // size for c in channels)
        self.dense_group = nn.ModuleList(nn.Linear(reduced, size) for _ in range(count))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        blocks = [list(x.split(self.size, dim=1)) for x in features]
        total = torch.zeros(len(features[0]), self.size)
        for block in (block for several in blocks for block in several):
            total = total + block.flatten(2).mean(2) if block.ndim > 2 else total + block
        joint = self.joint_features(total)
        attention = torch.softmax(torch.stack([one(joint) for one in self.dense_group]), dim=0)
        gates = iter(self.lowest + (1 - self.lowest) * attention)
        fused = []
        for several in blocks:
            scaled = []
            for block in several:
                gate = next(gates)
                scaled.append(block * gate.reshape(*gate.shape, *[1] * (block.ndim - 2)))
            fused.append(torch.cat(scaled, dim=1))
        return fused


class OldMSAF(nn.Module):
    """One block module for each segment of the sequence; the last takes the remainder."""

    def __init__(
        self,
        channels: list[int],
        size: int,
        reduction: int = 4,
        *,
        lowest: float = 0.0,
        segments: int = 1,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            OldBlock(channels, size, reduction, lowest) for _ in range(segments)
        )

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        if len(self.blocks) == 1:
            return self.blocks[0](features)
        done: list[list[Tensor]] = []
        for number, block in enumerate(self.blocks):
            cut = []
            for x in features:
                length = x.shape[2] // len(self.blocks)
                last = number == len(self.blocks) - 1
                cut.append(x[:, :, number * length : None if last else (number + 1) * length])
            done.append(block(cut))
        return [torch.cat([segment[m] for segment in done], 2) for m in range(len(features))]


class ResNeXtBlock(nn.Module):
    def __init__(self, channels: int, planes: int, stride: int, groups: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(planes)
        self.conv2 = nn.Conv3d(planes, planes, 3, stride, 1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm3d(planes)
        self.conv3 = nn.Conv3d(planes, 2 * planes, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(2 * planes)
        if stride > 1 or channels != 2 * planes:
            self.downsample = nn.Sequential(
                nn.Conv3d(channels, 2 * planes, 1, stride, bias=False),
                nn.BatchNorm3d(2 * planes),
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        y = self.bn3(self.conv3(y))
        return (y + (self.downsample(x) if hasattr(self, "downsample") else x)).relu()


class OldResNeXt(nn.Module):
    def __init__(self, width: int, depths: list[int], groups: int, classes: int = 8) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, width, 7, (1, 2, 2), 3, bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        self.maxpool = nn.MaxPool3d(3, 2, 1)
        channels = width
        for number, depth in enumerate(depths, 1):
            planes, blocks = width * 2**number, []
            for place in range(depth):
                stride = 2 if number > 1 and not place else 1
                blocks.append(ResNeXtBlock(channels, planes, stride, groups))
                channels = 2 * planes
            setattr(self, f"layer{number}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.bn1(self.conv1(x)).relu())
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class OldMFCCNet(nn.Module):
    def __init__(self, classes: int = 8) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(13, 32, 7, padding=2)
        self.bn1 = nn.BatchNorm1d(32)
        self.conv2 = nn.Conv1d(32, 32, 7, padding=2)
        self.maxpool = nn.MaxPool1d(8)
        self.bn2 = nn.BatchNorm1d(32)
        self.conv3 = nn.Conv1d(32, 64, 5, padding=2)
        self.bn3 = nn.BatchNorm1d(64)
        self.fc1 = nn.Linear(1664, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.conv1(x).relu())
        x = self.bn2(self.maxpool(self.conv2(x).relu()))
        return self.fc1(self.bn3(self.conv3(x).relu()).flatten(1))


class OldHCN(nn.Module):
    """For two persons and 32 frames; `dropout` layers are left out, they count in no name."""

    def __init__(self, classes: int = 60) -> None:
        super().__init__()
        for stream in ("", "m"):
            for name, layer in (
                ("conv1", nn.Sequential(nn.Conv2d(3, 64, 1), nn.ReLU())),
                ("conv2", nn.Conv2d(64, 32, (3, 1), padding=(1, 0))),
                ("conv3", nn.Sequential(nn.Conv2d(25, 32, 3, padding=1), nn.MaxPool2d(2))),
                ("conv4", nn.Sequential(nn.Conv2d(32, 64, 3, padding=1), nn.MaxPool2d(2))),
            ):
                self.add_module(f"{name}{stream}", layer)
        self.conv5 = nn.Sequential(nn.Conv2d(128, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.conv6 = nn.Sequential(nn.Conv2d(128, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.fc7 = nn.Sequential(nn.Linear(1024, 512), nn.ReLU())
        self.fc8 = nn.Linear(512, classes)

    def up_to_conv5(self, skeleton: Tensor) -> list[Tensor]:
        """`(B, 3, T, 25, 2)` -> a map `(B, 128, 4, 4)` for each person."""
        people = []
        for person in skeleton.unbind(-1):
            moved = person[:, :, 1:] - person[:, :, :-1]
            moved = F.interpolate(moved, person.shape[2:], mode="bilinear", align_corners=False)
            maps = []
            for stream, x in (("", person), ("m", moved)):
                x = getattr(self, f"conv2{stream}")(getattr(self, f"conv1{stream}")(x))
                x = x.permute(0, 3, 2, 1)  # joints become channels
                maps.append(getattr(self, f"conv4{stream}")(getattr(self, f"conv3{stream}")(x)))
            people.append(self.conv5(torch.cat(maps, 1)))
        return people

    def from_conv6(self, people: list[Tensor]) -> Tensor:
        return self.fc7(torch.maximum(*(self.conv6(person) for person in people)).flatten(1))

    def forward(self, skeleton: Tensor) -> Tensor:
        return self.fc8(self.from_conv6(self.up_to_conv5(skeleton)))
