"""No setting is accepted and then ignored: each leaf of the configuration, with another value,
changes what is built, in its arguments and in what it does, or is refused by name.

The same leaves hold identity: what changes what is built changes the hash, and nothing else does.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hydra
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.runs.compose import check, compose
from experiments.runs.identity import digest as run_hash
from experiments.runs.identity import essence, settings
from experiments.runs.idle import PLACES, idle
from experiments.runs.overrides import Overrides
from tests import leaves as does
from tests.experiments.conftest import CONFIGS
from tests.mosei_data import write_packed
from tests.ntu_data import tiny_ntu
from tests.sample_data import session_folder, tiny_ravdess
from tests.utd_mhad_data import tiny_utd_mhad

TASKS: dict[str, list[str]] = {
    "ravdess": ["task=ravdess", "datamodule.folds=[[1,2],[3],[4]]", "batch_size=8"],
    "mosei": ["task=mosei", "task.branches.text.features=6", "batch_size=8"],
    "ntu": ["task=ntu", "batch_size=8", "task.splits.cs={by: subject, train: [1, 2, 3], test: [4]}",
            "protocol.ntu_validation_subjects=[2]", "datamodule.video.size=32",
            "datamodule.skeleton.frames=16"],
    "utd_mhad": ["task=utd_mhad", "batch_size=8", "modalities=[skeleton,inertial,depth]",
                 "datamodule.depth.size=16", "datamodule.depth.frames=3",
                 "datamodule.replaced.share=0.3"],
}  # fmt: skip
INPUTS = {
    "ravdess": {"video": (3, 8, 40, 40), "audio": (13, 212), "action_units": (35,)},
    "mosei": {"visual": (35, 12), "audio": (74, 12), "text": (6, 12)},
    "ntu": {"video": (3, 8, 32, 32), "skeleton": (3, 16, 25, 2)},
    "utd_mhad": {"skeleton": (3, 32, 20, 1), "inertial": (6, 128), "depth": (3, 4, 16, 16)},
}
OUTPUTS = {"ravdess": 8, "mosei": 1, "ntu": 60, "utd_mhad": 27}
PIECES = 4  # in which a task's leaves are looked at, so that no test takes long
PARTS = ("network", "training", "datamodule", "trainer", "reporting", "module")
NODES = ("network", "training.scheduler", "datamodule.sample", "logger",
         "recipes.video.scheduler")  # fmt: skip
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
            "utd_mhad": tiny_utd_mhad(folder)[1],
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

    def __init__(self, task: str, overrides: Overrides) -> None:
        self.overrides, self.cfg = overrides, compose(overrides)
        self.batch = batch_of(task)
        self.arguments = settings(self.cfg)
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


def verdicts(
    task: str, overrides: Overrides, prefix: str, part: int | None = None
) -> dict[str, str]:
    """For each leaf below a prefix: changed, refused, a place, or what is wrong."""
    watched = Watched(task, overrides)
    found = {}
    for path, value in does.leaves(watched.cfg):
        if part is not None and zlib.crc32(path.encode()) % PIECES != part:
            continue
        inside = path.startswith(prefix) if prefix else not path.startswith("fusion.")
        # a node that is taken over whole has leaves of its own, where it comes from
        own = not isinstance(value, dict) and path not in NODES
        if inside and own and path.rpartition(".")[2] not in STRUCTURE:
            found[path] = verdict(watched, path, value)
    return found


def verdict(watched: Watched, path: str, value: Any) -> str:
    other = does.another(path, value)
    if other == value:
        return f"no other value than {value!r} is known to the test"
    cfg = does.changed(watched.cfg, path, other)
    try:
        check(cfg)
        now = settings(cfg)
        same = essence(cfg) == essence(watched.cfg)
    except (ValueError, KeyError, OmegaConfBaseException):
        return "refused"
    if same:
        if path in PLACES or path.startswith(("logger.", "trainer.")):
            return "place"
        text = f"++{path}={_typed(other)}"
        every = Overrides([*watched.overrides, text])
        return "refused" if idle(every, [cfg])[-1:] == [text] else "ignored"
    differing = [part for part in PARTS if now[part] != watched.arguments[part]]
    if run_hash(now) == run_hash(watched.arguments):
        return "start" if not differing else "no part of the hash"
    for part in differing:
        try:
            if part == "module" or watched.doing(part, cfg) != watched.before(part):
                return "changed"
        except (ValueError, OSError, KeyError, AttributeError, InstantiationException):
            return "refused"
    return "changed" if not differing else f"in the hash, and {differing} do the same"


def _typed(value: Any) -> str:
    """A value as it is typed on a command line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value).replace("'", "")


def tiny(task: str, roots: dict[str, Path], *more: str) -> Overrides:
    """A run of the task at a tiny size, on the tiny packed set."""
    return Overrides([*TASKS[task], f"data.root={roots[task]}", *more])


