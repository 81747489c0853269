"""Archives that would leave the folder, link, lie about sizes, or write over what is there."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.fetching.archive import entries_of, unpack
from experiments.fetching.errors import FetchError
from tests.experiments.fetching.server import noise, zipped

FILES = {"Actor_01/a.mp4": noise(1), "Actor_01/b.mp4": noise(2), "c.txt": b"words"}


def nobody(name: str) -> bool:
    return False


def everything(name: str) -> bool:
    return True


def archive(folder: Path, content: bytes) -> Path:
    path = folder / "archive.zip"
    path.write_bytes(content)
    return path


def below(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_wanted_files_are_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path, zipped(FILES))
    entries = entries_of(path, lambda name: name.endswith(".mp4"))
    unpack(path, entries, tmp_path / "out", nobody)
    assert below(tmp_path / "out") == {name: FILES[name] for name in FILES if "mp4" in name}


def test_what_is_there_already_is_left(tmp_path: Path) -> None:
    path, out = archive(tmp_path, zipped(FILES)), tmp_path / "out"
    unpack(path, entries_of(path, everything), out, nobody)
    before = (out / "c.txt").stat().st_mtime_ns, (out / "c.txt").stat().st_ino
    unpack(path, entries_of(path, everything), out, nobody)
    assert ((out / "c.txt").stat().st_mtime_ns, (out / "c.txt").stat().st_ino) == before


def test_files_of_the_user_are_not_written_over(tmp_path: Path) -> None:
    path, out = archive(tmp_path, zipped(FILES)), tmp_path / "out"
    out.mkdir()
    (out / "c.txt").write_bytes(b"Words")  # of the same size
    with pytest.raises(FetchError, match=r"c.txt: expected nothing, or the 5 bytes of archive.zip"):
        unpack(path, entries_of(path, everything), out, nobody)
    assert (out / "c.txt").read_bytes() == b"Words"
    unpack(path, entries_of(path, everything), out, everything)
    assert below(out) == FILES


def entry(name: str, kind: int = 0) -> Callable[[], bytes]:
    def make() -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as opened:
            opened.writestr("good.mp4", b"good")
            info = zipfile.ZipInfo("x")
            info.filename = name  # as it is: ZipInfo's constructor would mend it
            info.external_attr = kind << 16
            opened.writestr(info, b"/etc")
        return packed.getvalue()

    return make


def encrypted() -> bytes:
    content = bytearray(zipped({"a.mp4": b"secret"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (entry("../up.mp4"), "a name that leads out of the folder"),
        (entry("/elsewhere/up.mp4"), "a name that leads out of the folder"),
        (entry("a/../../up.mp4"), "a name that leads out of the folder"),
        (entry("a//b.mp4"), "a name that leads out of the folder"),
        (entry("..\\up.mp4"), "a name that leads out of the folder|damage"),
        (entry("C:up.mp4"), "a name that leads out of the folder"),
        (entry("link", stat.S_IFLNK | 0o777), "a link, or another thing than a file"),
        (entry("pipe", stat.S_IFIFO | 0o666), "a link, or another thing than a file"),
        (entry("GOOD.mp4"), "a name that stands there twice"),
        (encrypted, "which is encrypted"),
    ],
)
def test_an_archive_with_one_bad_entry_is_refused_as_a_whole(
    make: Callable[[], bytes], says: str, tmp_path: Path
) -> None:
    path = archive(tmp_path, make())
    with pytest.raises(FetchError, match=says):
        entries_of(path, lambda name: name == "good.mp4")
    assert list(tmp_path.iterdir()) == [path]


def test_a_bomb(tmp_path: Path) -> None:
    """20 MB of zeros in 20 KB; csv files shrink to a fifth."""
    path = archive(tmp_path, zipped({"a.csv": bytes(20_000_000)}))
    assert path.stat().st_size < 30_000
    with pytest.raises(FetchError, match=r"expected at most .* bytes when unpacked, found 2000000"):
        entries_of(path, everything)
    table = "\n".join(f"{i}, 0.98, 0.00, 0.12, {i % 7}.31" for i in range(20_000)).encode()
    assert entries_of(archive(tmp_path, zipped({"a.csv": table})), everything)


def test_more_than_an_entry_declares_is_not_written(tmp_path: Path) -> None:
    """A megabyte that says it has a thousand bytes."""
    content = bytearray(zipped({"a.mp4": noise(3, 1 << 20)}))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = content.index(mark) + offset
        content[place : place + 4] = struct.pack("<I", 1000)
    path, out = archive(tmp_path, bytes(content)), tmp_path / "out"
    with pytest.raises(FetchError, match="found damage"):
        unpack(path, entries_of(path, everything), out, nobody)
    assert not (out / "a.mp4").exists()
    assert sum(len(found) for found in below(out).values()) <= 1000


@pytest.mark.parametrize("damage", ["cut", "text", "byte"])
def test_damage(damage: str, tmp_path: Path) -> None:
    content = zipped({"a.mp4": noise(4)})
    changed = {
        "cut": content[:-30],
        "text": b"<html>",
        "byte": content[:200] + bytes([content[200] ^ 1]) + content[201:],
    }
    path = archive(tmp_path, changed[damage])
    with pytest.raises(FetchError, match="expected a zip archive that can be read, found damage"):
        unpack(path, entries_of(path, everything), tmp_path / "out", nobody)
    assert not (tmp_path / "out" / "a.mp4").exists()
