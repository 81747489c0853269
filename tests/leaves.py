"""The leaves of a configuration, another value for each, and what a configuration builds."""

import copy
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, ListConfig, OmegaConf

from experiments.runs.compose import build
from experiments.runs.rules import ReportingRule

# What a leaf can also be, where a larger number or the opposite would be no choice at all.
BY_PATH: dict[str, Any] = {
    "protocol.name": "released",
    "protocol.ntu_validation_part": "test",
    "datamodule.validation_part": "test",
    "recipe": "skeleton",
    "fold": "cv",
    "datamodule.fold": "cv",
    "task.name": "another",
    "protocol.init_from": "paper_rule",
    "protocol.dropout_form": "released",
    "protocol.dropout_mask": "batch",
    "protocol.ntu_unchanged": "video",
    "protocol.ntu_validation_subjects": [1],
    "data.name": "full",
    "data.root": "elsewhere",
    "datamodule.root": "elsewhere",
    "datamodule.protocol": "released",
    "datamodule.modalities": ["audio"],
    "results": "elsewhere",
    "matmul_precision": "high",
    "datamodule.workers": 2,
    "task.fold": "cv",
    "task.splits.cs.by": "camera",
    "task.splits.cs.train": [1, 3],
    "task.splits.cs.test": [2, 4],
    "trainer.precision": "64-true",
    "trainer.accelerator": "cpu",
    "trainer.gradient_clip_val": 0.5,
    "trainer.deterministic": False,
    "modalities": ["audio"],
    "task.sample.raw": "elsewhere",
    "task.published.video": "weights.pt",
    "pretrained.i3d": "weights.pt",
    "pretrained.inflated_resnet50": "weights.pt",
    "fusion.name": "another",
    "fusion.mid.dropout_form": "released",
    "fusion.mid.dropout_mask": "batch",
    "fusion.mid.tokens": 4,  # so few that every task's maps are pooled
}
BY_VALUE: dict[Any, Any] = {
    "unimodal": "scratch", "scratch": "unimodal", "clip": "frame", "rgb": "bgr",
    "consecutive": "spread", "frame": "squeezed", "word": "label", "zero": "encoded",
    "Joint": "Alternating", "shared": "separate", "random": "centre", "shown": "black",
    "motion": "file_order", "drop": "mark", "left": "right", "right": "left",
    "max": "min", "min": "max", "valid": 0.2, "all": "masked", "masked": "all", "auto": 0.25,
    "first_spine": "none", "subject": "camera", "camera": "subject",
    "accuracy": "top2", "mae": "corr", "validation": "test", "test": "validation",
    "layer3": "layer2", "layer4": "layer3", "conv2": "conv1", "conv3": "conv2", "conv4": "conv3",
    "hidden1": "hidden2", "hidden2": "hidden1", "lstm1": "lstm2", "conv5": "conv4",
    "conv6": "conv5", "fc7": "conv6", "Mixed_5b": "Mixed_4f", "Mixed_5c": "Mixed_5b",
    "Mixed_4f": "Mixed_4e", "channels": None, "first": None,
    "torch.optim.Adam": "torch.optim.AdamW", "models.tasks.momentum_sgd": "torch.optim.AdamW",
    "features": "logits", "logits": "features",
}  # fmt: skip


