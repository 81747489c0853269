"""What a configuration needs to know of a released network, read from the shapes of its tensors."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from experiments.conversion.names import LAYERS, Names
from experiments.conversion.read import Checkpoint

Settings = dict[str, object]
"""Overrides by their keys."""


@dataclass(frozen=True)
class Part:
    """One branch of a network in a file.

    Args:
        checkpoint: the file.
        names: of its tensors.
    """

    checkpoint: Checkpoint
    names: Names

    def shape(self, ours: str) -> tuple[int, ...]:
        """Return the shape of their tensor, the first of several.

        Raises:
            RunError: if the file lacks it.
        """
        return tuple(self.checkpoint[self.names.theirs(ours)[0]].shape)

    def depth(self, layer: str) -> int:
        """Return the number of blocks in a layer of a residual network."""
        place = re.escape(self.names.theirs(f"stages.{layer}.0")[0].removesuffix("0"))
        found = (re.match(place + r"(\d+)\.", key) for key in self.checkpoint.tensors)
        return len({match[1] for match in found if match})


Sizes = Callable[[Part], Settings]
"""Reads the settings of a branch."""


def resnext(part: Part) -> Settings:
    """Return the settings of the 3D ResNeXt."""
    middle, per_group = part.shape("stages.layer1.0.conv2.weight")[:2]
    return {
        "task.branches.video.width": part.shape("stages.stem.0.weight")[0],
        "task.branches.video.depths": [part.depth(layer) for layer in LAYERS],
        "task.branches.video.cardinality": middle // per_group,
        "task.outputs": part.shape("head.weight")[0],
    }


def mfcc_cnn(part: Part) -> Settings:
    """Return the settings of the MFCC network."""
    width, coefficients = part.shape("stages.conv1.0.weight")[:2]
    outputs, features = part.shape("head.weight")
    return {
        "task.branches.audio.width": width,
        "task.branches.audio.coefficients": coefficients,
        # the fewest that leave so many steps: two kernels of 7 padded by 2, then a pool of 8
        "task.branches.audio.frames": 4 + 8 * (features // (2 * width)),
        "task.outputs": outputs,
    }


def lstms(modality: str) -> Sizes:
    """Return what reads the settings of a pair of LSTMs."""

    def read(part: Part) -> Settings:
        gates, features = part.shape("stages.lstm1.weight_ih_l0")
        place = f"task.branches.{modality}"
        return {f"{place}.features": features, f"{place}.hidden": gates // 4}

    return read


def i3d(part: Part) -> Settings:
    """Return the settings of I3D."""
    return {
        "rgb": "i3d",
        "recipe": "joint",  # acts in training alone, and there is none
        "task.branches.video.width": part.shape("stages.Conv3d_1a_7x7.0.conv3d.weight")[0],
        "task.outputs": part.shape("head.weight")[0],
    }


def inflated_resnet(part: Part) -> Settings:
    """Return the settings of the Inflated ResNet."""
    return {
        "rgb": "inflated_resnet50",
        "recipe": "joint",
        "task.branches.video.width": part.shape("stages.stem.conv1.weight")[0],
        "task.branches.video.depths": [part.depth(layer) for layer in LAYERS],
        "task.outputs": part.shape("head.weight")[0],
    }


def hcn(part: Part) -> Settings:
    """Return the settings of HCN, the number of frames among them."""
    width, features = part.shape("stages.conv1.0.weight")[0], part.shape("stages.fc7.1.weight")[1]
    per_step = 4 * width * max(width // 2 // 16, 1)
    return {
        "task.branches.skeleton.width": width,
        "datamodule.skeleton.frames": 16 * (features // per_step),  # halved four times
        "task.outputs": part.shape("head.weight")[0],
    }


def gate(checkpoint: Checkpoint, module: str) -> Settings:
    """Return the settings of an MSAF module that its tensors tell."""
    reduced, channels = checkpoint[f"{module}.blocks.0.joint_features.0.weight"].shape
    segments = {key.split(".")[0] for key in checkpoint.below(f"{module}.blocks.")}
    return {
        "block_channels": channels,
        "reduction": channels // reduced,
        "segments": len(segments),
    }
