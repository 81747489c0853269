"""Parts of a raw data set, packed one by one while their raw files are there, and joined."""

import hashlib
import json
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.fetching.errors import FetchError
from experiments.fetching.ledger import Ledger, names
from experiments.fetching.plan import Plan
from experiments.runs.compose import build

_MANIFEST = "manifest.json"
_ELSEWHERE = ("raw", "out", "workers")  # of prepare's arguments: where and how fast, not what


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
        self.complete = self._look()

    def folder(self, part: int) -> Path:
        """Return where a part is packed."""
        return self.out.with_name(f"{self.out.name}.parts") / f"{self.plan.word}-{part:02d}"

    def has(self, part: int) -> bool:
        """Say whether a part is packed.

        Raises:
            FetchError: with other settings or modalities.
        """
        if self.complete:
            return True
        note = self.ledger.packed(part)
        folder = self.folder(part)
        if note is None or note["folder"] != str(folder) or not (folder / _MANIFEST).is_file():
            return False
        if note["settings"] != self._settings:
            raise FetchError(
                f"{folder}: expected a part packed with these settings and modalities, found one "
                "packed with others; type the command as before, or choose another prepare="
            )
        return True

    def add(self, part: int) -> None:
        """Pack a part, through the code of scripts/prepare.py.

        Raises:
            RunError: as that says.
        """
        folder = self.folder(part)
        folder.parent.mkdir(parents=True, exist_ok=True)
        build(self._prepare, raw=str(self.raw), out=str(folder), **{self._argument: [part]})
        self.ledger.note_packed(part, {"folder": str(folder), "settings": self._settings})

    def join(self) -> None:
        """Make the wanted parts one packed set.

        Raises:
            RunError: they do not fit together.
        """
        if self.complete:
            return
        parts = self.plan.parts
        build(self._join, parts=[str(self.folder(part)) for part in parts], out=str(self.out))
        self.ledger.note_joined(
            {"folder": str(self.out), "settings": self._settings, "parts": list(parts)}
        )
        self._tidy(parts)
        self.complete = True

    def _tidy(self, parts: Iterable[int]) -> None:
        for part in parts:
            shutil.rmtree(self.folder(part), ignore_errors=True)
            self.folder(part).with_name(f"{self.folder(part).name}.lock").unlink(missing_ok=True)
        with suppress(OSError):  # parts that are not wanted now are kept
            self.folder(0).parent.rmdir()

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
        if all(self.ledger.packed(part) for part in self.plan.parts):
            return False  # stopped between the last rename and the note of it
        raise FetchError(
            f"prepare={self.out}: expected no folder, an empty one, or what an earlier call of "
            "this command packed, found something else; choose another folder"
        )
