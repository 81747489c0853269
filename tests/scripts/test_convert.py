"""`scripts/convert.py` as a user types it, and the commands of its page."""

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import hydra
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra

from tests.commands import ENVIRONMENT, ROOT, end, run, start
from tests.experiments.conftest import CONFIGS
from tests.experiments.conversion.old_networks import OldMosei, settled
from tests.experiments.conversion.old_parts import OldMFCCNet
from tests.experiments.conversion.released_data import released_mosei
from tests.test_extending import RUNNER

PAGE = (ROOT / "docs" / "convert.md").read_text()
COMMANDS = [line.partition(" #")[0].split()[1:] for line in PAGE.splitlines()
            if line.startswith("    python ")]  # fmt: skip


def test_the_commands_of_the_page(tmp_path: Path) -> None:
    """In a folder with a file of the name that the page has; of MOSEI, which is the smallest."""
    steps = [step for step in COMMANDS if step[0] != "scripts/prepare.py"]
    for entry in ("scripts", "configs", "evaluate.py", "hydra_plugins", "experiments", "models",
                  "msaf", "datamodules"):  # fmt: skip
        (tmp_path / entry).symlink_to(ROOT / entry)
    old = settled(OldMosei(text=6))
    torch.save({"model_state_dict": old.state_dict()}, tmp_path / "fold_1_msaf_ravdess_best.pth")
    root = released_mosei(tmp_path / "packed")
    told = [" ".join(step).replace("<packed data set>", str(root)) for step in steps]
    assert [text.split()[0] for text in told] == [
        "scripts/convert.py", "evaluate.py", "scripts/figures.py", "evaluate.py",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", RUNNER], input=json.dumps([(None, None, text) for text in told]),
        cwd=tmp_path, env=ENVIRONMENT, text=True, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "the fused network of CMU-MOSEI: 201 tensors" in done.stdout
    assert (
        "mosei, msaf (visual + audio + text, converted), fold 0, seed 0 (sample data)"
        in done.stdout
    )
    assert (tmp_path / "results/figures/figure6.png").is_file()
    assert (tmp_path / "results/released/ravdess/fold0/evaluation/figures.csv").is_file()


def test_the_data_sets_that_the_page_prepares_are_those_that_the_runs_ask_for() -> None:
    """Packing itself is tested beside prepare.py; here the settings are composed."""
    prepare = [step[1:] for step in COMMANDS if step[0] == "scripts/prepare.py"]
    assert len(prepare) == 2
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        for overrides in prepare:
            cfg = hydra.compose("prepare", [text.replace("<folder>", "x") for text in overrides])
            assert cfg.prepare.protocol == "released"
            run = hydra.compose("train", [overrides[0], "protocol=released", "data=full"])
            for name, value in run.datamodule.prepared.items():
                assert cfg.prepare.settings[name] == value


def test_the_page_says_that_no_file_of_the_authors_was_loaded() -> None:
    assert "**No file of the paper's authors has been loaded here" in PAGE


def test_a_missing_file_ends_in_one_message() -> None:
    code, _, err = run("scripts/convert.py", "in=none.pth", "out=x")
    assert (code, err) == (
        1, "error: none.pth: expected a file of weights, found no such file; "
        "give the file that the authors released\n"
    )  # fmt: skip


def test_what_it_prints_and_leaves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, folder = tmp_path / "fold_6_mfccNet_best.pth", tmp_path / "run"
    torch.save(settled(OldMFCCNet()).state_dict(), file)
    GlobalHydra.instance().clear()
    main = runpy.run_path(str(ROOT / "scripts" / "convert.py"))["main"]
    assert main([f"in={file}", f"out={folder}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "the MFCC network of RAVDESS: 23 tensors, 34,024 parameters, fold 5",
        f"no figures yet: python evaluate.py run={folder} data.root=<packed data set>",
        str(folder),
    ]
    assert {path.name for path in folder.iterdir()} == {
        "config.yaml", "metrics.json", "checkpoints",
    }  # fmt: skip


def test_help_is_quick() -> None:
    code, out, err = end(start("scripts/convert.py", "--help", python=("-X", "importtime")))
    assert code == 0 and "protocol=released" in out
    assert not re.search(r"\b(torch|pytorch_lightning|matplotlib|numpy)\b", err)
