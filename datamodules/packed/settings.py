"""Settings of prepare hold what their annotations say, whatever a command line hands over."""

from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from datamodules.packed.errors import DataError


def check_settings(settings: Any) -> None:
    """Check a dataclass of settings: whole numbers are at least 1, choices among the choices.

    Raises:
        DataError: names the setting, what is expected and what was found.
    """
    hints = get_type_hints(type(settings))
    for field in fields(settings):
        kind, value = hints[field.name], getattr(settings, field.name)
        if get_origin(kind) is Literal:
            fits, expected = value in get_args(kind), " or ".join(map(str, get_args(kind)))
        elif kind is bool:
            fits, expected = isinstance(value, bool), "true or false"
        elif kind is int:
            fits = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            expected = "a whole number of at least 1"
        else:
            fits, expected = isinstance(value, int | float) and value >= 0, "a number of at least 0"
        if not fits:
            raise DataError(f"{field.name}={value}: expected {expected}")
