"""Packing on the way: the same set as everything at once, whenever it was stopped.

The raw data are the tables of a rendered sample, an archive an actor; the pool works in this
process, which takes a tenth of the time. tests/scripts/test_download.py does it with videos.
"""

import io
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pytest
import soundfile
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from rich.console import Console

from datamodules.packed import chunks
from datamodules.packed.dataset import manifest_hash, read_manifest
from experiments.fetching.command import download
from experiments.fetching.errors import FetchError
from experiments.fetching.ledger import Ledger
from experiments.fetching.packing import Packing
from experiments.runs.overrides import Overrides
from tests.experiments.conftest import CONFIGS
from tests.experiments.fetching.server import (
    TRACKING,
    VIDEO,
    RecordServer,
    clip,
    serving,
    zipped,
)
from tests.sample_data import session_folder, tiny_ravdess

EMOTIONS = (1, 2, 3)


class Pool:
    """Works at once, here."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*arguments))
        return future


@contextmanager
def pool(workers: int) -> Iterator[Pool]:
    yield Pool()


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    raw = tiny_ravdess(session_folder(tmp_path_factory))[0]
    names = [f"{clip(actor, emotion)}.csv" for actor in (1, 2) for emotion in EMOTIONS]
    return {name: next(raw.rglob(name)).read_bytes() for name in names}


def archive_of(tables: dict[str, bytes], actor: int) -> bytes:
    return zipped({n: content for n, content in tables.items() if n.endswith(f"-{actor:02d}.csv")})


@pytest.fixture
def server(tables: dict[str, bytes]) -> Iterator[RecordServer]:
    files = {f"Tracking_{actor:02d}.zip": archive_of(tables, actor) for actor in (1, 2)}
    with serving({TRACKING: files}) as running:
        yield running


Command = Callable[..., str]


@pytest.fixture
def command(
    server: RecordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Command]:
    """Run `download.py task=ravdess out=<raw>` with further overrides; returns what it says."""
    node: Any = OmegaConf.load(Path(CONFIGS) / "download" / "ravdess.yaml")
    node.parts.last = 2
    node.archives.tracking.name = "Tracking_{part:02d}.zip"
    node.archives = {"tracking": node.archives.tracking}
    node.modalities = {"action_units": ["tracking"]}
    (tmp_path / "configs" / "download").mkdir(parents=True)
    OmegaConf.save(node, tmp_path / "configs" / "download" / "ravdess.yaml")
    monkeypatch.setattr(chunks, "worker_pool", pool)
    GlobalHydra.instance().clear()

    def run(*overrides: str) -> str:
        said = io.StringIO()
        given = ["task=ravdess", f"out={tmp_path / 'raw'}", f"server={server.api}", "retries=0"]
        console = Console(file=said, width=300)
        download(Overrides([*given, *overrides]), tmp_path / "configs", console)
        return said.getvalue()

    with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
        yield run


def tone(length: int) -> bytes:
    """Three seconds of a wave of this length, as RAVDESS' sounds are written."""
    sound = io.BytesIO()
    wave = np.sin(np.arange(3 * 48000) / length).astype(np.float32)
    soundfile.write(sound, wave, 48000, format="WAV")
    return sound.getvalue()


@pytest.fixture
def sounds(command: Command, server: RecordServer, tmp_path: Path) -> dict[str, bytes]:
    """Sounds of both actors, in an archive that the record and the configuration have, too."""
    node: Any = OmegaConf.load(Path(CONFIGS) / "download" / "ravdess.yaml")
    path = tmp_path / "configs" / "download" / "ravdess.yaml"
    used: Any = OmegaConf.load(path)
    used.archives.sound, used.modalities.audio = node.archives.sound, ["sound"]
    OmegaConf.save(used, path)
    sounds = {f"{clip(a, e, 3)}.wav": tone(10 * a + e) for a in (1, 2) for e in EMOTIONS}
    server.records[VIDEO] = {node.archives.sound.name: zipped(sounds)}
    return sounds


@pytest.fixture
def wanted(tables: dict[str, bytes], command: Command, tmp_path: Path) -> str:
    """The hash of the set that scripts/prepare.py makes of all files at once."""
    folder = tmp_path / "by-hand"
    folder.mkdir()
    for name, content in tables.items():
        (folder / name).write_bytes(content)
    config = hydra.compose("prepare", ["task=ravdess", f"raw={folder}", f"out={tmp_path}/at-once"])
    return manifest_hash(hydra.utils.instantiate(config.prepare))


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def is_made(folder: Path, wanted: str) -> bool:
    left = files(folder.parent / "raw") == {".download/ledger.json", ".download/lock"}
    parts = folder.with_name(f"{folder.name}.parts").exists()
    return left and not parts and manifest_hash(folder) == wanted


