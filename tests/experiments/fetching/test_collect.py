"""Two actors fetched part by part: nothing is done twice, and nothing of the user's is lost."""

import errno
import io
import json
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from experiments.fetching import archive as archives
from experiments.fetching import errors
from experiments.fetching.client import Client
from experiments.fetching.collect import Collection
from experiments.fetching.errors import FetchError
from experiments.fetching.ledger import Ledger, alone
from tests.experiments.fetching.conftest import plan
from tests.experiments.fetching.server import TRACKING, VIDEO, RecordServer, clip, noise, zipped

VIDEOS = {f"Actor_{a:02d}/{clip(a, e)}.mp4": noise(100 * a + e) for a in (1, 2) for e in (1, 2)}
SOUNDS = {f"Actor_{a:02d}/{clip(a, e, 3)}.wav": noise(a + 50 * e) for a in (1, 2) for e in (1, 2)}
TABLES = {f"{clip(a, e)}.csv": noise(a * e, 640) for a in (1, 2) for e in (1, 2)}
ALL = VIDEOS | SOUNDS | TABLES


def collect(server: RecordServer, out: Path, **chosen: Any) -> str:
    said = io.StringIO()
    client = Client(server.api, retries=2, sleep=lambda _: None)
    with alone(out):
        made = Collection(plan(**chosen), Ledger(out), client, Console(file=said, width=200))
        made.collect()
    return said.getvalue()


def raw(out: Path) -> dict[str, bytes]:
    """The raw files, without what the download keeps for itself."""
    files = (path for path in out.rglob("*") if path.is_file() and ".download" not in path.parts)
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def test_everything(server: RecordServer, tmp_path: Path) -> None:
    said = collect(server, tmp_path)
    assert raw(tmp_path) == ALL
    sizes = [
        len(c) for files in server.records.values() for n, c in files.items() if "Song" not in n
    ]
    assert f"actors 1-2: {sum(sizes) / 1e6:.2f} MB to fetch, 4 archives" in said
    assert sorted(server.fetched()) == [
        "Audio_Speech_Actors_01-24.zip 0",
        "FacialTracking_Actors_01-24.zip 0",
        "Video_Speech_Actor_01.zip 0",
        "Video_Speech_Actor_02.zip 0",
    ]
    assert sorted(path.name for path in (tmp_path / ".download").iterdir()) == [
        "ledger.json",
        "lock",
    ]


def test_a_complete_folder_asks_nobody(server: RecordServer, tmp_path: Path) -> None:
    collect(server, tmp_path)
    server.asked.clear()
    assert collect(server, tmp_path) == ""
    assert server.asked == []


def test_the_rest_later(server: RecordServer, tmp_path: Path) -> None:
    collect(server, tmp_path, only=[2], modalities=["audio"])
    assert raw(tmp_path) == {name: SOUNDS[name] for name in SOUNDS if "Actor_02" in name}
    collect(server, tmp_path)
    assert raw(tmp_path) == ALL
    assert len(server.fetched()) == 4  # the archive of all sounds was kept for actor 1


def test_a_raw_file_that_is_gone_comes_back(server: RecordServer, tmp_path: Path) -> None:
    collect(server, tmp_path)
    gone = tmp_path / next(iter(VIDEOS))
    gone.unlink()
    collect(server, tmp_path)
    assert raw(tmp_path) == ALL
    assert server.fetched()[4:] == ["Video_Speech_Actor_01.zip 0"]


def test_archives_of_the_user_are_used_and_kept(server: RecordServer, tmp_path: Path) -> None:
    own = tmp_path / "Video_Speech_Actor_02.zip"
    own.write_bytes(server.records[VIDEO][own.name])
    collect(server, tmp_path)
    assert own.is_file()
    assert raw(tmp_path).keys() - ALL.keys() == {own.name}
    assert not any(own.name in entry for entry in server.fetched())


def test_a_wrong_archive_of_the_user_is_named_and_kept(
    server: RecordServer, tmp_path: Path
) -> None:
    own = tmp_path / "Video_Speech_Actor_02.zip"
    own.write_bytes(b"half of it")
    with pytest.raises(FetchError) as caught:
        collect(server, tmp_path)
    told = server.entry(VIDEO, own.name)
    assert f"expected {told['size']} bytes with {told['checksum']}" in str(caught.value)
    assert "found 10 bytes with md5:" in str(caught.value)
    assert own.read_bytes() == b"half of it"


def test_a_record_that_has_changed(server: RecordServer, tmp_path: Path) -> None:
    collect(server, tmp_path, only=[1])
    name = "FacialTracking_Actors_01-24.zip"
    before = server.entry(TRACKING, name)["checksum"]
    server.records[TRACKING][name] = zipped({**TABLES, "new.csv": b"x"})
    with pytest.raises(FetchError, match=f"{name}: expected {before}, as when .* was begun, found"):
        collect(server, tmp_path)
    assert {name for name in raw(tmp_path) if "mp4" in name} == {n for n in VIDEOS if "_01/" in n}


def test_a_record_without_the_archive(server: RecordServer, tmp_path: Path) -> None:
    del server.records[VIDEO]["Video_Speech_Actor_02.zip"]
    message = r"expected Video_Speech_Actor_02.zip, found Audio_Song_Actors_01-24.zip, Audio_Speech"
    with pytest.raises(FetchError, match=message):
        collect(server, tmp_path)


