"""`scripts/download.py` as a user types it: stopped, continued, and each line of its page."""

import io
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pytest
import soundfile
import torchvision
from hydra.core.global_hydra import GlobalHydra
from rich.console import Console

from datamodules.packed.dataset import manifest_hash, read_manifest
from experiments.fetching.command import download
from experiments.runs.overrides import Overrides
from tests.experiments.conftest import CONFIGS
from tests.experiments.fetching.server import (
    TRACKING,
    VIDEO,
    RecordServer,
    clip,
    noise,
    ravdess,
    serving,
    zipped,
)
from tests.sample_data import session_folder, tiny_ravdess

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "download.md"
TINY = ("prepare.settings.frames=4", "prepare.settings.size=24")
COMMAND = "python scripts/download.py "
LIGHT = """
import runpy, sys
sys.argv = ["download.py", "--help"]
try:
    runpy.run_path("scripts/download.py", run_name="__main__")
except SystemExit:
    print({"torch", "hydra"} & set(sys.modules))
"""


def start(*overrides: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k != "HYDRA_FULL_ERROR"}
    return subprocess.Popen(
        [sys.executable, "scripts/download.py", *overrides],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def run(*overrides: str) -> tuple[int, str, str]:
    process = start(*overrides)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture
def server() -> Iterator[RecordServer]:
    with serving(ravdess()) as running:
        yield running


def test_help_explains_itself_at_once() -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    for word in ("prepare", "modalities", "only", "weights", "retries", "continues"):
        assert word in out
    done = subprocess.run([sys.executable, "-c", LIGHT], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()", done.stderr


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (("task=ravdess",), "error: out=<folder> is missing"),
        (("out=x",), "error: task=<...> is missing; there are mosei, ntu, ravdess"),
        (
            ("task=ravdess", "/elsewhere/x"),
            "error: /elsewhere/x: expected <key>=<value>; did you mean out=/elsewhere/x?",
        ),
        (("task=mosie", "out=x"), "error: task=mosie: no such task, did you mean mosei? There are"),
        (("task=ravdess", "out=README.md"), "error: out=README.md: expected a folder, found the"),
        (("task=mosei", "out=x", "only=[1]"), "error: only=[1]: task=mosei has no use for it"),
        (("task=ntu", "weights=i3d"), "error: weights=i3d: expected inflated_resnet50"),
    ],
)
def test_what_cannot_work_ends_with_one_message(overrides: tuple[str, ...], says: str) -> None:
    code, _, err = run(*overrides)
    assert code == 1
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_stopped_and_run_again(stop: signal.Signals, server: RecordServer, tmp_path: Path) -> None:
    name, out = "Video_Speech_Actor_01.zip", tmp_path / "a folder"
    begun = 5000
    server.stalls = {name: begun}
    command = ("task=ravdess", f'out="{out}"', "only=[1]", f"server={server.api}")
    process = start(*command)
    end = time.monotonic() + 60
    while not [p for p in out.glob(f".download/{name}*.part") if p.stat().st_size == begun]:
        assert time.monotonic() < end
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(stop)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    if stop == signal.SIGINT:
        assert process.returncode == 130
        assert err == "interrupted: the same command continues where it was\n"
    server.stalls = {}
    code, said, err = run(*command)
    assert (code, err) == (0, "")
    assert f"{out} is complete; next: python scripts/prepare.py" in said
    assert server.fetched()[-1] == f"{name} {begun}"
    assert (out / "Actor_01" / f"{clip(1, 2)}.mp4").read_bytes() == noise(102)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RecordServer, Path]]:
    """Both records with two clips each of two actors that can be prepared; and their files."""
    raw = tiny_ravdess(session_folder(tmp_path_factory))[0]
    folder = tmp_path_factory.mktemp("by-hand")
    files: dict[str, bytes] = {}
    for actor in (1, 2):
        for emotion in (1, 2):
            place = f"Actor_{actor:02d}/{clip(actor, emotion)}"
            files |= {
                f"{place}{kind}": (raw / f"{place}{kind}").read_bytes() for kind in (".mp4", ".csv")
            }
            sound = io.BytesIO()
            tone = np.sin(np.arange(3 * 48000) / (10 + actor + emotion)).astype(np.float32)
            soundfile.write(sound, tone, 48000, format="WAV")
            files[f"Actor_{actor:02d}/{clip(actor, emotion, 3)}.wav"] = sound.getvalue()
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)

    def archive(suffix: str, actor: str = "") -> bytes:
        chosen = {n: c for n, c in files.items() if n.endswith(suffix) and n.startswith(actor)}
        return zipped(chosen)

    videos = {f"Video_Speech_Actor_{a:02d}.zip": archive("mp4", f"Actor_{a:02d}") for a in (1, 2)}
    sounds = {"Audio_Speech_Actors_01-24.zip": archive("wav")}
    tables = {"FacialTracking_Actors_01-24.zip": archive("csv")}
    with serving({VIDEO: videos | sounds, TRACKING: tables}) as running:
        yield running, folder


