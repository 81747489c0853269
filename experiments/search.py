"""A search for a fusion's architecture over trained branches, judged by the validation part."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from rich.console import Console
from torch import Tensor

from experiments.files import write_json
from experiments.runs.compose import build, compose
from experiments.runs.folder import RunError
from experiments.runs.identity import digest
from experiments.runs.run import Run
from experiments.runs.weights import load_branches

SHOWN = 5


def search(words: Sequence[str], console: Console) -> Path:
    """Search the architecture of a fusion that has one to be found.

    The unimodal runs are trained first where they are missing. Their branches stay as they are;
    the search does not look at the test data. A complete search is only shown.

    Args:
        words: of the run whose fusion is searched.
        console: where progress and the best architectures go.

    Returns:
        A json file with every architecture tried, its layers and its validation accuracy, the best
        first.

    Raises:
        RunError: if the fusion has nothing to search, or the data no validation part.
    """
    cfg = compose(*words)
    if "search" not in cfg.fusion:
        raise RunError(f"fusion={cfg.fusion.name} has no architecture to search: fusion=mfas has")
    run = Run(cfg, words, console)
    if not run.sources:
        raise RunError("a search needs trained branches: init=unimodal")
    if "validation" not in run.data.evaluation_names:
        raise RunError(
            "a search is judged by validation samples that are not tested, found the splits "
            f"{', '.join(run.data.evaluation_names)}: search with protocol=paper"
        )
    for source in run.sources.values():
        source.complete(wait=True)
    file = _file(run)
    if file.is_file():
        _show(json.loads(file.read_text())["architectures"], run, console)
        return file
    run.data.setup("fit")
    torch.set_num_threads(cfg.threads)
    torch.manual_seed(cfg.seed)
    network = build(cfg.network)
    rule = cfg.protocol.init_from
    load_branches(network, {name: s.folder.weights(rule) for name, s in run.sources.items()})
    network.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    train = _training_passes(network, run.data, cfg.fusion.search_epochs)
    loaders = dict(zip(run.data.evaluation_names, run.data.val_dataloader(), strict=True))
    validation = _gather(network, run.data, loaders["validation"])
    found = build(cfg.fusion.search)(
        network.sizes,
        train,
        validation,
        outputs=cfg.task.outputs,
        told=lambda tried: console.print(f"{tried} architectures tried"),
    )
    best = [{"layers": layers, "accuracy": 100 * value} for layers, value in found.items()]
    write_json(file, {"provenance": run.data.provenance, "architectures": best})
    _show(best, run, console)
    return file


def _file(run: Run) -> Path:
    cfg = run.cfg
    how = OmegaConf.to_container(cfg.fusion.search, resolve=True)
    mark = digest({"run": run.hash, "search": how, "epochs": cfg.fusion.search_epochs})
    place = Path(cfg.results, cfg.task.name, cfg.data.name, cfg.fusion.name, f"search-{mark}")
    return place / f"fold{cfg.fold}" / f"seed{cfg.seed}" / "search.json"


def _training_passes(network: Any, data: Any, epochs: int) -> list[Any]:
    loader = data.train_dataloader()
    passes = []
    for epoch in range(epochs):
        loader.sampler.set_epoch(epoch)
        passes.append(_gather(network, data, loader))
    return passes


def _gather(
    network: Any, data: Any, batches: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, list[Tensor]], Tensor]:
    """Compute the branches' features of every batch, `(N, C)` each, with the labels `(N,)`."""
    device = next(network.parameters()).device
    features, labels = [], []
    for batch in batches:
        moved = {k: v.to(device) if isinstance(v, Tensor) else v for k, v in batch.items()}
        ready = data.on_after_batch_transfer(moved, 0)
        with torch.no_grad():
            features.append(network.branch_features(ready))
        labels.append(ready["label"])
    joined = {
        name: [torch.cat(parts) for parts in zip(*(some[name] for some in features), strict=True)]
        for name in features[0]
    }
    return joined, torch.cat(labels)


def _show(best: Sequence[Mapping[str, Any]], run: Run, console: Console) -> None:
    mark = " (sample data)" if run.data.provenance == "sample" else ""
    console.print(f"best on the validation part{mark}, in per cent:")
    for one in best[:SHOWN]:
        layers = ",".join(f"[{','.join(map(str, layer))}]" for layer in one["layers"])
        console.print(f"{one['accuracy']:5.1f}  fusion.network.layers=[{layers}]", markup=False)
