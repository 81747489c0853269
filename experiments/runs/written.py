"""What `metrics.json` and `config.yaml` of a run have to hold, checked once where they are read."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from yaml import AliasEvent, CSafeLoader

from experiments.runs.errors import RunError, reading

LARGEST = 32_000_000  # bytes; those that are written have thousands
ADVICE = "copy the run folder again from where it is whole, or move it away and train again"

Text = Annotated[str, Field(max_length=10_000)]
Epoch = Annotated[int, Field(ge=0)]
Counts = dict[str, Annotated[int, Field(ge=0)]]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)  # "1" is no number; what is not listed may stand there


class _Reported(_Part):
    epoch: Epoch | dict[str, Epoch] | None
    test: dict[str, float] = {}  # empty where nobody has measured converted weights yet


class WrittenMetrics(_Part):
    """What `train.py` and `convert.py` write of a run, and everybody reads."""

    task: Text
    fusion: Text
    modalities: Annotated[list[Text], Field(min_length=1)]
    data: Text
    protocol: Text
    hash: Text
    fold: int | Text
    seed: int
    provenance: Literal["real", "sample", "converted"]
    manifest: Text | None
    headline: Text
    reported: dict[str, _Reported]
    classes: list[Text] | None = None
    epochs: int | None = None
    commit: Text | None = None
    sources: Text | None = None
    parameters: Counts | None = None
    flops: Counts | None = None
    paper_size_parameters: Counts | None = None
    shapes: dict[str, list[Annotated[int, Field(ge=1)]]] | None = None
    preparation: dict[str, Any] | None = None
    converted: dict[str, Any] | None = None
    versions: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _rules_fit(self) -> Self:
        names = {rule: sorted(found.test) for rule, found in self.reported.items()}
        if self.headline not in names:
            raise ValueError(f"no figures under the headline rule {self.headline}")
        if self.provenance != "converted" and not all(names.values()):
            raise ValueError("a rule without test figures")
        if any(other != names[self.headline] for other in names.values()):
            raise ValueError("other metrics under one rule than under another")
        return self


class _Rule(_Part):
    split: Text | None = None
    each: dict[str, Text] = {}


class _Buildable(_Part):
    target: Annotated[Text, Field(alias="_target_")]


class _Task(_Part):
    module: _Buildable


class _Data(_Part):
    root: Text | None


class WrittenRules(_Part):
    """What says how a run's figures were chosen."""

    reporting: dict[str, _Rule]


class WrittenConfig(WrittenRules):
    """What is needed to build a run's network, its data and its training once more."""

    task: _Task
    network: _Buildable
    datamodule: _Buildable
    training: _Buildable
    trainer: _Buildable
    data: _Data
    modalities: Annotated[list[Text], Field(min_length=1)]
    threads: Annotated[int, Field(ge=1, le=4096)]


def read_json(file: Path, kind: type[BaseModel]) -> dict[str, Any]:
    """Read a file of JSON whose content has to be of a kind.

    Raises:
        RunError: if it is damaged, or holds anything else.
    """
    with reading(file, "what train.py writes", ADVICE, largest=LARGEST):
        try:
            content = json.loads(file.read_text())
        except ValueError as error:  # text that is no JSON, or bytes that are no text
            raise RunError(f"{file} is not valid JSON ({error}): {ADVICE}") from None
    return _checked(file, content, kind, "what train.py writes")


def read_yaml(file: Path, kind: type[BaseModel]) -> dict[str, Any]:
    """Read a file of YAML whose content has to be of a kind, much faster than OmegaConf does.

    Raises:
        RunError: as `read_json` says.
    """
    with reading(file, "the run's configuration", ADVICE, largest=LARGEST):
        text = file.read_text()
        # A few lines of aliases of aliases stand for more values than fit into memory.
        if "*" in text and any(isinstance(e, AliasEvent) for e in yaml.parse(text, CSafeLoader)):
            raise RunError(
                f"{file}: expected the run's configuration, found YAML aliases; {ADVICE}"
            )
        content = yaml.load(text, CSafeLoader)
    return _checked(file, content, kind, "the run's configuration")


def _checked(file: Path, content: Any, kind: type[BaseModel], expected: str) -> dict[str, Any]:
    try:
        kind.model_validate(content)
    except ValidationError as error:
        raise RunError(f"{file}: expected {expected}, found {_said(error)}; {ADVICE}") from None
    return content


def _said(error: ValidationError) -> str:
    """Say what is missing, or else the first thing that is of another type."""
    found = [(".".join(map(str, one["loc"])), one) for one in error.errors()]
    missing = [place for place, one in found if one["type"] == "missing"]
    if missing:
        return f"no {', '.join(missing)}"
    place, one = found[0]
    what = one["msg"].removeprefix("Value error, ")
    return f"{place} {one['input']!r:.60}: {what}" if place else what
