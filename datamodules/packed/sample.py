"""A rendered sample: what it is, known before it is there, and how it comes to be there once."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from datamodules.packed.dataset import MANIFEST, canonical_hash, differences, read_manifest
from datamodules.packed.errors import DataError


@dataclass(kw_only=True)
class RenderedSample(ABC):
    """A small data set that is rendered in the raw layout of a real one, and prepared like it.

    Constructing one renders nothing and writes nothing. A subclass adds how much is rendered.

    Args:
        root: the packed folder.
        raw: the folder for the rendered files.
        protocol: name of the protocol that the settings belong to.
        settings: of prepare, a dataclass.
        seed: decides everything that is rendered.
        workers: number of processes, by default one a core.
    """

    task: ClassVar[str]
    root: Path
    raw: Path
    protocol: str
    settings: Any
    seed: int = 0
    workers: int | None = None

    def __post_init__(self) -> None:
        self.root, self.raw = Path(self.root), Path(self.raw)  # a configuration gives text

    @property
    @abstractmethod
    def rendering(self) -> dict[str, object]:
        """What the rendered folder says about itself: `generator` (its version), what, `seed`."""

    @abstractmethod
    def render_and_prepare(self) -> None:
        """Render into `raw`, and pack that into `root`."""

    @property
    def description(self) -> dict[str, Any]:
        """All that tells this sample from another; a packed one says the same in its manifest."""
        return {
            "task": self.task,
            "protocol": self.protocol,
            "settings": asdict(self.settings),
            "rendered": self.rendering,
        }

    @property
    def identity(self) -> str:
        """The hash of the description, the same before and after the sample is rendered."""
        return canonical_hash(self.description)

    def ensure(self) -> None:
        """Render and prepare where `root` holds nothing yet.

        Jobs that start together wait for the one that came first.

        Raises:
            DataError: `root` holds something else, or as the task's prepare function says.
        """
        from filelock import FileLock

        self.raw.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.raw.with_name(f"{self.raw.name}.lock")):
            if (self.root / MANIFEST).exists():
                self.check(read_manifest(self.root))
            else:
                self.render_and_prepare()

    def check(self, manifest: Mapping[str, Any]) -> None:
        """Refuse the packed set of this manifest if it is not this sample.

        Raises:
            DataError: says in which entries they differ.
        """
        wanted = self.description
        there = {**manifest, "rendered": manifest.get("source", {}).get("rendered")}
        different = differences({name: there.get(name) for name in wanted}, wanted)
        if different:
            raise DataError(
                f"{self.root}: holds another data set than the sample that was asked for "
                f"({'; '.join(different)}); delete the folder and the next run makes it anew"
            )
