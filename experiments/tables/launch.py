"""Jobs in this process, in others or on a cluster: whatever Hydra's launchers offer."""

import os
from collections.abc import Sequence
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
from experiments.runs.folder import RunError, RunFolder
from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from experiments.tables.plan import Plan
from experiments.tables.progress import counting_runs

ELSEWHERE = "MSAF_JOB_DEVICES"  # the GPUs that jobs in other processes share, by number


def run_all(todo: Plan, launcher: Overrides) -> dict[RunFolder, str]:
    """Run what is missing, stage by stage; return the reasons of those that failed.

    Args:
        todo: what to run.
        launcher: overrides that choose Hydra's launcher, such as `hydra/launcher=joblib`.
    """
    failed: dict[RunFolder, str] = {}
    if todo.done == len(todo.folders):
        return failed
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
    master = hydra.compose("train", [*launcher, *jobs[0].only("results")], return_hydra_config=True)
    # The base class of callbacks does nothing: there are none to call here.
    nothing: Any = Callback()
    loader = GlobalHydra.instance().config_loader()
    context = HydraContext(config_loader=loader, callbacks=nothing)
    instance = Plugins.instance().instantiate_launcher(
        hydra_context=context, task_function=complete, config=master
    )
    # Bars of several processes would overwrite each other.
    quiet = ["progress=false"] if launcher else []
    # Joblib's processes share the GPUs of this one; a cluster gives every job its own.
    if "joblib" in master.hydra.launcher._target_:
        os.environ[ELSEWHERE] = ",".join(_devices())
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
    config = HydraConfig.get()
    devices = os.environ.pop(ELSEWHERE, "")
    if devices:
        # Read when CUDA starts, which the first run of this process does.
        os.environ["CUDA_VISIBLE_DEVICES"] = device_of_job(config.job.num, devices.split(","))
    overrides = Overrides(config.overrides.task).without("hydra")
    try:
        Run(overrides, console if cfg.progress else Console(quiet=True)).complete(wait=True)
    except Exception as error:
        reason = str(error) if isinstance(error, RunError) else f"{type(error).__name__}: {error}"
        complain(f"{overrides}: {reason}")
        return reason
    return ""


def device_of_job(job: int, devices: Sequence[str]) -> str:
    """Return the GPU that a job has for itself, the jobs being dealt out in turn."""
    return devices[job % len(devices)]


def _reason(job: JobReturn) -> str:
    return str(job._return_value) if job.status == JobStatus.FAILED else job.return_value


def _devices() -> list[str]:
    """Return the GPUs that this process may use, if there are several."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return chosen.split(",") if "," in chosen else []
    import torch

    count = torch.cuda.device_count()
    return [str(number) for number in range(count)] if count > 1 else []
