"""What lies below a folder: experiments, tables, pictures, and what has to be left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.places import incomplete_runs, run_folders
from experiments.evaluation.sift import HALF_WRITTEN, Reasons, sifted
from experiments.figures.report.robustness import robustness_article
from experiments.figures.report.views import Article
from experiments.runs.folder import RunError, RunFolder
from experiments.tables.fill import Filled
from experiments.tables.read import read_tables


@dataclass(frozen=True)
class Found:
    """What there is to show.

    Args:
        folder: it lies below.
        experiments: runs that differ in fold and seed alone.
        tables: by file, the parts of each.
        pictures: SVG files.
        robustness: what was measured with corrupted inputs.
        left_out: files and folders that do not count, each with the reason.
    """

    folder: Path
    experiments: Sequence[Sequence[FinishedRun]]
    tables: dict[Path, list[Filled]]
    pictures: Sequence[Path]
    robustness: Sequence[Article]
    left_out: Reasons


def collect(folder: Path) -> Found:
    """Look for all that a page can show.

    Args:
        folder: of results; anything may lie in it.

    Raises:
        RunError: if it does not exist, or nothing of the kind is in it.
    """
    if not folder.is_dir():
        found = "found a file" if folder.exists() else "no such folder"
        raise RunError(f"in={folder}: {found}; train.py writes below results/")
    left_out: Reasons = dict.fromkeys(incomplete_runs(str(folder)), HALF_WRITTEN)
    experiments, contradictory = sifted(_complete(folder))
    left_out |= contradictory
    tables = {}
    for file in _outside_runs(folder, "table*.json"):
        try:
            tables[file] = read_tables(file)
        except RunError as error:
            left_out[file] = str(error)
    pictures = []
    for file in _outside_runs(folder, "*.svg"):
        if b"<svg" in file.read_bytes()[:4096]:
            pictures.append(file)
        else:
            left_out[file] = "expected an SVG picture, found no <svg> at its beginning"
    robustness = []
    for count, file in enumerate(_outside_runs(folder, "robustness.json"), 1):
        try:
            robustness.append(robustness_article(file, id=f"robustness-{count}"))
        except RunError as error:
            left_out[file] = str(error)
    if not (experiments or tables or pictures or robustness or left_out):
        raise RunError(
            f"in={folder}: expected runs, tables or figures, found none: train one with "
            "train.py, or name another folder with in="
        )
    left_out = dict(sorted(left_out.items()))
    return Found(folder, experiments, tables, pictures, robustness, left_out)


def _complete(folder: Path) -> list[Path]:
    try:
        return [found.path for found in run_folders(str(folder))]
    except RunError:  # there is none, but there may be tables
        return []


def _outside_runs(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield files of a name, but no hidden ones and none of a run's own folder."""
    for file in sorted(folder.rglob(pattern)):
        within = file.relative_to(folder)
        hidden = any(part.startswith(".") for part in within.parts)
        if file.is_file() and not hidden and not _in_a_run(folder, file):
            yield file


def _in_a_run(folder: Path, file: Path) -> bool:
    above = (parent for parent in file.parents if parent.is_relative_to(folder))
    return any((a / "config.yaml").is_file() or RunFolder(a).complete for a in above)
