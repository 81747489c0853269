"""Settings hold what their annotations say, whatever a command line hands over."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, field, fields
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from datamodules.packed.errors import DataError

Group = TypeVar("Group")


def bounded(default: float, *, least: float = 0, most: float = math.inf) -> Any:
    """Return a field of a dataclass of settings whose numbers have bounds, which are included.

    Without this a number is at least 0, a whole number at least 1.
    """
    return field(default=default, metadata={"least": least, "most": most})


def check_settings(settings: Any, group: str = "") -> None:
    """Check a dataclass of settings: whole numbers are at least 1, choices among the choices.

    A field made by `bounded` takes numbers within its bounds.

    Args:
        settings: the dataclass.
        group: the name of the group that they stand in, for messages.

    Raises:
        DataError: names the setting, what is expected and what was found.
    """
    hints = get_type_hints(type(settings))
    for one in fields(settings):
        value = getattr(settings, one.name)
        expected = _expected(one, hints[one.name], value)
        if expected:
            name = f"{group}.{one.name}" if group else one.name
            raise DataError(f"{name}={value}: expected {expected}")


def read_group(kind: type[Group], given: Mapping[str, Any] | None, name: str) -> Group:
    """Make a group of settings from what a configuration gives.

    Args:
        kind: a dataclass; its defaults stand for what is left out.
        given: the settings by their names.
        name: of the group, for messages.

    Raises:
        DataError: `given` is no mapping, a setting is unknown or missing, or its value does not
            fit.
    """
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    needed = {key for key, one in known.items() if one.default is MISSING}
    expected = f"{name}: expected the settings {', '.join(known)}"
    if given is not None and not isinstance(given, Mapping):
        raise DataError(f"{expected}, found {given}")
    values = dict(given or {})
    if not values.keys() <= known.keys():
        unknown = [str(key) for key in values if key not in known]
        raise DataError(f"{expected}, found {', '.join(unknown)}")
    if not needed <= values.keys():
        found = ", ".join(values) or "none"
        raise DataError(f"{expected}, found {found}; give all of them")
    hints = get_type_hints(kind)
    for key, value in values.items():
        if get_origin(hints[key]) is tuple and _is_list(value):
            values[key] = tuple(value)  # a configuration gives lists
    return kind(**values)


def _expected(one: Field[Any], kind: Any, value: Any) -> str:
    """What a setting should be, empty where its value fits."""
    if get_origin(kind) is Literal:
        fits, expected = value in get_args(kind), " or ".join(map(str, get_args(kind)))
    elif get_origin(kind) is tuple:
        many = len(get_args(kind)) if Ellipsis not in get_args(kind) else None
        right = isinstance(value, tuple) and (len(value) == many if many else True)
        fits = right and all(isinstance(part, int | float) for part in value)
        expected = f"a list of {many} numbers" if many else "a list of numbers"
    elif kind is str:
        fits, expected = isinstance(value, str), "a name"
    elif kind is bool:
        fits, expected = isinstance(value, bool), "true or false"
    else:
        least = one.metadata.get("least", 1 if kind is int else 0)
        most = one.metadata.get("most", math.inf)
        right = isinstance(value, int if kind is int else int | float)
        fits = right and not isinstance(value, bool) and least <= value <= most
        which = f"from {least} to {most}" if most < math.inf else f"of at least {least}"
        expected = f"a {'whole ' * (kind is int)}number {which}"
    return "" if fits else expected


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
