"""What a user asks of `scripts/predict.py`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from experiments.console import complain
from experiments.evaluation.places import one_run
from experiments.files import usable_folder, write_json
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides

OPTIONS = ("face", "text", "text_encoder")  # each of some tasks
KEYS = ("run", "rule", "out", "trust", "without", *OPTIONS)
VERBATIM = ("run", "out", *OPTIONS)  # paths and sentences


@dataclass(frozen=True)
class Asked:
    """A run, files, and what a user says beside.

    Args:
        run: its folder.
        rule: whose weights predict; the headline if not given.
        trust: build whatever classes the run's configuration names.
        without: modalities that are left out.
        options: of the task.
        files: of clips.
        out: the folder; one of the run's under results/predictions if not given.
    """

    run: str
    rule: str | None
    trust: bool
    without: tuple[str, ...]
    options: Mapping[str, Any]
    files: tuple[Path, ...]
    out: Path | None

    @classmethod
    def of(cls, arguments: Sequence[str]) -> "Asked":
        """Read a command line: overrides, and files without a key.

        Raises:
            RunError: if a key or a value is none that it can have.
        """
        words = [word for word in arguments if _is_override(word)]
        files = tuple(Path(word) for word in arguments if word not in words)
        overrides = Overrides.typed(words, verbatim=VERBATIM)
        overrides.refuse_others(*KEYS)
        for file in files:
            if "run" not in overrides and (file / "metrics.json").is_file():
                raise RunError(f"{file}: expected the file of a clip, found a run: run={file}")
        run = one_run(overrides)
        without = overrides.value("without", [])
        without = without if isinstance(without, list) else [without]
        out = overrides.value("out")
        return cls(
            run=run,
            rule=None if overrides.value("rule") is None else str(overrides.value("rule")),
            trust=overrides.flag("trust"),
            without=tuple(map(str, without)),
            options={key: str(overrides.value(key)) for key in OPTIONS if key in overrides},
            files=files,
            out=None if out is None else usable_folder(Path(str(out)), "out"),
        )

    def answer(self, console: Console) -> int:
        """Predict each clip, print and write what is found; return how many could not be.

        Raises:
            ValueError: if the run cannot be opened, no file is given, or files are of no kind that
                the task knows.
        """
        # Imported here because torch takes seconds, and a mistake is told before.
        from experiments.prediction.load import load_run
        from experiments.prediction.picture import draw_answer
        from experiments.prediction.predict import predict
        from experiments.prediction.show import print_answer

        run = load_run(self.run, rule=self.rule, trust=self.trust)
        own = run.own_files(without=self.without, **self.options)
        groups, refused = own.usable_groups(self.files)
        for reason in refused:  # the other clips can still be read
            complain(reason)
        if not groups:
            raise RunError("which clip? give its file, such as clip.mp4 (--help)")
        out = self.out or Path("results/predictions") / run.label
        failed = len(refused)
        for group in groups:
            try:
                answer = predict(run, own.read(group), group.name)
                described = answer.as_json()
                described["files"] = {role: str(path) for role, path in group.files.items()}
                files = Written.of(out, group.name)
                files.refuse_others(described)
            except ValueError as error:
                if len(self.files) == 1:
                    raise
                complain(str(error))
                failed += 1
                continue
            print_answer(answer, console)
            write_json(files.described, described)
            draw_answer(answer, files.picture)
            for file in (files.described, files.picture):
                console.print(str(file), style="bold", markup=False)
        return failed


@dataclass(frozen=True)
class Written:
    """The files of one prediction."""

    described: Path
    picture: Path

    @classmethod
    def of(cls, folder: Path, name: str) -> "Written":
        return cls(folder / f"{name}.json", folder / f"{name}.png")

    def refuse_others(self, described: Mapping[str, Any]) -> None:
        """Leave alone what is no earlier prediction of the same clip by the same run.

        Args:
            described: the new prediction.

        Raises:
            RunError: names the file that lies there.
        """
        try:
            before = json.loads(self.described.read_text())
        except FileNotFoundError:
            before = None
        except (OSError, ValueError):
            before = {}
        same = isinstance(before, dict) and all(
            before.get(key) == described[key] for key in ("clip", "run", "made_of", "missing")
        )
        if not same and any(file.exists() for file in (self.described, self.picture)):
            raise RunError(
                f"{self.described}: expected nothing there, or this clip by this run, found "
                "something else; choose another folder with out=, nothing was written"
            )


def _is_override(word: str) -> bool:
    """Tell `run=...` from the name of a file, which may have an equals sign too."""
    key, sign, _ = word.partition("=")
    if key in KEYS or not sign:
        return bool(sign)
    try:
        return not Path(word).exists()
    except OSError:  # too long for a name
        return True
