"""What a run is: from its overrides to its hash and its folder, and to the runs it starts from."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig
from rich.console import Console

from experiments.runs.compose import GROUPS, REPEATS, build, check, check_root, compose
from experiments.runs.folder import RunError, RunFolder
from experiments.runs.identity import depends_on, digest, settings, starts_warm, variant
from experiments.runs.idle import idle
from experiments.runs.overrides import Overrides
from experiments.runs.published import Published
from experiments.runs.ranks import leads

if TYPE_CHECKING:
    from experiments.contracts import DataModule

# Overrides that change no setting: they choose what the folder's name says anyway, and places.
PLAIN = {*GROUPS, *REPEATS, "modalities", "results", "progress", "rerun", "data.root"}
# Overrides of the fusion, which the unimodal runs that it starts from do not have.
OF_THE_FUSION = (
    *("fusion", "task_fusion", "modalities", "points", "init", "network", "staged"),
    "modality_dropout",
)


class Run:
    """One training run: what it is, where it lives, and how it comes about.

    Making one composes and hashes; it renders, locks and writes nothing.

    Args:
        overrides: of `train.py`; they say all that there is to say.
        console: where progress and reports go.
        shared: unimodal runs made already; several fusion runs start from the same.

    Raises:
        RunError: for a configuration that makes no sense.
        DataError: if there is no packed data set where the overrides name one.
    """

    def __init__(
        self,
        overrides: Overrides,
        console: Console,
        shared: dict[Overrides, "Run"] | None = None,
    ) -> None:
        self.overrides = overrides
        self.console = console
        self.cfg = cfg = compose(overrides)
        check(cfg)
        check_root(cfg, overrides)
        self.data: DataModule = build(cfg.datamodule)
        self.sources: dict[str, Run] = {}
        if starts_warm(cfg):
            shared = {} if shared is None else shared
            self.sources = {name: self._unimodal(name, shared) for name in cfg.modalities}
        self.published = Published.of(cfg, warm=bool(self.sources))
        found = settings(cfg)
        self.hash: str = digest(
            {
                "settings": found,
                "data": self.data.identity,
                "starts_from": {name: self._start(source) for name, source in self.sources.items()},
            }
            | self.published.marks
        )
        family = Path(cfg.results, cfg.task.name, cfg.data.name, cfg.fusion.name)
        # The hash finds the run even if a default has changed since, and with it the name.
        known = sorted(family.glob(f"*-{self.hash}"))
        place = known[0] if known else family / variant(cfg, found, self._plain(), self.hash)
        self.folder = RunFolder(place / f"fold{cfg.fold}" / f"seed{cfg.seed}")

    @property
    def name(self) -> str:
        """Return the run's name as a person would say it."""
        cfg = self.cfg
        return f"{cfg.fusion.name} ({'+'.join(cfg.modalities)}) fold {cfg.fold} seed {cfg.seed}"

    def idle(self, keys: Iterable[str] | None = None) -> list[str]:
        """Return those overrides (of these keys) that change nothing of this run or its sources."""
        cfgs = [self.cfg, *(source.cfg for source in self.sources.values())]
        return idle(self.overrides, cfgs, keys)

    def stands_for(self, repeats: Sequence[Overrides]) -> bool:
        """Say whether runs of these overrides are this one, but for their fold and seed.

        A fold that there is not, or a seed that is none, is found here as if each were made.

        Args:
            repeats: this run's overrides on other folds and seeds.

        Raises:
            RunError: for a configuration that makes no sense.
        """
        last = compose(repeats[-1])  # shares this run's composition
        check(last)
        build(last.datamodule)
        varied = [
            key for key in REPEATS if len({str(o.value(key, self.cfg[key])) for o in repeats}) > 1
        ]
        cfgs = [self.cfg, *(source.cfg for source in self.sources.values())]
        return not any(depends_on(cfg, varied) for cfg in cfgs)

    def refuse_idle(self, keys: Iterable[str] | None = None) -> None:
        """Refuse an override that would be accepted and ignored.

        Args:
            keys: of the overrides that are looked at; all if not given.

        Raises:
            RunError: names it.
        """
        for text in self.idle(keys):
            raise RunError(
                f"{text}: nothing of this run depends on it; leave it out, or change what does "
                "(--cfg job shows where each value goes)"
            )

    @property
    def trains(self) -> bool:
        """Say whether the fusion has anything to train; a late combination of scores has not."""
        return bool(self.cfg.fusion.get("trains", True))

    def complete(self, *, wait: bool = False) -> RunFolder:
        """Train what is missing, and return the complete folder.

        `rerun=true` makes a complete run again, and those that it starts from where other sources
        made them. The run before stays until the new one is complete.

        Args:
            wait: wait for another job that works in this folder, rather than refuse.

        Raises:
            RunError: if another job holds the folder and `wait` is false, or weights do not fit.
        """
        for source in self.sources.values():
            source._complete(wait=True, again=source.cfg.rerun and source.folder.outdated)
        return self._complete(wait=wait, again=self.cfg.rerun)

    def _complete(self, *, wait: bool, again: bool) -> RunFolder:
        if not leads():  # the process that leads holds the lock, for all that train together
            if again or not self.folder.complete:
                self._make()
            return self.folder
        if self.folder.complete and not again and not self.folder.rerun.complete:
            self._tell_that_it_is_complete()  # nothing is written, not even a lock
            return self.folder
        with self.folder.locked(wait=wait):
            self.folder.adopt_rerun()
            if again or not self.folder.complete:
                self._make()
            else:
                self._tell_that_it_is_complete()
        return self.folder

    def _make(self) -> None:
        # Here, because Lightning takes longer to import than a table to plan.
        from experiments.runs.make import Making

        making = Making(
            cfg=self.cfg,
            name=self.name,
            hash=self.hash,
            folder=self.folder,
            data=self.data,
            starts={name: source.folder for name, source in self.sources.items()},
            published=self.published,
            trains=self.trains,
            overrides=self.overrides,
            console=self.console,
        )
        making.run()

    def _tell_that_it_is_complete(self) -> None:
        told = f"{self.name}: complete already, in {self.folder.path}"
        if self.folder.outdated:
            made = self.folder.metrics().get("commit") or "an unknown commit"
            told += f"; made by other sources ({made}): rerun=true makes it again"
        self.console.print(told, markup=False)

    def _unimodal(self, modality: str, shared: dict[Overrides, "Run"]) -> "Run":
        overrides = self.overrides.without(*OF_THE_FUSION).setting(
            task=self.cfg.task.name, fusion="none", modalities=f"[{modality}]"
        )
        if overrides not in shared:
            shared[overrides] = Run(overrides, self.console)
        return shared[overrides]

    def _start(self, source: "Run") -> str:
        """Name a unimodal run, and the rule that chose its weights if it was not the last epoch."""
        rule = self.cfg.protocol.init_from
        return source.hash if rule == "last_epoch" or not self.trains else f"{source.hash} {rule}"

    def _plain(self) -> DictConfig:
        """Return the configuration of the same choices with nothing changed."""
        if PLAIN.issuperset(self.overrides.keys):
            return self.cfg
        keys = (*GROUPS, "modalities", "data.root")
        plain = (
            text
            for text, key in zip(self.overrides, self.overrides.keys, strict=True)
            if key in keys
        )
        return compose(Overrides(plain))
