import shlex
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from experiments.figures.report.commands import commands, overrides_of, written
from experiments.runs.compose import compose
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from tests.experiments.conftest import MakeRun


@pytest.mark.parametrize(
    "changes",
    [["fusion=sum", "init=scratch", "seed=3", "fold=2", "data.root='a b,c'"],
     ["fusion=msaf", "fusion.points.late.block_channels=8", "+fusion.points.middle.reduction=2",
      "points=[late]", "modality_dropout=0.1"],
     ["fusion=none", "modalities=[audio]", "protocol=released", "protocol.dropout_mask=batch"],
     ["fusion=none", "modalities=[audio]", "training.optimizer.lr=1e-5", "threads=2",
      "datamodule.validation_actors=4", "+trainer.accumulate_grad_batches=2",
      "datamodule.folds=[[1,2],[3]]", "trainer.gradient_clip_val=0.5"]],
)  # fmt: skip
def test_the_overrides_found_make_the_same_run(make_run: MakeRun, changes: list[str]) -> None:
    run = make_run(*changes)
    config = OmegaConf.to_container(OmegaConf.create(OmegaConf.to_yaml(run.cfg, resolve=True)))
    assert isinstance(config, dict)
    config = {str(key): value for key, value in config.items()}
    found = overrides_of(config)
    again = make_run(*found, f"fold={run.cfg.fold}", f"seed={run.cfg.seed}")
    assert again.hash == run.hash
    keys = {"data", "protocol", "task", "fusion", "data.root"}
    assert len(found.without(*keys)) <= len(Overrides(changes).without(*keys, "fold", "seed")) + 5


def test_a_choice_within_a_task_is_found(make_run: MakeRun) -> None:
    asked = ["task=ntu", "data=full", "rgb=inflated_resnet50", "epochs=3"]
    config = OmegaConf.to_container(compose(Overrides([*asked, "data.root=x"])), resolve=True)
    assert isinstance(config, dict)
    found = overrides_of({str(key): value for key, value in config.items()})
    assert sorted(found.without("protocol", "fusion", "data.root")) == sorted(asked)


@pytest.mark.parametrize("config", [{}, {"task": 3}, {"task": {"name": "no"}}])
def test_a_foreign_configuration_is_said_to_be_none(make_run: MakeRun, config: dict) -> None:
    with pytest.raises(RunError, match=r"its config\.yaml is"):
        overrides_of(config)


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 1e-05, "plain", "a b", "it's", "$(rm x)", "a,b", "[x", "{y}", "", "x=y", "null",
     "3", [1, "a b", [True]], "\\'", "back\\slash", {"a": 1, "b": ["c d"]}],
)  # fmt: skip
def test_a_value_is_read_back_by_the_grammar_and_by_the_shell(value: object) -> None:
    (line,) = commands(Overrides([f"key={written(value)}"]), [(0, 1)])
    *start, override, fold, seed = shlex.split(line)
    assert start == ["python", "train.py"]
    assert (fold, seed) == ("fold=0", "seed=1")
    found = Overrides([override]).value("key")
    assert found == value
    assert type(found) is type(value)


def test_folds_with_the_same_seeds_share_a_sweep() -> None:
    every = Overrides(["task=ravdess"])
    keys = [(0, 1), (0, 2), (1, 2), (1, 1), (2, 1)]
    assert commands(every, keys) == [
        "python train.py -m task=ravdess fold=0,1 seed=1,2",
        "python train.py task=ravdess fold=2 seed=1",
    ]
    assert commands(every, [("cs", 1)]) == ["python train.py task=ravdess fold=cs seed=1"]


def test_where_things_are_is_no_setting(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("progress=true", "logger=wandb", "datamodule.workers=2")
    config = OmegaConf.to_container(run.cfg, resolve=True)
    assert isinstance(config, dict)
    found = overrides_of({str(key): value for key, value in config.items()})
    assert not {"results", "progress", "logger", "datamodule.workers", "fold"} & set(found.keys)
