"""How tensors of this project's networks are called in the files that the authors released.

Facts about their files, as tables: a place of ours, and the place of theirs. What follows it in a
name (`.weight`, `.0.conv1.weight`) is the same unless `words` has it. Where a tensor of ours is
made of several of theirs, they are named in the order in which they are joined.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Names:
    """The names of one part of a network.

    Args:
        places: of ours -> of theirs.
        words: parts of what follows, between two dots -> theirs.
    """

    places: Mapping[str, str | tuple[str, ...]]
    words: Mapping[str, str] = field(default_factory=dict)

    def inside(self, ours: str, theirs: str) -> "Names":
        """Return the names of the same part where it stands in a larger network."""
        return Names(
            {
                f"{ours}{place}": tuple(f"{theirs}{there}" for there in _several(others))
                for place, others in self.places.items()
            },
            self.words,
        )

    def theirs(self, ours: str) -> tuple[str, ...]:
        """Return their names of a tensor; none if it is not of this part."""
        for place, others in self.places.items():
            if ours.startswith(f"{place}."):
                rest = ours.removeprefix(f"{place}.").split(".")
                told = ".".join(self.words.get(word, word) for word in rest)
                return tuple(f"{there}.{told}" for there in _several(others))
        return ()


def _several(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def names_of(ours: str, parts: Iterable[Names]) -> tuple[str, ...]:
    """Return their names of a tensor that is in one of several parts.

    Raises:
        KeyError: if no part has it, which would be a gap in the tables.
    """
    for part in parts:
        if found := part.theirs(ours):
            return found
    raise KeyError(ours)


LAYERS = [f"layer{n}" for n in range(1, 5)]

RESNEXT = Names(
    {"stages.stem.0": "conv1", "stages.stem.1": "bn1", "head": "fc"}
    | {f"stages.{layer}": layer for layer in LAYERS},
    {"shortcut": "downsample"},
)
RESNEXT_IN_BLOCKS = Names(  # cut into three where the modules are; layers without weights count
    {
        "stages.stem.0": "0.0", "stages.stem.1": "0.1", "stages.layer1": "0.3",
        "stages.layer2": "0.4", "stages.layer3": "0.5", "stages.layer4": "1.0", "head": "2.2",
    },
    {"shortcut": "downsample"},
)  # fmt: skip
MFCC_CNN = Names({
    "stages.conv1.0": "conv1", "stages.conv1.2": "bn1", "stages.conv2.0": "conv2",
    "stages.conv3.1": "bn2", "stages.conv3.3": "conv3", "stages.conv3.5": "bn3", "head": "fc1",
})  # fmt: skip
MFCC_CNN_IN_BLOCKS = Names({
    "stages.conv1.0": "0.0", "stages.conv1.2": "0.2", "stages.conv2.0": "0.3",
    "stages.conv3.1": "1.1", "stages.conv3.3": "1.3", "stages.conv3.5": "1.5", "head": "2.2",
})  # fmt: skip

LSTMS = Names({"stages.lstm1": "0", "stages.lstm2": "1"})
REGRESSION = Names({"readout.layers.1": "multimodal_classifier.0"})

HCN = Names({  # the streams of positions and of motion: the halves of our grouped convolutions
    "stages.conv1.0": ("conv1.0", "conv1m.0"), "stages.conv2.0": ("conv2", "conv2m"),
    "stages.conv3.0": ("conv3.0", "conv3m.0"), "stages.conv4.0": ("conv4.0", "conv4m.0"),
    "stages.conv5.0": "conv5.0", "stages.conv6.0": "conv6.0", "stages.fc7.1": "fc7.0",
    "head": "fc8",
})  # fmt: skip
I3D = Names(  # their pools are layers with a number, ours belong to the stage behind
    {
        "stages.Conv3d_1a_7x7.0": "features.0", "stages.Conv3d_2b_1x1.1": "features.2",
        "stages.Conv3d_2c_3x3.0": "features.3", "stages.Mixed_3b.1": "features.5",
        "stages.Mixed_3c.0": "features.6", "stages.Mixed_4b.1": "features.8",
        "stages.Mixed_4c.0": "features.9", "stages.Mixed_4d.0": "features.10",
        "stages.Mixed_4e.0": "features.11", "stages.Mixed_4f.0": "features.12",
        "stages.Mixed_5b.1": "features.14", "stages.Mixed_5c.0": "features.15",
        "head": "features.18",
    },
    {
        "conv3d": "conv", "b0": "branch0.0", "b1a": "branch1.0", "b1b": "branch1.1",
        "b2a": "branch2.0", "b2b": "branch2.1", "b3b": "branch3.1",
    },
)  # fmt: skip
INFLATED_RESNET = Names(
    {"stages.stem.conv1": "cnn.conv1", "stages.stem.bn1": "cnn.bn1", "head": "classifier"}
    | {f"stages.{layer}": f"cnn.{layer}" for layer in LAYERS}
)


def msaf(segments: int, blocks: int) -> Names:
    """Return the names of an MSAF module, which has modules for each segment and each block."""
    parts = [f"blocks.{segment}" for segment in range(segments)]
    gates = [f"{part}.dense_group.{block}" for part in parts for block in range(blocks)]
    return Names(
        {
            "join": tuple(f"{part}.joint_features.0" for part in parts),
            "norm": tuple(f"{part}.joint_features.1" for part in parts),
            "highlight": tuple(gates),
        }
    )
