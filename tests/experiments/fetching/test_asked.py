"""What is printed of data sets that cannot be fetched, and the exit status."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from experiments.fetching.command import download
from experiments.fetching.errors import FetchError
from experiments.runs.overrides import Overrides
from tests.experiments.conftest import CONFIGS


def ask(*overrides: str) -> tuple[int, str]:
    said = io.StringIO()
    status = download(Overrides(overrides), Path(CONFIGS), Console(file=said, width=300))
    return status, said.getvalue()


@pytest.mark.parametrize(
    ("task", "where"),
    [("mosei", "CMU_MOSEI_TimestampedWords.csd"), ("ntu", "rose1.ntu.edu.sg/dataset/")],
)
def test_what_to_ask_for(task: str, where: str, tmp_path: Path) -> None:
    status, said = ask(f"task={task}", f"out={tmp_path}")
    assert status == 1
    assert "cannot be fetched by a command" in said
    assert where in said
    assert re.search(r"^  missing  \w", said, re.MULTILINE)
    assert "The same command looks again." in said


@pytest.mark.parametrize("task", ["mosei", "ntu"])
def test_a_folder_that_is_not_there_yet(task: str, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    status, said = ask(f"task={task}", f"out={folder}")
    assert status == 1
    assert "cannot be fetched by a command" in said
    assert said.endswith(f"\n{folder} is not there yet. The same command looks again.\n")
    assert "expected" not in said
    assert not folder.exists()


def test_what_is_there(tmp_path: Path) -> None:
    table = tmp_path / "label.csv"
    table.write_text("video_id,clip_id,text,label,mode\nv,1,good day,2,train\n")
    status, said = ask("task=mosei", f"out={tmp_path}")
    assert status == 0
    assert "  complete label.csv: 1 texts with labels" in said
    assert f"next: python scripts/prepare.py task=mosei raw={tmp_path}" in said
    table.write_text("<html>")
    status, said = ask("task=mosei", f"out={tmp_path}")
    assert status == 1
    assert f"  wrong    label.csv: {table}: expected" in said
    assert "next:" not in said


def test_nothing_of_them_is_fetched(tmp_path: Path) -> None:
    for override in ("only=[1]", "prepare=x", "server=https://example.org"):
        with pytest.raises(FetchError, match="task=ntu has no use for it"):
            ask("task=ntu", f"out={tmp_path}", override)
