"""From the name of a table to its runs, and from the runs to the table."""

import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobStatus
from hydra.errors import HydraException
from hydra.types import HydraContext
from omegaconf import DictConfig
from rich.console import Console

from experiments.console import complain, console, quieten
from experiments.runs.complexity import paper_size_parameters
from experiments.runs.compose import compose
from experiments.runs.folder import RunError, RunFolder
from experiments.tables.progress import counting_runs
from experiments.runs.run import Run
from experiments.tables.fill import Filled, tabulate, unreadable
from experiments.tables.plan import Plan, plan
from experiments.tables.table import Table, load_tables
from experiments.tables.write import show_table, write_tables

ELSEWHERE = "MSAF_JOB_DEVICES"  # the GPUs that jobs in other processes share, by number


def reproduce(configs: Path, own: Sequence[str], words: Sequence[str]) -> int:
    """Fill a table.

    Args:
        configs: the folder of the configuration groups.
        own: the words of this command: `table=`, `seeds=`, `folds=`, `dry_run=`, `out=`.
        words: the words for `train.py`, among them those that choose a launcher.

    Returns:
        0 if every run is complete, 1 if some failed or cannot be read.

    Raises:
        RunError: if the words or the table make no sense; nothing has been run then.
    """
    settings = own_settings(own)
    changes = {key: settings[key] for key in ("seeds", "folds") if key in settings}
    if "table" not in settings:
        raise RunError(_no_table(words))
    tables = load_tables(configs, settings["table"], **changes)
    launcher_words = [word for word in words if word.startswith("hydra")]
    words = [word for word in words if word not in launcher_words]
    _refuse(tables.parts, words)
    with hydra.initialize_config_dir(str(configs), version_base="1.3"):
        plans = _plans(tables.parts, words)
        if settings.get("dry_run", False):
            for todo in plans:
                _list(todo)
            return 0
        every = [_fill(*it, words, launcher_words) for it in zip(tables.parts, plans, strict=True)]
        out = Path(settings.get("out", compose(*_results(words)).results))
    filled, complaints = [part for part, _ in every], [c for _, said in every for c in said]
    for part in filled:
        show_table(part, console)
    for path in write_tables(tables, filled, out):
        console.print(str(path), style="bold", markup=False)
    for complaint in complaints:
        complain(complaint)
    return 1 if complaints else 0


def _plans(parts: Sequence[Table], words: Sequence[str]) -> list[Plan]:
    """Plan each part; one that cannot be run, as its data set is another's, stops no other.

    Raises:
        RunError, HydraException: if none can be run; the reason is the first part's.
    """
    plans: list[Plan] = []
    reasons: list[Exception] = []
    for table in parts:
        try:
            plans.append(plan(table, words, partial(_make_run, shared={})))
        except (RunError, HydraException) as error:  # the latter for a word that one task lacks
            reasons.append(error)
            plans.append(Plan({}, (), dict.fromkeys((r.name for r in table.rows), str(error))))
    if len(reasons) == len(parts):
        raise reasons[0]
    return plans


def _fill(
    table: Table, todo: Plan, words: Sequence[str], launcher_words: Sequence[str]
) -> tuple[Filled, list[str]]:
    """Run what a table lacks and collect its figures; return it with all that went wrong."""
    failed = run_all(todo, launcher_words)
    sizes = _paper_sizes(table, todo, words)
    broken = unreadable(todo)
    reasons = {f"row {name}": reason for name, reason in todo.refused.items()}
    reasons |= {str(folder.path): reason for folder, reason in failed.items()}
    complaints = [*(f"{place}: {why}" for place, why in reasons.items()), *broken.values()]
    return tabulate(table, todo, sizes, words, broken), complaints


def own_settings(words: Iterable[str]) -> dict[str, Any]:
    """Read the words of the command itself, by the same grammar as those of `train.py`.

    Raises:
        RunError: if one of them has a value that it cannot have.
    """
    parser = OverridesParser.create()
    settings: dict[str, Any] = {}
    for word in words:
        name = _key(word)
        value: Any = parser.parse_overrides([word])[0].value()
        if name in ("seeds", "folds"):
            value = tuple(value if isinstance(value, list) else [value])
            kinds = int if name == "seeds" else int | str
            if not value or not all(isinstance(item, kinds) for item in value):
                raise RunError(f"{word}: expected a list such as {name}=[1,2,3]")
        elif name == "dry_run" and not isinstance(value, bool):
            raise RunError(f"{word}: choose true or false")
        elif name in ("table", "out"):
            value = word.partition("=")[2].strip("'\"")  # a number would lose its zeros
        settings[name] = value
    return settings


def _no_table(words: Sequence[str]) -> str:
    close = get_close_matches("table", [_key(word) for word in words], n=1)
    found = f", found {close[0]}=" if close else ""
    return f"expected table=<name>{found}; `python scripts/reproduce.py --help` lists the tables"


def _refuse(parts: Sequence[Table], words: Sequence[str]) -> None:
    """Refuse words that would make every row the same run, or that a table sets itself.

    Raises:
        RunError: names the word and what to write instead.
    """
    taken = {_key(word): table.name for table in parts for row in table.rows for word in row.words}
    if len(parts) > 1:
        taken |= {_key(word): table.name for table in parts for word in table.words}
    for word in words:
        if _key(word) in ("fold", "seed"):
            raise RunError(f"{word}: a table has several, write {_key(word)}s=[...]")
        if _key(word) in taken:
            name = taken[_key(word)]
            raise RunError(f"{word}: the rows of table={name} differ in it; leave it out")


