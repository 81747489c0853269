"""Which videos train, choose and test: a JSON file, or the SDK's Python file, which is not run."""

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from datamodules.errors import DataError

SPLITS = ("train", "valid", "test")
_SAME = {"dev": "valid", "val": "valid", "validation": "valid"}

# sha256 of the sorted ids of the SDK's standard folds (2249, 300 and 678 videos), joined by "\n"
STANDARD = {
    "train": "9c88200b765a1ea8942ae0c3deb723afb301bcfd31087c4f4eddda02da6ed94d",
    "valid": "69eb5a50f912fae8af1d672cdbceb34f65f7c3789254201decdd3d1deac38dee",
    "test": "d311aa7d4abdac80cc13dd1c5a840d2bb88ece07ef3e7464e073f9d6de412bc0",
}


def split_name(word: str) -> str:
    """The one name of a split: `train`, `valid` or `test`; empty for any other word."""
    word = word.strip().lower()
    word = _SAME.get(word, word)
    return word if word in SPLITS else ""


def read_folds(path: Path) -> dict[str, str]:
    """Read the folds.

    Args:
        path: `{"train": [...], "valid": [...], "test": [...]}` in JSON, or a Python file that
            assigns lists to names such as `standard_train_fold`.

    Returns:
        Video id -> split.

    Raises:
        DataError: it has no such lists, or a video stands in two of them.
    """
    if not path.is_file():
        raise DataError(f"{path}: expected a file with the folds, found no such file")
    lists = _from_python(path) if path.suffix == ".py" else _from_json(path)
    for split, videos in lists.items():
        if not isinstance(videos, list) or not all(isinstance(v, str) and v for v in videos):
            raise DataError(f"{path}: expected a list of video ids as {split}; write one")
    if not {"train"} < lists.keys():
        raise DataError(
            f"{path}: expected lists of videos for train, valid and test, found "
            f"{', '.join(lists) or 'none'}; take the SDK's standard folds"
        )
    return join_folds(((v, split) for split, videos in lists.items() for v in videos), str(path))


def join_folds(pairs: Iterable[tuple[str, str]], where: str) -> dict[str, str]:
    """Video id -> split, from pairs that can repeat.

    Raises:
        DataError: a video stands in two splits.
    """
    folds: dict[str, str] = {}
    twice: dict[str, str] = {}
    for video, split in pairs:
        if folds.setdefault(video, split) != split:
            twice[video] = f"{folds[video]} and {split}"
    if twice:
        video, both = next(iter(twice.items()))
        raise DataError(
            f"{where}: expected every video in one split, found {len(twice)} in two, such as "
            f"{video} in {both}; training data would be tested on: correct the folds"
        )
    return folds


def are_standard(folds: Mapping[str, str]) -> bool:
    """Whether these are the SDK's standard folds."""
    for split, expected in STANDARD.items():
        videos = sorted(video for video, there in folds.items() if there == split)
        if hashlib.sha256("\n".join(videos).encode()).hexdigest() != expected:
            return False
    return True


def _from_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise DataError(f"{path}: expected folds in JSON: {error}") from error
    if not isinstance(content, dict):
        raise DataError(
            f"{path}: expected an object with the lists train, valid and test, found "
            f"{type(content).__name__}"
        )
    return {split_name(word): videos for word, videos in content.items() if split_name(word)}


def _from_python(path: Path) -> dict[str, Any]:
    """Lists that the file's own statements write out; the file is parsed and never run."""
    try:
        tree = ast.parse(path.read_text())
    except (SyntaxError, ValueError) as error:
        raise DataError(f"{path}: expected Python that assigns the folds: {error}") from error
    lists: dict[str, Any] = {}
    for statement in tree.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        words = [split_name(word) for word in statement.targets[0].id.split("_")]
        split = next((word for word in words if word), "")
        if split:
            try:
                lists[split] = ast.literal_eval(statement.value)
            except ValueError as error:
                raise DataError(
                    f"{path}, line {statement.lineno}: expected a list of video ids, written out, "
                    f"found something that would have to be run"
                ) from error
    return lists
