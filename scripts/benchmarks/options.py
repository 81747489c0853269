"""Read a benchmark's options from overrides, and describe them; light, as `--help` needs it."""

import math
from collections.abc import Iterable
from dataclasses import Field, fields
from difflib import get_close_matches
from textwrap import TextWrapper
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from scripts.benchmarks.registry import Options

if TYPE_CHECKING:  # Hydra's grammar is more than `--help` should wait for
    from experiments.runs.overrides import Overrides

Kind = TypeVar("Kind", bound=Options)

# What a value of a type is called: one, and several.
EXPECTED = {
    bool: ("true or false", "true or false"),
    int: ("a whole number of at least 1", "whole numbers of at least 1"),
    float: ("a number above 0", "numbers above 0"),
    str: ("a text", "texts"),
}


def read(name: str, kind: type[Kind], overrides: "Overrides") -> tuple[Kind, "Overrides"]:
    """Read the options of a benchmark, and return them with the other overrides.

    Args:
        name: of the benchmark, for messages.
        kind: declares the options: int, float, bool, str, or tuples of one of these.
        overrides: of the command line. Numbers have to be above 0.

    Raises:
        ValueError: for a value that does not fit its option, or, where the benchmark takes no
            overrides of train.py, for one that is no option; it names the override.
    """
    declared = {option.name: option for option in fields(kind)}
    rest = overrides.without(*declared)
    below = [key for key in overrides.keys if key not in declared and key not in rest]
    unknown = below if kind.for_training else [*below, *rest.keys]
    if unknown:
        raise ValueError(unknown_name(unknown[0], f"option of {name}", declared))
    given = {
        key: _checked(option, overrides.value(key), str(overrides.only(key)))
        for key, option in declared.items()
        if key in overrides
    }
    return kind(**given), rest


def refuse(overrides: "Overrides", **reasons: str) -> None:
    """Refuse overrides of train.py that a benchmark would ignore.

    Raises:
        ValueError: names the first of them, and why it is refused.
    """
    for key, reason in reasons.items():
        if key in overrides:
            raise ValueError(f"{overrides.only(key)}: {reason}")


def unknown_name(found: str, what: str, known: Iterable[str]) -> str:
    """Say that a name is none of the known ones, and which are close or there at all."""
    known = list(known)
    close = get_close_matches(found, known, n=1)
    guess = f", did you mean {close[0]}?" if close else "."
    return f"{found}: no such {what}{guess} There are {', '.join(known)}"


def describe(kind: type[Options]) -> str:
    """Return what every option is, line by line: its name, help, choices and default."""
    width = max(len(option.name) for option in fields(kind))
    wrapper = TextWrapper(
        100, subsequent_indent=" " * (width + 4), break_long_words=False, break_on_hyphens=False
    )
    lines = [f"  {option.name:<{width}}  {_described(option)}" for option in fields(kind)]
    return "\n".join(map(wrapper.fill, lines))


def summary(kind: type[Options]) -> str:
    """Return the line that says what a benchmark measures."""
    return (kind.__doc__ or "").splitlines()[0]


def _described(option: "Field[Any]") -> str:
    parts = [option.metadata["help"]]
    choices = option.metadata.get("choices", ())
    if choices and option.default != choices:
        parts.append(_alternatives(option))
    if option.default != "":
        parts.append(f"{written(option.default)} if not given")
    return "; ".join(parts)


def written(value: object) -> str:
    """Write a value as an override has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{','.join(map(written, value))}]"
    return "null" if value is None else str(value) or "nothing"


def _checked(option: "Field[Any]", found: Any, text: str) -> Any:
    """Return a value as the type of its option has it."""
    several = get_origin(option.type) is tuple
    element, *others = get_args(option.type) if several else (option.type,)
    values = found if several and isinstance(found, list) else [found]
    length = 1 + len(others) if several and Ellipsis not in others else len(values)
    choices = option.metadata.get("choices")
    fits = (
        several == isinstance(found, list)
        and len(values) == length > 0
        and all(_fits(value, element) and (not choices or value in choices) for value in values)
    )
    if not fits:
        expected = _alternatives(option) if choices else _expected(option, element, several)
        hint = ""
        if element is str and isinstance(found, int | float):
            hint = f", which as a text is {option.name}='\"{written(found)}\"'"
        raise ValueError(f"{text}: expected {expected}, found {written(found)}{hint}")
    converted = tuple(element(value) for value in values)
    return converted if several else converted[0]


def _fits(value: object, kind: type) -> bool:
    if kind is float and type(value) in (int, float):
        return math.isfinite(value) and value > 0  # type: ignore[operator, arg-type]
    return type(value) is kind and (kind is not int or value > 0)  # type: ignore[operator]


def _expected(option: "Field[Any]", element: type, several: bool) -> str:
    if not several:
        return EXPECTED[element][0]
    return f"a list of {EXPECTED[element][1]}, as in {option.name}={written(option.default)}"


def _alternatives(option: "Field[Any]") -> str:
    names = ", ".join(map(written, option.metadata["choices"]))
    return f"a list of some of {names}" if get_origin(option.type) is tuple else f"one of {names}"
