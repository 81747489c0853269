"""The attention of every MSAF module of a run, sample by sample.

Legend: N samples, B of a batch, q segments, n blocks of all modalities, C channels of a block, M
modalities, K outputs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from experiments.contracts import Batch, FusionPoint, Gate
from experiments.evaluation.finished import FinishedRun
from experiments.evaluation.reopen import Reopened
from experiments.runs.compose import build
from experiments.runs.folder import RunError

# Of the largest score: more than any precision rounds, less than other weights differ.
FOREIGN = 0.05
RECORDER = OmegaConf.create({"_target_": "msaf.record_attention", "_partial_": True})


@dataclass(frozen=True)
class ModuleAttention:
    """What one module gave to its blocks.

    Args:
        name: of the fusion point, such as `late`.
        of_block: the modality of each of the n blocks; a modality may have several inputs.
        blocks: `(N, q, n)`, the attention of equation 4, before lambda. A block's is the mean over
            its channels; in a last block that was filled up with zeros over its true ones alone,
            since what is given to zeros scales nothing.
    """

    name: str
    of_block: tuple[str, ...]
    blocks: np.ndarray

    @property
    def modalities(self) -> tuple[str, ...]:
        """Return the M modalities in the order of their blocks."""
        return tuple(dict.fromkeys(self.of_block))

    @cached_property
    def shares(self) -> np.ndarray:
        """Return what each modality gets of all attention, `(N, q, M)`, which sums to one over M.

        It is the sum over the modality's blocks. Their total is one already, unless there are
        blocks that were filled up: then it is divided by the total.
        """
        owner = np.array(self.of_block)
        sums = [self.blocks[..., owner == name].sum(-1) for name in self.modalities]
        return np.stack(sums, axis=-1) / self.blocks.sum(-1, keepdims=True)

    @property
    def uniform(self) -> np.ndarray:
        """Return the shares `(M,)` of a gate that treats all blocks alike."""
        return np.array([self.of_block.count(m) / len(self.of_block) for m in self.modalities])


@dataclass(frozen=True)
class Measured:
    """One run on some samples, in the order of their rows.

    Args:
        ids: `(N,)` names.
        labels: `(N,)`.
        scores: `(N, K)`.
        modules: from early to late; none for a network without MSAF.
    """

    ids: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    modules: tuple[ModuleAttention, ...]


def measure(
    reopened: Reopened, batches: Iterable[Batch] | None = None, *, split: str = "test"
) -> Measured:
    """Let a run predict, and keep the attention of its MSAF modules, a batch at a time.

    Args:
        reopened: the run; of any fusion.
        batches: as the network takes them; by default those of `split`.
        split: one of the data's `evaluation_names`.
    """
    every, modules = forward(reopened, reopened.batches(split) if batches is None else batches)
    return Measured(
        ids=np.array([reopened.data.ids[int(row)] for row in every["id"]]),
        labels=every["label"],
        scores=every["scores"],
        modules=modules,
    )


def forward(
    reopened: Reopened, batches: Iterable[Batch]
) -> tuple[dict[str, np.ndarray], tuple[ModuleAttention, ...]]:
    """Let a run predict batches as the network takes them, and keep the attention of its modules.

    Returns:
        `id` `(N,)`, `label` `(N,)` and `scores` `(N, K)`, in the order of `id`; and the modules, as
        `Measured` has them.
    """
    places = attention_modules(reopened.network, reopened.cfg)
    kept: list[dict[str, np.ndarray]] = []
    with torch.inference_mode(), build(RECORDER)(reopened.network) as maps:
        for batch in batches:
            scores = reopened.network(batch).scores
            found = {"id": batch["id"], "label": batch["label"], "scores": scores}
            found |= {p.path: p.block_means(maps[p.path][-1]) for p in places}
            kept.append({name: x.cpu().numpy() for name, x in found.items()})
            for recorded in maps.values():
                recorded.clear()
    every = {name: np.concatenate([part[name] for part in kept]) for name in kept[0]}
    order = np.argsort(every["id"], kind="stable")
    every = {name: x[order] for name, x in every.items()}
    modules = tuple(ModuleAttention(p.name, p.of_block, every.pop(p.path)) for p in places)
    return every, modules


@dataclass(frozen=True)
class AttentionModule:
    """A module in a network: its path there, the name of its point, the modality of each input."""

    path: str
    name: str
    inputs: tuple[str, ...]
    gate: Gate

    @property
    def of_block(self) -> tuple[str, ...]:
        """Return the modality of each block."""
        pairs = zip(self.inputs, self.gate.blocks_per_modality, strict=True)
        return tuple(name for name, count in pairs for _ in range(count))

    def block_means(self, attention: Tensor) -> Tensor:
        """Return the mean over each block's true channels, `(B, [q], n, C)` to `(B, q, n)`."""
        size = self.gate.block_channels
        pairs = zip(self.gate.in_channels, self.gate.blocks_per_modality, strict=True)
        flags = [torch.arange(count * size) < channels for channels, count in pairs]
        attention = attention.double()
        true = torch.cat(flags).view(-1, size).to(attention)  # (n, C)
        means = (attention * true).sum(-1) / true.sum(-1)
        return means if means.ndim == 3 else means.unsqueeze(1)


