"""docs/setup.md, the workflow and the Makefile say one thing; the loggers' commands compose."""

import re
import shlex
from importlib.metadata import requires as needs
from importlib.metadata import version

import hydra
import yaml
from hydra.core.global_hydra import GlobalHydra
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from experiments.runs.compose import check, compose
from experiments.runs.overrides import Overrides
from tests.commands import ROOT, run

SETUP = (ROOT / "docs" / "setup.md").read_text()


def test_the_workflow_calls_make_test_and_only_tests_that_are_there() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())
    steps = {n: [s["run"] for s in j["steps"] if "run" in s] for n, j in jobs["jobs"].items()}
    assert steps["make-test"] == ["make test"]
    install, test = steps["without-make"]
    assert install.endswith("pip install -r requirements.txt")
    paths = [word for word in test.split() if word.startswith("tests/")]
    assert paths and all((ROOT / path).exists() for path in paths)
    versions = {
        row["python"] for row in jobs["jobs"]["without-make"]["strategy"]["matrix"]["include"]
    }
    assert all(version in SETUP for version in versions)


def test_the_targets_and_files_of_the_set_up_page_are_there() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"\bmake (\w+)\b {4}", SETUP)) <= set(targets)
    assert "requirements.txt" in SETUP and (ROOT / "requirements.txt").exists()


def pinned(file: str) -> dict[str, Requirement]:
    """Name -> its line, of a file of requirements."""
    lines = (line.split("#")[0].strip() for line in (ROOT / file).read_text().splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith("-c ")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def test_every_package_is_pinned_to_the_version_that_is_installed() -> None:
    asked = pinned("requirements.txt")
    pins = asked | pinned("requirements.lock")
    seen: set[tuple[str, frozenset[str]]] = set()
    wanted = [(name, frozenset[str]()) for name in asked]
    while wanted:
        name, extras = one = wanted.pop()
        # torch pins its CUDA packages itself; Python brings setuptools.
        if one in seen or re.match("nvidia-|cuda-|triton$|setuptools$", name):
            continue
        seen.add(one)
        assert name in pins, f"requirements.lock lacks {name}=={version(name)}"
        assert version(name) in pins[name].specifier, f"{name}=={version(name)} is installed"
        for line in needs(name) or []:
            found = Requirement(line)
            if not found.marker or any(found.marker.evaluate({"extra": e}) for e in ("", *extras)):
                wanted.append((canonicalize_name(found.name), frozenset(found.extras)))
    assert {name for name, _ in seen} == pins.keys()


def test_every_training_command_of_the_loggers_page_composes() -> None:
    page = (ROOT / "docs" / "loggers.md").read_text()
    commands = re.findall(r"^    python train.py (.*)$", page, re.MULTILINE)
    assert len(commands) == 3
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        for words in commands:
            cfg = compose(Overrides(shlex.split(words)))
            check(cfg)
            assert cfg.logger._target_.startswith("pytorch_lightning.loggers.")


def test_a_setting_of_a_logger_needs_a_logger() -> None:
    code, _, err = run("train.py", "task=ravdess", "fusion=msaf", "logger.project=x")
    assert code == 1 and err.count("\n") == 1
    assert err.startswith("error: logger.project: no such key, for logger has no settings as it is")
