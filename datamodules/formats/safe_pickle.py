"""Pickles of other people: plain containers, text and NumPy arrays, and nothing that could run."""

import pickle
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.packed.errors import DataError

_MULTIARRAY = import_module("numpy._core.multiarray")
_NUMERIC = import_module("numpy._core.numeric")


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """What `_codecs.encode` is for in a pickle: bytes, written as text by old protocols."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding}")
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
    **{
        (f"numpy.{core}.{module}", name): getattr(source, name)
        for core in ("core", "_core")
        for module, source, name in (
            ("multiarray", _MULTIARRAY, "_reconstruct"),
            ("multiarray", _MULTIARRAY, "scalar"),
            ("numeric", _NUMERIC, "_frombuffer"),
        )
    },
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        if (module, name) not in _ALLOWED:
            raise DataError(
                f"expected a pickle of arrays, lists, dictionaries and text, found one that calls "
                f"for {module}.{name}: nothing of it was run, do not load this file elsewhere "
                "either unless you trust whoever made it"
            )
        return _ALLOWED[module, name]


def load_pickle(path: Path) -> Any:
    """Load a pickle of plain containers and arrays, also one of Python 2.

    Raises:
        DataError: it wants anything else, is cut off, or is no pickle.
    """
    if not path.is_file():
        raise DataError(f"{path}: expected a pickle, found no such file")
    try:
        with path.open("rb") as file:
            return _Unpickler(file, encoding="latin1").load()
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except Exception as error:  # what broken bytes lead to is anybody's guess
        raise DataError(
            f"{path}: expected a whole pickle, found {path.stat().st_size} bytes that are cut off "
            f"or something else ({error}); fetch the file again"
        ) from error
