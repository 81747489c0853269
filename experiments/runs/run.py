"""A run from its configuration to its complete folder, and first the runs that it starts from."""

import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from experiments.runs.callbacks import EpochLog, SaveResume, SeedEpochs, leads
from experiments.runs.complexity import count_flops, count_parameters, paper_size_parameters
from experiments.runs.compose import build, check, compose
from experiments.runs.folder import RunFolder
from experiments.runs.identity import FAST, digest, settings, variant
from experiments.runs.initialise import load_branches
from experiments.runs.progress import ShowProgress
from experiments.runs.published import Published
from experiments.runs.rules import Report, ReportingRule, headline, write_predictions
from experiments.runs.speed import check_precision, hasten

GROUPS = ("task", "fusion", "data", "protocol")
# Words that are about the fusion, and so not about the unimodal runs that it starts from.
FUSION_WORDS = (
    *("task=", "fusion", "task_fusion", "modalities"),
    *("init", "network", "staged", "sweep"),
)


class Run:
    """One training run: what it is, where it lives, and how it comes about.

    Args:
        cfg: the composed configuration.
        overrides: the words of the command line that made it, for the folder's name and for the
            unimodal runs, which are composed from the same words.
        console: where progress and reports go.
        shared: unimodal runs made already, by their words; several fusion runs start from the same.
    """

    def __init__(
        self,
        cfg: DictConfig,
        overrides: Sequence[str],
        console: Console,
        shared: dict[tuple[str, ...], "Run"] | None = None,
    ) -> None:
        check(cfg)
        chosen = settings(cfg)  # ends here if a choice is unknown, before any sample is rendered
        self.cfg = cfg
        self.overrides = list(overrides)
        self.console = console
        self.shared = {} if shared is None else shared
        self.data = build(cfg.datamodule)
        self.data.prepare_data()
        self.sources: dict[str, Run] = {}
        if len(cfg.modalities) > 1 and self._starts_warm:
            self.sources = {modality: self._unimodal(modality) for modality in cfg.modalities}
        self.published = Published.of(cfg, warm=bool(self.sources))
        self.hash: str = digest(
            {
                "settings": chosen,
                "data": self.data.manifest_hash,
                "starts_from": {name: self._start(source) for name, source in self.sources.items()},
            }
            | self.published.marks
        )
        family = Path(cfg.results, cfg.task.name, cfg.data.name, cfg.fusion.name)
        # The hash finds the run even if a default has changed since, and with it the name.
        known = sorted(family.glob(f"*-{self.hash}"))
        place = known[0] if known else family / variant(cfg, self._plain(), self.hash)
        self.folder = RunFolder(place / f"fold{cfg.fold}" / f"seed{cfg.seed}")

    @property
    def name(self) -> str:
        """Return the run's name as a person would say it."""
        cfg = self.cfg
        return f"{cfg.fusion.name} ({'+'.join(cfg.modalities)}) fold {cfg.fold} seed {cfg.seed}"

    @property
    def trains(self) -> bool:
        """Say whether the fusion has anything to train; a late combination of scores has not."""
        return bool(self.cfg.fusion.get("trains", True))

    @property
    def _starts_warm(self) -> bool:
        return self.cfg.init == "unimodal" or not self.trains

    def _unimodal(self, modality: str) -> "Run":
        kept = [o for o in self.overrides if not o.lstrip("+~").startswith(FUSION_WORDS)]
        words = (*kept, f"task={self.cfg.task.name}", "fusion=none", f"modalities=[{modality}]")
        if words not in self.shared:
            self.shared[words] = Run(compose(*words), words, self.console, self.shared)
        return self.shared[words]

    def _start(self, source: "Run") -> str:
        """Name a unimodal run, and the rule that chose its weights if it was not the last epoch."""
        rule = self.cfg.protocol.init_from
        return source.hash if rule == "last_epoch" or not self.trains else f"{source.hash} {rule}"

    def _plain(self) -> DictConfig:
        """Return the configuration of the same choices with nothing changed."""
        choices = [f"{group}={self.cfg[group].name}" for group in GROUPS]
        modalities = f"modalities=[{','.join(self.cfg.modalities)}]"
        return compose(*choices, modalities, "data.root=none")

    def complete(self, *, wait: bool = False) -> RunFolder:
        """Train what is missing, and return the complete folder.

        Args:
            wait: wait for another job that works in this folder, rather than refuse.

        Raises:
            RunError: if another job holds the folder and `wait` is false, or weights do not fit.
        """
        for source in self.sources.values():
            source.complete(wait=True)
        if not leads():  # the process that leads holds the lock, for all that train together
            if not self.folder.complete:
                self._work()
            return self.folder
        with self.folder.locked(wait=wait):
            if self.folder.complete:
                self.console.print(f"{self.name}: complete already, in {self.folder.path}")
            else:
                self._work()
        return self.folder

    def _work(self) -> None:
        cfg, folder = self.cfg, self.folder
        check_precision(cfg.trainer)
        self.data.setup("fit")
        if leads():
            folder.begin(OmegaConf.to_yaml(cfg, resolve=True))
        torch.set_num_threads(cfg.threads)
        torch.manual_seed(cfg.seed)
        splits = self.data.evaluation_names
        network = build(cfg.network)
        hasten(network, **{flag: cfg[flag] for flag in FAST})
        task = build(cfg.task.module)(network, training=build(cfg.training), splits=splits)
        report = Report(folder, self._rules())
        log = EpochLog(folder)
        trainer = self._train(task, report, log) if self.trains else self._combine(task, report)
        if leads():
            self._finish(trainer, network, report, log)
        trainer.strategy.barrier()  # whoever goes on finds a complete folder

    def _finish(
        self, trainer: pl.Trainer, network: torch.nn.Module, report: Report, log: EpochLog
    ) -> None:
        write_predictions(self.folder, report, self.data.ids)
        self.folder.finish(
            self._description()
            | {
                "headline": headline(report.chosen),
                "reported": report.figures(),
                "parameters": count_parameters(network),
                "flops": count_flops(lambda: build(self.cfg.network), self._shapes()),
                "paper_size_parameters": paper_size_parameters(self.overrides),
                "seconds": round(log.seconds, 1),
                "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            }
            | environment(trainer)
        )

    def _train(self, task: Any, report: Report, log: EpochLog) -> pl.Trainer:
        callbacks = [SeedEpochs(self.cfg.seed), report, log, SaveResume(self.folder)]
        if self.cfg.progress:
            mark = " (sample data)" if self.data.provenance == "sample" else ""
            callbacks.append(ShowProgress(self.name + mark, self.console))
        trainer = build(self.cfg.trainer, callbacks=callbacks, logger=self._loggers())
        checkpoint = self.folder.resume_checkpoint
        resume = str(checkpoint) if checkpoint.exists() else None
        if self.sources and resume is None:
            self._initialise(task.network, self.cfg.protocol.init_from)
        if resume is None:
            for line in self.published.load(task.network):
                self.console.print(f"{self.name}: {line}", markup=False)
        trainer.fit(task, datamodule=self.data, ckpt_path=resume, weights_only=True)
        return trainer

    def _combine(self, task: Any, report: Report) -> pl.Trainer:
        """Evaluate a fusion that trains nothing: under each rule with the weights of that rule."""
        trainer = build(self.cfg.trainer, callbacks=[], logger=False)
        for rule in report.rules:
            self._initialise(task.network, rule)
            trainer.validate(task, datamodule=self.data, verbose=False)
            report.choose(rule, task, epoch=None)
        return trainer

    def _rules(self) -> dict[str, ReportingRule]:
        """Return the reporting rules whose evaluation split there is."""
        rules = {name: ReportingRule(**rule) for name, rule in self.cfg.reporting.items()}
        splits = {None, *self.data.evaluation_names}
        return {name: rule for name, rule in rules.items() if rule.split in splits}

    def _initialise(self, network: torch.nn.Module, rule: str) -> None:
        weights = {name: source.folder.weights(rule) for name, source in self.sources.items()}
        loaded = load_branches(network, weights)
        self.console.print(
            f"{self.name}: starts from {len(weights)} unimodal runs ({rule}): "
            f"{len(loaded['loaded'])} tensors loaded, {len(loaded['left_out'])} left out, "
            f"{len(loaded['fresh'])} fresh"
        )

    def _loggers(self) -> list[Any]:
        if not self.cfg.logger:
            return []
        # The hash as id: a continued run continues its curve.
        place = self.folder.path
        identity = "-".join([self.hash, place.parent.name, place.name])
        return [build(self.cfg.logger)(save_dir=str(place), id=identity, name=self.name)]

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
            "classes": getattr(self.data, "classes", None),
            "manifest": self.data.manifest_hash,
            "fold": cfg.fold,
            "seed": cfg.seed,
            "epochs": cfg.epochs if self.trains else 0,
            "starts_from": cfg.protocol.init_from if self.sources and self.trains else None,
        } | self.published.marks

    def _shapes(self) -> dict[str, Sequence[int]]:
        return {name: self.data.shapes[name] for name in self.cfg.modalities}


def environment(trainer: pl.Trainer) -> dict[str, Any]:
    """Return what a result may depend on beside its settings."""
    device = trainer.strategy.root_device
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
