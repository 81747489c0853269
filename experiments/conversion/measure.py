"""The figures of a converted run, measured on a packed data set of the user's."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.contracts import DataModule
from experiments.conversion.marks import RULE, UNMEASURED, run_hash
from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.places import run_folders
from experiments.evaluation.recompute import predict_again
from experiments.evaluation.reopen import read_config, with_network
from experiments.files import write_json
from experiments.runs.complexity import count_flops
from experiments.runs.compose import build
from experiments.runs.folder import Metrics, RunError, RunFolder
from experiments.runs.make import environment
from experiments.runs.report import Report, write_predictions


def measure_converted(places: str | list[str], root: Path, *, trust: bool = False) -> None:
    """Measure the converted runs in some places; each is then a run on this data set.

    A run that has figures already is measured again.

    Args:
        places: folders or patterns, as `run_folders` takes them.
        root: the packed data set, made with `protocol=released`.
        trust: build whatever classes the runs' configurations name.

    Raises:
        RunError: if a run is none that was converted, or the data set is none for it.
    """
    runs = [FinishedRun(folder, folder.metrics()) for folder in run_folders(places)]
    for run in runs:
        if "converted" not in run.metrics:
            raise RunError(
                f"data.root={root}: {run.folder.path} was trained, and is evaluated on the data "
                "set that it was trained with; data.root is for converted runs alone"
            )
    for run in runs:
        with run.folder.locked(wait=False):
            _measure(run, root, trust)


def _measure(run: FinishedRun, root: Path, trust: bool) -> None:
    folder = run.folder
    cfg = read_config(run, trust=trust)
    cfg.data.root = cfg.datamodule.root = str(root)
    data = _opened(cfg, folder)
    found = with_network(run, cfg, RULE, data)
    report = Report(folder, {})
    epoch = run.metrics["reported"][RULE]["epoch"]
    report.choose(RULE, predict_again(found), epoch=epoch, save=False)
    shapes = {name: data.shapes[name] for name in cfg.modalities}
    measured = {
        "hash": run_hash(cfg, run.metrics["converted"]["network"], data.identity),
        "provenance": data.provenance,
        "manifest": data.manifest_hash,
        "preparation": data.preparation,
        "shapes": {name: list(shape) for name, shape in shapes.items()},
        "reported": report.figures(),
        "flops": count_flops(lambda: build(cfg.network), shapes),
    } | environment(found.device)
    write_json(folder.path / "metrics.json", _without_figures(run.metrics))  # until all is there
    write_predictions(folder, report, data.ids)
    folder.begin(OmegaConf.to_yaml(cfg))
    folder.finish(run.metrics | measured)


def _opened(cfg: DictConfig, folder: RunFolder) -> DataModule:
    data: DataModule = build(cfg.datamodule)
    try:
        data.setup("fit")
    except (ValueError, OSError) as error:
        raise RunError(f"data.root: no data set for {folder.path}: {error}") from None
    return data


def _without_figures(metrics: Metrics) -> dict[str, Any]:
    epoch = metrics["reported"][RULE]["epoch"]
    bare = {"provenance": UNMEASURED, "manifest": "", "reported": {RULE: {"epoch": epoch}}}
    return metrics | bare
