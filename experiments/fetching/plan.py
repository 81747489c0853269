"""What a download is to bring: a task's archives, as far as somebody wants them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from experiments.fetching.errors import FetchError


@dataclass(frozen=True)
class Source:
    """Archives of a record with files of one kind.

    Args:
        record: its number.
        name: of the archive; with `{part}` in it there is one for each part.
        files: pattern of the names that are used; the others are left in the archive.
        unpacked: bytes of them per byte of the archive, about.
    """

    record: int
    name: str
    files: str
    unpacked: float

    def archive(self, part: int) -> str:
        """Return the name of the archive that has a part."""
        return self.name.format(part=part)

    @property
    def shared(self) -> bool:
        """Say whether one archive has all parts."""
        return self.name == self.archive(0)


@dataclass(frozen=True)
class Plan:
    """What is wanted of a data set.

    Args:
        task: its task.
        title: its name.
        licence: in words.
        word: what a part is, such as `actor`.
        every: all parts that there are.
        parts: those that are wanted, in order.
        part_of_file: finds the part's number in the last name of a file.
        modalities: that are wanted.
        sources: of these, the shared ones first.
    """

    task: str
    title: str
    licence: str
    word: str
    every: tuple[int, ...]
    parts: tuple[int, ...]
    part_of_file: re.Pattern[str]
    modalities: tuple[str, ...]
    sources: tuple[Source, ...]

    @property
    def steps(self) -> list[tuple[int, ...]]:
        """Return the parts that are brought and packed together: one, if each has an archive."""
        if all(source.shared for source in self.sources):
            return [self.parts]
        return [(part,) for part in self.parts]

    def belongs(self, file: str, source: Source, part: int) -> bool:
        """Say whether a file of an archive is used, and of this part."""
        found = self.part_of_file.search(file)
        return fnmatch(file, source.files) and found is not None and int(found[1]) == part


def names(parts: Iterable[int]) -> str:
    """Return parts in words: `1-3, 7`."""
    runs: list[list[int]] = []
    for part in sorted(parts):
        if runs and part == runs[-1][-1] + 1:
            runs[-1].append(part)
        else:
            runs.append([part])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def make_plan(task: str, node: dict[str, Any], only: Any = None, modalities: Any = None) -> Plan:
    """Choose from what `configs/download/<task>.yaml` lists.

    Args:
        task: its name.
        node: what the file says.
        only: numbers of the wanted parts; all if not given.
        modalities: names of the wanted ones; all if not given.

    Raises:
        FetchError: one of these is not there.
    """
    parts = node["parts"]
    every = tuple(range(parts["first"], parts["last"] + 1))
    wanted = _chosen("only", only, every, f"{parts['name']}s from {every[0]} to {every[-1]}")
    known = tuple(node["modalities"])
    chosen = _chosen("modalities", modalities, known, f"some of {', '.join(known)}")
    needed = {name for modality in chosen for name in node["modalities"][modality]}
    sources = [Source(**entry) for name, entry in node["archives"].items() if name in needed]
    return Plan(
        task=task,
        title=node["title"],
        licence=node["licence"],
        word=parts["name"],
        every=every,
        parts=wanted,
        part_of_file=re.compile(parts["of_file"]),
        modalities=chosen,
        sources=tuple(sorted(sources, key=lambda source: not source.shared)),
    )


def _chosen(key: str, value: Any, known: Sequence[Any], expected: str) -> tuple[Any, ...]:
    """Return what is wanted, in the order of what there is."""
    if value is None:
        return tuple(known)
    wanted = value if isinstance(value, list) else [value]
    wrong = [one for one in wanted if isinstance(one, bool) or one not in known]
    if wrong or not wanted:
        found = wrong[0] if wrong else "none"
        raise FetchError(f"{key}={value}: expected {expected}, as [{known[0]}], found {found}")
    return tuple(one for one in known if one in wanted)
