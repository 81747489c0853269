"""The commands that README.md and the pages under docs show."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.commands import ROOT

SHELL = ("bash", "sh", "shell", "console", "powershell", "zsh")
PROGRAMS = ("python", "pip", "make", "pytest", "torchrun", "uv", "wandb", "tensorboard")
FENCED = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^ {4}.*\n?)+", re.MULTILINE)
INLINE = re.compile(rf"`((?:(?:{'|'.join(PROGRAMS)}) |scripts/\w+\.py )[^`]+)`")
PLACEHOLDER = re.compile(r"<[^<>]*>")


@dataclass(frozen=True)
class Command:
    """A command as it stands in a page, on one line."""

    page: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"

    @property
    def words(self) -> list[str]:
        """Its words as the shell reads them, less comment and variables; a placeholder is one."""
        whole = PLACEHOLDER.sub(lambda found: found.group().replace(" ", "_"), self.text)
        words = shlex.split(whole, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words.pop(0)
        if words and words[0].endswith(".py"):  # `scripts/reproduce.py table=1`, as tables have it
            words.insert(0, "python")
        return words

    @property
    def name(self) -> str:
        """The program, or the script that Python runs."""
        first, *rest = self.words
        return rest[0] if first == "python" and rest else first


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands_in(text: str, page: str) -> list[Command]:
    """Return the commands of a page, each once: of code blocks, and those within sentences.

    In a fenced block of a shell every line is one; in an indented block, which may be anything,
    those that begin with a known program.
    """
    found = [Command(page, line) for line in (*_in_blocks(text), *_in_sentences(text))]
    return list({str(one): one for one in found if one.words}.values())


def _in_blocks(text: str) -> Iterator[str]:
    for language, block in FENCED.findall(text):
        if language in SHELL:
            yield from _lines(block)
    for block in INDENTED.findall(FENCED.sub("", text)):
        for line in _lines(block):
            if re.match(rf"([A-Z_]+=\S+ )*({'|'.join(PROGRAMS)}) ", line):
                yield line


def _lines(block: str) -> list[str]:
    return [line.strip() for line in re.sub(r"\\\n\s*", "", block).splitlines()]


def _in_sentences(text: str) -> Iterator[str]:
    without = INDENTED.sub("", FENCED.sub("", text))
    for found in INLINE.findall(without):
        line = " ".join(found.split())
        if "..." not in line:  # only its beginning
            yield line
