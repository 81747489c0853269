"""The networks that the authors released, told apart by their tensors' names.

Sizes that a configuration needs are read from the tensors. What no tensor tells is what the
released code has, `protocol=released`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from experiments.conversion import names as n
from experiments.conversion import sizes
from experiments.conversion.names import Names
from experiments.conversion.read import Checkpoint
from experiments.conversion.sizes import Part, Settings, Sizes
from experiments.runs.folder import RunError

Branch = tuple[str, Names, Sizes]
"""Where a branch is in their file, its names, and how its settings are read."""


@dataclass(frozen=True)
class Released:
    """A network that the authors released.

    Args:
        title: as a person would say it.
        task: the task of this project.
        sign: a pattern that begins the name of some tensor, and of none of the networks before.
        branches: by modality, in the order of the released modules.
        points: fusion points of the task -> modules of theirs, those that there may be.
        readout: names of what follows the branches, under our full names.
        selected_on: the split that the authors chose the epoch on, as far as is known.
    """

    title: str
    task: str
    sign: str
    branches: Mapping[str, Branch]
    points: Mapping[str, str] = field(default_factory=dict)
    readout: Names | None = None
    selected_on: str | None = None

    def settings(self, checkpoint: Checkpoint) -> Settings:
        """Return the overrides that build this network in the sizes of a file.

        Raises:
            RunError: if a tensor is missing whose size is needed.
        """
        found: Settings = {
            "task": self.task,
            "fusion": "msaf" if self.points else "none",
            "modalities": list(self.branches),
        }
        for place, names, read in self.branches.values():
            found |= read(Part(checkpoint, names.inside("", place)))
        if self.points:
            found |= {"points": list(self._points(checkpoint))}
        for point, module in self._points(checkpoint).items():
            for key, value in sizes.gate(checkpoint, module).items():
                found[f"++fusion.points.{point}.{key}"] = value
        return found

    def names(self, checkpoint: Checkpoint, ours: Mapping[str, Tensor]) -> list[Names]:
        """Return the names of all parts of our network, whose tensors are `ours`."""
        found = [] if self.readout is None else [self.readout]
        for modality, (place, names, _) in self.branches.items():
            found.append(names.inside(f"branches.{modality}.", place))
        for number, module in enumerate(self._points(checkpoint).values()):
            place = f"points.{number}.fusion."
            *segments, rows, _ = ours[f"{place}highlight.weight"].shape
            channels = ours[f"{place}join.weight"].shape[-1]
            parts = n.msaf(segments[0] if segments else 1, rows // channels)
            found.append(parts.inside(place, f"{module}."))
        return found

    def _points(self, checkpoint: Checkpoint) -> dict[str, str]:
        """Return those of `points` that are in a file."""
        return {p: m for p, m in self.points.items() if checkpoint.below(f"{m}.")}


def _of_ntu(video: str, sign: str, names: Names, read: Sizes) -> Released:
    return Released(
        title=f"the fused network of NTU RGB+D with {video}",
        task="ntu",
        sign=sign,
        branches={
            "video": ("visual.", names, read),
            "skeleton": ("skeleton.", n.HCN, sizes.hcn),
        },
        points={"early": "msaf0", "intermediate": "msaf1", "late": "msaf2"},
        selected_on="test",
    )


def _alone(title: str, task: str, modality: str, sign: str, names: Names, read: Sizes) -> Released:
    return Released(title=title, task=task, sign=sign, branches={modality: ("", names, read)})


RELEASED = (
    Released(
        title="the fused network of RAVDESS",
        task="ravdess",
        sign=r"(video|audio)_model_blocks\.",
        branches={
            "video": ("video_model_blocks.", n.RESNEXT_IN_BLOCKS, sizes.resnext),
            "audio": ("audio_model_blocks.", n.MFCC_CNN_IN_BLOCKS, sizes.mfcc_cnn),
        },
        points={"middle": "msaf.0", "late": "msaf.1"},
        selected_on="test",
    ),
    Released(
        title="the fused network of CMU-MOSEI",
        task="mosei",
        sign=r"(visual|audio|text)_model\.",
        branches={
            modality: (f"{modality}_model.", n.LSTMS, sizes.lstms(modality))
            for modality in ("visual", "audio", "text")
        },
        points={"middle": "msaf.0"},
        readout=n.REGRESSION,
    ),
    _of_ntu(
        "Inflated ResNet50",
        r"visual\.(cnn|classifier)\.",
        n.INFLATED_RESNET,
        sizes.inflated_resnet,
    ),
    _of_ntu("I3D", r"visual\.features\.", n.I3D, sizes.i3d),
    _alone("HCN of NTU RGB+D", "ntu", "skeleton", r"conv[1-4]m\.", n.HCN, sizes.hcn),
    _alone(
        "I3D of NTU RGB+D", "ntu", "video", r"features\.\d+\.(conv|branch\d)\.", n.I3D, sizes.i3d
    ),
    _alone(
        "Inflated ResNet50 of NTU RGB+D",
        "ntu",
        "video",
        r"cnn\.layer",
        n.INFLATED_RESNET,
        sizes.inflated_resnet,
    ),
    _alone(
        "3D ResNeXt50 of RAVDESS",
        "ravdess",
        "video",
        r"layer[1-4]\.\d+\.conv1\.",
        n.RESNEXT,
        sizes.resnext,
    ),
    _alone("the MFCC network of RAVDESS", "ravdess", "audio", r"fc1\.", n.MFCC_CNN, sizes.mfcc_cnn),
)


def recognise(checkpoint: Checkpoint) -> Released:
    """Return the released network that a file is of.

    Raises:
        RunError: if it is of none.
    """
    for released in RELEASED:
        if any(re.match(released.sign, key) for key in checkpoint.tensors):
            return released
    some = ", ".join(sorted(checkpoint.tensors)[:4])
    raise RunError(
        f"{checkpoint.file}: expected {'; '.join(released.title for released in RELEASED)}; found "
        f"{len(checkpoint.tensors)} tensors of none of them, such as {some}"
    )
