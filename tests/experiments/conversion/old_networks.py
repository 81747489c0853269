"""The released networks as a whole, from the parts in `old_parts.py` and video networks of NTU."""

import torch
from torch import Tensor, nn

from tests.experiments.conversion.old_parts import OldHCN, OldMFCCNet, OldMSAF, OldResNeXt


def settled(network: nn.Module) -> nn.Module:
    """Draw all weights from one seed, give every batch norm its own statistics, and end training.

    The seed makes a network the same whatever was drawn before it was built, as it is where pytest
    collects it. Weights are larger than fresh ones are, so that attention and features differ from
    sample to sample, and with them the scores.
    """
    torch.manual_seed(0)
    for module in network.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            module.num_batches_tracked += 7
        elif isinstance(module, nn.Linear | nn.LSTM):
            for parameter in module.parameters(recurse=False):
                parameter.data *= 4
    return network.eval()


class OldRavdess(nn.Module):
    """Video and audio networks cut into three where the two modules are; logits are summed.

    The video network loses the ReLU behind its first batch norm.
    """

    def __init__(
        self, width: int = 8, depths: tuple[int, ...] = (1, 2, 1, 1), groups: int = 4
    ) -> None:
        super().__init__()
        video, audio = OldResNeXt(width, list(depths), groups), OldMFCCNet()
        self.msaf = nn.ModuleList([OldMSAF([16 * width, 32], 16), OldMSAF([32 * width, 64], 32)])
        self.video_model_blocks = nn.ModuleList([
            nn.Sequential(video.conv1, video.bn1, video.maxpool, video.layer1, video.layer2,
                          video.layer3),
            nn.Sequential(video.layer4),
            nn.Sequential(video.avgpool, nn.Flatten(), video.fc),
        ])  # fmt: skip
        self.audio_model_blocks = nn.ModuleList([
            nn.Sequential(audio.conv1, nn.ReLU(), audio.bn1, audio.conv2, nn.ReLU()),
            nn.Sequential(audio.maxpool, audio.bn2, nn.Dropout(0.2), audio.conv3, nn.ReLU(),
                          audio.bn3),
            nn.Sequential(nn.Flatten(), nn.Dropout(0.4), audio.fc1),
        ])  # fmt: skip

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        video, audio = batch["video"], batch["audio"]
        for number in range(3):
            video = self.video_model_blocks[number](video)
            audio = self.audio_model_blocks[number](audio)
            if number < 2:
                video, audio = self.msaf[number]([video, audio])
        return video + audio


class OldMosei(nn.Module):
    """Three pairs of LSTMs, a module between them, one linear layer on the last steps."""

    def __init__(self, text: int = 20, segments: int = 5) -> None:
        super().__init__()
        self.msaf = nn.ModuleList([OldMSAF([32, 64, 128], 16, 2, segments=segments)])
        for name, features, hidden in (
            ("visual", 35, 32), ("audio", 74, 64), ("text", text, 128),
        ):  # fmt: skip
            layers = [nn.LSTM(n, hidden, batch_first=True) for n in (features, hidden)]
            self.add_module(f"{name}_model", nn.ModuleList(layers))
        self.multimodal_classifier = nn.Sequential(nn.Linear(224, 1))

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        branches = {name: getattr(self, f"{name}_model") for name in ("visual", "audio", "text")}
        first = [two[0](batch[name].mT)[0].mT for name, two in branches.items()]  # (B, C, T)
        fused = self.msaf[0](first)
        last = [two[1](x.mT)[0][:, -1] for two, x in zip(branches.values(), fused, strict=True)]
        return self.multimodal_classifier(torch.cat(last, 1))


class Unit(nn.Module):
    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv3d(channels, out, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm3d(out, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x)).relu()


class Mixed(nn.Module):
    def __init__(self, channels: int, a: int, b: int, c: int, d: int, e: int, f: int) -> None:
        super().__init__()
        self.branch0 = nn.Sequential(Unit(channels, a, 1))
        self.branch1 = nn.Sequential(Unit(channels, b, 1), Unit(b, c, 3))
        self.branch2 = nn.Sequential(Unit(channels, d, 1), Unit(d, e, 3))
        self.branch3 = nn.Sequential(nn.MaxPool3d(3, 1, 1), Unit(channels, f, 1))

    def forward(self, x: Tensor) -> Tensor:
        branches = (self.branch0, self.branch1, self.branch2, self.branch3)
        return torch.cat([branch(x) for branch in branches], 1)