def _key(word: str) -> str:
    return word.partition("=")[0].lstrip("+~")


def _results(words: Sequence[str]) -> list[str]:
    """Return those words that say where results go; the others may be of one task alone."""
    return [word for word in words if _key(word) == "results"]


def run_all(todo: Plan, launcher_words: Sequence[str]) -> dict[RunFolder, str]:
    """Run what is missing, stage by stage; return the reasons of those that failed."""
    failed: dict[RunFolder, str] = {}
    if todo.done == len(todo.folders):
        return failed
    with counting_runs(lambda: todo.done, len(todo.folders), console):
        for stage in todo.stages:
            jobs: dict[RunFolder, list[str]] = {}
            for folder, job in stage.items():
                lacking = [s.folder.path for s in job.sources if s.folder in failed]
                if lacking and not folder.complete:
                    failed[folder] = f"starts from a run that failed, {lacking[0]}"
                elif not folder.complete:
                    jobs[folder] = job.words
            reasons = launch(list(jobs.values()), launcher_words) if jobs else []
            failed |= {f: r for f, r in zip(jobs, reasons, strict=True) if not f.complete}
    return failed


def launch(jobs: Sequence[Sequence[str]], launcher_words: Sequence[str]) -> list[str]:
    """Hand jobs to Hydra's launcher, which a word chooses: this process, joblib's, or submitit's.

    Args:
        jobs: the words of each run.
        launcher_words: such as `hydra/launcher=joblib`.

    Returns:
        For each job why it failed, or nothing.
    """
    words = [*launcher_words, *_results(jobs[0])]
    master = hydra.compose("train", words, return_hydra_config=True)
    launcher = Plugins.instance().instantiate_launcher(
        hydra_context=HydraContext(
            config_loader=GlobalHydra.instance().config_loader(), callbacks=Callbacks()
        ),
        task_function=complete,
        config=master,
    )
    # Bars of several processes would overwrite each other.
    quiet = ["progress=false"] if launcher_words else []
    # Joblib's processes share the GPUs of this one; a cluster gives every job its own.
    if "joblib" in master.hydra.launcher._target_:
        os.environ[ELSEWHERE] = ",".join(_devices())
    try:
        done = launcher.launch([[*job, *quiet, *launcher_words] for job in jobs], 0)
    except Exception as error:  # a worker process that was killed, for one
        return [f"{type(error).__name__}: {error}"] * len(jobs)
    return [str(job._return_value) if job.status == JobStatus.FAILED else job.return_value
            for job in done]  # fmt: skip


def complete(cfg: DictConfig) -> str:
    """Complete the run of one job, in whatever process the launcher chose.

    Returns:
        Why it failed, or nothing: not every exception would travel between processes.
    """
    quieten()
    config = HydraConfig.get()
    devices = os.environ.pop(ELSEWHERE, "")
    if devices:
        # Read when CUDA starts, which the first run of this process does.
        os.environ["CUDA_VISIBLE_DEVICES"] = device_of_job(config.job.num, devices.split(","))
    words = [word for word in config.overrides.task if not word.startswith("hydra")]
    try:
        Run(cfg, words, console if cfg.progress else Console(quiet=True)).complete(wait=True)
    except Exception as error:
        reason = str(error) if isinstance(error, RunError) else f"{type(error).__name__}: {error}"
        complain(f"{' '.join(words)}: {reason}")
        return reason
    return ""


def device_of_job(job: int, devices: Sequence[str]) -> str:
    """Return the GPU that a job has for itself, the jobs being dealt out in turn."""
    return devices[job % len(devices)]


def _devices() -> list[str]:
    """Return the GPUs that this process may use, if there are several."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return chosen.split(",") if "," in chosen else []
    import torch

    count = torch.cuda.device_count()
    return [str(number) for number in range(count)] if count > 1 else []


def _make_run(words: list[str], shared: dict[tuple[str, ...], Run]) -> Run:
    run = Run(compose(*words), words, console, shared)
    if "ddp" in str(run.cfg.trainer.get("strategy", "")):
        raise RunError(
            "trainer=ddp: the runs of a table share the machine among themselves, one GPU each; "
            "leave the word out, or train one run by itself with train.py"
        )
    return run


def _paper_sizes(table: Table, todo: Plan, words: Sequence[str]) -> dict[str, int]:
    """Count each row's parameters at the paper's size; a row that cannot be built has none."""
    sizes: dict[str, int] = {}
    for row in table.rows:
        if row.words and row.name not in todo.refused:
            try:
                counted = paper_size_parameters([*table.words, *row.words, *words])
            except (ValueError, TypeError):
                continue  # its runs have failed, and said why
            sizes[row.name] = counted["with_heads"]
    return sizes


def _list(todo: Plan) -> None:
    for folder in todo.folders:
        state = "complete" if folder.complete else "missing "
        console.print(f"{state}  {folder.path}", markup=False, highlight=False)
    console.print(f"{todo.done} of {len(todo.folders)} runs complete")
    for name, reason in todo.refused.items():
        complain(f"row {name}: {reason}")
