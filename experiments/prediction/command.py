"""What a user asks of `scripts/predict.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from experiments.console import complain
from experiments.files import usable_folder, write_json
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides

if TYPE_CHECKING:
    from experiments.prediction.load import LoadedRun

OPTIONS = ("face", "text", "text_encoder")  # each of some tasks
KEYS = ("run", "rule", "out", "trust", "without", *OPTIONS)


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
        words = [word for word in arguments if "=" in word and not Path(word).exists()]
        overrides = Overrides(words)
        files = tuple(Path(word) for word in arguments if word not in words)
        if unknown := overrides.without(*KEYS).keys:
            raise RunError(f"{unknown[0]}: no such key; there are {', '.join(KEYS)}")
        run = overrides.value("run")
        if not isinstance(run, str | int):
            found = "missing" if run is None else f"no folder: {run}"
            raise RunError(f"run=<run folder> is {found}: which run predicts? (--help)")
        trust = overrides.value("trust", False)
        if not isinstance(trust, bool):
            raise RunError(f"trust={trust}: choose true or false")
        without = overrides.value("without", [])
        without = without if isinstance(without, list) else [without]
        out = overrides.value("out")
        return cls(
            run=str(run),
            rule=None if overrides.value("rule") is None else str(overrides.value("rule")),
            trust=trust,
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
        groups = own.groups(self.files)
        if not groups:
            raise RunError("which clip? give its file, such as clip.mp4 (--help)")
        out = self.out or default_folder(run)
        failed = 0
        for group in groups:
            try:
                answer = predict(run, own.read(group), group.name)
            except ValueError as error:  # the other clips can still be read
                if len(groups) == 1:
                    raise
                complain(str(error))
                failed += 1
                continue
            print_answer(answer, console)
            described = answer.as_json()
            described["files"] = {role: str(path) for role, path in group.files.items()}
            write_json(out / f"{group.name}.json", described)
            draw_answer(answer, out / f"{group.name}.png")
            for kind in ("json", "png"):
                console.print(str(out / f"{group.name}.{kind}"), style="bold", markup=False)
        return failed


def default_folder(run: "LoadedRun") -> Path:
    """Return where predictions of a run are written, unless somebody says where."""
    m = run.reopened.run.metrics
    place = f"{m['task']}-{m['fusion']}-{m['hash']}-fold{m['fold']}-seed{m['seed']}"
    return Path("results/predictions") / place
