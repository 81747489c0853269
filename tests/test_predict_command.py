"""`scripts/predict.py` as a user types it, and docs/predict.md to the letter."""

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from rich.console import Console

from datamodules.mosei.text_encoder import TextEncoder
from experiments.prediction.command import Asked
from tests.commands import ROOT, run
from tests.datamodules.tiny_bert import tiny_bert
from tests.experiments.prediction.runs import write_run
from tests.ntu_skeletons import random_frames, write_plain
from tests.own_clips import portrait, still_clip, tone

PAGE = (ROOT / "docs" / "predict.md").read_text()
COMMANDS = re.findall(r"^python scripts/predict.py .*$", PAGE, re.MULTILINE)
(PYTHON,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all files and runs that the page names."""
    desk = tmp_path_factory.mktemp("desk")
    for name in ("clip.mp4", "one.mp4", "two.mp4", "recording.mp4"):
        still_clip(desk / name, portrait(), seconds=3.5, sound=tone())
    soundfile.write(desk / "sound.wav", tone(), 16000)
    names = [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    points = np.concatenate([np.linspace(90, 170, 68), np.linspace(80, 170, 68)])
    lines = [",".join(["frame", "confidence", "success", *names])]
    lines += [",".join(map(str, [number, 1, 1, *points])) for number in range(1, 106)]
    (desk / "clip.csv").write_text("\n".join(lines))
    (desk / "words.txt").write_text("a good day")
    np.save(desk / "face.npy", np.random.default_rng(0).normal(size=(3, 35)))
    np.save(desk / "voice.npy", np.random.default_rng(1).normal(size=(3, 74)))
    write_plain(desk / "recording.skeleton", random_frames([1] * 20))
    encoder = TextEncoder(str(tiny_bert(desk / "encoder")))
    settings = {"frames": 6, "size": 32}
    write_run(desk / "ravdess", "ravdess", preparation={"settings": settings})
    known = {"settings": {"steps": 8}, "text_encoder": encoder.fingerprint}
    write_run(desk / "mosei", "mosei", preparation=known, shapes=MOSEI_SHAPES)
    write_run(desk / "ntu", "ntu", preparation={"settings": {"frames": 8, "size": 36}})
    return desk


MOSEI_SHAPES = {"visual": [35, 8], "audio": [74, 8], "text": [12, 8]}
PLACES = {
    "<run folder>": "ravdess/fold0/seed1",
    "<mosei run>": "mosei/fold0/seed1",
    "<ntu run>": "ntu/fold0/seed1",
    "<encoder folder>": "encoder",
}


def filled(text: str) -> str:
    for name, place in PLACES.items():
        text = text.replace(name, place)
    assert "<" not in text
    return text


def test_the_page_has_commands() -> None:
    assert len(COMMANDS) == 11 and PYTHON.count("load_run") == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page(
    command: str, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    words = shlex.split(filled(command))[2:]
    out = desk / "out" / str(COMMANDS.index(command))
    assert Asked.of([*words, f"out={out}"]).answer(Console(quiet=True)) == 0
    clips = {"two.mp4": 2}.get(words[-1], 1)
    assert len(list(out.glob("*.json"))) == len(list(out.glob("*.png"))) == clips


def test_the_lines_of_python(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(desk)
    names: dict[str, Any] = {}
    exec(filled(PYTHON), names)
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith("('video', 'audio') ('neutral', 'calm',")
    assert second.startswith("{} [")
    said = names["answer"]
    assert third.startswith(f"{said.says} {{'neutral':")
    alone = names["scores"].softmax(1)[0].tolist()  # nothing is missing
    assert list(said.probabilities.values()) == pytest.approx(alone, abs=1e-5)


def test_typed_in_a_terminal(desk: Path, tmp_path: Path) -> None:
    folder = desk / "ravdess" / "fold0" / "seed1"
    sound = desk / "sound.wav"
    code, out, err = run("scripts/predict.py", f"run={folder}", str(sound), f"out={tmp_path}")
    assert (code, err) == (0, "")
    assert "probability" in out and "video: missing, no video was given" in out
    assert "attention, late: video" in out and "uniform" in out
    assert out.splitlines()[-1] == str(tmp_path / "sound.png")


def test_mistakes_end_in_one_message(tmp_path: Path) -> None:
    code, out, err = run("scripts/predict.py", "clip.mp4")
    assert (code, out) == (1, "") and "run=<run folder> is missing" in err
    assert "Traceback" not in err
    assert run("scripts/predict.py")[0] == 2
    code, out, err = run("scripts/predict.py", "--help")
    assert (code, err) == (0, "") and "run=<run folder> clip.mp4" in out
