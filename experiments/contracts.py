"""What a run needs of a datamodule, of a network and of the module that trains it.

Configurations name their classes (`_target_`); these Protocols say what such a class has to offer.
Nothing else of them is used, and nothing is probed for.

Legend: B samples, N samples of a split, K outputs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, cast, runtime_checkable

import numpy as np
from torch import Tensor, nn

if TYPE_CHECKING:  # for its name alone: whoever plans, or reads what is there, does not train
    import pytorch_lightning as pl

Batch = dict[str, Any]
"""Modality names, `label`, `id` and others with a row for each sample; nearly all are tensors."""

Criterion = Callable[[Tensor, Tensor], Tensor]
"""The task's loss of scores `(B, K)` and labels `(B,)`."""


class DataModule(Protocol):
    """What Lightning is fed from; its construction reads no array and writes nothing.

    `identity` and `provenance` are known at once, everything else after `prepare_data` (which
    may render or download) and `setup("fit")`.
    """

    @property
    def identity(self) -> str:
        """What tells this data set from others: part of a run's hash."""

    @property
    def provenance(self) -> str:
        """`real`, or `sample` for data that the project rendered itself."""

    @property
    def manifest_hash(self) -> str:
        """The hash of what is packed, with all its bytes; written to `metrics.json`."""

    @property
    def preparation(self) -> Mapping[str, Any]:
        """How the packed set was prepared, as JSON; written to `metrics.json`."""

    @property
    def classes(self) -> Sequence[str] | None:
        """The names of the classes; `None` for a regression."""

    @property
    def evaluation_names(self) -> Sequence[str]:
        """The evaluation splits in the order of `val_dataloader`: `test`, maybe `validation`."""

    @property
    def ids(self) -> Sequence[str]:
        """The name of each row of the data set."""

    @property
    def shapes(self) -> Mapping[str, Sequence[int]]:
        """The input shape of each modality, without the batch."""

    def prepare_data(self) -> None: ...

    def setup(self, stage: str) -> None: ...

    def change_evaluation(self, changes: Mapping[str, Any]) -> None:
        """Change samples of the evaluation splits as they are loaded; `{}` ends that."""

    def train_dataloader(self) -> Iterable[Batch]:
        """Return the loader of the training part."""

    def val_dataloader(self) -> Sequence[Iterable[Batch]]:
        """Return a loader for each of `evaluation_names`."""

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Turn a loaded batch, on the device, into what the network takes."""

    def lightning(self) -> "pl.LightningDataModule":
        """Return what a trainer takes: itself, or one of Lightning's that gives its batches."""


class View(Protocol):
    """A frame to draw: `(H, W, 3)` bytes, and maybe a box `(4,)`, left, top, right, bottom."""

    @property
    def image(self) -> np.ndarray: ...

    @property
    def box(self) -> np.ndarray | None: ...

    @property
    def number(self) -> int:
        """Of the frame in its video, from 0."""


class Wave(Protocol):
    """Sound to draw: `(S,)`, its rate in Hz, and the seconds of it that a network is given."""

    @property
    def samples(self) -> np.ndarray: ...

    @property
    def rate(self) -> int: ...

    @property
    def used(self) -> tuple[float, float]: ...


class Views(Protocol):
    """What can be drawn of a sample; empty where there is none."""

    @property
    def frames(self) -> Sequence[View]: ...

    @property
    def wave(self) -> Wave | None: ...

    @property
    def text(self) -> str: ...

    @property
    def values(self) -> Mapping[str, float]: ...

    @property
    def joints(self) -> np.ndarray | None:
        """Positions of persons' joints, `(F, P, J, 3)`."""

    @property
    def bones(self) -> Sequence[tuple[int, int]]:
        """Pairs of joints."""


class OwnSample(Protocol):
    """A sample that was made of a user's own files.

    `batch` is of size 1, as the loader of an evaluation split gives it; `sources` says by modality
    what it was made of, `missing` why it is not there, `notes` what else has to be known.
    """

    @property
    def batch(self) -> Batch: ...

    @property
    def sources(self) -> Mapping[str, str]: ...

    @property
    def missing(self) -> Mapping[str, str]: ...

    @property
    def notes(self) -> Sequence[str]: ...

    @property
    def views(self) -> Views: ...


class Group(Protocol):
    """The files of one sample, by what each is for."""

    @property
    def name(self) -> str: ...

    @property
    def files(self) -> Mapping[str, Path]: ...


