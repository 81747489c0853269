"""What the project computes, as hashes: recorded before a redesign, and compared after it.

    python tests/safety_net.py record before.json      # in a checkout of the commit before
    python tests/safety_net.py record after.json       # in one of the commit after
    python tests/safety_net.py compare before.json after.json

Every valid task, fusion and protocol at the sample's size: names and shapes of the state, a batch,
its outputs, losses and gradients. The files of the packed samples. Metrics, predictions and logs of
twelve runs of two epochs. The hashes hold for one machine and one set of library versions, so both
records have to be made there; that takes about ten minutes each on two cores. It is no test of the
suite: it says that nothing changed, not that anything is right.
"""

import csv
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import experiments  # noqa: E402, F401  registers the resolvers of the configuration

PROTOCOLS = ("paper", "released")
VARIANTS = {
    "ravdess": [
        *([f"modalities=[{m}]"] for m in ("video", "audio", "action_units", "video,audio")),
        *([f"modalities=[{m}]"] for m in ("audio,action_units", "video,audio,action_units")),
    ],
    "mosei": [[f"modalities=[{m}]"] for m in ("visual", "audio", "text", "visual,audio,text")],
    "ntu": [
        [f"modalities=[{m}]", f"rgb={rgb}"]
        for m, rgb in product(("video", "skeleton", "video,skeleton"), ("i3d", "inflated_resnet50"))
    ],
}
RUNS = [
    *(["task=ravdess", f"fusion={f}", *more] for f, *more in (
        ["none", "modalities=[audio]"], ["msaf"], ["concat"], ["msaf", "protocol=released"])),
    *(["task=mosei", f"fusion={f}", *more] for f, *more in (
        ["none", "modalities=[text]"], ["msaf"], ["tfn"], ["msaf", "protocol=released"])),
    *(["task=ntu", f"fusion={f}", *more] for f, *more in (
        ["none", "modalities=[skeleton]"], ["msaf"], ["mfas"], ["msaf", "protocol=released"])),
]  # fmt: skip
SAME = ("reported", "headline", "parameters", "flops", "paper_size_parameters", "epochs", "classes")


def digest(value: Any) -> str:
    """Return a hash of tensors, arrays and plain values, whatever they are nested in."""
    found = hashlib.sha256()

    def add(entry: Any) -> None:
        if isinstance(entry, torch.Tensor):
            entry = entry.detach().cpu().numpy()
        if isinstance(entry, np.ndarray):
            found.update(f"{entry.dtype}{entry.shape}".encode())
            found.update(np.ascontiguousarray(entry).tobytes())
        elif isinstance(entry, dict):
            for name in sorted(entry):
                found.update(str(name).encode())
                add(entry[name])
        elif isinstance(entry, list | tuple):
            for one in entry:
                add(one)
        else:
            found.update(repr(entry).encode())

    add(value)
    return found.hexdigest()[:16]


