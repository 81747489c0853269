"""docs/extending.md followed to the letter, in a copy of the project."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.commands import ENVIRONMENT, ROOT

PAGE = ROOT / "docs" / "extending.md"
PROJECT = (
    "configs", "datamodules", "experiments", "hydra_plugins", "models", "msaf", "scripts",
    "train.py",
)  # fmt: skip
AT_ITS_END = ", at its end"
# Runs the commands one after the other as `python <command>` would, importing torch once for all.
RUNNER = """
import json, runpy, shlex, sys
for line in json.load(sys.stdin):
    sys.argv = shlex.split(line)
    sys.path[0] = str(__import__("pathlib").Path(sys.argv[0]).resolve().parent)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            sys.exit(f"{line}: exit status {ended.code}")
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


def follow(block: Block, root: Path) -> None:
    """Do to the files below `root` what a block says."""
    file = root / block.place.removesuffix(AT_ITS_END)
    if block.language == "diff":
        text = file.read_text()
        for change in re.findall(r"^((?:-.*\n)+)((?:\+.*\n)+)", block.content, re.MULTILINE):
            before, after = (re.sub(r"^[-+]", "", part, flags=re.MULTILINE) for part in change)
            assert text.count(before) == 1, before
            text = text.replace(before, after)
        file.write_text(text)
    elif block.place.endswith(AT_ITS_END):
        file.write_text(file.read_text() + block.content)
    else:
        assert not file.exists(), f"{file}: there already"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.content)


def test_following_the_page_works(tmp_path: Path) -> None:
    """Files are made and changed as the page says; all commands end well, run as they stand.

    The commands run in one process for each stretch between two changed files.
    """
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    for block in blocks():
        if block.language != "sh":
            follow(block, tmp_path)
            continue
        commands = [line.removeprefix("python ") for line in block.text.splitlines()]
        done = subprocess.run(
            [sys.executable, "-c", RUNNER],
            cwd=tmp_path,
            env={**ENVIRONMENT, "PYTHONPATH": str(tmp_path)},
            input=json.dumps(commands),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    runs = {
        "/".join(file.relative_to(tmp_path / "results" / "gestures" / "full").parts[:2])
        for file in tmp_path.rglob("metrics.json")
    }
    for name in ("msaf", "none", "loudness"):
        assert any(run.startswith(f"{name}/") for run in runs)
    four = "msaf/accelerometer+gyroscope+muscle+pressure-paper"
    assert sum(run.startswith(four) for run in runs) == 1
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