class OwnFiles(Protocol):
    """What turns a user's own files into samples; what it raises is a `ValueError`."""

    def groups(self, files: Sequence[Path]) -> Sequence[Any]:
        """Return which files belong to one sample, each a `Group`."""

    def usable_groups(self, files: Sequence[Path]) -> tuple[Sequence[Any], Sequence[str]]:
        """Return the same of the files that can be read, and why the others are left out."""

    def read(self, group: Any) -> OwnSample:
        """Read the files of one sample, a `Group`."""


@runtime_checkable
class ReadsOwnFiles(Protocol):
    """A datamodule that can also read files which are of no packed set."""

    def own_files(
        self,
        preparation: Mapping[str, Any] | None,
        *,
        shapes: Mapping[str, Sequence[int]],
        without: Sequence[str],
        options: Mapping[str, Any],
    ) -> OwnFiles:
        """Return what reads them, as the data of a run were prepared.

        Args:
            preparation: of these data, as `DataModule.preparation` says it; `None` where it is not
                known, for what the configuration says, and prepare's defaults.
            shapes: the network's input shape of each modality, without the batch.
            without: modalities that are left out.
            options: of the data set, such as where a face is.
        """


@runtime_checkable
class TellsInputs(Protocol):
    """A datamodule that says, for other programs, what a network takes of each modality."""

    @property
    def inputs(self) -> Mapping[str, Mapping[str, Any]]:
        """By modality what its numbers are, as JSON: axes, units, scale, order."""


class Branch(Protocol):
    """A unimodal network, which knows the names that its published weights have."""

    head: nn.Module | None

    def convert(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return published weights under this branch's own names."""

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(self, state: Mapping[str, Tensor], strict: bool = True) -> object: ...


class Network(Protocol):
    """An `nn.Module` from a batch to a prediction with `scores` `(B, K)`."""

    def loss(
        self, prediction: Any, batch: Mapping[str, Tensor], criterion: Criterion
    ) -> dict[str, Tensor]:
        """Return `total`, which is trained, and other losses, which are logged."""

    def parts(self) -> dict[str, nn.Module]:
        """Return the network's parts by the names that reports use."""

    def __call__(self, batch: Mapping[str, Tensor]) -> Any: ...

    def eval(self) -> Self: ...

    def named_modules(self) -> Iterator[tuple[str, nn.Module]]: ...

    def state_dict(self) -> dict[str, Tensor]: ...

    def parameters(self) -> Iterator[nn.Parameter]: ...


@runtime_checkable
class NetworkWithBranches(Protocol):
    """A network of branches by modality, which unimodal or published weights can start."""

    branches: Mapping[str, Branch]


@runtime_checkable
class LosesModalities(Protocol):
    """A network that can be run as if modalities were absent, without an input in their place."""

    absent: frozenset[str]


class Corruption(Protocol):
    """What happens to one modality of every test sample, by a strength."""

    @property
    def strengths(self) -> Sequence[float]:
        """From weak to strong."""

    @property
    def unit(self) -> str:
        """That of a strength."""

    @property
    def needs_raw(self) -> bool:
        """Say whether it reads the raw files."""

    def changes(
        self, data: Any, modality: str, strength: float, *, raw: Path | None, copies: Path
    ) -> Mapping[str, Any]:
        """Return what `DataModule.change_evaluation` takes."""


@runtime_checkable
class FusionPoint(Protocol):
    """A part of a network where modalities exchange features, by one module."""

    channels: Mapping[str, Sequence[int]]
    """Of each modality's inputs, in the order of the module."""

    join: bool
    """Whether the inputs of a modality are joined to a single one."""


class Gate(Protocol):
    """A module of channel blocks, whose attention can be recorded."""

    in_channels: Sequence[int]
    blocks_per_modality: Sequence[int]
    block_channels: int


class SplitScores(Protocol):
    """All predictions on one split, sorted by id: `(N,)`, `(N,)`, `(N, K)`, and their metrics."""

    @property
    def ids(self) -> Tensor: ...

    @property
    def labels(self) -> Tensor: ...

    @property
    def scores(self) -> Tensor: ...

    @property
    def metrics(self) -> dict[str, float]: ...


class TaskModule(Protocol):
    """The `LightningModule` that trains a network, with the latest evaluation of each split."""

    @property
    def network(self) -> nn.Module: ...

    def metrics(self, scores: Tensor, labels: Tensor) -> dict[str, float]:
        """Return the metrics of a whole split from its scores `(N, K)` and labels `(N,)`."""

    @property
    def evaluations(self) -> Mapping[str, SplitScores]: ...

    @property
    def train_metrics(self) -> Mapping[str, float]: ...


def task_of(module: "pl.LightningModule") -> TaskModule:
    """Return the module that Lightning hands to a callback as what it is here."""
    return cast("TaskModule", module)
