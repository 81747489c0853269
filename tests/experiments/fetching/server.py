"""A server of public records on this machine, with the faults that servers and networks have."""

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

VIDEO, TRACKING = 1188976, 3255102


class RecordServer(ThreadingHTTPServer):
    """`/api/records/<number>` lists files; `/files/<name>` gives them.

    Attributes:
        records: number -> name -> content.
        entries: (number, name) -> what the list says otherwise of that file.
        ranges: whether it knows them.
        sizes_told: whether answers state their size.
        kind: of the files, as the server says.
        cuts: bytes of a file after which the connection is cut, an answer each; none: not.
        refusals: status and headers of the answers to come, for files; each once; none: the file.
        lists: status, kind and content of the answers to come, for lists; each once.
        stalls: name -> bytes after which an answer waits for the client to go away.
        asked: `name from-byte` of every file that was asked for, and `records/<number>`.
    """

    daemon_threads = True

    def __init__(self, records: Mapping[int, Mapping[str, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.records = {number: dict(files) for number, files in records.items()}
        self.entries: dict[tuple[int, str], dict[str, Any]] = {}
        self.ranges = True
        self.sizes_told = True
        self.kind = "application/zip"
        self.cuts: list[int | None] = []
        self.refusals: list[tuple[int, dict[str, str]] | None] = []
        self.lists: list[tuple[int, str, bytes]] = []
        self.asked: list[str] = []
        self.stalls: dict[str, int] = {}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of the server's."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def api(self) -> str:
        return f"{self.address}/api"

    def fetched(self) -> list[str]:
        return [entry for entry in self.asked if not entry.startswith("records")]

    def entry(self, number: int, name: str) -> dict[str, Any]:
        content = self.records[number][name]
        return {
            "key": name,
            "size": len(content),
            "checksum": f"md5:{hashlib.md5(content).hexdigest()}",
            "links": {"self": f"{self.address}/files/{name}"},
        } | self.entries.get((number, name), {})


@contextmanager
def serving(records: Mapping[int, Mapping[str, bytes]]) -> Iterator[RecordServer]:
    server = RecordServer(records)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: RecordServer

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        kind, _, name = self.path.removeprefix("/api").strip("/").partition("/")
        if kind == "records":
            self._list(int(name))
        else:
            self._file(name)

    def _list(self, number: int) -> None:
        self.server.asked.append(f"records/{number}")
        if self.server.lists:
            self._answer(*self.server.lists.pop(0))
        elif number not in self.server.records:
            self._answer(404, "application/json", b'{"status": 404}')
        else:
            files = [self.server.entry(number, name) for name in self.server.records[number]]
            self._answer(200, "application/json", json.dumps({"files": files}).encode())

    def _answer(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _file(self, name: str) -> None:
        server = self.server
        content = next(files[name] for files in server.records.values() if name in files)
        asked = self.headers.get("Range", "bytes=0-")
        begin = int(asked.removeprefix("bytes=").removesuffix("-"))
        server.asked.append(f"{name} {begin}")
        if server.refusals and (refusal := server.refusals.pop(0)):
            status, headers = refusal
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if server.ranges and begin >= len(content) > 0:
            self._answer(416, "text/plain", b"")
            return
        partial = server.ranges and begin
        body = content[begin:] if partial else content
        self.send_response(206 if partial else 200)
        self.send_header("Content-Type", server.kind)
        if server.sizes_told:
            self.send_header("Content-Length", str(len(body)))
        if partial:
            told = f"bytes {begin}-{len(content) - 1}/{len(content)}"
            self.send_header("Content-Range", told)
        self.end_headers()
        if name in server.stalls:
            self.wfile.write(body[: server.stalls[name]])
            self.wfile.flush()
            self.rfile.read(1)  # returns when the other side hangs up
            return
        cut = server.cuts.pop(0) if server.cuts else None
        self.wfile.write(body if cut is None else body[:cut])
        self.wfile.flush()
        self.close_connection = True


def zipped(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def clip(actor: int, emotion: int = 1, modality: int = 1) -> str:
    return f"{modality:02d}-01-{emotion:02d}-01-01-01-{actor:02d}"


def noise(seed: int, size: int = 3000) -> bytes:
    """Bytes that do not compress."""
    return b"".join(hashlib.sha256(f"{seed} {i}".encode()).digest() for i in range(size // 32))


def video_archive(actor: int) -> bytes:
    """As published: videos with sound, the same without, in the actor's folder."""
    return zipped(
        {
            f"Actor_{actor:02d}/{clip(actor, emotion, modality)}.mp4": noise(100 * actor + emotion)
            for emotion in (1, 2)
            for modality in (1, 2)
        }
    )


def ravdess(actors: int = 24) -> dict[int, dict[str, bytes]]:
    """Both records, with two clips an actor that are no videos."""
    every = range(1, actors + 1)
    sounds = {
        f"Actor_{a:02d}/{clip(a, e, 3)}.wav": noise(a + 50 * e) for a in every for e in (1, 2)
    }
    tables = {f"{clip(a, e)}.csv": noise(a * e, 640) for a in every for e in (1, 2)}
    songs = {"Actor_01/03-02-01-01-01-01-01.wav": noise(7)}
    return {
        VIDEO: {
            "Audio_Speech_Actors_01-24.zip": zipped(sounds),
            "Audio_Song_Actors_01-24.zip": zipped(songs),
            **{f"Video_Speech_Actor_{a:02d}.zip": video_archive(a) for a in every},
        },
        TRACKING: {
            "FacialTracking_Actors_01-24.zip": zipped(tables | {"01-02-01-01-01-01-01.csv": b"x"})
        },
    }
