"""Overrides of a command line as a value, read by Hydra's own grammar."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override

from experiments.runs.folder import RunError


@dataclass(frozen=True)
class Overrides:
    """Overrides in their order, where a later one counts: `task=ntu`, `+a.b=3`, `~logger`.

    A key is what an override acts on, without its sign: `task`, `training.optimizer.lr`,
    `hydra/launcher`. What lies below a key is written behind a dot or a slash.

    Args:
        texts: the overrides as they were typed.

    Raises:
        hydra.errors.OverrideParseException: for one that Hydra's grammar does not know.
    """

    texts: tuple[str, ...]

    def __init__(self, texts: Iterable[str] = ()) -> None:
        object.__setattr__(self, "texts", tuple(texts))
        for text in self.texts:
            _parse(text)

    @classmethod
    def typed(cls, texts: Iterable[str], *, verbatim: Sequence[str]) -> "Overrides":
        """Read a command line on which some values are paths or sentences.

        Args:
            texts: as they were typed.
            verbatim: the keys whose values are taken as they stand, with spaces, commas and
                parentheses, unless they are quoted or a list.

        Raises:
            RunError: for a text that is no override at all, such as a path without its key.
            hydra.errors.OverrideParseException: as the class says.
        """
        found = list(texts)
        for text in found:
            if "=" not in text and not text.startswith("~"):
                raise RunError(
                    f"{text}: expected a key before it, such as {verbatim[0]}={text} (--help)"
                )
        return cls(_quoted(text, verbatim) for text in found)

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)

    def __str__(self) -> str:
        return " ".join(self.texts)

    @property
    def keys(self) -> list[str]:
        """Return each override's key, in order."""
        return [key_of(text) for text in self.texts]

    def __contains__(self, key: object) -> bool:
        return key in self.keys

    def value(self, key: str, default: Any = None) -> Any:
        """Return what a key is set to, or `default` where it is not.

        Raises:
            RunError: for a sweep over several values, or a key that is deleted.
        """
        for text in reversed(self.texts):
            if key_of(text) == key:
                parsed = _parse(text)
                if parsed.is_sweep_override() or parsed.is_delete():
                    raise RunError(f"{text}: expected one value; sweeps are for train.py -m")
                return parsed.value()
        return default

    def flag(self, key: str) -> bool:
        """Return whether a key is set to true; where it is not set, it is not.

        Raises:
            RunError: it is set to something else than true or false.
        """
        value = self.value(key, False)
        if not isinstance(value, bool):
            raise RunError(f"{key}={value}: choose true or false")
        return value

    def refuse_others(self, *known: str, of: str = "") -> None:
        """Refuse a key that is none of these.

        Args:
            known: the keys of a command.
            of: what has only these keys, such as ` of figure=5`.

        Raises:
            RunError: names the first such key, and those that there are.
        """
        for key in self.exactly_without(*known).keys:
            close = get_close_matches(key, known, n=1)
            guess = f", did you mean {close[0]}?" if close else ";"
            raise RunError(f"{key}: no such key{of}{guess} there are {', '.join(known)}")

    def only(self, *keys: str) -> "Overrides":
        """Return those of these keys, and of all keys below them."""
        return Overrides(text for text in self.texts if _below(key_of(text), keys))

    def without(self, *keys: str) -> "Overrides":
        """Return those of other keys than these, and than all keys below them."""
        return Overrides(text for text in self.texts if not _below(key_of(text), keys))

    def exactly_without(self, *keys: str) -> "Overrides":
        """Return those of other keys than these; what lies below these stays."""
        return Overrides(text for text in self.texts if key_of(text) not in keys)

    def setting(self, **values: object) -> "Overrides":
        """Return overrides in which these keys, without a dot, have these values."""
        kept = self.exactly_without(*values)
        return Overrides([*kept, *(f"{key}={value}" for key, value in values.items())])


def _quoted(text: str, keys: Sequence[str]) -> str:
    """Return an override with its value in quotes, if its key is one of these."""
    key, _, value = text.partition("=")
    if key not in keys or not value or value[0] in "\"'[":
        return text
    # Only backslashes before a quote mean anything in there.
    inside = re.sub(r'(\\*)"', r'\1\1\\"', value)
    inside = re.sub(r"(\\+)$", r"\1\1", inside)
    return f'{key}="{inside}"'


def key_of(text: str) -> str:
    """Return the key of an override."""
    return _parse(text).key_or_group


def _below(key: str, roots: Iterable[str]) -> bool:
    return any(key == root or key.startswith((f"{root}.", f"{root}/")) for root in roots)


@cache
def _parse(text: str) -> Override:
    return OverridesParser.create().parse_overrides([text])[0]
