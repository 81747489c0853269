"""Every command of README.md and docs is understood by the command itself.

A new page is found by itself. A new script needs one line in `RULES`: what runs or reads its
arguments, and raises where they are wrong. What is cheap is run; the rest is read by the command's
own parser, up to the point where its input would be opened.
"""

import inspect
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import omegaconf.base
import pytest
import torch
import yaml
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig
from rich.console import Console

from datamodules.packed.dataset import INDEX, write_index
from experiments.conversion.convert import convert
from experiments.evaluation.places import run_folders
from experiments.exporting.command import Wanted
from experiments.fetching.command import download
from experiments.fetching.errors import FetchError
from experiments.figures.wish import Wish
from experiments.prediction.command import Asked
from experiments.robustness.study import Study
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from experiments.runs.run import Run
from experiments.tables.reproduce import reproduce
from experiments.tables.sweep import combinations, plan_sweep
from scripts import benchmark, prepare
from scripts.benchmarks.options import read
from tests.commands import ROOT
from tests.documented import PLACEHOLDER, Command, commands_in, pages
from tests.experiments.finished import finished_run
from tests.sample_data import write_manifest

CONFIGS = ROOT / "configs"
ELSEWHERE = {  # pages whose commands are all run there
    "docs/convert.md": "tests/scripts/test_convert.py",
    "docs/download.md": "tests/scripts/test_download.py",
    "docs/extending.md": "tests/test_extending.py",
    "docs/predict.md": "tests/test_predict_command.py",
}

