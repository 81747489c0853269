"""Every yaml composes, and what it names can be built with the arguments that it gives."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import hydra
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
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
        tasks = OmegaConf.load(CONFIGS / "fusion" / f"{fusion}.yaml").get("tasks", [task])
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
        assert list(network.branches) == list(cfg.modalities)
    get_class(cfg.datamodule._target_)
    assert build(cfg.training).configure(network) is not None


@pytest.mark.parametrize("group", ["logger", "trainer"])
def test_the_other_groups_compose(group: str) -> None:
    for choice in choices(group):
        assert compose(f"{group}={choice}")


def test_both_protocols_have_the_same_switches() -> None:
    paper, released = (compose(f"protocol={name}").protocol for name in ("paper", "released"))
    assert set(paper) == set(released)
    documented = (CONFIGS.parent / "docs" / "deviations.md").read_text()
    differing = {key for key in paper if paper[key] != released[key]} - {"name"}
    assert differing
    assert all(f"`{switch}`" in documented for switch in paper if switch != "name")


def test_the_six_folds_split_the_actors_and_keep_the_sexes_even() -> None:
    folds = compose("task=ravdess").datamodule.folds
    assert sorted(actor for fold in folds for actor in fold) == list(range(1, 25))
    assert all(sum(actor % 2 for actor in fold) == 2 for fold in folds)
