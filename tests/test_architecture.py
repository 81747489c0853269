"""The arrows of the design: who may import whom, no circle anywhere, and what must stay light.

Every import counts, also one inside a function and one for the type checker alone.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("msaf", "models", "datamodules", "experiments", "scripts", "hydra_plugins")
SCRIPTS = {"train", "evaluate"}
# A room imports itself, what stands beside the rooms, and these.
MAY_IMPORT = {
    "msaf": set(),
    "models": {"msaf"},
    "datamodules": set(),
    "experiments": set(),
    "scripts": {"experiments"},
    "hydra_plugins": {"experiments"},
    "train": {"experiments"},
    "evaluate": {"experiments"},
}
EXPERIMENTS = {
    "runs": set(),
    "evaluation": {"runs"},
    "conversion": {"runs", "evaluation"},
    "tables": {"runs", "evaluation"},
    "robustness": {"runs", "evaluation"},
    "fetching": {"runs"},
    "figures": {"runs", "evaluation", "tables", "robustness"},
    "prediction": {"runs", "evaluation", "figures"},
    "exporting": {"runs", "evaluation", "prediction"},
}
# And never another data set's folder.
DATA_SET = {"packed", "formats", "rendering", "corruption", "own"}
DATAMODULES = {
    "packed": set(),
    "rendering": set(),
    "corruption": {"packed"},
    "own": {"packed", "formats"},
    "formats": {"packed"},
    "ravdess": DATA_SET,
    "mosei": DATA_SET,
    "ntu": DATA_SET,
    "utd_mhad": DATA_SET,
}


def project_files() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")
    yield from (ROOT / f"{name}.py" for name in SCRIPTS)


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(file: Path) -> set[str]:
    """The dotted names that a file imports; `from a import b` gives `a.b`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def graph() -> dict[str, set[str]]:
    """The project's modules, each with those of the project that it imports."""
    files = {module_name(file): file for file in project_files()}

    def resolve(name: str) -> str | None:
        while name and name not in files:
            name = name.rpartition(".")[0]
        return name or None

    return {
        name: {m for m in map(resolve, imported_names(file)) if m is not None} - {name}
        for name, file in files.items()
    }


def wrong_arrows(
    edges: Mapping[str, set[str]], may: Mapping[str, set[str]], depth: int
) -> set[tuple[str, str]]:
    """The imports from one room into another that it may not know."""
    found = set()
    for name, imported in edges.items():
        room = name.split(".")[depth] if name.count(".") >= depth else None
        for other in imported:
            target = other.split(".")[depth] if other.count(".") >= depth else None
            if room in may and target in may and target not in may[room] | {room}:
                found.add((name, other))
            if room not in may and target in may and depth:
                found.add((name, other))  # what stands beside the rooms knows none of them
    return found


def test_packages_import_only_along_the_arrows() -> None:
    assert set(MAY_IMPORT) == {*PACKAGES, *SCRIPTS}
    assert not wrong_arrows(graph(), MAY_IMPORT, 0)


@pytest.mark.parametrize(
    ("package", "arrows"), [("experiments", EXPERIMENTS), ("datamodules", DATAMODULES)]
)
def test_the_rooms_of_a_package_import_only_along_the_arrows(
    package: str, arrows: dict[str, set[str]]
) -> None:
    inside = {
        name: {other for other in imported if other.startswith(f"{package}.")}
        for name, imported in graph().items()
        if name.startswith(f"{package}.")
    }
    rooms = {file.parent.name for file in (ROOT / package).glob("*/__init__.py")}
    assert rooms <= set(arrows)
    assert not wrong_arrows(inside, arrows, 1)


def test_there_is_no_circle() -> None:
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail(f"imports go round: {' -> '.join(error.args[1])}")


def test_a_wrong_arrow_and_a_circle_would_be_found() -> None:
    edges = {"experiments.runs.run": {"experiments.tables.plan"}, "experiments.files": set()}
    assert wrong_arrows(edges, EXPERIMENTS, 1) == {
        ("experiments.runs.run", "experiments.tables.plan")
    }
    assert wrong_arrows({"experiments.files": {"experiments.runs.run"}}, EXPERIMENTS, 1)
    assert wrong_arrows({"models.network": {"datamodules"}}, MAY_IMPORT, 0)
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()


def test_the_commands_stay_short() -> None:
    for name in SCRIPTS:
        assert len((ROOT / f"{name}.py").read_text().splitlines()) <= 120


def test_the_module_needs_torch_and_nothing_else() -> None:
    names = set().union(*(imported_names(f) for f in (ROOT / "msaf").glob("*.py")))
    third_party = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert third_party <= {"torch", "msaf"}
    code = (
        "import sys, msaf; "
        "print({'torchvision', 'pytorch_lightning', 'hydra', 'omegaconf'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert out.stdout.strip() == "set()", out.stderr
