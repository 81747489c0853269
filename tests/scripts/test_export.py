"""`scripts/export.py` as a user types it, and what docs/export.md says to do."""

import re
import subprocess
import sys
from pathlib import Path

from tests.commands import ENVIRONMENT, ROOT, end, run, start, tiny

PAGE = (ROOT / "docs" / "export.md").read_text()


def test_help_is_quick() -> None:
    code, out, err = end(start("scripts/export.py", "--help", python=("-X", "importtime")))
    assert code == 0 and "format=onnx" in out
    assert not re.search(r"\b(torch|pytorch_lightning|onnx|numpy)\b", err)


def test_the_page_followed_to_the_letter(tmp_path: Path) -> None:
    overrides = tiny(tmp_path, "fusion=none", "modalities=[audio]", "epochs=1")
    folder = run("train.py", *overrides)[1].splitlines()[-1]
    commands = re.findall(r"^    python (scripts/export.py .* out=.*)$", PAGE, re.MULTILINE)
    assert len(commands) == 1
    words = commands[0].replace("<run folder>", folder).replace("out=", f"out={tmp_path}/").split()
    code, out, err = run(*words, "trust=true")
    assert (code, err) == (0, "")
    assert "none (audio), fold 0, seed 1, weights of last_epoch (sample data)" in out
    assert re.search(r"torch \S+ ms, onnxruntime \S+ ms", out)
    assert re.search(r"difference of a score in onnxruntime: \d\.\de-\d\d, in random batches", out)
    code_block = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0]
    done = subprocess.run(
        [sys.executable, "-c", f"{code_block}\nprint(scores.shape)"],
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == "(4, 8)", done.stderr
