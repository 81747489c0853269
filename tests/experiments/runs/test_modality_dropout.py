"""modality_dropout as an override: no part of a run at 0, refused where it has no effect."""

from collections.abc import Iterator

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from experiments.runs.compose import check, compose
from experiments.runs.folder import RunError
from experiments.runs.identity import digest, settings
from experiments.runs.idle import idle
from experiments.runs.overrides import Overrides
from tests.experiments.conftest import CONFIGS, MakeRun


@pytest.fixture(autouse=True, scope="module")
def configured() -> Iterator[None]:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        yield


@pytest.mark.parametrize("task", ["ravdess", "mosei", "ntu", "utd_mhad"])
def test_it_is_part_of_the_hash_where_it_is_on_alone(task: str) -> None:
    plain = compose(Overrides([f"task={task}"]))
    without = OmegaConf.to_container(plain.network, resolve=True)
    assert isinstance(without, dict) and without.pop("modality_dropout") == 0
    assert settings(plain)["network"] == without  # as before there was the setting
    on = compose(Overrides([f"task={task}", "modality_dropout=0.2"]))
    check(on)
    assert digest(settings(on)) != digest(settings(plain))
    off = compose(Overrides([f"task={task}", "modality_dropout=0"]))
    assert digest(settings(off)) == digest(settings(plain))


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["fusion=none", "modalities=[audio]"], "a run of one modality"),
        (["task=ntu", "fusion=mfas"], "fusion=mfas is a network of its own"),
        (["task=mosei", "fusion=tfn"], "fusion=tfn is a network of its own"),
        (["fusion=average"], "fusion=average trains nothing"),
    ],
)
def test_it_is_refused_where_it_has_no_effect(overrides: list[str], reason: str) -> None:
    with pytest.raises(RunError, match=reason):
        check(compose(Overrides([*overrides, "modality_dropout=0.2"])))


@pytest.mark.parametrize("value", ["1.5", "-0.1", "some"])
def test_a_value_that_is_no_probability(value: str) -> None:
    with pytest.raises(RunError, match=f"modality_dropout={value}: expected a probability"):
        check(compose(Overrides([f"modality_dropout={value}"])))


def test_the_override_acts() -> None:
    every = Overrides(["task=ravdess", "modality_dropout=0.2"])
    assert idle(every, [compose(every)]) == []


def test_the_unimodal_runs_that_it_starts_from_are_those_of_any_fusion(make_run: MakeRun) -> None:
    plain, dropping = make_run(), make_run("modality_dropout=0.2")
    assert plain.hash != dropping.hash
    assert [s.hash for s in plain.sources.values()] == [s.hash for s in dropping.sources.values()]
    assert "modality_dropout0.2" in str(dropping.folder.path)