class OldI3D(nn.Module):
    """Its layers by number; channels are those of the paper times `width` by 64."""

    def __init__(self, width: int = 8, classes: int = 60) -> None:
        super().__init__()

        def mixed(channels: int, *sizes: int) -> Mixed:
            return Mixed(*(size * width // 64 for size in (channels, *sizes)))

        self.features = nn.Sequential(
            Unit(3, width, 7, 2),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            Unit(width, width, 1),
            Unit(width, 3 * width, 3),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            mixed(192, 64, 96, 128, 16, 32, 32),
            mixed(256, 128, 128, 192, 32, 96, 64),
            nn.MaxPool3d(3, 2, 1),
            mixed(480, 192, 96, 208, 16, 48, 64),
            mixed(512, 160, 112, 224, 24, 64, 64),
            mixed(512, 128, 128, 256, 24, 64, 64),
            mixed(512, 112, 144, 288, 32, 64, 64),
            mixed(528, 256, 160, 320, 32, 128, 128),
            nn.MaxPool3d(2, 2),
            mixed(832, 256, 160, 320, 32, 128, 128),
            mixed(832, 384, 192, 384, 48, 128, 128),
            nn.AvgPool3d((2, 7, 7), 1),
            nn.Dropout3d(0.5),
            nn.Conv3d(16 * width, classes, 1),
        )

    def middle(self, x: Tensor) -> Tensor:
        return self.features[:15](x)

    def late(self, x: Tensor, _: Tensor) -> Tensor:
        return self.features[15](x)

    def end(self, x: Tensor) -> Tensor:
        return self.features[16:](x).mean((2, 3, 4))

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.late(self.middle(x), x))


class InflatedBlock(nn.Module):
    def __init__(self, channels: int, planes: int, stride: int, project: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(channels, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(planes)
        self.conv2 = nn.Conv3d(planes, planes, 3, (1, stride, stride), 1, bias=False)
        self.bn2 = nn.BatchNorm3d(planes)
        self.conv3 = nn.Conv3d(planes, 4 * planes, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(4 * planes)
        if project:
            self.downsample = nn.Sequential(
                nn.Conv3d(channels, 4 * planes, 1, (1, stride, stride), bias=False),
                nn.BatchNorm3d(4 * planes),
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn3(self.conv3(self.bn2(self.conv2(y)).relu()))
        return (y + (self.downsample(x) if hasattr(self, "downsample") else x)).relu()


class OldInflatedResNet(nn.Module):
    """A slip of the fused network: what the module makes of layer3's map is not used."""

    def __init__(self, width: int = 16, depths: tuple[int, ...] = (1, 2, 1, 1)) -> None:
        super().__init__()
        self.cnn = nn.Module()
        self.cnn.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.cnn.bn1 = nn.BatchNorm2d(width)
        channels = width
        for number, depth in enumerate(depths):
            planes, blocks = width * 2**number, []
            for place in range(depth):
                stride = 2 if number and not place else 1
                blocks.append(InflatedBlock(channels, planes, stride, not place))
                channels = 4 * planes
            self.cnn.add_module(f"layer{number + 1}", nn.Sequential(*blocks))
        self.classifier = nn.Linear(channels, 60)

    def middle(self, x: Tensor) -> Tensor:
        frames = []
        for frame in x.unbind(2):
            y = self.cnn.bn1(self.cnn.conv1(frame)).relu()
            frames.append(nn.functional.max_pool2d(y, 3, 2, 1))
        return self.cnn.layer3(self.cnn.layer2(self.cnn.layer1(torch.stack(frames, 2))))

    def late(self, gated: Tensor, ungated: Tensor) -> Tensor:
        return self.cnn.layer4(ungated)

    def end(self, x: Tensor) -> Tensor:
        return self.classifier(x.mean((2, 3, 4)))

    def forward(self, x: Tensor) -> Tensor:
        middle = self.middle(x)
        return self.end(self.late(middle, middle))


class OldNTU(nn.Module):
    """Both persons' maps and the video's meet, then the last features; logits are averaged."""

    def __init__(
        self, visual: nn.Module, channels: tuple[int, int], sizes: tuple[int, int]
    ) -> None:
        super().__init__()
        self.visual, self.skeleton = visual, OldHCN()
        self.msaf1 = OldMSAF([channels[0], 128, 128], sizes[0], lowest=0.5)
        self.msaf2 = OldMSAF([channels[1], 512], sizes[1], lowest=0.5)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        people = self.skeleton.up_to_conv5(batch["skeleton"])
        middle = self.visual.middle(batch["video"])
        gated, *people = self.msaf1([middle, *people])
        late, units = self.msaf2(
            [self.visual.late(gated, middle), self.skeleton.from_conv6(people)]
        )
        return (self.visual.end(late) + self.skeleton.fc8(units)) / 2