def networks() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give a row for each network that can be built, and one for each that is refused."""
    fusions = sorted(path.stem for path in (ROOT / "configs" / "fusion").glob("*.yaml"))
    for protocol in PROTOCOLS:
        for task, variants in VARIANTS.items():
            for fusion, variant in product(fusions, variants):
                several = "," in variant[0]
                if several == (fusion == "none"):
                    continue
                words = [f"task={task}", f"fusion={fusion}", f"protocol={protocol}", *variant]
                yield "network " + " ".join(words), network_row(words)


def network_row(words: list[str]) -> dict[str, Any]:
    try:
        cfg = hydra.compose("train", words)
        plain = OmegaConf.to_container(cfg.network, resolve=True)
        torch.manual_seed(0)
        network = instantiate(OmegaConf.create(plain), _convert_="all")
    except Exception as error:
        return {"refused": type(error).__name__}
    batch, splits = first_batch(cfg)
    criterion = hydra.utils.get_class(cfg.task.module._target_).criterion
    row: dict[str, Any] = {
        "state": digest({k: tuple(v.shape) for k, v in network.state_dict().items()}),
        "start": digest(network.state_dict()),
        "batch": digest(batch),
        "splits": digest(splits),
    }
    rule = instantiate(cfg.training, _convert_="all")
    configured = rule.configure(network)
    listed = configured if isinstance(configured, tuple) else (configured,)
    row["optimizers"] = digest(
        [
            [
                type(one["optimizer"]).__name__,
                [
                    {k: v for k, v in group.items() if k != "params"}
                    | {"sizes": [p.numel() for p in group["params"]]}
                    for group in one["optimizer"].param_groups
                ],
                type(one.get("lr_scheduler", {}).get("scheduler")).__name__,
                one["lr_scheduler"]["scheduler"].state_dict() if "lr_scheduler" in one else None,
            ]
            for one in listed
        ]
    )
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
        grads = {n: p.grad for n, p in network.named_parameters() if p.grad is not None}
        row[f"train {phase or ''}".strip()] = digest([tuple(prediction), losses])
        row[f"gradients {phase or ''}".strip()] = digest(grads)
    network.eval()
    torch.manual_seed(1)
    with torch.no_grad():
        row["evaluation"] = digest(tuple(network(batch)))
    return row


def first_batch(cfg: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    data = instantiate(cfg.datamodule, _convert_="all")
    data.prepare_data()
    data.setup("fit")
    loader = data.train_dataloader()
    loader.sampler.set_epoch(0)
    batch = data.on_after_batch_transfer(next(iter(loader)), 0)
    return batch, {"names": data.evaluation_names, "rows": data.rows, "ids": data.ids}


def packed() -> Iterator[tuple[str, dict[str, Any]]]:
    for task, protocol in product(VARIANTS, PROTOCOLS):
        folder = ROOT / "data" / task / f"sample-{protocol}"
        files = sorted(file for file in folder.iterdir() if file.suffix in (".npy", ".csv"))
        hashes = {f.name: hashlib.sha256(f.read_bytes()).hexdigest()[:16] for f in files}
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest.pop("made")
        yield f"packed {task} {protocol}", hashes | {"manifest": digest(manifest)}


def runs() -> Iterator[tuple[str, dict[str, Any]]]:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        for words in RUNS:
            command = [*words, "epochs=2", "progress=false", f"results={results}"]
            subprocess.run(
                [sys.executable, "train.py", *command], cwd=ROOT, check=True, capture_output=True
            )
        for file in sorted(results.rglob("metrics.json")):
            yield run_row(file)


def run_row(file: Path) -> tuple[str, dict[str, Any]]:
    m = json.loads(file.read_text())
    name = f"{m['task']} {m['fusion']} {'+'.join(m['modalities'])} {m['protocol']}"
    with np.load(file.with_name("predictions.npz")) as arrays:
        predictions = digest({key: arrays[key] for key in arrays.files})
    with file.with_name("log.csv").open() as log:
        rows = [{k: v for k, v in r.items() if k != "seconds"} for r in csv.DictReader(log)]
    weights = {
        path.stem: digest(torch.load(path, weights_only=True))
        for path in sorted((file.parent / "checkpoints").glob("*.pt"))
    }
    return f"run {name} fold {m['fold']}", {
        "predictions": predictions,
        "log": digest(rows),
        "weights": digest(weights),
        **{key: digest(m[key]) for key in SAME},
    }


def record(path: Path) -> None:
    torch.set_num_threads(1)
    rows: dict[str, dict[str, Any]] = {}
    with hydra.initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        for source in (networks, packed, runs):
            for name, row in source():
                rows[name] = row
                print(f"{len(rows)} {name}", flush=True)
                path.write_text(json.dumps(rows, indent=1) + "\n")


def compare(before: Path, after: Path) -> int:
    old, new = json.loads(before.read_text()), json.loads(after.read_text())
    differing = []
    for name in sorted(old.keys() | new.keys()):
        one, other = old.get(name), new.get(name)
        if one != other:
            keys = [
                k
                for k in {**(one or {}), **(other or {})}
                if (one or {}).get(k) != (other or {}).get(k)
            ]
            differing.append(f"{name}: {'only on one side' if None in (one, other) else keys}")
    refused = sum("refused" in row for row in new.values())
    print(*differing, sep="\n")
    print(f"{len(old)} and {len(new)} rows ({refused} refused), {len(differing)} differ")
    return int(bool(differing))


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    if command == "record":
        record(Path(paths[0]))
    else:
        sys.exit(compare(Path(paths[0]), Path(paths[1])))