def test_it_is_the_set_of_everything_at_once(
    command: Command, server: RecordServer, wanted: str, tmp_path: Path
) -> None:
    packed = tmp_path / "packed"
    said = command(f"prepare={packed}")
    assert is_made(packed, wanted)
    assert read_manifest(packed)["counts"]["packed"] == 6
    assert said.count("of raw files deleted") == 2
    assert f"next: python train.py task=ravdess data=full data.root={packed}" in said
    server.asked.clear()
    assert command(f"prepare={packed}").startswith(f"{packed} is complete")
    assert not server.asked
    assert is_made(packed, wanted)


def test_without_prepare_the_raw_files_stay(
    command: Command, tables: dict[str, bytes], wanted: str, tmp_path: Path
) -> None:
    said = command()
    assert f"next: python scripts/prepare.py task=ravdess raw={tmp_path / 'raw'}" in said
    assert set(tables) <= files(tmp_path / "raw")
    command(f"prepare={tmp_path / 'packed'}")
    assert is_made(tmp_path / "packed", wanted)


def test_stopped_after_the_first_actor(
    command: Command, server: RecordServer, wanted: str, tmp_path: Path
) -> None:
    server.cuts = [None, 100]
    packed = f"prepare={tmp_path / 'packed'}"
    begun = {".download/ledger.json", ".download/lock"}
    server.refusals = [None, None, (403, {})]
    with pytest.raises(FetchError, match="found 403"):
        command(packed)
    left = files(tmp_path / "raw") - begun
    assert [name.startswith(".download/Tracking_02.zip.") for name in left] == [True]
    assert files(tmp_path / "packed.parts") >= {"actor-1/manifest.json", "actor-1/index.csv"}
    command(packed)
    assert is_made(tmp_path / "packed", wanted)
    assert server.fetched() == [
        "Tracking_01.zip 0",
        "Tracking_02.zip 0",
        "Tracking_02.zip 100",
        "Tracking_02.zip 100",
    ]


def contents(*folders: Path) -> dict[str, tuple[int, bytes]]:
    """When each file was written, and what is in it; but for the lock, which every call takes."""
    every = (path for folder in folders for path in folder.rglob("*"))
    kept = (path for path in every if path.is_file() and path.name != "lock")
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in kept}


def test_on_a_complete_set_it_does_nothing(
    command: Command,
    server: RecordServer,
    sounds: dict[str, bytes],
    tables: dict[str, bytes],
    tmp_path: Path,
) -> None:
    """Raw files that were fetched on purpose since then stay: the set has no sounds at all."""
    raw, packed = tmp_path / "raw", tmp_path / "packed"
    first = (f"prepare={packed}", "modalities=[action_units]")
    command(*first)
    assert not files(raw) & {*tables, *sounds}
    command()
    fetched = {*tables, *sounds}
    assert len(fetched) == 12
    assert fetched <= files(raw)
    before = contents(raw, packed)
    server.asked.clear()
    said = command(*first)
    assert said.startswith(f"{packed} is complete; next: ")
    assert contents(raw, packed) == before
    assert not server.asked


def test_raw_files_of_other_archives_stay(
    command: Command, sounds: dict[str, bytes], tables: dict[str, bytes], tmp_path: Path
) -> None:
    """They are packed, too, as the page says: prepare takes whatever it finds."""
    raw, packed = tmp_path / "raw", tmp_path / "packed"
    command("modalities=[audio]")
    said = command(f"prepare={packed}", "modalities=[action_units]")
    assert said.count("of raw files deleted") == 2
    assert files(raw) & {*tables, *sounds} == {*sounds}
    assert set(read_manifest(packed)["modalities"]) == {"audio", "action_units"}


def stopped_before_clearing(command: Command, *overrides: str) -> None:
    """Stop when the first actor is packed, with all raw files still there."""

    def dying(*_: Any) -> int:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Ledger, "clear", dying)
        command(*overrides)


def test_what_a_stopped_call_left_is_deleted_by_the_same_command(
    command: Command, server: RecordServer, wanted: str, tmp_path: Path
) -> None:
    packed = f"prepare={tmp_path / 'packed'}"
    stopped_before_clearing(command, packed)
    assert f"{clip(1)}.csv" in files(tmp_path / "raw")
    said = command(packed)
    assert "actor 1: " in said
    assert is_made(tmp_path / "packed", wanted)
    assert len(server.fetched()) == 2


def test_what_a_stopped_call_left_is_kept_for_a_plain_download(
    command: Command, tables: dict[str, bytes], tmp_path: Path
) -> None:
    packed = f"prepare={tmp_path / 'packed'}"
    stopped_before_clearing(command, packed)
    command()
    assert {*tables} <= files(tmp_path / "raw")
    said = command(packed)
    assert "actor 1: " not in said  # packed before they were asked for
    assert {name for name in tables if name.endswith("-01.csv")} <= files(tmp_path / "raw")


def test_another_set_is_left_to_its_own_command(command: Command, tmp_path: Path) -> None:
    """A complete set's command does not delete what another's has packed and not yet cleared."""
    complete, other = (f"prepare={tmp_path / name}" for name in ("complete", "other"))
    command(complete)
    stopped_before_clearing(command, other)
    assert command(complete).startswith(f"{tmp_path / 'complete'} is complete")
    assert f"{clip(1)}.csv" in files(tmp_path / "raw")


