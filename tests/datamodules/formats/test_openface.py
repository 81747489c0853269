import csv
from pathlib import Path

import numpy as np
import pytest

from datamodules.formats.openface import (
    ACTION_UNITS,
    columns_of,
    mean_action_units,
    read_tracking,
)
from datamodules.packed.errors import DataError

COLUMNS = ["frame", "face_id", "timestamp", "confidence", "success", "gaze_0_x", "p_scale"]
COLUMNS += [f"{axis}_{i}" for axis in "XYZxy" for i in range(68)] + list(ACTION_UNITS)


def table(rows: int = 6) -> list[dict[str, object]]:
    generator = np.random.default_rng(0)
    made: list[dict[str, object]] = []
    for number in range(1, rows + 1):
        values = dict(zip(COLUMNS, generator.uniform(1, 700, len(COLUMNS)).round(2), strict=True))
        units = dict(zip(ACTION_UNITS, generator.uniform(0, 5, 35).round(2), strict=True))
        made.append(values | units | {"frame": number, "confidence": 0.98, "success": 1})
    return made


def write(path: Path, rows: list[dict[str, object]], separator: str = ", ") -> Path:
    lines = [separator.join(rows[0])] + [separator.join(map(str, r.values())) for r in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("separator", [", ", ","])
def test_against_a_plain_reader(tmp_path: Path, separator: str) -> None:
    path = write(tmp_path / "a.csv", table(), separator)
    tracking = read_tracking(path, landmarks=True, action_units=True)
    with path.open() as file:
        rows = [{k.strip(): float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    for number, row in enumerate(rows):
        expected = [(row[f"x_{i}"], row[f"y_{i}"]) for i in range(68)]
        assert tracking.landmarks[number].tolist() == [list(point) for point in expected]
        assert tracking.action_units[number].tolist() == [row[name] for name in ACTION_UNITS]
    assert tracking.frame.tolist() == [1, 2, 3, 4, 5, 6]
    assert tracking.good.all()


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    rows = table()
    turned = [dict(reversed(row.items())) for row in rows]
    one, other = write(tmp_path / "a.csv", rows), write(tmp_path / "b.csv", turned)
    found = [read_tracking(path, landmarks=True).landmarks for path in (one, other)]
    assert found[0].shape == (6, 68, 2)
    assert np.array_equal(*found)


def test_lost_frames_are_not_good_and_do_not_count(tmp_path: Path) -> None:
    rows = table()
    rows[0]["success"], rows[1]["confidence"], rows[2]["x_5"], rows[3]["y_9"] = 0, 0, "nan", "nan"
    rows[4]["x_7"], rows[4]["AU07_r"] = "-nan(ind)", "-nan(ind)"
    path = write(tmp_path / "a.csv", rows)
    assert read_tracking(path, landmarks=True).good.tolist() == [False] * 5 + [True]
    tracking = read_tracking(path, action_units=True)  # which landmarks do not concern
    assert tracking.good.tolist() == [False, False, True, True, False, True]
    counted = [[float(str(rows[i][name])) for name in ACTION_UNITS] for i in (2, 3, 5)]
    assert np.array_equal(mean_action_units(tracking, path), np.float32(np.mean(counted, 0)))


def test_of_two_faces_the_more_certain_counts(tmp_path: Path) -> None:
    rows = table()
    rows[1] |= {"frame": 1, "confidence": 0.99}
    path = write(tmp_path / "a.csv", rows)
    tracking = read_tracking(path, landmarks=True)
    assert tracking.frame.tolist() == [1, 3, 4, 5, 6]
    assert tracking.landmarks[0, 0].tolist() == [rows[1]["x_0"], rows[1]["y_0"]]


def test_missing_columns(tmp_path: Path) -> None:
    rows = [{k: v for k, v in row.items() if k not in ("x_3", "success")} for row in table()]
    with pytest.raises(DataError, match=r"a\.csv: expected .* without success, x_3; track"):
        read_tracking(write(tmp_path / "a.csv", rows), landmarks=True)


def test_without_action_units(tmp_path: Path) -> None:
    rows = [{k: v for k, v in row.items() if not k.startswith("AU")} for row in table()]
    path = write(tmp_path / "a.csv", rows)
    assert columns_of(path) == {"landmarks"}
    assert read_tracking(path, landmarks=True).good.all()
    with pytest.raises(DataError, match=r"expected .*, AU01_r.* found 347 columns without AU01_r"):
        read_tracking(path, action_units=True)


def test_without_landmarks(tmp_path: Path) -> None:
    """As `FeatureExtraction -aus` writes them."""
    rows = [{k: v for k, v in row.items() if k[:2] not in ("x_", "y_")} for row in table()]
    path = write(tmp_path / "a.csv", rows)
    assert columns_of(path) == {"action_units"}
    found = mean_action_units(read_tracking(path, action_units=True), path)
    units = [[float(str(row[name])) for name in ACTION_UNITS] for row in rows]
    assert np.array_equal(found, np.float32(np.mean(units, 0)))
    with pytest.raises(DataError, match=r"without x_0, x_1, .* track the video again"):
        read_tracking(path, landmarks=True)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_of_a_spreadsheet(tmp_path: Path, separator: str) -> None:
    path = write(tmp_path / "a.csv", table(), separator)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    plain = write(tmp_path / "b.csv", table(), ",")
    assert columns_of(path) == {"landmarks", "action_units"}
    one, other = (read_tracking(p, landmarks=True, action_units=True) for p in (path, plain))
    assert np.array_equal(one.landmarks, other.landmarks)
    assert np.array_equal(one.action_units, other.action_units)


def test_other_encodings_and_damaged_bytes(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.csv", table()).read_bytes()
    (tmp_path / "wide.csv").write_bytes(whole.decode().encode("utf-16"))
    with pytest.raises(DataError, match=r"wide\.csv: expected text in UTF-8, found UTF-16"):
        read_tracking(tmp_path / "wide.csv")
    assert columns_of(tmp_path / "wide.csv") == frozenset()
    at = whole.index(b"\n", whole.index(b"\n") + 1) + 3  # in the third line
    (tmp_path / "bad.csv").write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
    with pytest.raises(DataError, match=r"bad\.csv, line 3: expected text in UTF-8, .* 0xff"):
        read_tracking(tmp_path / "bad.csv")


@pytest.mark.parametrize("number", ["nan", "inf", "1e300"])
def test_a_frame_that_has_no_number(tmp_path: Path, number: str) -> None:
    path = write(tmp_path / "a.csv", [*table()[:-1], table()[-1] | {"frame": number}])
    with pytest.raises(DataError, match="expected the number of a frame"):
        read_tracking(path)


def test_means_that_float32_cannot_hold(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [row | {"AU01_r": "1e39"} for row in table()])
    with pytest.raises(DataError, match=r"expected action units from 0 to 5, found 1e\+39"):
        mean_action_units(read_tracking(path, action_units=True), path)


def test_no_rows_or_no_numbers(tmp_path: Path) -> None:
    header = ", ".join(COLUMNS)
    (tmp_path / "empty.csv").write_text(header + "\n")
    with pytest.raises(DataError, match="one row a frame, found none"):
        read_tracking(tmp_path / "empty.csv")
    (tmp_path / "cut.csv").write_text(header + "\n1, 0, 0.0\n")
    with pytest.raises(DataError, match=r"cut\.csv: expected rows of numbers"):
        read_tracking(tmp_path / "cut.csv")


def test_no_tracked_frame(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [row | {"success": 0} for row in table()])
    with pytest.raises(DataError, match="found no frame with success = 1"):
        mean_action_units(read_tracking(path, action_units=True), path)
