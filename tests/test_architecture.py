"""The arrows between the project's packages: who may import whom, and what must stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"msaf", "models", "datamodules", "experiments", "scripts"}
MAY_IMPORT = {
    "msaf": set(),
    "models": {"msaf"},
    "datamodules": set(),
    "experiments": set(),
    "scripts": {"experiments"},
}


def imports(file: Path) -> set[str]:
    tree, found = ast.parse(file.read_text()), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_packages_import_only_along_the_arrows(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    allowed = MAY_IMPORT[package] | {package}
    wrong = {str(f.relative_to(ROOT)): imports(f) & PACKAGES - allowed for f in files}
    assert not {file: names for file, names in wrong.items() if names}


def test_composition_roots_know_experiments_only() -> None:
    for name in ("train.py", "evaluate.py"):
        assert imports(ROOT / name) & PACKAGES <= {"experiments"}
        assert len((ROOT / name).read_text().splitlines()) <= 120


def test_the_module_needs_torch_and_nothing_else() -> None:
    files = (ROOT / "msaf").glob("*.py")
    third_party = set().union(*(imports(f) for f in files)) - set(sys.stdlib_module_names)
    assert third_party <= {"torch", "msaf"}
    code = (
        "import sys, msaf; "
        "print({'torchvision', 'pytorch_lightning', 'hydra', 'omegaconf'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert out.stdout.strip() == "set()", out.stderr
