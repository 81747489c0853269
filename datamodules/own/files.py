"""From the files that a user names to samples: which belong together, and what each is for."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from datamodules.own.sample import OwnSample
from datamodules.packed.batch import Batch
from datamodules.packed.errors import DataError


@dataclass(frozen=True)
class Group:
    """The files of one sample, by what each is for, such as `video` or `tracking`."""

    name: str
    files: dict[str, Path] = field(default_factory=dict)


class OwnFiles(ABC):
    """Turns files of one's own into samples of a data set's network, through what prepares the set.

    A subclass says what its files can be, and what it may be told beside them.

    Args:
        modalities: of the network, in their order.
        without: those that are left out.
        options: what it is told, such as `face`.

    Raises:
        DataError: an option is none that this data set knows, or what is left out is none of the
            modalities, or all of them.
    """

    task: ClassVar[str]
    takes: ClassVar[str]  # the files, in words
    options: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, modalities: Sequence[str], without: Sequence[str], options: Mapping[str, Any]
    ) -> None:
        unknown = [name for name in options if name not in self.options]
        if unknown:
            known = ", ".join(self.options) or "none"
            raise DataError(f"{unknown[0]}: task={self.task} has no use for it; it takes {known}")
        if not set(without) < set(modalities) and without:
            raise DataError(
                f"without=[{','.join(without)}]: expected some of {', '.join(modalities)}, and one "
                "left"
            )
        self.modalities = tuple(modalities)
        self.without = tuple(without)

    def groups(self, files: Sequence[Path]) -> list[Group]:
        """Return which files belong to one sample.

        Where every file is for something else they are one sample, whatever they are called; else
        those of one name, up to its first dot, are.

        Raises:
            DataError: a file is none of this data set, or two of one sample are for the same.
        """
        roles = {path: self.role(path) for path in files}
        if files and len(set(roles.values())) == len(roles):
            return [Group(_name(files[0]), {role: path for path, role in roles.items()})]
        groups: dict[str, Group] = {}
        for path, role in roles.items():
            group = groups.setdefault(_name(path), Group(_name(path)))
            other = group.files.setdefault(role, path)
            if other != path:
                raise DataError(
                    f"{path}: expected one {role} for {group.name}, found {other} as well; give "
                    "files of one clip, or clips of different names"
                )
        return list(groups.values())

    def usable_groups(self, files: Sequence[Path]) -> tuple[list[Group], list[str]]:
        """Return the samples of which every file can be one, and why the others are left out.

        A file that is none leaves out all files of its name, up to the first dot.

        Raises:
            DataError: no file is left, or as `groups` says.
        """
        refused: dict[str, str] = {}
        for path in files:
            try:
                self.role(path)
            except DataError as error:
                refused[_name(path)] = str(error)
        left = [path for path in files if _name(path) not in refused]
        if refused and not left:
            raise DataError("; ".join(refused.values()))
        return self.groups(left), list(refused.values())

    @abstractmethod
    def role(self, path: Path) -> str:
        """Return what a file is for.

        Raises:
            DataError: there is no such file, or it is none of this data set.
        """

    @abstractmethod
    def read(self, group: Group) -> OwnSample:
        """Read the files of one sample.

        Raises:
            DataError: a file is not usable.
        """

    def sort(self, found: Mapping[str, str | None], lacking: Mapping[str, str]) -> OwnSample:
        """Return an empty sample that says what its modalities are made of, or why they are not.

        Args:
            found: modality -> what it is made of; `None` where there is nothing.
            lacking: modality -> why there is nothing.

        Raises:
            DataError: nothing is left.
        """
        sample = OwnSample({}, {}, {})
        for name in self.modalities:
            source = found[name]
            if name in self.without:
                sample.missing[name] = "left out by without="
            elif source is None:
                sample.missing[name] = lacking[name]
            else:
                sample.sources[name] = source
        if not sample.sources:
            why = "; ".join(f"{name}: {reason}" for name, reason in sample.missing.items())
            raise DataError(f"expected {self.takes}, for at least one of the modalities: {why}")
        return sample

    def refuse(self, path: Path, found: str) -> DataError:
        """Return the error for a file that is none of this data set."""
        return DataError(f"{path}: expected {self.takes}, found {found}")


def batch_of(arrays: Mapping[str, np.ndarray], shapes: Mapping[str, Sequence[int]]) -> Batch:
    """Return a batch of size 1, with zeros for what is missing.

    Args:
        arrays: modality -> array of one sample.
        shapes: every modality in the order of the batch -> its shape where it is missing.
    """
    batch: Batch = {
        name: torch.from_numpy(arrays.get(name, np.zeros(shape, np.float32)))[None]
        for name, shape in shapes.items()
    }
    return batch | {"label": torch.zeros(1, dtype=torch.long), "id": torch.zeros(1).long()}


def plural(number: int, what: str) -> str:
    """Return a number and what it counts."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _name(path: Path) -> str:
    return path.name.partition(".")[0] or path.name
