"""One file over connections that are cut, refused and lied over, all of them on this machine."""

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.fetching import transfer
from experiments.fetching.client import Client
from experiments.fetching.errors import FetchError, full_disk
from experiments.fetching.record import RemoteFile, read_record
from experiments.fetching.transfer import fetch, part_of
from tests.experiments.fetching.server import VIDEO, RecordServer, noise, serving

NAME = "a.zip"
CONTENT = noise(1, 3 << 20)  # twelve pieces
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[RecordServer]:
    with serving({VIDEO: {NAME: CONTENT}}) as running:
        yield running


class Fetch:
    """A client that notes how long it waits instead of waiting, and the folder that it fills."""

    def __init__(self, server: RecordServer, folder: Path) -> None:
        self.waits: list[float] = []
        self.seen: list[int] = []
        self.folder = folder
        self.said: list[str] = []
        self.client = Client(
            server.api, retries=3, timeout=5, sleep=self.waits.append, say=self.said.append
        )

    @property
    def file(self) -> RemoteFile:
        return read_record(self.client, VIDEO)[NAME]

    def __call__(self) -> bytes:
        path = fetch(self.file, self.folder, self.client, self.seen.append)
        assert path == self.folder / NAME
        assert [p.name for p in self.folder.iterdir()] == [NAME]
        return path.read_bytes()


@pytest.fixture
def get(server: RecordServer, tmp_path: Path) -> Fetch:
    return Fetch(server, tmp_path)


def test_a_file_is_fetched_once(get: Fetch, server: RecordServer) -> None:
    assert get() == CONTENT
    assert get.seen == sorted(get.seen)
    assert (get.seen[0], get.seen[-1]) == (0, len(CONTENT))
    assert get() == CONTENT
    assert server.fetched() == [f"{NAME} 0"]
    assert not get.waits


def test_an_empty_file(get: Fetch, server: RecordServer) -> None:
    server.records[VIDEO][NAME] = b""
    assert get() == b""


def test_a_cut_connection_is_continued_where_it_was(get: Fetch, server: RecordServer) -> None:
    server.cuts = [1_000_000, 500_000, 0]
    assert get() == CONTENT
    assert server.fetched() == [f"{NAME} {start}" for start in (0, 1_000_000, 1_500_000, 1_500_000)]
    assert get.waits == [1.0, 1.0, 1.0]
    # the first two brought something, which the progress bar shows
    assert get.said == [f"{NAME}: a cut connection; trying again in 1 s, 3 tries left"]


def test_without_ranges_it_starts_over(get: Fetch, server: RecordServer) -> None:
    server.ranges, server.cuts = False, [1_000_000, 2_000_000]
    assert get() == CONTENT
    assert server.fetched() == [f"{NAME} {start}" for start in (0, 1_000_000, 2_000_000)]


def test_a_server_that_is_gone_is_left_alone_in_the_end(get: Fetch, server: RecordServer) -> None:
    server.cuts = [1_000_000, 0, 0, 0, 0]
    with pytest.raises(FetchError) as caught:
        get()
    assert "a.zip: expected an answer of 127.0.0.1" in str(caught.value)
    assert "found a cut connection (4 times)" in str(caught.value)
    assert "what has been fetched is kept: type the same command again later" in str(caught.value)
    assert get.waits == [1.0, 1.0, 2.0, 4.0]
    assert part_of(get.file, get.folder).read_bytes() == CONTENT[:1_000_000]
    assert get() == CONTENT
    assert server.fetched()[-1] == f"{NAME} 1000000"


def test_no_server_at_all(server: RecordServer, tmp_path: Path) -> None:
    """It is said before each wait; and in the end nothing has been fetched that could be kept."""
    told: list[str | float] = []
    server.server_close()
    client = Client(server.api, retries=2, sleep=told.append, say=told.append)
    found = r"found no connection \(.*refused.*\) \(3 times\); type the same command again later$"
    with pytest.raises(FetchError, match=found):
        read_record(client, VIDEO)
    first, wait, second, longer = told
    assert (wait, longer) == (1.0, 2.0)
    assert str(first).startswith(f"{server.api}/records/{VIDEO}: no connection (")
    assert str(first).endswith("; trying again in 1 s, 2 tries left")
    assert str(second).endswith("; trying again in 2 s, 1 try left")


def test_a_wrong_checksum_is_tried_once_more(get: Fetch, server: RecordServer) -> None:
    wrong = f"md5:{'0' * 32}"
    server.entries[VIDEO, NAME] = {"checksum": wrong}
    (get.folder / "mine.zip").write_bytes(b"the user's")
    with pytest.raises(FetchError) as caught:
        fetch(get.file, get.folder, get.client, get.seen.append)
    assert str(caught.value).startswith(
        f"{NAME}: expected {wrong}, as the record says, found md5:{MD5}, twice"
    )
    assert server.fetched() == [f"{NAME} 0"] * 2
    assert [path.name for path in get.folder.iterdir()] == ["mine.zip"]


