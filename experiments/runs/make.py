"""The making of a run: data, network, training, and what it leaves in its folder."""

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from experiments.console import quieten
from experiments.contracts import DataModule, Network, TaskModule
from experiments.runs.accelerator import check_accelerator, check_precision
from experiments.runs.callbacks import EpochLog, KeepSigterm, SeedEpochs
from experiments.runs.complexity import count_flops, count_parameters, paper_size_parameters
from experiments.runs.compose import build
from experiments.runs.counted import counted_before
from experiments.runs.folder import RunError, RunFolder
from experiments.runs.identity import FAST, PRECISION
from experiments.runs.loggers import loggers
from experiments.runs.overrides import Overrides
from experiments.runs.progress import ShowProgress
from experiments.runs.published import Published
from experiments.runs.ranks import leads
from experiments.runs.report import Report, write_predictions
from experiments.runs.resume import SaveResume, find_resume
from experiments.runs.rules import ReportingRule, headline
from experiments.runs.sources import commit
from experiments.runs.speed import hasten, set_precision
from experiments.runs.weights import load_branches


@dataclass(frozen=True)
class Making:
    """All that it takes to make one run.

    Args:
        cfg: its configuration.
        name: as a person would say it.
        hash: of its settings and data.
        folder: where it lives; a complete run there is replaced once the new one is complete.
        data: its datamodule.
        starts: by modality the folders of the complete unimodal runs that it starts from.
        published: the files of published weights that it starts from.
        trains: whether there is anything to train.
        overrides: that made the configuration.
        console: where progress goes.
    """

    cfg: DictConfig
    name: str
    hash: str
    folder: RunFolder
    data: DataModule
    starts: dict[str, RunFolder]
    published: Published
    trains: bool
    overrides: Overrides
    console: Console

    def run(self) -> None:
        """Make the run, or go on where it was interrupted; at the end its folder is complete."""
        cfg, data = self.cfg, self.data
        quieten()  # after Lightning is imported, which sets its own level
        check_accelerator(cfg.trainer)
        check_precision(cfg.trainer)
        data.prepare_data()
        data.setup("fit")
        place = self.folder.rerun if self.folder.complete else self.folder
        if leads():
            place.begin(OmegaConf.to_yaml(cfg, resolve=True))
        torch.set_num_threads(cfg.threads)
        set_precision(**{name: cfg[name] for name in PRECISION})
        torch.manual_seed(cfg.seed)
        network = build(cfg.network)
        hasten(network, **{flag: cfg[flag] for flag in FAST})
        task: TaskModule = build(cfg.task.module)(
            network, training=build(cfg.training), splits=data.evaluation_names
        )
        report = Report(place, self._rules())
        log = EpochLog(place)
        trainer = (
            self._train(task, place, report, log) if self.trains else self._combine(task, report)
        )
        if leads():
            self._finish(place, trainer, network, report, log)
        trainer.strategy.barrier()  # whoever goes on finds a complete folder

    def _train(
        self, task: TaskModule, place: RunFolder, report: Report, log: EpochLog
    ) -> pl.Trainer:
        save = SaveResume(place, f"{self.hash} fold {self.cfg.fold} seed {self.cfg.seed}")
        callbacks = [KeepSigterm(), SeedEpochs(self.cfg.seed), report, log, save]
        if self.cfg.progress:
            mark = " (sample data)" if self.data.provenance == "sample" else ""
            callbacks.append(ShowProgress(self.name + mark, self.console))
        # The hash as id: a continued run continues its curve.
        told = {"id": "-".join([self.hash, *self.folder.path.parts[-2:]]), "name": self.name}
        with loggers(self.cfg.logger, place.path, **told) as made:
            trainer: pl.Trainer = build(self.cfg.trainer, callbacks=callbacks, logger=made)
            resume = find_resume(place, save.mark, self._say)
            if resume is None:
                self._start(task.network)
            module, data = _lightning(task, self.data)
            with _memory_named(self.cfg):
                trainer.fit(
                    module, datamodule=data, ckpt_path=resume and str(resume), weights_only=True
                )
        return trainer

    def _say(self, line: str) -> None:
        self.console.print(f"{self.name}: {line}", markup=False)

    def _start(self, network: torch.nn.Module) -> None:
        """Start from unimodal runs, or from published weights, where there are any."""
        if self.starts:
            self._initialise(network, self.cfg.protocol.init_from)
        for line in self.published.load(network):
            self._say(line)

    def _combine(self, task: TaskModule, report: Report) -> pl.Trainer:
        """Evaluate a fusion that trains nothing: under each rule with the weights of that rule."""
        trainer: pl.Trainer = build(self.cfg.trainer, callbacks=[], logger=False)
        module, data = _lightning(task, self.data)
        for rule in report.rules:
            self._initialise(task.network, rule)
            trainer.validate(module, datamodule=data, verbose=False)
            report.choose(rule, task, epoch=None)
        return trainer

    def _finish(
        self,
        place: RunFolder,
        trainer: pl.Trainer,
        network: Network,
        report: Report,
        log: EpochLog,
    ) -> None:
        write_predictions(place, report, self.data.ids)
        shapes = {name: list(self.data.shapes[name]) for name in self.cfg.modalities}
        place.finish(
            self._description()
            | {
                "headline": headline(report.chosen),
                "reported": report.figures(),
                "parameters": count_parameters(network),
                "shapes": shapes,
                **self._counts(shapes),
                "seconds": round(log.seconds, 1),
                "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
                "sources": "+".join(log.sources),
                "commit": commit(),
            }
            | environment(trainer.strategy.root_device)
        )
        self.folder.adopt_rerun()

    def _counts(self, shapes: dict[str, list[int]]) -> dict[str, Any]:
        """Return what a network of these settings takes, counted once for all folds and seeds."""
        return counted_before(self.folder, self.hash, shapes) or {
            "flops": count_flops(lambda: build(self.cfg.network), shapes),
            "paper_size_parameters": paper_size_parameters(self.overrides),
        }

    def _rules(self) -> dict[str, ReportingRule]:
        """Return the reporting rules whose evaluation split there is."""
        rules = {name: ReportingRule(**rule) for name, rule in self.cfg.reporting.items()}
        splits = {None, *self.data.evaluation_names}
        return {name: rule for name, rule in rules.items() if rule.split in splits}

    def _initialise(self, network: torch.nn.Module, rule: str) -> None:
        weights = {name: folder.weights(rule) for name, folder in self.starts.items()}
        loaded = load_branches(network, weights)
        self.console.print(
            f"{self.name}: starts from {len(weights)} unimodal runs ({rule}): "
            f"{len(loaded['loaded'])} tensors loaded, {len(loaded['left_out'])} left out, "
            f"{len(loaded['fresh'])} fresh"
        )

    def _description(self) -> dict[str, Any]:
        cfg = self.cfg
        return {
            "hash": self.hash,
            "task": cfg.task.name,
            "fusion": cfg.fusion.name,
            "modalities": list(cfg.modalities),
            "protocol": cfg.protocol.name,
            "data": cfg.data.name,
            "provenance": self.data.provenance,
            "classes": self.data.classes,
            "manifest": self.data.manifest_hash,
            "preparation": self.data.preparation,
            "fold": cfg.fold,
            "seed": cfg.seed,
            "epochs": cfg.epochs if self.trains else 0,
            "starts_from": cfg.protocol.init_from if self.starts and self.trains else None,
        } | self.published.marks


@contextmanager
def _memory_named(cfg: DictConfig) -> Iterator[None]:
    """Say that memory ran out, where that is what a failure means.

    Raises:
        RunError: in place of what torch raises.
    """
    again = "the same command goes on from the last complete epoch"
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise RunError(
            f"the GPU's memory ran out with batch_size={cfg.batch_size}; choose a smaller one, "
            "which is another run"
        ) from error
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise RunError(
            "a process that loads data was killed, most likely because memory ran out; "
            f"{again}: try it with datamodule.workers=0"
        ) from error


def _lightning(
    task: TaskModule, data: DataModule
) -> tuple[pl.LightningModule, pl.LightningDataModule]:
    """Return the two as Lightning takes them."""
    return cast("pl.LightningModule", task), data.lightning()


def environment(device: torch.device) -> dict[str, Any]:
    """Return what a result may depend on beside its settings, its data and the code."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor()
    return {
        "device": f"{device.type} {name}".strip(),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "pytorch_lightning": pl.__version__,
            "numpy": np.__version__,
        },
    }