def another(path: str, value: Any) -> Any:
    """Another value of a leaf; the same one where none is known."""
    if path in BY_PATH:
        return BY_PATH[path]
    if path.endswith(("augment_per", "face_source")):
        return {"clip": "frame", "frame": "squeezed" if path.endswith("source") else "clip"}[value]
    if path.endswith("evaluate_on"):
        return "valid"
    if path.startswith("reporting.") and value is None:
        return "test"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value * 2 if value else 1
    if isinstance(value, float):
        return value / 2 if value else 0.25
    if isinstance(value, list) and value:
        first = value[0]
        return [2 * first, *value[1:]] if isinstance(first, int | float) else value[:-1]
    return BY_VALUE.get(value, value) if isinstance(value, str) else value


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give each leaf with its resolved value; a list of plain values is one leaf."""
    if isinstance(node, DictConfig) and not node._is_none():
        for key in node:
            place = f"{path}.{key}" if path else str(key)
            if OmegaConf.is_missing(node, key):
                continue
            raw = node._get_node(key)
            if raw is not None and raw._is_interpolation():
                yield place, _value(node, key)
            else:
                yield from leaves(node[key], place)
    else:
        yield path, OmegaConf.to_container(node) if isinstance(node, ListConfig) else node


def _value(node: DictConfig, key: Any) -> Any:
    try:
        value = node[key]
    except Exception:  # a value of another choice, such as of a data set that has no raw folder
        return None
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def changed(cfg: DictConfig, path: str, value: Any) -> DictConfig:
    """Return the configuration with another value of one leaf."""
    other = copy.deepcopy(cfg)
    OmegaConf.update(other, path, value, merge=False)
    return other


def digest(value: Any) -> str:
    """Return a hash of tensors, arrays and plain values, whatever they are nested in."""
    found = hashlib.sha256()

    def add(entry: Any) -> None:
        if isinstance(entry, torch.Tensor):
            entry = entry.detach().numpy()
        if isinstance(entry, np.ndarray):
            found.update(
                f"{entry.dtype}{entry.shape}".encode() + np.ascontiguousarray(entry).tobytes()
            )
        elif isinstance(entry, Mapping):
            for name in entry:
                found.update(str(name).encode())
                add(entry[name])
        elif isinstance(entry, list | tuple):
            for one in entry:
                add(one)
        else:
            found.update(repr(entry).encode())

    add(value)
    return found.hexdigest()


def network_does(cfg: DictConfig, batch: Mapping[str, torch.Tensor]) -> str:
    """What the network is and computes on a fixed batch, in training and in evaluation."""
    torch.manual_seed(0)
    network = build(cfg.network)
    criterion = build(cfg.task.module).func.criterion
    rule = build(cfg.training)
    found: list[Any] = [{k: tuple(v.shape) for k, v in network.state_dict().items()}]
    try:
        found += _computed(network, rule, criterion, batch)
    except RuntimeError as error:  # a network for inputs of another size
        found.append(str(error))
    return digest(found)


def _computed(network: Any, rule: Any, criterion: Any, batch: Any) -> list[Any]:
    found: list[Any] = []
    for phase in getattr(rule, "ends", None) or [None]:
        if phase is not None:
            network.enter(phase)
        network.train()
        torch.manual_seed(1)
        prediction = network(batch)
        losses = network.loss(prediction, batch, criterion)
        network.zero_grad()
        if losses["total"].requires_grad:
            losses["total"].backward()
        gradients = {n: p.grad for n, p in network.named_parameters() if p.grad is not None}
        found += [tuple(prediction), losses, gradients, dict(network.named_buffers())]
    torch.manual_seed(1)
    with torch.no_grad():
        found.append(tuple(network.eval()(batch)))
    return found


def training_does(cfg: DictConfig) -> str:
    """The rule, its optimizers' groups and schedules, and how long its phases last."""
    torch.manual_seed(0)
    network = build(cfg.network)
    rule = build(cfg.training)
    configured = rule.configure(network)
    found: list[Any] = [type(rule).__name__, getattr(rule, "ends", None)]
    for one in configured if isinstance(configured, tuple) else (configured,):
        groups = [
            {k: v for k, v in g.items() if k != "params"} | {"size": len(g["params"])}
            for g in one["optimizer"].param_groups
        ]
        schedule = one.get("lr_scheduler", {}).get("scheduler")
        found += [type(one["optimizer"]).__name__, groups]
        if schedule is not None:
            found += [type(schedule).__name__, schedule.state_dict()]
    return digest(found)


def data_does(cfg: DictConfig) -> str:
    """The parts, and the batches of an epoch's beginning and of each evaluation split."""
    node = copy.deepcopy(cfg.datamodule)
    node.sample = None
    data = build(node)
    data.setup("fit")
    loader = data.train_dataloader()
    loader.sampler.set_epoch(3)
    batches = iter(loader)
    first = [next(batches) for _ in range(min(4, len(loader)))]
    evaluated = [next(iter(one)) for one in data.val_dataloader()]
    ready = [data.on_after_batch_transfer(batch, 0) for batch in [*first, *evaluated]]
    return digest([data.evaluation_names, data.rows, ready])


def trainer_does(cfg: DictConfig) -> str:
    """What of the trainer alters a result."""
    trainer: pl.Trainer = build(cfg.trainer, logger=False)
    return digest(
        [
            trainer.max_epochs, trainer.num_devices, trainer.precision, trainer.gradient_clip_val,
            trainer.gradient_clip_algorithm, trainer.num_sanity_val_steps,
            trainer._accelerator_connector.use_distributed_sampler, trainer.max_steps,
            torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark,
            torch.is_deterministic_algorithms_warn_only_enabled(), trainer.accumulate_grad_batches,
        ]
    )  # fmt: skip


def reporting_does(cfg: DictConfig) -> str:
    """The rules by which epochs are chosen."""
    return digest({name: repr(ReportingRule(**rule)) for name, rule in cfg.reporting.items()})
