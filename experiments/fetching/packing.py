"""Parts of a raw data set, packed one by one while their raw files are there, and joined."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.fetching.errors import FetchError
from experiments.fetching.ledger import Ledger
from experiments.fetching.plan import Plan, names
from experiments.runs.compose import build

_MANIFEST, _INDEX = "manifest.json", "index.csv"
_ELSEWHERE = ("raw", "out", "workers")  # of prepare's arguments: where and how fast, not what

Step = tuple[int, ...]


class Packing:
    """What `prepare=<folder>` asks for.

    Args:
        plan: what is downloaded.
        raw: the raw folder.
        out: the packed folder to make. Until it is whole, packed parts lie in `<out>.parts`.
        prepare: the configured call that scripts/prepare.py makes.
        join: the configured call that makes parts one set.
        argument: prepare's, which takes the numbers of the parts to pack.
        ledger: of the raw folder.

    Raises:
        FetchError: the packed folder holds something else, or parts made otherwise.
    """

    def __init__(
        self,
        plan: Plan,
        raw: Path,
        out: Path,
        *,
        prepare: DictConfig,
        join: DictConfig,
        argument: str,
        ledger: Ledger,
    ) -> None:
        self.plan, self.raw, self.out, self.ledger = plan, raw, out.absolute(), ledger
        self._prepare, self._join, self._argument = prepare, join, argument
        call: Any = OmegaConf.to_container(prepare, resolve=True)
        what = {key: value for key, value in call.items() if key not in _ELSEWHERE}
        text = json.dumps([what, plan.modalities], sort_keys=True)
        self._settings = hashlib.sha256(text.encode()).hexdigest()
        self.complete = self._look()  # whether the packed folder is made

    def folder(self, step: Step) -> Path:
        """Return where parts are packed."""
        parts = names(step).replace(", ", "+")
        return self.out.with_name(f"{self.out.name}.parts") / f"{self.plan.word}-{parts}"

    def has(self, step: Step) -> bool:
        """Say whether parts are packed.

        Raises:
            FetchError: with other settings or modalities.
        """
        if self.complete:
            return True
        note, folder = self._note(step), self.folder(step)
        if note is None or not (folder / _MANIFEST).is_file():
            return False
        if note["settings"] != self._settings:
            raise FetchError(
                f"{folder}: expected a part packed with these settings and modalities, found one "
                "packed with others; type the command as before, or choose another prepare="
            )
        return True

    def add(self, step: Step) -> None:
        """Pack parts, through the code of scripts/prepare.py.

        Raises:
            RunError: as that says.
        """
        folder = self.folder(step)
        folder.parent.mkdir(parents=True, exist_ok=True)
        build(self._prepare, raw=str(self.raw), out=str(folder), **{self._argument: list(step)})
        note = {"folder": str(folder), "settings": self._settings, "mark": _mark(folder)}
        self.ledger.note_packed(names(step), note)

    def to_clear(self, step: Step) -> bool:
        """Say whether parts are packed here and their raw files are still to be deleted."""
        return self._note(step) is not None and self.ledger.to_clear(names(step))

    def join(self) -> None:
        """Make the wanted parts one packed set.

        Raises:
            RunError: they do not fit together.
        """
        if not self.complete:
            folders = [str(self.folder(step)) for step in self.plan.steps]
            build(self._join, parts=folders, out=str(self.out))
            parts = list(self.plan.parts)
            note = {"folder": str(self.out), "settings": self._settings, "parts": parts}
            self.ledger.note_joined(note, self._marks())
            self.complete = True
        self._delete_parts(self.ledger.parts_left)

    def _marks(self) -> dict[str, str]:
        """Return what the packed parts are told by: step -> mark."""
        notes = {names(step): self._note(step) for step in self.plan.steps}
        return {step: note["mark"] for step, note in notes.items() if note and "mark" in note}

    def _delete_parts(self, marks: dict[str, str]) -> None:
        """Delete joined parts, once; what else has the name of one stays."""
        if not marks:
            return
        for step in self.plan.steps:
            if mark := marks.get(names(step)):
                _delete_part(self.folder(step), mark)
        with suppress(OSError):  # parts that are not wanted now are kept
            self.folder(self.plan.steps[0]).parent.rmdir()
        self.ledger.note_parts_gone()

    def _note(self, step: Step) -> dict[str, Any] | None:
        """Return what was noted when parts were packed into their folder here."""
        note = self.ledger.packed(names(step))
        return note if note and note["folder"] == str(self.folder(step)) else None

    def _look(self) -> bool:
        """Say whether the packed folder is what is asked for; refuse any other content."""
        if not self.out.exists() or (self.out.is_dir() and not any(self.out.iterdir())):
            return False
        note = self.ledger.joined
        there = note.get("parts", [])
        if note.get("folder") == str(self.out) and (self.out / _MANIFEST).is_file():
            if note["settings"] == self._settings and there == list(self.plan.parts):
                return True
            raise FetchError(
                f"prepare={self.out}: expected the {self.plan.word}s {names(self.plan.parts)}, "
                f"packed with these settings and modalities, found {names(there)} or other "
                "settings; choose another folder"
            )
        if all(self.ledger.packed(names(step)) for step in self.plan.steps):
            return False  # stopped between the last rename and the note of it
        raise FetchError(
            f"prepare={self.out}: expected no folder, an empty one, or what an earlier call of "
            "this command packed, found something else; choose another folder"
        )


def _mark(folder: Path) -> str:
    """Return what a packed part is told by: the hash of its manifest; of no part, nothing."""
    manifest = folder / _MANIFEST
    return hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else ""


def _delete_part(folder: Path, mark: str) -> None:
    """Delete the files that a part's manifest tells of, if it is the manifest that was noted."""
    if _mark(folder) == mark:
        manifest = folder / _MANIFEST
        arrays = [f"{modality}.npy" for modality in json.loads(manifest.read_text())["modalities"]]
        for name in (*arrays, _INDEX):
            (folder / name).unlink(missing_ok=True)
        folder.with_name(f"{folder.name}.lock").unlink(missing_ok=True)
        manifest.unlink()  # the last, so that a stopped call goes on
    with suppress(OSError):  # other files lie there, too, or it is gone
        folder.rmdir()
