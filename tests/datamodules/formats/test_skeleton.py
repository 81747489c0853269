from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from datamodules.formats.skeleton import read_skeleton
from datamodules.formats.words import Words
from datamodules.packed.errors import DataError
from tests.ntu_skeletons import IDS, Frame, random_frames, read_plain, write_plain


def same(path: Path) -> bool:
    """Whether both readers find the same bodies, to the last bit."""
    plain, found = read_plain(path), read_skeleton(path)
    bodies = [(f, number, joints) for f, frame in enumerate(plain) for number, joints in frame]
    return (
        found.frames == len(plain)
        and found.frame.tolist() == [frame for frame, _, _ in bodies]
        and found.id.tolist() == [number for _, number, _ in bodies]
        and np.array_equal(found.joints, [j for *_, j in bodies] or np.zeros((0, 25, 3)))
    )


@pytest.mark.parametrize(
    "counts",
    [[1] * 20, [2] * 9, [3, 3], [0, 0, 0], [0, 1, 2, 0, 3, 1, 0], [1], []],
    ids=["one", "two", "three", "none", "comes and goes", "one frame", "no frame"],
)
@pytest.mark.parametrize(("end", "last"), [("\n", ""), ("\r\n", "\r\n\r\n"), ("\n", "\n \n")])
def test_equal_to_the_plain_reader(counts: list[int], end: str, last: str, tmp_path: Path) -> None:
    path = write_plain(tmp_path / "a.skeleton", random_frames(counts), end=end, last=last)
    assert same(path)


def test_ids_that_a_float_cannot_tell_apart(tmp_path: Path) -> None:
    found = read_skeleton(write_plain(tmp_path / "a.skeleton", random_frames([3])))
    assert found.id.tolist() == list(IDS)
    assert float(IDS[0]) == float(IDS[1])


def test_last_line_without_an_end(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "a.skeleton", random_frames([1, 1]))
    path.write_bytes(path.read_bytes()[:-1])
    assert same(path)


def test_other_ways_to_write_a_number(tmp_path: Path) -> None:
    frames = random_frames([1])
    words = ["1e-3", "-2.5E+02", "+0.5", ".25", "-7", "5.", "0.12345678901234567890", "-0", "1e400"]
    path = edit(tmp_path, frames, lambda lines: put(lines, 4, [*words[:3], *lines[4].split()[3:]]))
    edit(tmp_path, None, lambda lines: put(lines, 5, [*words[3:6], *lines[5].split()[3:]]))
    edit(tmp_path, None, lambda lines: put(lines, 6, [*words[6:], *lines[6].split()[3:]]))
    expected = np.array([float(word) for word in words]).reshape(3, 3)
    with np.errstate(over="ignore"):
        assert np.array_equal(read_skeleton(path).joints[0, :3], expected.astype(np.float32))


def test_nan_is_kept_for_the_preparation_to_judge(tmp_path: Path) -> None:
    path = edit(
        tmp_path, random_frames([1]), lambda lines: put(lines, 4, ["nan", *lines[4].split()[1:]])
    )
    found = read_skeleton(path).joints[0]
    assert np.isnan(found[0, 0])
    assert np.isfinite(found).sum() == 74


def test_numbers_are_rounded_as_float_does(tmp_path: Path) -> None:
    g = np.random.default_rng(0)
    texts = [f"{v:.{d}f}" for d in range(15) for v in g.normal(0, 30, 200)]
    texts += [str(v) for v in g.integers(-(10**15), 10**15, 200)]
    texts += [".123456789012345", "-.12345678901234", "-0.0000000000001", "123456789012345."]
    path = tmp_path / "a.txt"
    path.write_text(" ".join(texts))
    found = Words(path).numbers(np.arange(len(texts)))
    assert found.tolist() == [float(text) for text in texts]


def put(lines: list[str], line: int, words: list[str]) -> list[str]:
    return [*lines[:line], " ".join(words), *lines[line + 1 :]]


def edit(
    folder: Path, frames: list[Frame] | None, change: Callable[[list[str]], list[str]]
) -> Path:
    path = folder / "a.skeleton"
    if frames is not None:
        write_plain(path, frames)
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    return path


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: [], "expected the number of frames, found the end"),
        (lambda lines: lines[:1], "the number of bodies in frame 1 of 3, found the end"),
        (lambda lines: lines[:40], "a body of 25 joints in frame 2 of 3, found the end"),
        (lambda lines: lines[:30], "a body of 25 joints in frame 2 of 3, found the end"),
        (lambda lines: lines[:29], "the number of bodies in frame 2 of 3, found the end"),
        (lambda lines: put(lines, 3, ["24"]), r"line 4: expected a body of 25 joints in frame 1"),
        (lambda lines: put(lines, 1, ["many"]), "line 2: expected the number of bodies.*'many'"),
        (lambda lines: put(lines, 0, ["-3"]), "line 1: expected the number of frames, found '-3'"),
        (lambda lines: put(lines, 0, ["3.5"]), "line 1: expected the number of frames"),
        (lambda lines: put(lines, 0, ["4"]), "frame 4 of 4, found the end"),
        (lambda lines: put(lines, 0, ["2"]), "line 58: expected the end after 2 frames, found '1'"),
        (lambda lines: put(lines, 9, ["left", *lines[9].split()[1:]]), "line 10: .*found 'left'"),
        (lambda lines: put(lines, 9, [*lines[9].split()[:-1], "on"]), "line 10: .*found 'on'"),
        (lambda lines: put(lines, 9, ["1.2.3", *lines[9].split()[1:]]), "line 10: .*'1.2.3'"),
        (lambda lines: put(lines, 9, ["--2", *lines[9].split()[1:]]), "line 10: .*found '--2'"),
        (lambda lines: put(lines, 9, ["." * 20, *lines[9].split()[1:]]), r"line 10: .*'\.{20}'"),
        (lambda lines: put(lines, 2, ["me", *lines[2].split()[1:]]), "line 3: .*found 'me'"),
    ],
)
def test_damaged_files(change: Callable[[list[str]], list[str]], says: str, tmp_path: Path) -> None:
    path = edit(tmp_path, random_frames([1, 1, 1]), change)
    with pytest.raises(DataError, match=says) as error:
        read_skeleton(path)
    assert str(path) in str(error.value)


def test_a_field_that_slipped_into_another_line(tmp_path: Path) -> None:
    def slip(lines: list[str]) -> list[str]:
        *kept, moved = lines[9].split()
        return put(put(lines, 9, kept), 10, [moved, *lines[10].split()])

    path = edit(tmp_path, random_frames([1, 1]), slip)
    with pytest.raises(DataError, match=r"line 11: expected another line end"):
        read_skeleton(path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.skeleton: expected a readable file"):
        read_skeleton(tmp_path / "a.skeleton")
    (tmp_path / "b.skeleton").touch()
    with pytest.raises(DataError, match="expected the number of frames, found the end"):
        read_skeleton(tmp_path / "b.skeleton")
