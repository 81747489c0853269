"""No setting is accepted and then ignored: each leaf of the configuration, with another value,
changes what is built, in its arguments and in what it does, or is refused by name.

The same leaves hold identity: what changes what is built changes the hash, and nothing else does.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hydra
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from experiments.runs.compose import check
from experiments.runs.identity import digest as run_hash
from experiments.runs.identity import essence, settings
from experiments.runs.idle import PLACES, idle
from experiments.runs.overrides import Overrides
from tests import leaves as does
from tests.experiments.conftest import CONFIGS
from tests.mosei_data import write_packed
from tests.ntu_data import tiny_ntu
from tests.sample_data import session_folder, tiny_ravdess

BOTH = ["data=sample"]
TASKS: dict[str, list[str]] = {
    "ravdess": ["task=ravdess", "datamodule.folds=[[1,2],[3],[4]]", "batch_size=8"],
    "mosei": ["task=mosei", "task.branches.text.features=6", "batch_size=8"],
    "ntu": ["task=ntu", "batch_size=8", "task.splits.cs={by: subject, train: [1, 2, 3], test: [4]}",
            "protocol.ntu_validation_subjects=[2]", "datamodule.video.size=32",
            "datamodule.skeleton.frames=16"],
}  # fmt: skip
INPUTS = {
    "ravdess": {"video": (3, 8, 40, 40), "audio": (13, 212), "action_units": (35,)},
    "mosei": {"visual": (35, 12), "audio": (74, 12), "text": (6, 12)},
    "ntu": {"video": (3, 8, 32, 32), "skeleton": (3, 16, 25, 2)},
}
OUTPUTS = {"ravdess": 8, "mosei": 1, "ntu": 60}
PARTS = ("network", "training", "datamodule", "trainer", "reporting", "module")
STRUCTURE = ("_target_", "_partial_")  # which class, and how it is called: no number to vary


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    folder = session_folder(tmp_path_factory)
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        yield {
            "ravdess": tiny_ravdess(folder)[1],
            "ntu": tiny_ntu(folder)[1],
            "mosei": write_packed(tmp_path_factory.mktemp("mosei") / "packed"),
        }


def batch_of(task: str) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    size = 16
    batch = {
        name: torch.randn(size, *shape, generator=generator) for name, shape in INPUTS[task].items()
    }
    if task == "mosei":
        batch |= {f"{n}_length": torch.arange(size) % 12 + 1 for n in INPUTS[task]}
        return batch | {"label": torch.linspace(-3, 3, size)}
    return batch | {"label": torch.arange(size) % OUTPUTS[task]}


class Watched:
    """What a configuration does, part by part; a part is built only when its arguments differ."""

    def __init__(self, task: str, cfg: DictConfig) -> None:
        self.task, self.cfg = task, cfg
        self.batch = batch_of(task)
        self.arguments = settings(cfg)
        self.known: dict[str, str] = {}

    def doing(self, part: str, cfg: DictConfig) -> str:
        kinds: dict[str, Any] = {
            "network": lambda: does.network_does(cfg, self.batch),
            "training": lambda: does.training_does(cfg),
            "datamodule": lambda: does.data_does(cfg),
            "trainer": lambda: does.trainer_does(cfg),
            "reporting": lambda: does.reporting_does(cfg),
        }
        return kinds[part]()

    def before(self, part: str) -> str:
        if part not in self.known:
            self.known[part] = self.doing(part, self.cfg)
        return self.known[part]


def another(path: str, value: Any) -> Any:
    """Another value of a leaf, of the same kind."""
    if path in does.OTHERS:
        return does.OTHERS[path]
    last = path.rpartition(".")[2]
    if last in ALTERNATIVES:
        return ALTERNATIVES[last]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value * 2 if value else 1
    if isinstance(value, float):
        return value / 2 if value else 0.25
    return None


# By the last part of the path: other values that the code takes.
ALTERNATIVES: dict[str, Any] = {}


def verdicts(task: str, cfg: DictConfig, prefix: str) -> dict[str, str]:
    """For each leaf below a prefix: changed, refused, a place, or what is wrong."""
    watched = Watched(task, cfg)
    found = {}
    for path, value in does.leaves(cfg):
        inside = path.startswith(prefix) if prefix else not path.startswith("fusion.")
        if inside and path.rpartition(".")[2] not in STRUCTURE:
            found[path] = verdict(watched, path, value)
    return found


def verdict(watched: Watched, path: str, value: Any) -> str:
    other = another(path, value)
    if other is None or other == value:
        return f"no other value than {value!r} is known to the test"
    cfg = does.changed(watched.cfg, path, other)
    try:
        check(cfg)
        now = settings(cfg)
        same = essence(cfg) == essence(watched.cfg)
    except (ValueError, KeyError):
        return "refused"
    if same:
        if path in PLACES or path.startswith(("logger.", "trainer.")):
            return "place"
        text = f"++{path}={other}"
        return "refused" if idle(Overrides([text]), [watched.cfg]) == [text] else "ignored"
    differing = [part for part in PARTS if now[part] != watched.arguments[part]]
    if run_hash(now) == run_hash(watched.arguments):
        return "start" if not differing else "no part of the hash"
    for part in differing:
        try:
            if part == "module" or watched.doing(part, cfg) != watched.before(part):
                return "changed"
        except (ValueError, OSError):
            return "refused"
    return "changed" if not differing else f"in the hash, and {differing} do the same"


def composed(task: str, roots: dict[str, Path], *more: str) -> DictConfig:
    """The task's configuration at a tiny size, on the tiny packed set."""
    return compose(Overrides([*TASKS[task], f"data.root={roots[task]}", *more]))