def test_folders_that_only_have_the_name_of_a_part_stay(
    command: Command, wanted: str, tmp_path: Path
) -> None:
    packed, parts = tmp_path / "packed", tmp_path / "packed.parts"
    command(f"prepare={packed}")
    mine = {"actor-1/thesis.txt": "mine", "actor-2/manifest.json": '{"modalities": {"a": {}}}'}
    mine |= {"actor-2/a.npy": "mine, too", "actor-2.lock": ""}
    for name, content in mine.items():
        (parts / name).parent.mkdir(parents=True, exist_ok=True)
        (parts / name).write_text(content)
    command(f"prepare={packed}")
    assert files(parts) == set(mine)
    assert manifest_hash(packed) == wanted


def test_files_beside_a_part_stay(command: Command, wanted: str, tmp_path: Path) -> None:
    packed, parts = tmp_path / "packed", tmp_path / "packed.parts"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Ledger, "note_joined", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        command(f"prepare={packed}")
    (parts / "actor-1" / "thesis.txt").write_text("mine")
    command(f"prepare={packed}")
    assert files(parts) == {"actor-1/thesis.txt"}
    assert manifest_hash(packed) == wanted


STOPS = [
    (Packing, "add"),
    (Ledger, "note_packed"),
    (Ledger, "clear"),
    (Ledger, "note_cleared"),
    (Ledger, "note_joined"),
    (Ledger, "note_parts_gone"),
]


@pytest.mark.parametrize(("kind", "name"), STOPS, ids=[name for _, name in STOPS])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_anywhere_it_goes_on(
    kind: Any,
    name: str,
    after: bool,
    command: Command,
    wanted: str,
    server: RecordServer,
    tmp_path: Path,
) -> None:
    method, calls = getattr(kind, name), []

    def dying(self: Any, *arguments: Any) -> Any:
        calls.append(name)
        last = len(calls) == (1 if name in ("note_joined", "note_parts_gone") else 2)
        if last and not after:
            raise KeyboardInterrupt
        result = method(self, *arguments)
        if last:
            raise KeyboardInterrupt
        return result

    packed = f"prepare={tmp_path / 'packed'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, name, dying)
        with pytest.raises(KeyboardInterrupt):
            command(packed)
    command(packed)
    assert is_made(tmp_path / "packed", wanted)
    assert sorted(server.fetched()) == ["Tracking_01.zip 0", "Tracking_02.zip 0"]


def test_parts_made_otherwise_are_not_mixed(command: Command, tmp_path: Path) -> None:
    packed = f"prepare={tmp_path / 'packed'}"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Packing, "join", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        command(packed)
    with pytest.raises(FetchError, match="expected a part packed with these settings"):
        command(packed, "protocol=released")
    command(packed, "workers=1")  # how fast, not what
    with pytest.raises(FetchError, match="expected the actors 1-2, packed with these settings"):
        command(packed, "protocol=released")
    with pytest.raises(FetchError, match="expected the actors 1, packed with these"):
        command(packed, "only=[1]")


def test_a_folder_with_something_else(
    command: Command, server: RecordServer, tmp_path: Path
) -> None:
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "thesis.txt").write_text("mine")
    with pytest.raises(FetchError, match="found something else; choose another folder"):
        command(f"prepare={tmp_path / 'packed'}")
    with pytest.raises(ValueError, match="expected a folder, found the file"):
        command(f"prepare={tmp_path / 'packed' / 'thesis.txt'}")
    assert not server.asked


def test_some_actors(command: Command, tmp_path: Path) -> None:
    command(f"prepare={tmp_path / 'two'}", "only=2")
    assert read_manifest(tmp_path / "two")["counts"]["packed"] == 3
    shutil.rmtree(tmp_path / "two")
    command(f"prepare={tmp_path / 'both'}")
    assert read_manifest(tmp_path / "both")["counts"]["packed"] == 6


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (("task=cats",), "task=cats: no such task; there are ravdess"),
        (("only=[3]",), "only=.3.: expected actors from 1 to 2"),
        (("modalities=[video]",), "expected some of action_units"),
        (("protocol=released",), "protocol=released: nothing is prepared without prepare=<folder>"),
        (("workers=2", "prepare.settings.size=24"), "nothing is prepared without"),
        (("prepare=x", "workers=0"), "workers=0: expected a whole number"),
        (("prepare=x", "workers=two"), "workers=two: expected a whole number"),
        (("retries=-1",), "retries=-1: expected a whole number of at least 0"),
        (("seed=3",), "seed=3: task=ravdess has no use for it"),
        (("weights=resnet50",), "server=.*: task=ravdess has no use for it"),
        (("server=http://zenodo.org/api",), "expected an address that begins with https://"),
        (("out=null",), "out=<folder> is missing"),
    ],
)
def test_what_cannot_be_meant(
    overrides: tuple[str, ...], says: str, command: Command, server: RecordServer, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=says):
        command(*overrides)
    assert not server.asked
    assert not list(tmp_path.glob("x*"))