# Settings that act only beside another one are looked at beside it.
BESIDE = {
    "mosei": ["fusion.mid.join_mean=masked"],
    "ntu": ["fusion.mid.block_dropout=0.2"],
    "utd_mhad": ["fusion.mid.block_dropout=0.2"],
}
# Every fusion there is, on the first task that it is made for; some have settings that act on one
# task alone, and are looked at on that one too.
ALSO = {"msaf": ["mosei", "ntu"], "crossmodal": ["mosei"], "bottleneck": ["mosei"]}


def fusions() -> Iterator[tuple[str, str]]:
    for file in sorted(Path(CONFIGS, "fusion").glob("*.yaml")):
        content = OmegaConf.load(file)
        tasks = OmegaConf.select(content, "fusion.tasks") or content.get("tasks") or ["ravdess"]
        if file.stem != "none":  # which has no setting
            yield from ((task, file.stem) for task in [tasks[0], *ALSO.get(file.stem, [])])


FINE = {"changed", "refused", "place", "start"}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("part", range(PIECES))
def test_no_setting_of_a_task_is_accepted_and_ignored(
    task: str, part: int, roots: dict[str, Path]
) -> None:
    found = verdicts(task, tiny(task, roots, *BESIDE.get(task, [])), "", part)
    assert {path: said for path, said in found.items() if said not in FINE} == {}
    count = {kind: sum(said == kind for said in found.values()) for kind in FINE}
    assert count["changed"] >= 7, count  # nor is everything refused


@pytest.mark.parametrize(("task", "fusion"), fusions())
def test_no_setting_of_a_fusion_is_accepted_and_ignored(
    task: str, fusion: str, roots: dict[str, Path]
) -> None:
    beside = BESIDE.get(task, []) if fusion == "msaf" else []
    found = verdicts(task, tiny(task, roots, f"fusion={fusion}", *beside), "fusion.")
    assert {path: said for path, said in found.items() if said not in FINE} == {}
    names = ("fusion.name", "fusion.tasks", "fusion.needs", "fusion.least_outputs")
    assert all(found.get(path, "refused") == "refused" for path in names)


def test_at_most_a_dozen_places_change_nothing() -> None:
    assert len(PLACES) <= 12


@pytest.mark.parametrize(
    ("overrides", "idle_one"),
    [
        (["task=ravdess", "fusion.mid.block_channels=8"], 1),  # each point has its own
        (["task=ravdess", "fusion=none", "modalities=[audio]", "datamodule.video.flip=0.1"], 3),
        (["task=ravdess", "fusion=none", "modalities=[audio]", "points=[late]"], 3),
        (["task=ravdess", "points=[middle]", "fusion.points.late.block_channels=8"], 2),
        (["task=ntu", "task.splits.cv.train=[1]"], 1),
        (["task=ntu", "pretrained.inflated_resnet50=a.pt"], 1),
        (["task=ntu", "fusion=mfas", "points=[late]"], 2),
        (["task=ntu", "fusion=centralnet", "fusion.frozen=false"], 2),
        (["task=ntu", "fusion=none", "modalities=[skeleton]", "rgb=inflated_resnet50"], 3),
        (["task=ntu", "recipes.skeleton.epochs=5"], 1),
        (["task=mosei", "fusion=dcca", "task.branches.text.padding=left"], 2),
        (["task=mosei", "fusion=tfn", "staged.outputs=2"], 2),
        (["task=mosei", "fusion=lmf", "task.readout.dropout=0.5"], 2),
        (["task=mosei", "fusion=misa", "modalities=[text,audio,visual]"], 2),
        (["task=mosei", "task.shapes.text=[3,50]"], 1),
        (["task=ntu", "fusion=sum", "~task.splits.cv"], 2),
        (["task=mosei", "fusion=sum", "+logger.project=a"], 2),
    ],
)
def test_an_override_without_effect_is_found(
    roots: dict[str, Path], overrides: list[str], idle_one: int
) -> None:
    every = Overrides(overrides)
    assert idle(every, [compose(every)]) == [overrides[idle_one]]


@pytest.mark.parametrize(
    "overrides",
    [
        [
            "task=ravdess",
            "fusion.points.late.block_channels=8",
            "+fusion.points.middle.reduction=2",
        ],
        ["task=mosei", "fusion.mid.segments=2", "epochs=2", "threads=2", "init=unimodal"],
        ["task=ntu", "steps.milestones=[3]", "steps.gamma=0.5", "training.optimizer.lr=0.1"],
        ["task=ntu", "rgb=inflated_resnet50", "trainer.precision=64-true", "logger=wandb"],
        ["task=ntu", "pretrained.i3d=a.pt", "init=scratch"],
        ["task=ravdess", "results=x", "progress=false", "datamodule.workers=2", "rerun=true"],
    ],
)
def test_an_override_with_effect_and_a_place_are_left_alone(
    roots: dict[str, Path], overrides: list[str]
) -> None:
    every = Overrides(overrides)
    assert idle(every, [compose(every)]) == []
