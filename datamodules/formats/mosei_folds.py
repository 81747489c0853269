"""Which videos train, choose and test: a JSON file, or the SDK's Python file, which is not run."""

import ast
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from datamodules.formats.text import read_text
from datamodules.packed.errors import DataError

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


def by_split(
    pairs: Iterable[tuple[str, Any]], where: str, name: Callable[[str], str] = split_name
) -> dict[str, Any]:
    """Split -> value, from pairs of a word and a value; words that name no split are left out.

    Raises:
        DataError: two words name one split.
    """
    words: dict[str, str] = {}
    values: dict[str, Any] = {}
    for word, value in pairs:
        split = name(word)
        if split in words:
            raise DataError(
                f"{where}: expected one entry for {split}, found {words[split]} and {word}; "
                "keep one of them"
            )
        if split:
            words[split], values[split] = word, value
    return values


def read_folds(path: Path) -> dict[str, str]:
    """Read the folds.

    Args:
        path: `{"train": [...], "valid": [...], "test": [...]}` in JSON, or a Python file that
            assigns lists to names such as `standard_train_fold`. All three have to be there; one
            without videos is an empty list.

    Returns:
        Video id -> split.

    Raises:
        DataError: a list is missing or there twice, or a video stands in two of them.
    """
    if not path.is_file():
        raise DataError(f"{path}: expected a file with the folds, found no such file")
    lists = _from_python(path) if path.suffix == ".py" else _from_json(path)
    for split, videos in lists.items():
        if not isinstance(videos, list) or not all(isinstance(v, str) and v for v in videos):
            raise DataError(f"{path}: expected a list of video ids as {split}; write one")
    if len(lists) < len(SPLITS):
        raise DataError(
            f"{path}: expected lists of videos for train, valid and test, found "
            f"{', '.join(lists) or 'none'}; take the SDK's standard folds, or write [] for one "
            "without videos"
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
        content = json.loads(read_text(path), object_pairs_hook=tuple)  # keeps keys that repeat
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{path}: expected folds in JSON: {error}; correct the file") from error
    if not isinstance(content, tuple):
        raise DataError(
            f"{path}: expected an object with the lists train, valid and test, found "
            f"{type(content).__name__}"
        )
    return by_split(content, str(path))


def _from_python(path: Path) -> dict[str, Any]:
    """Lists that the file's own statements write out; the file is parsed and never run."""
    try:
        tree = ast.parse(read_text(path))
    except DataError:
        raise
    except (SyntaxError, ValueError) as error:
        raise DataError(f"{path}: expected Python that assigns the folds: {error}") from error
    assigned = {
        target.id: statement
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    return {
        split: _written_out(statement, path)
        for split, statement in by_split(assigned.items(), str(path), _split_of_variable).items()
    }


def _split_of_variable(name: str) -> str:
    """The split that one of the words of a name such as `standard_train_fold` is."""
    return next((split for split in map(split_name, name.split("_")) if split), "")


def _written_out(statement: ast.Assign, path: Path) -> Any:
    try:
        return ast.literal_eval(statement.value)
    except ValueError as error:
        raise DataError(
            f"{path}, line {statement.lineno}: expected a list of video ids, written out, found "
            "something that would have to be run"
        ) from error
