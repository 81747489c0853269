"""Jobs in this process, in others or on a cluster: whatever Hydra's launchers offer."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from hydra.types import HydraContext
from omegaconf import DictConfig
from rich.console import Console

from experiments.console import complain, console, quieten
from experiments.runs.accelerator import check_accelerator
from experiments.runs.compose import compose
from experiments.runs.folder import RunError, RunFolder
from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from experiments.signals import sigterm_as_interrupt
from experiments.tables.devices import sharing_devices, take_device
from experiments.tables.plan import Plan
from experiments.tables.progress import counting_runs

ONE_BY_ONE, JOBLIB, CLUSTER = "BasicLauncher", "hydra_joblib_launcher", "hydra_submitit_launcher"


def run_all(todo: Plan, launcher: Overrides) -> dict[RunFolder, str]:
    """Run what is missing, stage by stage; return the reasons of those that failed.

    Args:
        todo: what to run.
        launcher: overrides that choose Hydra's launcher, such as `hydra/launcher=joblib`.

    Raises:
        RunError: if a run wants a GPU and this machine, where it would run, has none.
    """
    failed: dict[RunFolder, str] = {}
    if todo.done == len(todo.folders):
        return failed
    if CLUSTER not in _master(launcher).hydra.launcher._target_:
        for job in todo.jobs.values():
            check_accelerator(compose(job.overrides).trainer)
    with counting_runs(lambda: todo.done, len(todo.folders), console):
        for stage in todo.stages:
            jobs: dict[RunFolder, Overrides] = {}
            for folder, job in stage.items():
                lacking = [s.folder.path for s in job.sources if s.folder in failed]
                if not todo.lacks(folder):
                    continue
                if lacking:
                    failed[folder] = f"starts from a run that failed, {lacking[0]}"
                else:
                    jobs[folder] = job.overrides
            reasons = launch(list(jobs.values()), launcher) if jobs else []
            failed |= {f: r for f, r in zip(jobs, reasons, strict=True) if todo.lacks(f)}
    return failed


def launch(jobs: Sequence[Overrides], launcher: Overrides) -> list[str]:
    """Hand jobs to Hydra's launcher: this process, joblib's processes, or submitit's cluster.

    Args:
        jobs: the overrides of each run.
        launcher: as in `run_all`.

    Returns:
        For each job why it failed, or nothing.
    """
    master = _master(Overrides([*launcher, *jobs[0].only("results")]))
    # The base class of callbacks does nothing: there are none to call here.
    nothing: Any = Callback()
    loader = GlobalHydra.instance().config_loader()
    context = HydraContext(config_loader=loader, callbacks=nothing)
    instance = Plugins.instance().instantiate_launcher(
        hydra_context=context, task_function=complete, config=master
    )
    chosen = master.hydra.launcher._target_
    # Bars of several processes would overwrite each other.
    quiet = [] if ONE_BY_ONE in chosen else ["progress=false"]
    # Joblib's processes share the GPUs of this one; a cluster gives every job its own.
    with sharing_devices() if JOBLIB in chosen else nullcontext():
        try:
            done = instance.launch([[*job, *quiet, *launcher] for job in jobs], 0)
        except Exception as error:  # a worker process that was killed, for one
            return [f"{type(error).__name__}: {error}"] * len(jobs)
    return [_reason(job) for job in done]


def complete(cfg: DictConfig) -> str:
    """Complete the run of one job, in whatever process the launcher chose.

    Returns:
        Why it failed, or nothing: not every exception would travel between processes.
    """
    quieten()
    take_device()
    overrides = Overrides(HydraConfig.get().overrides.task).without("hydra")
    try:
        with sigterm_as_interrupt():  # in a process of joblib's, nothing else listens
            Run(overrides, console if cfg.progress else Console(quiet=True)).complete(wait=True)
    except SystemExit as ended:  # what Lightning makes of it; only the context says what it was
        if isinstance(ended.__context__, KeyboardInterrupt):
            raise ended.__context__ from None
        raise
    except Exception as error:
        reason = str(error) if isinstance(error, RunError) else f"{type(error).__name__}: {error}"
        complain(f"{overrides}: {reason}")
        return reason
    return ""


def _master(overrides: Overrides) -> DictConfig:
    return hydra.compose("train", list(overrides), return_hydra_config=True)


def _reason(job: JobReturn) -> str:
    return str(job._return_value) if job.status == JobStatus.FAILED else job.return_value