def check_scores(measured: Measured, run: FinishedRun, rule: str) -> None:
    """Check that a run predicts what it predicted.

    Args:
        measured: of the test split, on data as they are.
        run: whose `predictions.npz` counts.
        rule: the reporting rule whose weights predict.

    Raises:
        RunError: if the samples or the scores are others.
    """
    stored = run.predictions(rule)
    by_id = dict(zip(stored.ids.tolist(), stored.scores, strict=True))
    if sorted(by_id) != sorted(measured.ids.tolist()):
        raise RunError(
            f"{run.folder.path}: predictions.npz is of other samples than the test split: "
            "train the run again with rerun=true"
        )
    expected = np.stack([by_id[name] for name in measured.ids.tolist()])
    difference = np.abs(expected - measured.scores).max()
    if not difference <= FOREIGN * np.abs(expected).max():
        raise RunError(
            f"{run.folder.weights(rule)}: its scores differ from those in predictions.npz by up "
            f"to {difference:.3g}: they are not of one run; train it again with rerun=true"
        )


def attention_modules(network: nn.Module, cfg: DictConfig) -> list[AttentionModule]:
    """Return the MSAF modules at a network's fusion points, from early to late.

    Args:
        network: any.
        cfg: what it was built from, which knows the names of its points.
    """
    points = [module for module in network.modules() if isinstance(module, FusionPoint)]
    names = _point_names(cfg, len(points))
    found = []
    with build(RECORDER)(network) as maps:
        paths = list(maps)
    for path in paths:
        parent: nn.Module = network.get_submodule(path.rpartition(".")[0])
        if isinstance(parent, FusionPoint):
            inputs = [m for m, taps in parent.channels.items() for _ in _inputs(parent, taps)]
            gate = cast(Gate, network.get_submodule(path))
            name = names[points.index(parent)]
            found.append(AttentionModule(path, name, tuple(inputs), gate))
    return found


def _inputs(point: FusionPoint, taps: Iterable[int]) -> list[int]:
    return [sum(taps)] if point.join else list(taps)


def _point_names(cfg: DictConfig, count: int) -> list[str]:
    """Return the names of the points where at least two of the modalities meet."""
    points = OmegaConf.select(cfg, "task.points") or {}
    names = [
        str(name)
        for name in OmegaConf.select(cfg, "points") or []
        if name in points and sum(m in points[name].stages for m in cfg.modalities) > 1
    ]
    return names if len(names) == count else [f"point {i + 1}" for i in range(count)]
