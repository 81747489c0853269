"""Every yaml composes, and what it names can be built with the arguments that it gives."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import hydra
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from hydra.utils import get_class
from omegaconf import OmegaConf

from experiments.runs.compose import build, check
from experiments.runs.folder import RunError

CONFIGS = Path(__file__).parents[1] / "configs"


def choices(group: str) -> list[str]:
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def compose(*overrides: str) -> Any:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return hydra.compose("train", list(overrides))


def combinations() -> Iterator[tuple[str, str, str, str]]:
    """Every combination; of a fusion that is made for other tasks one is enough."""
    for task, fusion in product(choices("task"), choices("fusion")):
        content = OmegaConf.load(CONFIGS / "fusion" / f"{fusion}.yaml")
        tasks = content.get("fusion", content).get("tasks", [task])
        if task in tasks:
            yield from product([task], [fusion], choices("protocol"), choices("data"))
        else:
            yield task, fusion, "paper", "sample"


@pytest.mark.parametrize(("task", "fusion", "protocol", "data"), combinations())
def test_every_combination_builds_its_network(
    task: str, fusion: str, protocol: str, data: str
) -> None:
    overrides = [f"task={task}", f"fusion={fusion}", f"protocol={protocol}", f"data={data}"]
    one = [f"modalities=[{compose(*overrides).modalities[0]}]"] if fusion == "none" else []
    cfg = compose(*overrides, *one, "data.root=somewhere")
    other_task = task not in cfg.fusion.get("tasks", [task])
    if other_task or cfg.task.outputs < cfg.fusion.get("least_outputs", 1):
        with pytest.raises(RunError, match=f"fusion={fusion} (is made for|combines class)"):
            check(cfg)
        return
    check(cfg)
    with torch.device("meta"):
        network = build(cfg.network)
    if "branches" in cfg.network:
        assert set(network.branches) == set(cfg.modalities)
    get_class(cfg.datamodule._target_)
    assert build(cfg.training).configure(network) is not None


@pytest.mark.parametrize("group", ["logger", "trainer"])
def test_the_other_groups_compose(group: str) -> None:
    for choice in choices(group):
        assert compose(f"{group}={choice}")


@pytest.mark.parametrize("task", choices("task"))
def test_both_protocols_have_the_same_switches_of_a_task_and_all_are_documented(task: str) -> None:
    paper, released = (
        compose(f"task={task}", f"protocol={name}").protocol for name in ("paper", "released")
    )
    assert set(paper) == set(released)
    documented = (CONFIGS.parent / "docs" / "deviations.md").read_text()
    differing = {key for key in paper if paper[key] != released[key]} - {"name"}
    assert differing
    assert all(f"`{switch}`" in documented for switch in paper if switch != "name")


def test_a_task_has_no_switch_of_another() -> None:
    own = {task: set(compose(f"task={task}").protocol) for task in choices("task")}
    general = {"name", "dropout_form", "dropout_mask", "init_from"}
    assert all(general <= switches for switches in own.values())
    assert own["ravdess"] & own["mosei"] == own["mosei"] & own["ntu"] == general
    assert own["ravdess"] & own["ntu"] == {*general, "channel_order"}


def files_of(*words: str) -> list[str]:
    """The yaml files that a composition reads, besides train.yaml."""
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        found = loader.compute_defaults_list("train", list(words), RunMode.RUN).defaults
    named = [d.config_path for d in found if not (d.config_path or "hydra/").startswith("hydra")]
    return [name for name in named if name not in ("train", "hydra", "_self_")]


def keys_of(file: str) -> set[str]:
    content = OmegaConf.load(CONFIGS / f"{file}.yaml")
    text = (CONFIGS / f"{file}.yaml").read_text()
    package = re.search(r"@package (\S+)", text)
    default = file.partition("/")[0]
    root = {"_global_": ""}.get(package[1], package[1]) if package else default

    def below(node: Any, path: str) -> Iterator[str]:
        for key in node:
            place = f"{path}.{key}" if path else str(key)
            raw = node._get_node(key)
            if OmegaConf.is_dict(raw) and not raw._is_none() and not raw._is_interpolation():
                yield from below(raw, place)
            else:
                yield place

    return {key for key in below(content, root) if not key.startswith("defaults")}


@pytest.mark.parametrize(
    ("words", "most"),
    [
        (("task=mosei", "fusion=lmf"), 6),
        (("task=mosei", "fusion=msaf"), 7),
        (("task=ravdess", "fusion=msaf"), 7),
        (("task=ntu", "fusion=mfas"), 7),
        (("task=ntu", "fusion=msaf"), 8),
    ],
)
def test_few_files_say_where_a_value_comes_from(words: tuple[str, ...], most: int) -> None:
    files = files_of(*words)
    assert len(files) <= most, files
    setters: dict[str, list[str]] = {}
    for file in files:
        for key in keys_of(file):
            setters.setdefault(key, []).append(file)
    assert {key: by for key, by in setters.items() if len(by) > 2} == {}


def test_no_folder_of_the_configuration_has_folders() -> None:
    assert not [path for path in CONFIGS.glob("*/*") if path.is_dir()]


def test_the_six_folds_split_the_actors_and_keep_the_sexes_even() -> None:
    folds = compose("task=ravdess").datamodule.folds
    assert sorted(actor for fold in folds for actor in fold) == list(range(1, 25))
    assert all(sum(actor % 2 for actor in fold) == 2 for fold in folds)