def test_damage_on_the_disk_is_found_and_mended(get: Fetch, server: RecordServer) -> None:
    begun = part_of(get.file, get.folder)
    begun.write_bytes(b"x" + CONTENT[1:-10])
    assert get() == CONTENT
    assert server.fetched() == [f"{NAME} {len(CONTENT) - 10}", f"{NAME} 0"]
    begun.write_bytes(CONTENT + b"more than there is")
    (get.folder / NAME).write_bytes(CONTENT[:-1])
    assert get() == CONTENT
    begun.write_bytes(CONTENT)  # killed before it got its name
    (get.folder / NAME).unlink()
    asked = len(server.fetched())
    assert get() == CONTENT
    assert len(server.fetched()) == asked


def test_what_was_begun_of_another_version_is_not_continued(
    get: Fetch, server: RecordServer
) -> None:
    server.cuts = [1_000_000] + [0] * 4
    with pytest.raises(FetchError):
        get()
    server.cuts = []
    server.records[VIDEO][NAME] = CONTENT[::-1]
    assert get() == CONTENT[::-1]
    assert server.fetched()[-1] == f"{NAME} 0"


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [
        (429, {"Retry-After": "7"}, [7.0]),
        (503, {}, [1.0]),
        (500, {"Retry-After": "soon"}, [1.0]),
    ],
)
def test_a_busy_server_is_waited_for(
    status: int, headers: dict[str, str], waits: list[float], get: Fetch, server: RecordServer
) -> None:
    server.refusals = [(status, headers)]
    assert get() == CONTENT
    assert get.waits == waits
    assert f"; trying again in {waits[0]:.0f} s, 3 tries left" in get.said[0]


def test_a_server_that_asks_for_an_hour_is_taken_at_its_word(
    get: Fetch, server: RecordServer
) -> None:
    server.refusals = [(429, {"Retry-After": "3600"})]
    with pytest.raises(FetchError, match=r"found 429 Too Many Requests .* again in 3600 s"):
        get()
    assert not get.waits


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "the record is not public any more"),
        (403, "found 403 Forbidden: the server refuses this machine, or a proxy does"),
        (404, "found 404 Not Found: there is no such thing any more"),
        (418, "open the address in a browser"),
    ],
)
def test_a_refusal_is_not_argued_with(
    status: int, says: str, get: Fetch, server: RecordServer
) -> None:
    server.refusals = [(status, {})]
    with pytest.raises(FetchError, match=says):
        get()
    assert server.fetched() == [f"{NAME} 0"]


@pytest.mark.parametrize("told", [True, False])
def test_another_size_than_the_record_says(told: bool, get: Fetch, server: RecordServer) -> None:
    server.sizes_told = told
    server.entries[VIDEO, NAME] = {"size": 1_000_000}
    with pytest.raises(FetchError, match=r"expected the 1000000 bytes that the record describes"):
        get()


def test_a_page_in_place_of_the_archive(get: Fetch, server: RecordServer) -> None:
    server.cuts = [1_000_000, 0, 0, 0, 0]
    with pytest.raises(FetchError, match="found a cut connection"):
        get()
    begun = part_of(get.file, get.folder).read_bytes()
    server.ranges, server.sizes_told, server.kind = False, False, "text/html"
    with pytest.raises(FetchError, match=r"of text/html at .*; is it the page of a proxy"):
        get()
    assert part_of(get.file, get.folder).read_bytes() == begun


@pytest.mark.parametrize(
    "target", ["http://example.org/a.zip", "file:///etc/passwd", "ftp://example.org/a.zip"]
)
def test_a_redirection_to_what_is_not_encrypted_is_not_followed(
    target: str, get: Fetch, server: RecordServer
) -> None:
    server.refusals = [(302, {"Location": target})]
    with pytest.raises(FetchError, match=r"https://, found another|found 302"):
        get()


def test_a_redirection_is_followed_with_its_range(get: Fetch, server: RecordServer) -> None:
    server.cuts = [1_000_000]
    server.refusals = [(302, {"Location": f"{server.address}/files/{NAME}"})]
    assert get() == CONTENT
    assert server.fetched() == [f"{NAME} 0", f"{NAME} 0", f"{NAME} 1000000"]


def test_a_full_disk_keeps_what_there_is(
    get: Fetch, server: RecordServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, left = transfer.write_all, [3]

    def full(opened: Any, piece: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            opened.write(piece[:1000])  # a disk takes what it has room for
            raise OSError(errno.ENOSPC, "No space left on device")
        write(opened, piece)

    monkeypatch.setattr(transfer, "write_all", full)
    full_message = pytest.raises(FetchError, match="expected free disk space, found a full disk")
    with full_message, full_disk(get.folder):
        get()
    kept = part_of(get.file, get.folder).read_bytes()
    assert kept == CONTENT[: len(kept)]
    assert len(kept) > 1000
    monkeypatch.undo()
    assert get() == CONTENT
    assert server.fetched()[-1] == f"{NAME} {len(kept)}"


def test_other_errors_of_the_system_are_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), full_disk(tmp_path):
        raise PermissionError(errno.EACCES, "no")
