"""A data set, part by part: fetch, verify, unpack, and pack where that is asked for."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from experiments.fetching.archive import entries_of, unpack
from experiments.fetching.client import Client
from experiments.fetching.errors import FetchError, full_disk, gigabytes, need
from experiments.fetching.ledger import Ledger
from experiments.fetching.packing import Packing
from experiments.fetching.plan import Plan, Source, names
from experiments.fetching.record import RemoteFile, read_record
from experiments.fetching.transfer import checksum_of, fetch, part_of


class Collection:
    """Brings what a plan wants into a raw folder; each call does what earlier ones left.

    Args:
        plan: what is wanted.
        ledger: of the raw folder, whose lock the caller holds.
        client: asks the server.
        console: told what happens.
    """

    def __init__(self, plan: Plan, ledger: Ledger, client: Client, console: Console) -> None:
        self.plan, self.ledger, self.client, self.console = plan, ledger, client, console
        self.out = ledger.out
        self._records: dict[int, dict[str, RemoteFile]] = {}
        self._whole: dict[str, Path] = {}  # archives that this call has verified

    def collect(self, packing: Packing | None = None) -> None:
        """Bring every part; with `packing`, pack it and delete its raw files that came this way.

        Parts that are packed already are left alone, but for raw files that a stopped call has
        packed and not yet deleted. Without `packing` the raw files are what is wanted: nothing that
        was packed before is deleted any more.

        Raises:
            FetchError: something that the user can put right; what has been done stays done.
            RunError: a part cannot be packed.
        """
        with full_disk(self.out):
            if packing is None:
                self.ledger.keep()
                self._announce(self.plan.parts)
                self._bring_all(self.plan.parts)
            else:
                self._pack(packing)

    def _pack(self, packing: Packing) -> None:
        """Bring, pack and delete what is not packed yet, and make all of it one set."""
        steps = [step for step in self.plan.steps if not packing.has(step)]
        self._announce([part for step in steps for part in step])
        for step in self.plan.steps:
            if step in steps:
                self._bring_all(step)
                packing.add(step)
            if packing.to_clear(step):
                self._clear(step)
        packing.join()

    def _bring_all(self, parts: Iterable[int]) -> None:
        for part in parts:
            for source in self.plan.sources:
                self._bring(source, part)

    def _clear(self, step: tuple[int, ...]) -> None:
        """Delete the raw files of packed parts, as far as they are of this plan's archives."""
        gone = sum(
            self.ledger.clear(source.archive(part), part)
            for part in step
            for source in self.plan.sources
        )
        self.ledger.note_cleared(names(step))
        if gone:
            self._say(f"{self.plan.word} {names(step)}: {gigabytes(gone)} of raw files deleted")

    def _announce(self, parts: Sequence[int]) -> None:
        """Say what is left to fetch; nothing is asked of the server where nothing is."""
        left = {
            source.archive(part): self._file(source, part)
            for part in parts
            for source in self.plan.sources
            if not self.ledger.unpacked(source.archive(part), part)
        }
        if not left:
            return
        size = sum(file.size - self._there(file) for file in left.values())
        self._say(
            f"{self.plan.title} ({self.plan.licence}), {self.plan.word}s {names(parts)}: "
            f"{gigabytes(size)} to fetch, {len(left)} archives, into {self.out}"
        )

    def _there(self, file: RemoteFile) -> int:
        """Bytes of an archive that need not be fetched any more."""
        if (self.out / file.name).exists() or (self.ledger.folder / file.name).exists():
            return file.size
        begun = part_of(file, self.ledger.folder)
        return min(begun.stat().st_size, file.size) if begun.exists() else 0

    def _file(self, source: Source, part: int) -> RemoteFile:
        """What the record says of an archive.

        Raises:
            FetchError: the record does not list it, or lists another one than before.
        """
        if source.record not in self._records:
            self._records[source.record] = read_record(self.client, source.record)
        listed, name = self._records[source.record], source.archive(part)
        if name not in listed:
            raise FetchError(
                f"{self.client.server}/records/{source.record}: expected {name}, found "
                f"{', '.join(sorted(listed)[:8])}{' ...' if len(listed) > 8 else ''}; has the "
                "record a newer version? Its page says so"
            )
        before = self.ledger.checksum(name)
        if before not in (None, listed[name].checksum):
            raise FetchError(
                f"{name}: expected {before}, as when {self.out} was begun, found "
                f"{listed[name].checksum}: the record has changed; choose another out, so that all "
                "files are of one version"
            )
        return listed[name]

    def _bring(self, source: Source, part: int) -> None:
        """Unpack a part's files from their archive, which is fetched if it is not there."""
        name = source.archive(part)
        if self.ledger.unpacked(name, part):
            return
        file = self._file(source, part)
        archive = self._whole.get(name) or self._archive(file, source)
        self._whole[name] = archive
        entries = entries_of(archive, lambda one: self.plan.belongs(one, source, part))
        if not entries:
            raise FetchError(
                f"{archive}: expected files {source.files} of {self.plan.word} {part}, found none; "
                "has the record a newer version? Its page says so"
            )
        sizes = {name: info.file_size for name, info in entries.items()}
        missing = sum(size for one, size in sizes.items() if not (self.out / one).exists())
        need(self.out, missing, f"to unpack {name}")
        self.ledger.begin(name, file.checksum, part, sizes)
        unpack(archive, entries, self.out, lambda one: self.ledger.mine(name, part, one))
        self.ledger.end(name, part)
        of_archive = self.plan.every if source.shared else (part,)
        if all(self.ledger.served(name, one) for one in of_archive):
            (self.ledger.folder / name).unlink(missing_ok=True)
            self._whole.pop(name)

    def _archive(self, file: RemoteFile, source: Source) -> Path:
        """The user's own copy of an archive, or the one that is fetched."""
        own = self.out / file.name
        if own.is_file():
            found = checksum_of(own, file)
            if found == file.checksum:
                return own
            raise FetchError(
                f"{own}: expected {file.size} bytes with {file.checksum}, as the record says, "
                f"found {own.stat().st_size} bytes with {found}; move it away, and it is fetched"
            )
        rest = file.size - self._there(file)
        share = len(self.plan.parts) / len(self.plan.every) if source.shared else 1.0
        after = source.unpacked * file.size * share
        need(
            self.out,
            rest + after,
            f"for {file.name} ({gigabytes(rest)} to fetch, about {gigabytes(after)} unpacked)",
        )
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.console) as bars:
            bar = bars.add_task(file.name, total=file.size)
            return fetch(
                file,
                self.ledger.folder,
                self.client,
                lambda size: bars.update(bar, completed=size),
            )

    def _say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False)
