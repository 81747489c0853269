"""Planning: which runs there are, held to runs that are made one by one; and what it takes."""

from collections.abc import Iterator
from pathlib import Path

import hydra
import pytest
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console

from experiments.runs import compose as module
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from experiments.tables.plan import Job, jobs_of, plan, run_maker
from experiments.tables.table import Row, Table
from tests.experiments.conftest import CONFIGS

CONSOLE = Console(quiet=True)


@pytest.fixture(autouse=True)
def _hydra() -> Iterator[None]:
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        yield


@pytest.mark.parametrize(
    "overrides",
    [
        ["task=ravdess", "fusion=msaf"],
        ["task=ravdess", "fusion=concat", "init=scratch"],
        ["task=ravdess", "fusion=none", "modalities=[audio]", "epochs=${seed}"],
        ["task=ravdess", "fusion=sum", "training.optimizer.lr=0.00${fold}1"],
        ["fusion=none", "modalities=[audio]", "results=other/${seed}"],
        ["fusion=none", "modalities=[video]", "task.sample.settings.frames=${seed}"],
        [
            "task=ravdess",
            "fusion=none",
            "modalities=[audio]",
            "datamodule.validation_actors=${fold}",
        ],
        ["task=mosei", "fusion=tfn"],
    ],
    ids=" ".join,
)
def test_repeats_are_planned_as_if_each_were_made(overrides: list[str]) -> None:
    """By fold and seed, whatever is made of them; the sources of each run as well."""
    folds = [0] if "task=mosei" in overrides else [0, 1, 2]
    every = [
        Overrides([*overrides, f"fold={fold}", f"seed={seed}"]) for seed in (1, 2) for fold in folds
    ]
    make_run = run_maker()
    found = jobs_of(make_run(every[0]), every, make_run)
    assert [place(job) for job in found] == [place(Job.of(Run(o, CONSOLE))) for o in every]
    assert len({job.folder for job in found}) == len(every)


def place(job: Job) -> tuple[Path, list[Path]]:
    return job.folder.path, [source.folder.path for source in job.sources]


@pytest.mark.parametrize(
    ("last", "message"), [("fold=6", "fold: expected 0 to 5, found 6"), ("seed=-1", "seed=-1: exp")]
)
def test_a_fold_or_a_seed_that_there_is_not_is_found(last: str, message: str) -> None:
    every = [Overrides(["fusion=sum", *more]) for more in ([], ["fold=1"], ["fold=2"], [last])]
    make_run = run_maker()
    run = make_run(every[0])
    with pytest.raises(RunError, match=message):
        jobs_of(run, every, make_run)


def composed(table: Table, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What Hydra composes to plan a table, from nothing."""
    found: list[tuple[str, ...]] = []
    original = hydra.compose

    def compose(name: str, overrides: list[str]) -> object:
        found.append(tuple(overrides))
        return original(name, overrides)

    module._composed.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(hydra, "compose", compose)
        plan(table, Overrides())
    return found


def test_a_choice_is_composed_once_for_all_its_folds_and_seeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = tuple(Row(f, (f"fusion={f}",)) for f in ("sum", "msaf"))
    common = {"name": "x", "title": "x", "rows": rows, "metrics": ("accuracy",), "reference": "sum"}
    many = Table(**common, folds=(0, 1, 2, 3, 4, 5), seeds=(1, 2, 3))  # type: ignore[arg-type]
    single = ("fusion=none", "modalities=[video]"), ("fusion=none", "modalities=[audio]")
    expected = [("fusion=sum",), ("fusion=msaf",), *(("task=ravdess", *one) for one in single)]
    assert sorted(composed(many, monkeypatch)) == sorted(expected)
