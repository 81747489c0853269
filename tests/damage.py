"""Damage of many kinds, drawn from a seed: what disks, cut copies and other programs do to files.

And what has to come of it: an error that names the file, or a result.
"""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import yaml

Damage = Callable[[Path, np.random.Generator], None]

VALUES: list[Any] = [
    None, True, -1, 10**30, 1e300, "", "x" * 70_000, "[/red]", [], [[]], {}, {"a": 1},
]  # fmt: skip
SECONDS = 20  # after which a case hangs


def empty(file: Path, random: np.random.Generator) -> None:
    file.write_bytes(b"")


def cut(file: Path, random: np.random.Generator) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(random.integers(len(content)))])


def flip(file: Path, random: np.random.Generator) -> None:
    """Flip a few bits; every other time near the beginning, where what readers decide by stands."""
    content = bytearray(file.read_bytes())
    end = min(len(content), 256) if random.random() < 0.5 else len(content)
    for place in random.integers(end, size=int(random.integers(1, 9))):
        content[place] ^= 1 << int(random.integers(8))
    file.write_bytes(bytes(content))


def overwrite(file: Path, random: np.random.Generator) -> None:
    """A block of a disk that holds something else."""
    content = bytearray(file.read_bytes())
    start = int(random.integers(len(content)))
    block = random.integers(256, size=int(random.integers(1, 600)), dtype=np.uint8).tobytes()
    content[start : start + len(block)] = block[: len(content) - start]
    file.write_bytes(bytes(content))


def double(file: Path, random: np.random.Generator) -> None:
    file.write_bytes(2 * file.read_bytes())


def foreign_text(file: Path, random: np.random.Generator) -> None:
    file.write_text("<html><body>404: not found</body></html>\n")


def pipe(file: Path, random: np.random.Generator) -> None:
    file.unlink()
    os.mkfifo(file)


def folder(file: Path, random: np.random.Generator) -> None:
    file.unlink()
    file.mkdir()


def gone(file: Path, random: np.random.Generator) -> None:
    file.unlink()


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a nested value, containers too."""
    if path:
        yield path
    if isinstance(node, dict | list):
        for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
            yield from leaves(inner, (*path, key))


def change_value(content: Any, random: np.random.Generator) -> Any:
    """Take a key away, or put another value in its place."""
    places = list(leaves(content))
    *way, last = places[int(random.integers(len(places)))]
    inner = content
    for key in way:
        inner = inner[key]
    choice = int(random.integers(-len(VALUES) // 2, len(VALUES)))
    if choice < 0:
        del inner[last]
    else:
        inner[last] = VALUES[choice]
    return content


def other_json(file: Path, random: np.random.Generator) -> None:
    file.write_text(json.dumps(change_value(json.loads(file.read_text()), random)))


def other_yaml(file: Path, random: np.random.Generator) -> None:
    file.write_text(yaml.safe_dump(change_value(yaml.safe_load(file.read_text()), random)))


OF_ALL: list[Damage] = [
    empty, cut, flip, overwrite, double, foreign_text, pipe, folder, gone, cut, flip, overwrite,
]  # fmt: skip
OF_JSON = [*OF_ALL, *[other_json] * 24]
OF_YAML = [*OF_ALL, *[other_yaml] * 24]


class HangsError(Exception):
    pass


@contextmanager
def bounded() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise HangsError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def damaged(whole: Path, place: Path, name: str, damage: Damage, seed: list[int]) -> Path:
    """A copy of a folder, or of the folder of a file, with one damaged file; returns the file."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(whole, place)
    damage(place / name, np.random.default_rng(seed))
    return place / name


def outcome(
    read: Callable[[Path], Any], file: Path, error: type[Exception], told: Path | None = None
) -> Any:
    """What a reader makes of a damaged file: a result, or `None` for an error.

    The error has to name the file or the folder that is read, and be no page long.
    """
    try:
        with bounded():
            return read(file)
    except error as found:
        assert str(file) in str(found), f"the message names no file: {found}"
        assert len(str(found)) < 2000
        return None
