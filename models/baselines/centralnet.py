"""CentralNet (Vielzeuf et al. 2018): a third network fed with weighted sums of the branches' maps.

Legend: B samples, C channels, T frames, H height, W width, K classes.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones import BranchBuilder
from models.baselines.action import MODALITIES, ActionNetwork
from models.contracts import Batch, Criterion, Losses, Prediction


class CentralNet(ActionNetwork):
    """Two frozen branches and a central network, as the MFAS repository has it for NTU RGB+D.

    At each level the central network reads `sigmoid(a) central + sum_m sigmoid(a_m) feature_m`
    with learned scalars; the first level has no central part yet. Between levels stands a 4x4
    convolution with stride 2, batch norm and ReLU; the last level takes the branches' features and
    the central map's mean, and a linear layer gives the classes. With Inflated ResNet50 and HCN the
    levels are 512, 1024 and 2048 channels wide, a feature with fewer filled up with zeros.

    Known: levels, widths, frozen branches, one cross entropy. Chosen by us: the larger of the two
    persons; the positions' half of HCN's early maps; and, because the maps of both branches have
    the same size for frames of 256x256 alone, the video's mean over time is brought to the size
    of the skeleton's map otherwise, by adaptive average pooling. That enlarges as well: 28x28, of
    frames of 224x224, becomes 32x32, each value the mean of the up to 2x2 that it overlaps. The
    published code creates a fourth level's scalars that it never uses, and its last pool leaves the
    last row and column of an 8x8 map out; ours do not.

    Args:
        branches: see `ActionNetwork`. They are frozen: start them from trained ones.
        outputs: K.
        video_stages: one for each level before the last.
        skeleton_stages: likewise, those whose maps have two streams.

    Raises:
        ValueError: if the stages do not go in pairs, or there is no such stage.
    """

    def __init__(
        self,
        branches: Mapping[str, BranchBuilder],
        *,
        outputs: int,
        video_stages: Sequence[str],
        skeleton_stages: Sequence[str],
    ) -> None:
        super().__init__(branches, outputs=None)
        self.branches.requires_grad_(False)
        self.stages = list(zip(video_stages, skeleton_stages, strict=True))
        widths = [
            max(self.channels("video", video), self.channels("skeleton", skeleton) // 2)
            for video, skeleton in self.stages
        ]
        self.widths = [*widths, max(self.branch(name).feature_size for name in MODALITIES)]
        levels = len(self.widths)
        self.weights = nn.Parameter(torch.rand(levels, len(MODALITIES)))
        self.central_weights = nn.Parameter(torch.rand(levels - 1))
        self.convolutions = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, wider, 4, stride=2, padding=1), nn.BatchNorm2d(wider), nn.ReLU()
            )
            for width, wider in zip(self.widths, self.widths[1:], strict=False)
        )
        self.head = nn.Linear(self.widths[-1], outputs)

    def train(self, mode: bool = True) -> "CentralNet":
        """Set the mode of the central network; frozen branches neither drop nor count."""
        super().train(mode)
        self.branches.eval()
        return self

    def forward(self, batch: Batch) -> Prediction:
        """Return the central network's classes, `(B, K)`."""
        levels = self._levels(batch)
        central: Tensor | None = None
        for level, features in enumerate(levels):
            weights = self.weights[level].sigmoid()
            joint = torch.stack(
                [
                    weight * _widened(feature, self.widths[level])
                    for weight, feature in zip(weights, features, strict=True)
                ]
            ).sum(0)
            if central is not None:
                if joint.ndim < central.ndim:
                    central = central.mean((2, 3))  # (B, C)
                joint = joint + self.central_weights[level - 1].sigmoid() * central
            central = self.convolutions[level](joint) if level < len(self.stages) else joint
        return Prediction(self.head(central), {})

    def loss(self, prediction: Prediction, batch: Batch, criterion: Criterion) -> Losses:
        """Return the criterion of the central network's classes as `total`."""
        return {"total": criterion(prediction.scores, batch["label"])}

    def parts(self) -> dict[str, nn.Module]:
        """Return the network's parts by the names that reports use."""
        return {**dict(self.branches.items()), "fusion": self.convolutions, "readout": self.head}

    def _levels(self, batch: Batch) -> list[tuple[Tensor, Tensor]]:
        """Give each level's video and skeleton feature: `(B, C, H, W)`, and `(B, C)` at the end."""
        with torch.no_grad():
            video = self.walk("video", batch["video"], [stage for stage, _ in self.stages])
            skeleton = self.walk("skeleton", batch["skeleton"], [stage for _, stage in self.stages])
        levels = []
        for first, second in self.stages:
            grid = skeleton.maps[second].chunk(2, 1)[0]  # the positions' stream
            mean_frame = video.maps[first].mean(2)  # (B, C, H, W)
            levels.append((F.adaptive_avg_pool2d(mean_frame, (grid.shape[2], grid.shape[3])), grid))
        return [*levels, (video.end.features, skeleton.end.features)]


def _widened(x: Tensor, channels: int) -> Tensor:
    """Fill `(B, C, *)` up with zero channels."""
    missing = x.new_zeros(x.shape[0], channels - x.shape[1], *x.shape[2:])
    return torch.cat([x, missing], 1) if missing.shape[1] else x
