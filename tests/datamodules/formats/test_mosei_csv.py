import csv
from pathlib import Path

import pytest

from datamodules.formats.mosei_csv import TextRow, read_text_table
from datamodules.packed.errors import DataError

ROW = {"video_id": "v", "clip_id": "3", "text": "Fine, I guess.", "label": "0.5", "mode": "train"}


def table(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "label.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_rows(tmp_path: Path) -> None:
    other = ROW | {"clip_id": "4", "text": ' two\nlines, "quoted" ', "label": "-3", "mode": "dev"}
    rows = read_text_table(
        table(tmp_path, ROW | {"annotation": "Positive"}, other | {"annotation": ""})
    )
    assert rows == [
        TextRow("v", "3", "Fine, I guess.", 0.5, "train", 2),
        TextRow("v", "4", 'two lines, "quoted"', -3.0, "valid", 4),
    ]
    assert rows[0].id == "v[3]"


def test_without_modes(tmp_path: Path) -> None:
    assert (
        read_text_table(table(tmp_path, {k: v for k, v in ROW.items() if k != "mode"}))[0].split
        == ""
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": " "}, r"found 1 without \(line 3\); fill it in, or leave the row out"),
        ({"video_id": ""}, r"a video_id in every row, found 1 without \(line 3\); fill it in"),
        ({"label": "good"}, "line 3: expected a number as label, found 'good'"),
        ({"mode": "all"}, "line 3: expected the mode train, valid or test, found 'all'"),
        ({"clip_id": "3"}, r"line 3: segment v\[3\] stands there twice"),
    ],
)
def test_unusable_rows(tmp_path: Path, change: dict[str, str], message: str) -> None:
    path = table(tmp_path, ROW, ROW | {"clip_id": "4"} | change)
    with pytest.raises(DataError, match=message) as raised:
        read_text_table(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("column", ["text", "video_id"])
def test_many_empty_cells(tmp_path: Path, column: str) -> None:
    path = table(tmp_path, ROW, *[ROW | {"clip_id": str(i), column: ""} for i in range(4, 11)])
    message = rf"a {column} in every row, found 7 without \(lines 3, 4, 5, 6, 7 \.\.\.\); fill them"
    with pytest.raises(DataError, match=message):
        read_text_table(path)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_another_encoding(tmp_path: Path, mark: bytes) -> None:
    path = table(tmp_path, ROW, ROW | {"clip_id": "4", "text": "caf\u00e9"})
    assert read_text_table(path)[1].text == "caf\u00e9"
    path.write_bytes(mark + path.read_text().encode("latin1"))
    with pytest.raises(DataError, match="line 3: expected text in UTF-8, found the byte 0xe9; the"):
        read_text_table(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_of_a_spreadsheet(tmp_path: Path, encoding: str, separator: str) -> None:
    quoted = ROW | {"text": "Fine; I\tguess. "}
    path = table(tmp_path, quoted, ROW | {"clip_id": "4", "text": "a caf\u00e9"})
    expected = read_text_table(path)
    text = path.read_text().replace(quoted["text"], f'"{quoted["text"]}"')
    path.write_bytes(text.replace(",", separator).encode(encoding))
    assert read_text_table(path) == expected


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found no such file"):
        read_text_table(tmp_path / "label.csv")
    with pytest.raises(DataError, match="columns video_id, clip_id, text, label, found no label"):
        read_text_table(table(tmp_path, {k: v for k, v in ROW.items() if k != "label"}))
    path = table(tmp_path, ROW)
    path.write_text(path.read_text().splitlines()[0])
    with pytest.raises(DataError, match="expected a text in every row, found no row;"):
        read_text_table(path)