def test_an_archive_without_the_files(server: RecordServer, tmp_path: Path) -> None:
    server.records[VIDEO]["Video_Speech_Actor_02.zip"] = zipped({"notes.txt": b"moved"})
    with pytest.raises(FetchError, match=r"expected files 01-01-\*.mp4 of actor 2, found none"):
        collect(server, tmp_path)


def test_the_disk_is_looked_at_before_each_archive(
    server: RecordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    there = 64 << 20  # what is kept free
    monkeypatch.setattr(errors.shutil, "disk_usage", lambda path: usage(0, 0, there + 9000))
    with pytest.raises(FetchError) as caught:
        collect(server, tmp_path, only=[1], modalities=["video"])
    # the tables are smaller; the video archive is of 12 KB, and 0.6 times that once unpacked
    size = len(server.records[VIDEO]["Video_Speech_Actor_01.zip"])
    assert "of free disk space for Video_Speech_Actor_01.zip" in str(caught.value)
    assert f"({size / 1e6:.2f} MB to fetch, about {0.6 * size / 1e6:.2f} MB unpacked)" in str(
        caught.value
    )
    assert "found 67.12 MB" in str(caught.value)
    assert server.fetched() == ["FacialTracking_Actors_01-24.zip 0"]
    monkeypatch.undo()
    collect(server, tmp_path, only=[1], modalities=["video"])
    assert len(server.fetched()) == 2


def test_a_disk_that_is_full_while_unpacking(
    server: RecordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, left = archives.write_all, [5]

    def full(opened: Any, piece: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            opened.write(piece[:100])
            raise OSError(errno.ENOSPC, "No space left on device")
        write(opened, piece)

    monkeypatch.setattr(archives, "write_all", full)
    with pytest.raises(FetchError, match=r"found a full disk .* free some and type the same comma"):
        collect(server, tmp_path)
    whole = {name: content for name, content in raw(tmp_path).items() if name in ALL}
    assert len(whole) == 5
    assert whole.items() <= ALL.items()
    monkeypatch.undo()
    collect(server, tmp_path)
    assert raw(tmp_path) == ALL


def test_two_downloads_into_one_folder(server: RecordServer, tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(FetchError, match="another download is at work there"):
        collect(server, tmp_path)


def clear(out: Path, actor: int) -> int:
    """Delete what is there of an actor's video and tracking archives."""
    ledger = Ledger(out)
    return sum(ledger.clear(s.archive(actor), actor) for s in plan(modalities=["video"]).sources)


def test_only_what_was_unpacked_is_deleted(server: RecordServer, tmp_path: Path) -> None:
    """One file was there before, one has been changed since, one is not of the archives."""
    first, second, third, last = VIDEOS
    (tmp_path / first).parent.mkdir()
    (tmp_path / first).write_bytes(VIDEOS[first])
    collect(server, tmp_path, modalities=["video"])
    (tmp_path / second).write_bytes(b"cut shorter by the user")
    (tmp_path / "Actor_01" / "notes.txt").write_text("mine")
    assert clear(tmp_path, 1) == sum(len(TABLES[f"{clip(1, e)}.csv"]) for e in (1, 2))
    left = set(raw(tmp_path))
    assert left == {
        first,
        second,
        third,
        last,
        "Actor_01/notes.txt",
        *[n for n in TABLES if n.endswith("-02.csv")],
    }
    assert clear(tmp_path, 1) == 0
    # files of the same names that come later are the user's
    (tmp_path / f"{clip(1)}.csv").write_bytes(TABLES[f"{clip(1)}.csv"])
    assert clear(tmp_path, 1) == 0
    assert clear(tmp_path, 2) > 0
    assert not (tmp_path / "Actor_02").exists()


def test_archives_are_cleared_one_by_one(server: RecordServer, tmp_path: Path) -> None:
    collect(server, tmp_path)
    assert clear(tmp_path, 2) > 0
    assert raw(tmp_path).keys() == SOUNDS.keys() | {n for n in VIDEOS | TABLES if "-02." not in n}
    assert Ledger(tmp_path).clear("Audio_Song_Actors_01-24.zip", 2) == 0


def test_it_says_that_what_was_unpacked_is_kept(server: RecordServer, tmp_path: Path) -> None:
    """Nothing of the second archive has come, but the first one is there."""
    server.refusals = [None, (503, {}), (503, {}), (503, {})]
    with pytest.raises(FetchError, match=r"what has been fetched is kept: type the same command"):
        collect(server, tmp_path)
    assert raw(tmp_path)


def test_it_does_not_say_so_of_nothing(server: RecordServer, tmp_path: Path) -> None:
    server.refusals = [(503, {}), (503, {}), (503, {})]
    with pytest.raises(FetchError, match=r"\(3 times\); type the same command again later"):
        collect(server, tmp_path)
    assert not raw(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:50],
        lambda text: "[]",
        lambda text: json.dumps({"archives": {"a": 7}}),
        lambda text: text.replace("Actor_01/", "../Actor_01/"),
        lambda text: text.replace("Actor_01/", "/etc/"),
    ],
)
def test_a_ledger_that_is_none(
    change: Callable[[str], str], server: RecordServer, tmp_path: Path
) -> None:
    collect(server, tmp_path, only=[1])
    path = tmp_path / ".download" / "ledger.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(FetchError, match=r"ledger.json: expected what an earlier download noted"):
        collect(server, tmp_path)
    path.unlink()
    shutil.rmtree(tmp_path / "Actor_01")
    collect(server, tmp_path)
    assert raw(tmp_path) == ALL