# What stands for a placeholder, by the key of its override; several in a list are different.
HASHES = {"msaf": "0a1b2c3d", "sum": "1a1b2c3d"}
RUNS = [f"results/ravdess/sample/{fusion}" for fusion in ("msaf", "sum")]
PLACES = {
    "run": RUNS,
    "against": RUNS[1:],
    "in": ["results"],
    "out": ["out"],
    "raw": ["raw"],
    "data.root": ["packed"],
    "pretrained.i3d": ["weights.pt"],
    "pretrained.inflated_resnet50": ["weights.pt"],
    "missing_skeletons": ["list.txt"],
    "action_units": ["table.csv"],
    "text_encoder": ["raw"],
    "corruptions.text.dropped_words.text_encoder": ["raw"],
    "hydra.launcher.partition": ["gpu"],
    "results": ["results"],
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which there is what commands ask for: runs, packed sets' manifests, files."""
    place = tmp_path_factory.mktemp("stage")
    for data in ("sample", "full"):
        for name in ("msaf", "sum"):
            variant = place / f"results/ravdess/{data}/{name}/video+audio-paper-{HASHES[name]}"
            described = {"fusion": name, "hash": HASHES[name], "data": data}
            for fold in range(2) if data == "sample" else [2]:  # so that a pattern may match both
                finished_run(variant, fold=fold, provenance="sample", **described)
    tasks = [
        f"data/{task}/{p}"
        for task in ("ravdess", "mosei", "ntu", "utd_mhad")
        for p in ("paper", "released")
    ]
    for root in ("packed", *tasks):
        (place / root).mkdir(parents=True)
        write_index(place / root / INDEX, [{"id": "a"}])
        np.save(place / root / "audio.npy", np.zeros(1))
        write_manifest(place / root, [{"id": "a"}], task=Path(root).parent.name)
    (place / "raw").mkdir()
    for file in ("list.txt", "table.csv"):
        (place / file).touch()
    torch.save({}, place / "weights.pt")
    shorten_tables(shutil.copytree(CONFIGS, place / "configs") / "table")
    return place


def shorten_tables(tables: Path) -> None:
    """Leave of each table the rows that others are compared with, one fold and one seed."""
    for file in tables.glob("*.yaml"):
        table = yaml.safe_load(file.read_text())
        if "rows" in table:
            if isinstance(table["rows"], str):  # of another table; all rows, whatever is short yet
                other = CONFIGS / "table" / f"{table['rows']}.yaml"
                table["rows"] = yaml.safe_load(other.read_text())["rows"]
            kept = {table["reference"], *(row.get("reference") for row in table["rows"])}
            table["rows"] = [row for row in table["rows"] if row["name"] in kept]
            table |= {key: table[key][:1] for key in ("folds", "seeds")}
            file.write_text(yaml.safe_dump(table, sort_keys=False))


parse_once = cache(omegaconf.base.parse)  # reading yaml is most of the time of these tests


@pytest.fixture(autouse=True)
def _on_stage(stage: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(stage)
    monkeypatch.setattr("omegaconf.base.parse", parse_once)
    monkeypatch.setattr("yaml.SafeLoader", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    GlobalHydra.instance().clear()
    yield
    GlobalHydra.instance().clear()


def compose(name: str, overrides: list[str] | Overrides) -> DictConfig:
    """Compose a command's configuration as Hydra's decorator would, with its launcher."""
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return hydra.compose(name, list(overrides), return_hydra_config=True)


def as_typed(script: str, arguments: list[str]) -> None:
    """Run a script as `python <script>` would, here; its message is the error where it fails."""
    said, before = StringIO(), sys.argv
    sys.argv = [str(ROOT / script), *arguments]
    try:
        with redirect_stderr(said), redirect_stdout(said):
            runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        assert not ended.code, said.getvalue()
    finally:
        sys.argv = before


def run_whole(script: str, *more: str) -> Callable[[list[str]], None]:
    return lambda arguments: as_typed(script, [*arguments, *more])


STARTS: dict[Overrides, Run] = {}  # unimodal runs are composed and hashed once for all


def check_train(arguments: list[str]) -> None:
    """Compose and hash the run, or every run of a sweep."""
    overrides = Overrides(text for text in arguments if text != "-m")
    own = overrides.without("hydra")
    check_launcher(overrides.only("hydra"))
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        if "-m" in arguments:
            assert not (refused := plan_sweep(combinations(list(own))).refused), refused
        else:
            Run(own, Console(quiet=True), STARTS).refuse_idle()


@cache
def check_launcher(overrides: Overrides) -> None:
    compose("train", overrides)


def check_prepare(arguments: list[str]) -> None:
    """Compose, check, build the settings, and see that the function takes them all."""
    config = compose("prepare", arguments)
    prepare.check(config, Overrides(arguments))
    todo = config.verifying if config.verify else config.prepare
    call: Any = hydra.utils.instantiate(todo, _partial_=True)
    inspect.signature(call.func).bind(*call.args, **call.keywords)


def check_reproduce(arguments: list[str]) -> None:
    """List the runs of the shortened table; what says nothing of them is checked apart."""
    overrides = Overrides(arguments)
    check_launcher(overrides.only("hydra"))
    plan_table(overrides.without("hydra", "out", "dry_run", "rerun"))


@cache
def plan_table(overrides: Overrides) -> None:
    assert reproduce(Path("configs").resolve(), Overrides([*overrides, "dry_run=true"])) == 0


def check_figures(arguments: list[str]) -> None:
    """Draw figure 5; of the others read what is asked for, and find its runs."""
    wish = Wish.of(arguments)
    if "run" in wish.asked:
        run_folders(wish.asked["run"])
    else:
        as_typed("scripts/figures.py", arguments)


def check_robustness(arguments: list[str]) -> None:
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        Study.of(Overrides(arguments))


def check_benchmark(arguments: list[str]) -> None:
    name, *texts = arguments
    kind = benchmark.find(name)
    _, rest = read(name, kind, Overrides(texts))
    own = getattr(import_module(f"scripts.benchmarks.{name}"), "OVERRIDES", ())
    compose("train", [*own, *rest])


def check_make(arguments: list[str]) -> None:
    done = subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def check_pip(arguments: list[str]) -> None:
    """Only from this checkout: the package, or a file of requirements."""
    verb, *what = arguments
    files = [
        ROOT / one / "pyproject.toml" if one == "." else ROOT / one for one in what if one != "-r"
    ]
    assert verb == "install" and files and all(file.is_file() for file in files), what


def check_pytest(arguments: list[str]) -> None:
    """See that a marker is registered, and that the tests are there."""
    known = (ROOT / "pyproject.toml").read_text()
    marked = arguments[:1] == ["-m"]
    assert not marked or f'"{arguments[1]}: ' in known, f"{arguments}: no such marker"
    assert all((ROOT / place).exists() for place in arguments[2 * marked :]), arguments


def check_wandb(arguments: list[str]) -> None:
    from wandb.cli.cli import cli

    verb, *places = arguments
    folder = f"{RUNS[0]}/video+audio-paper-0a1b2c3d/fold0/seed1/wandb/offline-run-1"
    Path(folder).mkdir(parents=True, exist_ok=True)
    found = [str(path) for place in places for path in Path().glob(place)]
    assert found, places
    cli.commands[verb].make_context(verb, found)


def check_tensorboard(arguments: list[str]) -> None:
    from tensorboard.program import TensorBoard

    board = TensorBoard()
    board.configure(argv=["tensorboard", *arguments])
    assert Path(board.flags.logdir).is_dir(), arguments


def check_uv(arguments: list[str]) -> None:
    """uv is none of the project's packages: what it has of pip is read as pip's."""
    if arguments[0] == "pip":
        check_pip(arguments[1:])
    else:
        assert arguments == ["venv", "--python", "3.11"]


def check_source(arguments: list[str]) -> None:
    assert arguments == [".venv/bin/activate"]


def check_convert(arguments: list[str]) -> None:
    """Read everything but the file, which is none here."""
    (file,) = PLACES["in"]
    with pytest.raises(RunError, match=f"^{file}: "):
        convert(Overrides(arguments))


def check_download(arguments: list[str]) -> None:
    """Read everything; of what would be fetched, knock at a closed door of this machine."""
    nobody = "http://127.0.0.1:9"
    overrides = Overrides(arguments)
    if overrides.value("task") == "ravdess":
        with pytest.raises(FetchError, match=nobody):
            knocking = overrides.setting(server=nobody, retries=0)
            download(knocking, CONFIGS, Console(quiet=True))
    else:
        download(overrides, CONFIGS, Console(quiet=True))


RULES: dict[str, Callable[[list[str]], None]] = {
    "train.py": check_train,
    "evaluate.py": run_whole("evaluate.py"),
    "scripts/benchmark.py": check_benchmark,
    "scripts/complexity.py": run_whole("scripts/complexity.py"),
    "scripts/convert.py": check_convert,
    "scripts/download.py": check_download,
    "scripts/export.py": lambda arguments: run_folders(Wanted.of(arguments).run) and None,
    "scripts/figures.py": check_figures,
    "scripts/ledger.py": run_whole("scripts/ledger.py", "out=ledger.md"),
    "scripts/predict.py": lambda arguments: run_folders(Asked.of(arguments).run) and None,
    "scripts/prepare.py": check_prepare,
    "scripts/report.py": run_whole("scripts/report.py"),
    "scripts/reproduce.py": check_reproduce,
    "scripts/robustness.py": check_robustness,
    "make": check_make,
    "pip": check_pip,
    "pytest": check_pytest,
    "source": check_source,
    "tensorboard": check_tensorboard,
    "uv": check_uv,
    "wandb": check_wandb,
}


def understand(command: Command) -> None:
    """Give a command to the rule of its program, with places in place of its placeholders."""
    assert command.name in RULES, f"{command.name}: no rule in {Path(__file__).name}"
    start = command.words.index(command.name) + 1
    arguments = [placed(word) for word in command.words[start:]]
    if {"--help", "--cfg"} & set(arguments):
        as_typed(command.name, arguments)
    else:
        RULES[command.name](arguments)


def placed(word: str) -> str:
    """Put places of the stage into an override."""
    if not PLACEHOLDER.search(word):
        return word
    key = word.partition("=")[0].lstrip("+")
    assert key in PLACES, f"{word}: PLACES says nothing of {key}"
    places = iter(PLACES[key])
    return PLACEHOLDER.sub(lambda _: next(places), word)


SHOWN = {
    " ".join(command.words): command  # what several pages show is tested once
    for page in pages()
    if page.relative_to(ROOT).as_posix() not in ELSEWHERE
    for command in commands_in(page.read_text(), page.relative_to(ROOT).as_posix())
}


@pytest.mark.parametrize("command", SHOWN.values(), ids=str)
def test_a_command_of_the_pages_is_understood(command: Command) -> None:
    understand(command)


WRONG = [
    ("python train.py taks=ravdess", "taks"),
    ("python train.py fusion=msaff", "msaff"),
    ("python train.py fusion=sum fusion.mid.block_dropout=0.1", "block_dropout"),
    ("python train.py task=mosei fusion=none", "modalities"),
    ("python train.py data.root=<packed folder>", "data=full"),
    ("python train.py -m fusion=sum,summ", "summ"),
    ("python train.py -m fusion=sum hydra/launcher=joblip", "joblip"),
    ("python train.py epochs=<how many>", "PLACES says nothing of epochs"),
    ("python evaluate.py rnu=<run folder>", "rnu"),
    ("python evaluate.py run='results/ravdess/sample/mmtm/*'", "mmtm"),
    ("python scripts/prepare.py task=ravdess raw=<folder> folds=<list>", "folds"),
    ("python scripts/prepare.py task=ntu raw=<folder> prepare.settings.sise=256", "sise"),
    ("python scripts/prepare.py task=ntu", "raw"),
    ("python scripts/reproduce.py table=7", "table=7"),
    ("python scripts/reproduce.py table=1 seed=1", "seeds="),
    ("python scripts/reproduce.py table=1 drj_run=true", "drj_run"),
    ("python scripts/reproduce.py table=1 hydra.launcher.n_jobs=2", "n_jobs"),
    ("python scripts/figures.py figure=8", "figure=8"),
    ("python scripts/figures.py figure=5 fusion=[msaf]", "fusion"),
    ("python scripts/figures.py figure=6 run=<folder> rulle=last_epoch", "rulle"),
    ("python scripts/robustness.py run=<folder> only=[audio.noize]", "noize"),
    ("python scripts/robustness.py run=<folder> corruptions.audio.hiss.strengths=[3]", "hiss"),
    ("python scripts/report.py inn=<folder>", "inn"),
    ("python scripts/benchmark.py modul", "modul"),
    ("python scripts/benchmark.py module thread=[1]", "thread"),
    ("python scripts/benchmark.py modul --help", "modul"),
    ("python scripts/benchmark.py epoch datamodule.evaluates_on=valid", "evaluates_on"),
    ("python scripts/complexity.py fusion=msfa", "msfa"),
    ("python scripts/ledger.py oot=page.md", "oot"),
    ("python scripts/nothing.py", "no rule"),
    ("make tarin", "tarin"),
    ("pip install -r requirement.txt", "requirement.txt"),
    ("pytest -m slowly tests", "slowly"),
    ("pytest tests/nowhere.py", "nowhere"),
    ("wandb synk results", "synk"),
    ("cargo build", "no rule"),
]


@pytest.mark.parametrize(("text", "named"), WRONG)
def test_a_wrong_command_would_be_found(text: str, named: str) -> None:
    """A misspelt key, choice, table or file fails, and the message names it."""
    with pytest.raises(Exception, match=re.escape(named)) as found:
        understand(Command("page.md", text.replace("<list>", "list.txt")))
    assert not isinstance(found.value, AttributeError | NameError)


def test_every_script_has_a_rule() -> None:
    scripts = {f"scripts/{path.name}" for path in (ROOT / "scripts").glob("*.py")}
    assert scripts | {"train.py", "evaluate.py"} == {name for name in RULES if ".py" in name}


def test_pages_that_are_left_out_are_run_elsewhere() -> None:
    for page, test in ELSEWHERE.items():
        assert Path(page).name in (ROOT / test).read_text()


def test_commands_are_found_in_all_their_places() -> None:
    text = """Type `make test`, `python train.py
seed=2` or `python train.py ...`, as in `train.py`.

```bash
source x  # a comment
python train.py a=1 \\
    'b=[1, 2]'
```

```python
python = 3
```

    OMP_X=1 python evaluate.py run=<a folder> out=x
    metrics.json   a file

| a | `scripts/reproduce.py table=1` |
"""
    found = [one.words for one in commands_in(text, "page.md")]
    assert found == [
        ["source", "x"],
        ["python", "train.py", "a=1", "b=[1, 2]"],
        ["python", "evaluate.py", "run=<a_folder>", "out=x"],
        ["make", "test"],
        ["python", "train.py", "seed=2"],
        ["python", "scripts/reproduce.py", "table=1"],
    ]
