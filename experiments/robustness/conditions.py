"""States of the test data: as they are, with a modality missing, or with one corrupted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from experiments.contracts import Corruption
from experiments.runs.compose import build
from experiments.runs.folder import RunError

ABSENT = "absent"  # what modality dropout trains: no features of the modality, rather than an input


@dataclass(frozen=True)
class Condition:
    """One state of the test data.

    Args:
        modality: what is missing or corrupted; empty for data as they are.
        corruption: its name.
        strength: in `unit`.
        unit: of the strength; empty where there are no degrees.
    """

    modality: str = ""
    corruption: str = "clean"
    strength: float = 0.0
    unit: str = ""

    @property
    def key(self) -> str:
        """Return its name: `clean`, `audio.zeros` or `audio.noise=10`."""
        if not self.modality:
            return self.corruption
        return f"{self.modality}.{self.corruption}" + (f"={self.strength:g}" if self.unit else "")


CLEAN = Condition()


class Corruptions:
    """What a task's configuration says may happen to each modality.

    Args:
        node: modality -> name -> the configured corruption.

    Raises:
        RunError: a corruption refuses its settings.
    """

    def __init__(self, node: DictConfig) -> None:
        self.nodes = node
        self._built: dict[tuple[str, str], Corruption] = {
            (str(modality), str(name)): build(entry)
            for modality, entries in node.items()
            for name, entry in entries.items()
        }

    def of(self, condition: Condition) -> Corruption:
        """Return the corruption of a condition."""
        return self._built[condition.modality, condition.corruption]

    def needs_raw(self, condition: Condition) -> bool:
        """Say whether a condition acts on raw files."""
        found = self._built.get((condition.modality, condition.corruption))
        return found is not None and found.needs_raw

    def settings(self, condition: Condition) -> dict[str, Any]:
        """Return what else than the strength decides what a condition does."""
        if (condition.modality, condition.corruption) not in self._built:
            return {}
        node = self.nodes[condition.modality][condition.corruption]
        found = cast(dict[str, Any], OmegaConf.to_container(node))
        return {key: value for key, value in found.items() if key != "strengths"}

    def conditions(self, modalities: Sequence[str], only: Sequence[str] = ()) -> list[Condition]:
        """Return the data as they are, and then every condition of some modalities.

        Args:
            modalities: of a run.
            only: modalities, or corruptions as `audio.noise`; all if empty.

        Raises:
            RunError: if `only` names what there is not.
        """
        every = {f"{m}.{name}" for m, name in self._built}
        every |= {f"{m}.{ABSENT}" for m, _ in self._built} | {m for m, _ in self._built}
        for name in only:
            if name not in every:
                raise RunError(f"only={name}: no such corruption; there are {_listed(every)}")
        found = [condition for m in modalities for condition in self._of_modality(m)]
        if len(modalities) == 1:  # without its only modality a network says nothing
            found = [condition for condition in found if condition.corruption != ABSENT]
        return [CLEAN] + [c for c in found if not only or _chosen(c, only)]

    def _of_modality(self, modality: str) -> Iterator[Condition]:
        yield Condition(modality, ABSENT)
        for (of, name), corruption in self._built.items():
            if of == modality:
                for strength in corruption.strengths:
                    yield Condition(modality, name, strength, corruption.unit)


def _chosen(condition: Condition, only: Sequence[str]) -> bool:
    return bool({condition.modality, f"{condition.modality}.{condition.corruption}"} & set(only))


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def by_corruption(conditions: Sequence[Condition]) -> Mapping[tuple[str, str], list[Condition]]:
    """Return the conditions of each modality and corruption, in order, without `clean`."""
    found: dict[tuple[str, str], list[Condition]] = {}
    for condition in conditions:
        if condition.modality:
            found.setdefault((condition.modality, condition.corruption), []).append(condition)
    return found