@pytest.fixture(scope="module")
def packed_by_command(
    real: tuple[RecordServer, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("by-command")
    code, said, err = run(
        "task=ravdess",
        f"out={out / 'raw'}",
        f"prepare={out / 'packed'}",
        "only=[1,2]",
        f"server={real[0].api}",
        "workers=1",
        *TINY,
    )
    assert (code, err) == (0, "")
    return out, said


def test_videos_are_packed_on_the_way(packed_by_command: tuple[Path, str]) -> None:
    out, said = packed_by_command
    assert said.count("of raw files deleted") == 2
    left = {str(p.relative_to(out / "raw")) for p in (out / "raw").rglob("*") if p.is_file()}
    shared = {"Audio_Speech_Actors_01-24.zip", "FacialTracking_Actors_01-24.zip"}
    assert left == {f".download/{name}" for name in (*shared, "ledger.json", "lock")}
    manifest = read_manifest(out / "packed")
    assert set(manifest["modalities"]) == {"video", "audio", "action_units"}
    assert manifest["counts"]["packed"] == 4
    assert manifest["provenance"] == "real"  # the download does not say that these are rendered


@pytest.fixture(scope="module")
def packed_at_once(
    real: tuple[RecordServer, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("at-once") / "out"
    command = ("task=ravdess", f"raw={real[1]}", f"out={out}", "workers=1", *TINY)
    subprocess.run(
        [sys.executable, "scripts/prepare.py", *command], cwd=ROOT, check=True, capture_output=True
    )
    return out


def test_the_packed_set_is_that_of_prepare(
    packed_by_command: tuple[Path, str], packed_at_once: Path
) -> None:
    packed = packed_by_command[0] / "packed"
    assert manifest_hash(packed) == manifest_hash(packed_at_once)
    for path in packed.iterdir():
        if path.suffix != ".json":
            assert path.read_bytes() == (packed_at_once / path.name).read_bytes()


def documented() -> list[str]:
    return re.findall(rf"^    {COMMAND}(.*)$", PAGE.read_text(), re.MULTILINE)


def test_the_page_has_its_commands_first() -> None:
    lines = PAGE.read_text().splitlines()
    assert lines[2].startswith(f"    {COMMAND}")
    assert len(documented()) == 8


@pytest.mark.parametrize("line", documented())
def test_a_command_of_the_page(
    line: str, server: RecordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, against the server of these tests; what it packs is looked at above."""
    from experiments.fetching.packing import Packing
    from experiments.fetching.plan import names

    packed: list[Any] = []

    def add(self: Packing, step: tuple[int, ...]) -> None:
        packed.append(step)
        note = {"folder": str(self.folder(step))}
        self.ledger.note_packed(names(step), note)

    monkeypatch.setattr(Packing, "add", add)
    monkeypatch.setattr(Packing, "join", lambda self: packed.append("all"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(
        type(torchvision.models.ResNet50_Weights.IMAGENET1K_V1), "get_state_dict", fetched
    )
    line = line.replace("<packed folder>", str(tmp_path / "packed"))
    line = line.replace("<folder>", str(tmp_path / "raw"))
    words = shlex.split(line)
    if "task=ravdess" in words:
        words.append(f"server={server.api}")
    said = io.StringIO()
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        status = download(Overrides(words), Path(CONFIGS), Console(file=said, width=300))
    asked = not {"weights=inflated_resnet50", "task=ravdess"} & set(words)
    assert status == (1 if asked else 0)
    if "task=ravdess" in words:
        assert "is complete; next: python" in said.getvalue()
        files = [p for p in (tmp_path / "raw").rglob("*.*") if ".download" not in p.parts]
        number = {"prepare": 0, "modalities": 48, "only": 12}
        key = words[2].partition("=")[0] if len(words) > 3 else ""
        assert len(files) == number.get(key, 144)
        assert packed == (
            [*((actor,) for actor in range(1, 25)), "all"] if key == "prepare" else []
        )


def fetched(self: Any, model_dir: str, **options: Any) -> dict[str, Any]:
    """In place of torchvision's: there is no network. test_weights.py fetches a file."""
    assert options == {"progress": True, "check_hash": True, "weights_only": True}
    return {}
