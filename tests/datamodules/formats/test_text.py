from pathlib import Path

import pytest

from datamodules.formats.text import read_table, read_text, read_utf8, separator
from datamodules.packed.errors import DataError

TEXT = "caf\u00e9\r\n\u4e2d, b\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_mark(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.encode(encoding))
    assert read_text(path) == TEXT
    if encoding.startswith("utf-8"):
        assert read_utf8(path) == TEXT
    else:
        with pytest.raises(DataError, match=f"text in UTF-8, found {encoding.upper()}; "):
            read_utf8(path)


@pytest.mark.parametrize("order", ["be", "le"])
def test_both_orders_of_bytes(tmp_path: Path, order: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(f"\ufeff{TEXT}".encode(f"utf-16-{order}"))
    assert read_text(path) == TEXT


@pytest.mark.parametrize("order", ["be", "le"])
def test_utf_16_without_a_mark(tmp_path: Path, order: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.encode(f"utf-16-{order}"))
    assert read_text(path) == TEXT
    with pytest.raises(DataError, match=f"text in UTF-8, found UTF-16-{order.upper()}; "):
        read_utf8(path)


def test_table(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a; b ;c\n1; "x;\ny";3\n;;\n\n4;5\n')
    table = read_table(path)
    assert table.columns == ("a", "b", "c")
    assert table.rows == [
        (3, {"a": "1", "b": "x;\ny", "c": "3"}),
        (6, {"a": "4", "b": "5", "c": ""}),
    ]
    path.write_text("")
    assert read_table(path).columns == ()


def test_a_quotation_mark_without_its_other_half(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,"' + "x" * 200_000)
    with pytest.raises(
        DataError, match=r"a\.csv, line 2: expected cells between ',': .* quotation"
    ):
        read_table(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"one\ntwo\ncaf\xe9\n", "line 3: expected text in UTF-8, found the byte 0xe9"),
        (b"\xef\xbb\xbfone\ncaf\xe9\n", "line 2: expected text in UTF-8, found the byte 0xe9"),
        (b"\xff\xfea\x00\n\x00b", "line 2: expected text in UTF-16, found the byte 0x62"),
    ],
)
def test_a_bad_byte_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.txt, {says}; "):
        read_text(path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.txt: expected a readable file"):
        read_text(tmp_path / "a.txt")


def test_separators() -> None:
    assert [separator(h) for h in ("a,b", "a;b,c;d", "a\tb", "clip")] == [",", ";", "\t", ","]
