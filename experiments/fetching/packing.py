"""Parts of a raw data set, packed one by one while their raw files are there, and joined."""

import hashlib
import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.fetching.errors import FetchError
from experiments.fetching.ledger import Ledger
from experiments.fetching.plan import Plan, names
from experiments.runs.compose import build

_MANIFEST = "manifest.json"
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
        note = self.ledger.packed(names(step))
        folder = self.folder(step)
        if note is None or note["folder"] != str(folder) or not (folder / _MANIFEST).is_file():
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
        self.ledger.note_packed(names(step), {"folder": str(folder), "settings": self._settings})

    def join(self) -> None:
        """Make the wanted parts one packed set.

        Raises:
            RunError: they do not fit together.
        """
        folders = [self.folder(step) for step in self.plan.steps]
        if not self.complete:
            build(self._join, parts=[str(folder) for folder in folders], out=str(self.out))
            parts = list(self.plan.parts)
            self.ledger.note_joined(
                {"folder": str(self.out), "settings": self._settings, "parts": parts}
            )
            self.complete = True
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
            folder.with_name(f"{folder.name}.lock").unlink(missing_ok=True)
        with suppress(OSError):  # parts that are not wanted now are kept
            folders[0].parent.rmdir()

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
