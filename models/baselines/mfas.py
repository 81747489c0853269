"""The fusion architecture that MFAS published for NTU RGB+D (Perez-Rua et al. 2019).

Its authors found it by a search over trained branches; no search is part of this project.

Legend: B samples, C channels, F features, K classes.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from models.backbones import BranchBuilder
from models.baselines.action import ActionNetwork
from models.contracts import Batch, Criterion, Losses, Prediction
from models.fusions.readout import branch_logits

Choice = tuple[int, int, str]
"""A skeleton feature, a video feature, an activation."""
ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}
CENTRAL, EVERYTHING = "central", "all"  # the phases; the first trains the fusion alone


class FusionLayers(nn.ModuleList):
    """Layers that each take one feature of every branch and what the layer before has made.

    `h_l = dropout(activation(W_l [skeleton_i, video_j, h_(l-1)] + b_l))`, with a batch norm before
    the dropout if asked for.

    Args:
        choices: for each layer which of the skeleton's and of the video's features it takes, from
            0, and its activation, relu or sigmoid.
        sizes: of the features, by branch.
        width: F of every layer.
        norm: whether layers have a batch norm.
        dropout: probability after every layer.

    Raises:
        ValueError: for a feature or an activation that there is not.
    """

    def __init__(
        self,
        choices: Sequence[Choice],
        sizes: Mapping[str, Sequence[int]],
        *,
        width: int,
        norm: bool,
        dropout: float,
    ) -> None:
        self.choices = [_checked(choice, sizes) for choice in choices]
        layers, previous = [], 0
        for skeleton, video, activation in self.choices:
            incoming = sizes["skeleton"][skeleton] + sizes["video"][video] + previous
            parts = [nn.Linear(incoming, width), ACTIVATIONS[activation]()]
            parts += [nn.BatchNorm1d(width)] if norm else []
            layers.append(nn.Sequential(*parts, nn.Dropout(dropout)))
            previous = width
        super().__init__(layers)

    def forward(self, features: Mapping[str, Sequence[Tensor]]) -> Tensor:
        """Return what the last layer makes, `(B, F)`, of each branch's features `(B, C)`."""
        made: list[Tensor] = []
        for layer, (skeleton, video, _) in zip(self, self.choices, strict=True):
            chosen = [features["skeleton"][skeleton], features["video"][video], *made]
            made = [layer(torch.cat(chosen, 1))]
        return made[0]


class MFAS(ActionNetwork):
    """`FusionLayers` over the branches' features, then a linear layer to the classes.

    The video's features are the means of its stages over time and space, and its end; the
    skeleton's are the means of `conv5` and `conv6`, all of `conv6` in one row, and `fc7`, of the
    larger of both persons.

    With Inflated ResNet50 the published architecture (`layers` [3, 0, relu], [1, 3, relu],
    [1, 1, sigmoid], [3, 3, relu], width 256) has 2,032,640 parameters in these layers and 15,420 in
    the last: 49,376,180, four fewer than its authors' network, which has scalars that it does not
    use. It predicts by the sum of its own logits and both branches', each with a cross entropy.

    Args:
        branches: see `ActionNetwork`.
        outputs: K.
        video_stages: whose means are the video's features, besides its end.
        layers: see `choices` of `FusionLayers`.
        width: see `FusionLayers`.
        norm: see `FusionLayers`.
        dropout: see `FusionLayers`.

    Raises:
        ValueError: for a feature or an activation that there is not.
    """

    def __init__(
        self,
        branches: Mapping[str, BranchBuilder],
        *,
        outputs: int,
        video_stages: Sequence[str],
        layers: Sequence[Choice],
        width: int = 256,
        norm: bool = False,
        dropout: float = 0.4,
    ) -> None:
        super().__init__(branches, outputs=outputs)
        self.video_stages = list(video_stages)
        sizes = self._feature_sizes()
        self.layers = FusionLayers(layers, sizes, width=width, norm=norm, dropout=dropout)
        self.head = nn.Linear(width, outputs)
        self.phase = EVERYTHING

    def enter(self, phase: str) -> None:
        """Train from here on the fusion alone (`central`), or everything (`all`)."""
        self.phase = phase
        self.branches.train(self.training and phase != CENTRAL)

    def phase_parts(self) -> dict[str, nn.Module]:
        """Return what each phase is the first to train: the fusion, then the branches."""
        return {CENTRAL: nn.ModuleList([self.layers, self.head]), EVERYTHING: self.branches}

    def _walks(self, batch: Batch) -> tuple[dict[str, list[Tensor]], dict[str, Tensor]]:
        """Return each branch's features `(B, C)`, and its logits `(B, K)`."""
        skeleton = self.walk("skeleton", batch["skeleton"], ["conv5", "conv6"])
        video = self.walk("video", batch["video"], self.video_stages)
        conv5, conv6 = skeleton.maps.values()
        features = {
            "skeleton": [_mean(conv5), _mean(conv6), conv6.flatten(1), skeleton.end.features],
            "video": [*map(_mean, video.maps.values()), video.end.features],
        }
        return features, branch_logits({"video": video.end, "skeleton": skeleton.end})

    def forward(self, batch: Batch) -> Prediction:
        """Return the sum of the three logits `(B, K)`; `parts` has them by name."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.phase != CENTRAL):
            features, logits = self._walks(batch)
        parts = {"fusion": self.head(self.layers(features)), **logits}
        return Prediction(torch.stack(list(parts.values())).sum(0), parts)

    def loss(self, prediction: Prediction, batch: Batch, criterion: Criterion) -> Losses:
        """Return the criterion of each logits, and their sum as `total`."""
        losses = {
            f"{name}_loss": criterion(logits, batch["label"])
            for name, logits in prediction.parts.items()
        }
        return {"total": torch.stack(list(losses.values())).sum(), **losses}

    def parts(self) -> dict[str, nn.Module]:
        """Return the network's parts by the names that reports use."""
        return {**dict(self.branches.items()), "fusion": self.layers, "readout": self.head}

    def _feature_sizes(self) -> dict[str, list[int]]:
        conv6 = self.channels("skeleton", "conv6")
        after_conv6 = self.branch("skeleton").get_submodule("stages.fc7.1")
        assert isinstance(after_conv6, nn.Linear)  # it reads all of conv6 in one row
        skeleton = [self.channels("skeleton", "conv5"), conv6, after_conv6.in_features]
        video = [self.channels("video", stage) for stage in self.video_stages]
        return {
            "skeleton": [*skeleton, self.branch("skeleton").feature_size],
            "video": [*video, self.branch("video").feature_size],
        }


def _checked(choice: Choice, sizes: Mapping[str, Sequence[int]]) -> Choice:
    skeleton, video, activation = choice
    limits = len(sizes["skeleton"]), len(sizes["video"])
    within = 0 <= skeleton < limits[0] and 0 <= video < limits[1]
    if not within or activation not in ACTIVATIONS:
        raise ValueError(
            f"layer {list(choice)}: expected a skeleton feature below {limits[0]}, a video feature "
            f"below {limits[1]}, and {' or '.join(ACTIVATIONS)}"
        )
    return skeleton, video, activation


def _mean(x: Tensor) -> Tensor:
    return x.flatten(2).mean(2)  # (B, C)
