"""Pickles of other people: plain containers, text and NumPy arrays, and nothing that could run.

NumPy's own classes never meet the file: `ndarray` and `dtype`, called or restored with arguments of
a stranger's choice, reach raw memory. Classes of ours stand in for them and check what they get.
"""

import mmap
import pickle
import pickletools
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any, Self

import numpy as np

from datamodules.packed.errors import DataError

_KINDS = "biufcSUO"  # no structures, no dates: none of the files that are read has them
_PLAIN = (str, bytes, int, float, type(None))
_STORED = {"PUT", "BINPUT", "LONG_BINPUT"}


class _Dtype:
    """A type of numbers or text, as a pickle describes it: `f8`, then its byte order."""

    def __init__(self, name: str, *_: Any) -> None:
        self.real = np.dtype(name if isinstance(name, str) else "V")
        if self.real.kind not in _KINDS:
            raise pickle.UnpicklingError(f"arrays of type {str(name)[:40]!r}")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, order, sub, names, fields = state[:5]
        if (sub, names, fields) != (None, None, None) or order not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError("arrays of a structured type")
        self.real = self.real.newbyteorder(order)


class _Array(np.ndarray):
    """An array that a pickle restores, and cannot construct."""

    def __new__(cls, *_: Any, **__: Any) -> Self:
        raise pickle.UnpicklingError("a call of numpy.ndarray")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, shape, dtype, fortran, content = state
        kind = _size(shape, dtype, _bytes(content))
        super().__setstate__((1, shape, kind, bool(fortran), _bytes(content)))  # type: ignore[arg-type]


def _bytes(content: Any) -> Any:
    """Return text as the bytes that Python 2 meant by it, and everything else as it is."""
    return content.encode("latin1") if isinstance(content, str) else content


def _size(shape: Any, dtype: Any, content: Any) -> np.dtype[Any]:
    """Return the type of an array whose content is as long as its shape says.

    Raises:
        pickle.UnpicklingError: it is not.
    """
    if not (isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)):
        raise pickle.UnpicklingError("an array whose shape is none")
    if not isinstance(dtype, _Dtype):
        raise pickle.UnpicklingError("an array without a type")
    if dtype.real.kind == "O":  # text of various lengths: plain Python objects, one by one
        if not isinstance(content, list) or len(content) != prod(shape):
            raise pickle.UnpicklingError("an array of objects that are not there")
        if not all(isinstance(value, _PLAIN) for value in content):
            raise pickle.UnpicklingError("an array of objects that are neither text nor numbers")
    elif not isinstance(content, bytes | bytearray) or (
        len(content) != prod(shape) * dtype.real.itemsize
    ):
        raise pickle.UnpicklingError(f"an array of shape {shape} without its content")
    return dtype.real


def _reconstruct(kind: Any, *_: Any) -> np.ndarray:
    """Return an empty array, which the pickle then restores."""
    if kind is not _Array:
        raise pickle.UnpicklingError("the restoring of something that is no array")
    return np.zeros(0, np.int8).view(_Array)


def _frombuffer(content: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    """Return an array of protocol 5."""
    kind = _size(shape, dtype, content)
    if kind.kind == "O" or order not in ("C", "F"):
        raise pickle.UnpicklingError("an array of a form that NumPy does not write")
    return np.frombuffer(content, kind).reshape(shape, order=order)


def _scalar(dtype: Any, content: Any = b"") -> Any:
    """Return one number."""
    kind = _size((), dtype, _bytes(content))
    if kind.kind == "O":
        raise pickle.UnpicklingError("a number that is an object")
    return np.frombuffer(_bytes(content), kind)[0]


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """What `_codecs.encode` is for in a pickle: bytes, written as text by old protocols."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding}")
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    **{
        (f"numpy.{core}.{module}", name): function
        for core in ("core", "_core")
        for module, name, function in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _frombuffer),
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
    size = path.stat().st_size
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            _check_claims(content)
            return _Unpickler(content, encoding="latin1").load()
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except Exception as error:  # what broken bytes lead to is anybody's guess
        raise DataError(
            f"{path}: expected a whole pickle, found {size} bytes that are cut off or something "
            f"else ({error}); fetch the file again"
        ) from error


def _check_claims(content: mmap.mmap) -> None:
    """Walk over a pickle without carrying it out, so that what it claims is there.

    A few bytes can claim a text of gigabytes, or the place 10^9 of a list, and Python takes the
    memory before it looks. The map is rewound.

    Raises:
        ValueError: something is missing, or no pickle would be numbered so.
    """
    for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):  # type: ignore[arg-type]
        if opcode.name in _STORED and (argument is None or int(argument) > count):
            raise ValueError(f"its object {argument} follows after {count} steps")
    content.seek(0)
