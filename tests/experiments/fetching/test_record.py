"""What a server may answer in place of a record's list of files."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from experiments.fetching.client import Client
from experiments.fetching.errors import FetchError
from experiments.fetching.record import RemoteFile, read_record
from tests.experiments.fetching.server import VIDEO, RecordServer, serving

CHECKSUM = "md5:900150983cd24fb0d6963f7d28e17f72"  # of "abc", RFC 1321


@pytest.fixture
def server() -> Iterator[RecordServer]:
    with serving({VIDEO: {"a.zip": b"abc", "b (1).zip": b""}}) as running:
        yield running


def read(server: RecordServer) -> dict[str, RemoteFile]:
    return read_record(Client(server.api, retries=0, sleep=lambda _: None), VIDEO)


def test_names_sizes_checksums_and_addresses(server: RecordServer) -> None:
    server.entries[VIDEO, "a.zip"] = {"checksum": CHECKSUM.upper().replace("MD5", "md5")}
    files = read(server)
    assert list(files) == ["a.zip", "b (1).zip"]
    assert files["a.zip"] == RemoteFile("a.zip", 3, CHECKSUM, f"{server.address}/files/a.zip")
    assert (files["a.zip"].algorithm, files["a.zip"].digest) == tuple(CHECKSUM.split(":"))


@pytest.mark.parametrize(
    "change",
    [
        {"key": "../a.zip"},
        {"key": "/etc/passwd"},
        {"key": "a/b.zip"},
        {"key": "a\\b.zip"},
        {"key": "C:a.zip"},
        {"key": ".download"},
        {"key": ".."},
        {"key": "a\n.zip"},
        {"key": "a.zip."},
        {"key": ""},
        {"key": 7},
        {"size": "3"},
        {"size": None},
        {"size": -1},
        {"checksum": "900150983cd24fb0d6963f7d28e17f72"},
        {"checksum": "md5:9001"},
        {"checksum": "crc:9001"},
        {"checksum": None},
        {"links": {}},
        {"links": None},
        {"links": {"self": "http://example.org/a.zip"}},
        {"links": {"self": "file:///etc/passwd"}},
    ],
    ids=str,
)
def test_entries_that_are_not_to_be_trusted(change: dict[str, Any], server: RecordServer) -> None:
    server.entries[VIDEO, "a.zip"] = change
    with pytest.raises(FetchError, match="expected"):
        read(server)


def test_a_name_twice(server: RecordServer) -> None:
    server.entries[VIDEO, "a.zip"] = {"key": "b (1).zip"}
    with pytest.raises(FetchError, match="expected every name once"):
        read(server)


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        ("text/html", b"<!doctype html><p>Maintenance", "found text/html that begins with '<!doct"),
        ("application/json", b"", "expected JSON, found application/json that begins with ''"),
        ("application/json", b'{"files": [', "expected JSON"),
        ("application/json", b"[" * 100_000, "expected JSON"),
        ("application/json", b"\xff\xfe", "expected JSON"),
        ("application/json", b'{"message": "moved"}', "expected a record with its files, found me"),
        ("application/json", b'{"files": []}', "expected a record with its files, found files"),
        ("application/json", b"[]", "expected a record with its files, found list"),
        ("application/json", b'{"files": ["a.zip"]}', "expected key, size, checksum and links"),
    ],
)
def test_answers_that_are_no_list(
    kind: str, content: bytes, says: str, server: RecordServer
) -> None:
    server.lists = [(200, kind, content)]
    with pytest.raises(FetchError, match=says):
        read(server)


def test_no_such_record(server: RecordServer) -> None:
    client = Client(server.api, retries=0)
    with pytest.raises(FetchError, match="records/5: expected an answer, found 404 Not Found"):
        read_record(client, 5)


def test_a_list_is_asked_for_again_where_the_server_is_busy(server: RecordServer) -> None:
    waits: list[float] = []
    client = Client(server.api, retries=2, sleep=waits.append)
    server.lists = [(502, "text/html", b"busy"), (503, "text/html", b"busy")]
    assert len(read_record(client, VIDEO)) == 2
    assert waits == [1.0, 2.0]
    assert json.dumps(server.asked) == json.dumps([f"records/{VIDEO}"] * 3)


@pytest.mark.parametrize(
    "address",
    ["http://zenodo.org/api", "zenodo.org", "file:///tmp", "http://127.0.0.1.example.org/api", ""],
)
def test_addresses_that_are_not_encrypted(address: str) -> None:
    with pytest.raises(FetchError, match="expected an address that begins with https://"):
        Client(address)


def test_a_public_server_does_not_lead_to_this_machine() -> None:
    client = Client("https://zenodo.org/api")
    client.check("https://zenodo.org/api/records/1")
    for address in ("https://127.0.0.1/x", "http://localhost/x", "https://[::1]/x"):
        with pytest.raises(FetchError, match="expected an address"):
            client.check(address)
