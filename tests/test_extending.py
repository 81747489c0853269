"""docs/extending.md followed to the letter, in a copy of the project."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.commands import ENVIRONMENT, ROOT

PAGE = ROOT / "docs" / "extending.md"
PROJECT = (
    "configs", "datamodules", "experiments", "hydra_plugins", "models", "msaf", "scripts",
    "train.py",
)  # fmt: skip
AT_ITS_END = ", at its end"
# Does the steps of standard input one after the other: a file is written, a command is run as
# `python <command>` would, but torch is imported once for all. What a command imported of the
# new data set is read again after it, since the next one may find other files.
RUNNER = """
import importlib, json, pathlib, runpy, shlex, sys
root = str(pathlib.Path.cwd())
for file, content, command in json.load(sys.stdin):
    if file:
        pathlib.Path(file).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(file).write_text(content)
        continue
    importlib.invalidate_caches()
    sys.argv = shlex.split(command)
    sys.path[0] = str(pathlib.Path(sys.argv[0]).resolve().parent)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            sys.exit(f"{command}: exit status {ended.code}")
    for name in [name for name in sys.modules if name.startswith("datamodules.gestures.")]:
        importlib.reload(sys.modules[name])
"""


@dataclass(frozen=True)
class Block:
    """A code block: its language, and its text."""

    language: str
    text: str

    @property
    def place(self) -> str:
        """What the first line names: the file."""
        return self.text.splitlines()[0].removeprefix("# ")

    @property
    def content(self) -> str:
        """What follows the first line."""
        return self.text.split("\n", 1)[1]


def blocks() -> list[Block]:
    found = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return [Block(*one) for one in found]


def steps() -> Iterator[tuple[str, str, str]]:
    """Give what the page says to do: a file and what it holds then, or a command."""
    files: dict[str, str] = {}
    for block in blocks():
        if block.language == "sh":
            for line in block.text.splitlines():
                yield "", "", line.removeprefix("python ")
            continue
        file = block.place.removesuffix(AT_ITS_END)
        if block.language == "diff":
            for change in re.findall(r"^((?:-.*\n)+)((?:\+.*\n)+)", block.content, re.MULTILINE):
                before, after = (re.sub(r"^[-+]", "", part, flags=re.MULTILINE) for part in change)
                assert files[file].count(before) == 1, before
                files[file] = files[file].replace(before, after)
        elif block.place.endswith(AT_ITS_END):
            files[file] += block.content
        else:
            assert file not in files and not (ROOT / file).exists(), f"{file}: there already"
            files[file] = block.content
        yield file, files[file], ""


def test_following_the_page_works(tmp_path: Path) -> None:
    """Files are made and changed as the page says; all commands end well, run as they stand."""
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        cwd=tmp_path,
        env={**ENVIRONMENT, "PYTHONPATH": str(tmp_path)},
        input=json.dumps(list(steps())),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    made = tmp_path / "results" / "gestures" / "full"
    runs = [file.relative_to(made).as_posix() for file in made.rglob("metrics.json")]
    for name, expected in (("msaf", 4), ("none", 2), ("loudness", 3)):
        assert sum(run.startswith(f"{name}/") for run in runs) == expected, runs
    assert any(run.startswith("msaf/accelerometer+gyroscope+muscle+pressure-") for run in runs)
    table = (tmp_path / "results" / "tablegestures.md").read_text()
    for row in ("Muscle alone", "MSAF", "Loudness"):
        assert re.search(rf"^\| {row}.*\| \d+\.\d ± \d+\.\d", table, re.MULTILINE), table


def test_the_page_says_how_many_files_a_data_set_takes() -> None:
    """A data set of three modalities: one folder and two yamls, and nothing that was there."""
    page = PAGE.read_text()
    section = page[page.index("## 1. A data set") : page.index("## 2. A fusion")]
    files = re.findall(r"^```\w+\n# (\S+/\S+)$", section, re.MULTILINE)
    assert files == [
        "datamodules/gestures/prepare.py",
        "datamodules/gestures/datamodule.py",
        "configs/task/gestures.yaml",
        "configs/prepare/gestures.yaml",
    ]
    assert not any((ROOT / file).exists() for file in files)
