"""From the name of a table to its runs, and from the runs to the table."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from experiments.complexity import paper_size_parameters
from experiments.compose import compose
from experiments.console import console, quieten
from experiments.folder import RunFolder
from experiments.run import Run
from experiments.table import Plan, load_table, plan
from experiments.table_files import show_table, write_table
from experiments.tabulate import tabulate


def reproduce(configs: Path, own: Sequence[str], words: Sequence[str]) -> int:
    """Fill a table.

    Args:
        configs: the folder of the configuration groups.
        own: the words of this command: `table=`, `seeds=`, `folds=`, `dry_run=`, `out=`.
        words: the words for `train.py`, among them those that choose a launcher.

    Returns:
        0 if every run is complete, 1 if some failed.
    """
    settings: Any = OmegaConf.to_container(OmegaConf.from_dotlist(list(own)))
    changes = {key: tuple(settings[key]) for key in ("seeds", "folds") if key in settings}
    table = load_table(configs, str(settings.get("table", "")), **changes)
    launcher_words = [word for word in words if word.startswith("hydra")]
    words = [word for word in words if word not in launcher_words]
    with hydra.initialize_config_dir(str(configs), version_base="1.3"):
        todo = plan(table, words, _make_run)
        if settings.get("dry_run"):
            _list(todo)
            return 0
        failed = run_all(todo, launcher_words)
        sizes = {
            row.name: paper_size_parameters([*table.words, *row.words])["with_heads"]
            for row in table.rows
            if row.words
        }
    filled = tabulate(table, todo, sizes)
    show_table(filled, console)
    for path in write_table(filled, Path(settings.get("out", "results"))):
        console.print(str(path), style="bold")
    for folder, reason in failed.items():
        console.print(f"failed: {folder.path}: {reason}", style="red", markup=False)
    return 1 if failed else 0


def run_all(todo: Plan, launcher_words: Sequence[str]) -> dict[RunFolder, str]:
    """Run what is missing, stage by stage; return the reasons of those that failed."""
    failed: dict[RunFolder, str] = {}
    for stage in todo.stages:
        missing = {folder: words for folder, words in stage.items() if not folder.complete}
        if missing:
            with _counting(todo):
                reasons = launch(list(missing.values()), launcher_words)
            failed |= {f: r for f, r in zip(missing, reasons, strict=True) if not f.complete}
    return failed


def launch(jobs: Sequence[Sequence[str]], launcher_words: Sequence[str]) -> list[str]:
    """Hand jobs to Hydra's launcher, which a word chooses: this process, joblib, or Slurm.

    Args:
        jobs: the words of each run.
        launcher_words: such as `hydra/launcher=joblib`.

    Returns:
        For each job why it failed, or nothing.
    """
    master = hydra.compose("train", list(launcher_words), return_hydra_config=True)
    loader = GlobalHydra.instance().config_loader()
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=HydraContext(config_loader=loader, callbacks=Callbacks()),
        task_function=complete,
        config=master,
    )
    results = launcher.launch([[*job, *launcher_words] for job in jobs], initial_job_idx=0)
    return [str(job._return_value) if job.status == JobStatus.FAILED else "" for job in results]


def complete(cfg: DictConfig) -> None:
    """Complete the run of one job; runs in whatever process the launcher chose."""
    quieten()
    words = [o for o in HydraConfig.get().overrides.task if not o.startswith("hydra")]
    Run(cfg, words, console).complete(wait=True)


def _make_run(words: Sequence[str]) -> Run:
    return Run(compose(*words), words, console)


def _list(todo: Plan) -> None:
    for folder in todo.folders:
        console.print(f"{'complete' if folder.complete else 'missing ':8}  {folder.path}")
    done = sum(folder.complete for folder in todo.folders)
    console.print(f"{done} of {len(todo.folders)} runs complete")


@contextmanager
def _counting(todo: Plan) -> Iterator[None]:
    """Show how many runs are complete and the time left, wherever the launcher runs them."""
    folders = todo.folders
    before = sum(folder.complete for folder in folders)
    stop = threading.Event()
    bar = Progress(
        TextColumn("runs"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        speed_estimate_period=3600,
    )
    task = bar.add_task("runs", total=len(folders), completed=before)

    def watch() -> None:
        while not stop.wait(1.0):
            bar.update(task, completed=sum(folder.complete for folder in folders))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        with bar:
            yield
    finally:
        stop.set()
        watcher.join()
