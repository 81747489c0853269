"""A rendered sample: what it is, known before it is there, and how it comes to be there once."""

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from datamodules.packed.dataset import MANIFEST, canonical_hash, differences, read_manifest
from datamodules.packed.errors import DataError
from datamodules.packed.source import RENDERED, rendered
from datamodules.packed.workers import cores, progress, worker_pool


@dataclass(kw_only=True)
class RenderedSample(ABC):
    """A small data set that is rendered in the raw layout of a real one, and prepared like it.

    Constructing one renders nothing and writes nothing. A subclass adds arguments that say how
    much is rendered (`content`), writes it (`write`), and names the data set's prepare function.

    Args:
        root: the packed folder.
        raw: the folder for the rendered files.
        protocol: name of the protocol that the settings belong to.
        settings: of prepare, a dataclass.
        seed: decides everything that is rendered.
        workers: number of processes, by default one a core.
    """

    task: ClassVar[str]
    version: ClassVar[int]  # of the generator
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
    def content(self) -> dict[str, Any]:
        """How much is rendered, such as the numbers of the actors."""

    @abstractmethod
    def write(self, folder: Path) -> None:
        """Write all raw files into an empty folder."""

    @abstractmethod
    def prepare(self) -> object:
        """Pack `raw` into `root`."""

    @property
    def description(self) -> dict[str, Any]:
        """All that tells this sample from another; a packed one says the same in its manifest."""
        return {
            "task": self.task,
            "protocol": self.protocol,
            "settings": asdict(self.settings),
            "rendered": self._rendered,
        }

    @property
    def _rendered(self) -> dict[str, Any]:
        """What the rendered folder says about itself."""
        return {"generator": self.version, **self.content, "seed": self.seed}

    @property
    def identity(self) -> str:
        """The hash of the description, the same before and after the sample is rendered."""
        return canonical_hash(self.description)

    def ensure(self) -> None:
        """Render and prepare where `root` holds nothing yet.

        Jobs that start together wait for the one that came first.

        Raises:
            DataError: `root` or `raw` holds something else, of which nothing is touched, or as the
                prepare function says.
        """
        from filelock import FileLock

        self.raw.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.raw.with_name(f"{self.raw.name}.lock")):
            if (self.root / MANIFEST).exists():
                self.check(read_manifest(self.root))
            else:
                self._refuse_other_files()
                self.render()
                self.prepare()

    def _refuse_other_files(self) -> None:
        """Refuse a `root` that is there and holds no packed set: its files are the user's."""
        if self.root.exists() and not (self.root.is_dir() and not any(self.root.iterdir())):
            raise DataError(
                f"{self.root}: expected no folder, an empty one or a packed set, found other "
                "files; move them elsewhere or choose another folder for the sample"
            )

    def render(self) -> None:
        """Render `raw`, unless this very rendering is there; another rendering is replaced.

        Raises:
            DataError: `raw` holds files that were not rendered.
        """
        label = self.raw / RENDERED
        if rendered(self.raw) == {"rendered": self._rendered}:
            return
        if self.raw.exists() and not label.is_file():
            raise DataError(
                f"{self.raw}: expected no folder or a rendered one, found other files; move them "
                "elsewhere, or choose another folder with task.sample.raw="
            )
        partial = self.raw.with_name(f"{self.raw.name}.partial")
        for folder in (self.raw, partial):
            shutil.rmtree(folder, ignore_errors=True)
        partial.mkdir(parents=True)
        self.write(partial)
        (partial / RENDERED).write_text(json.dumps(self._rendered))
        partial.rename(self.raw)

    def render_each(
        self, render: Callable[..., object], folder: Path, items: Sequence[object]
    ) -> None:
        """Call `render(folder, item, seed)` for every item, in worker processes, with progress.

        Args:
            render: a function of a module, so that it can travel to another process.
            folder: where it writes.
            items: what it is called with.
        """
        with (
            progress("rendering", len(items)) as done,
            worker_pool(min(self.workers or cores(), len(items))) as pool,
        ):
            for future in as_completed(
                [pool.submit(render, folder, item, self.seed) for item in items]
            ):
                future.result()
                done(1)

    def check(self, manifest: Mapping[str, Any]) -> None:
        """Refuse the packed set of this manifest if it is not this sample.

        Raises:
            DataError: says in which entries they differ.
        """
        wanted = self.description
        there = {**manifest, "rendered": manifest.get("source", {}).get("rendered")}
        different = differences({name: there.get(name) for name in wanted}, wanted)
        if not different:
            return
        if not there["rendered"]:
            raise DataError(
                f"{self.root}: expected the sample, found a data set of your own (provenance "
                f"{there.get('provenance')}); train on it with data=full data.root={self.root}"
            )
        raise DataError(
            f"{self.root}: holds another data set than the sample that was asked for "
            f"({'; '.join(different)}); move that folder away, and the next run renders the sample "
            "anew"
        )
