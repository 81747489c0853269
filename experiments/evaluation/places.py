"""From what a user types, a folder or a pattern of folders, to the folders of runs."""

from collections.abc import Iterable, Sequence
from glob import glob, has_magic
from pathlib import Path

from experiments.runs.folder import RERUN, RunError, RunFolder
from experiments.runs.overrides import Overrides

SHOWN = 6  # names that an error lists


def run_folders(places: str | Sequence[str]) -> list[RunFolder]:
    """Return the folders of all complete runs in some places, or anywhere below them.

    Args:
        places: folders, or patterns with `*`, `?`, `[...]` and `**`. What exists as it stands is
            no pattern, whatever its characters. A run that several folders of one pattern hold is
            there once.

    Raises:
        RunError: if a folder does not exist, a pattern matches none, or no run is complete there.
    """
    found: list[RunFolder] = []
    for place in _listed(places):
        folders = _folders(place)
        below = {file.parent: None for folder in folders for file in _files(folder, "metrics.json")}
        if not below and has_magic(place) and not Path(place).is_dir():
            raise RunError(
                f"{place}: no complete run (no metrics.json) in {_some(map(str, folders))}: "
                "run their train commands again"
            )
        if not below:
            RunFolder(folders[0]).metrics()  # says that no run is complete here
        found += map(RunFolder, sorted(below))
    return found


def incomplete_runs(places: str | Sequence[str]) -> list[Path]:
    """Return the folders of runs there that are begun and not complete."""
    below = {
        file.parent: None
        for place in _listed(places)
        for folder in _folders(place)
        for file in _files(folder, "config.yaml")
    }
    return [path for path in below if not RunFolder(path).complete]


def one_run(overrides: Overrides) -> str:
    """Return which run a command line names.

    Raises:
        RunError: if it names none, or several.
    """
    run = overrides.value("run")
    if not isinstance(run, str | int) or run == "":
        found = "missing" if run is None or run == "" else f"no folder: {run}"
        raise RunError(f"run=<run folder> is {found}: of which run? (--help)")
    return str(run)


def _folders(place: str) -> list[Path]:
    path = Path(place)
    if path.is_dir():
        return [path]
    if not has_magic(place):
        if path.exists():
            raise RunError(f"{path}: expected the folder of a run, found a file in {path.parent}")
        raise RunError(f"{path}: no such folder; train.py prints the folder of each run")
    matched = [folder for folder in _matches(place) if folder.is_dir()]
    if not matched:
        raise RunError(f"{place}: no folder is named like that; {_what_is_there(place)}")
    return matched


def _matches(pattern: str) -> list[Path]:
    """Return what a pattern matches; not pathlib's way, whose `*` finds hidden folders too."""
    return [Path(found) for found in sorted(glob(pattern, recursive=True))]  # noqa: PTH207


def _files(folder: Path, name: str) -> list[Path]:
    """Return the files of runs in their own place, and not of a rerun that is not done."""
    return sorted(file for file in folder.rglob(name) if RERUN not in file.parts)


def _what_is_there(place: str) -> str:
    """Name the folders where the first part of a pattern that fits nothing should have fitted."""
    parts = Path(place).parts
    for count in range(len(parts) - 1, 0, -1):
        for folder in _matches(str(Path(*parts[:count]))):
            if folder.is_dir():
                return f"{folder} has {_some(_names(folder))}"
    return f"here there are {_some(_names(Path()))}"


def _names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more or "no folders"


def _listed(places: str | Sequence[str]) -> list[str]:
    return [places] if isinstance(places, str) else [str(place) for place in places]
