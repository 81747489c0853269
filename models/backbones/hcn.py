"""Co-occurrence network on skeletons (HCN, Li et al. 2018), the skeleton branch of paper 4.3.

Layers as in the code that the paper builds on. Legend: B samples, C channels, T frames, V joints.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.branch import Branch, BranchState

STREAMS = 2  # positions and their motion: one half of the channels each, with weights of its own


class HCN(Branch):
    """HCN; the defaults are the paper's (1,062,652 parameters with 60 classes).

    The input is `(B, 3, T, V, persons)`, an absent person zero, or as the data's normalisation
    leaves them. Every person passes through the same weights and is a tensor of the state, until
    `conv6` ends with the element-wise maximum over the persons. Each stage's output for T = 32,
    V = 25 and each person: `conv1` 128x32x25, `conv2` 50x32x32 (from here on the joints are the
    channels and the features an axis), `conv3` 64x16x16, `conv4` 128x8x8, `conv5` 128x4x4; then
    `conv6` 256x2x2 and `fc7` 512 once. Up to `conv4` the first half of the channels are the
    positions', the second half the motion's. Features: `fc7`.

    Args:
        outputs: classes of the head, or `None` for no head.
        frames: T; pooled four times by two.
        joints: V.
        persons: of a sample.
        width: channels of `conv1` for each stream; `fc7` has `8 * width`.
        dropout: probability, by channels after `conv4`, `conv5` and `conv6`, by units after `fc7`.

    Raises:
        ValueError: for fewer than 16 frames or a width below 32, which four poolings use up.
    """

    def __init__(
        self,
        *,
        outputs: int | None,
        frames: int = 32,
        joints: int = 25,
        persons: int = 2,
        width: int = 64,
        dropout: float = 0.4,
    ) -> None:
        if frames < 16 or width < 32:
            raise ValueError(
                f"expected 16 frames or more and a width of 32 or more, which are halved four "
                f"times, got frames={frames}, width={width}"
            )
        half = width // 2
        flat = 4 * width * (frames // 16) * (half // 16)
        stages = {
            "conv1": nn.Sequential(by_stream(3, width, 1), nn.ReLU()),
            "conv2": nn.Sequential(by_stream(width, half, (3, 1), (1, 0)), JointsAsChannels()),
            "conv3": nn.Sequential(by_stream(joints, half, 3, 1), nn.MaxPool2d(2)),
            "conv4": nn.Sequential(
                by_stream(half, width, 3, 1), nn.Dropout2d(dropout), nn.MaxPool2d(2)
            ),
            "conv5": pooled(2 * width, 2 * width, dropout),
            "conv6": pooled(2 * width, 4 * width, dropout),
            "fc7": nn.Sequential(
                nn.Flatten(), nn.Linear(flat, 8 * width), nn.ReLU(), nn.Dropout(dropout)
            ),
        }
        sizes = (2 * width, 2 * joints, width, 2 * width, 2 * width)
        channels = {name: [size] * persons for name, size in zip(stages, sizes, strict=False)}
        super().__init__(
            stages,
            channels=channels | {"conv6": [4 * width], "fc7": [8 * width]},
            feature_size=8 * width,
            outputs=outputs,
        )
        self.input_shape = (3, frames, joints, persons)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                initialise(module)

    def begin(self, x: Tensor) -> BranchState:
        """Give each person's positions and motion, `(B, 6, T, V)`.

        The motion is the difference of neighbouring frames, stretched back to T by interpolation.

        Raises:
            ValueError: for a skeleton of another shape than the network was built for.
        """
        if tuple(x.shape[1:]) != self.input_shape:
            raise ValueError(
                f"expected skeletons (B, 3, frames, joints, persons) with {self.input_shape}, got "
                f"shape {tuple(x.shape)}"
            )
        people = x.unbind(4)  # (B, 3, T, V) each
        return BranchState([torch.cat([person, motion(person)], 1) for person in people], 0)

    def run_stage(self, name: str, values: list[Tensor]) -> list[Tensor]:
        values = super().run_stage(name, values)
        return [torch.stack(values).amax(0)] if name == "conv6" else values

    def summarise(self, values: list[Tensor]) -> Tensor:
        return values[0]


class JointsAsChannels(nn.Module):
    """Exchange features and joints within each stream: `(B, 2 C, T, V)` -> `(B, 2 V, T, C)`."""

    def forward(self, x: Tensor) -> Tensor:
        streams = x.unflatten(1, (STREAMS, -1))  # (B, 2, C, T, V)
        return streams.transpose(2, 4).flatten(1, 2)  # (B, 2 V, T, C)


def motion(person: Tensor) -> Tensor:
    """Return the differences of neighbouring frames of `(B, 3, T, V)`, resampled to T frames."""
    difference = person[:, :, 1:] - person[:, :, :-1]
    size = (person.shape[2], person.shape[3])
    return F.interpolate(difference, size=size, mode="bilinear", align_corners=False)


def by_stream(
    channels: int, out: int, kernel: int | tuple[int, int], padding: int | tuple[int, int] = 0
) -> nn.Conv2d:
    """One convolution for each stream, side by side."""
    return nn.Conv2d(STREAMS * channels, STREAMS * out, kernel, padding=padding, groups=STREAMS)


def pooled(channels: int, out: int, dropout: float) -> nn.Sequential:
    """3x3 convolution, ReLU, dropout of channels, and a pool that halves the map."""
    return nn.Sequential(
        nn.Conv2d(channels, out, 3, padding=1), nn.ReLU(), nn.Dropout2d(dropout), nn.MaxPool2d(2)
    )


def initialise(module: nn.Conv2d | nn.Linear) -> None:
    """Xavier-uniform weights, for each stream by itself, and zero biases."""
    groups = module.groups if isinstance(module, nn.Conv2d) else 1
    with torch.no_grad():
        for part in module.weight.chunk(groups):
            nn.init.xavier_uniform_(part)
    if module.bias is not None:
        nn.init.zeros_(module.bias)
