"""What `manifest.json` has to hold, checked once where it is read."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Text = Annotated[str, Field(max_length=10_000)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^\w{1,100}$")]  # of a file, and so without any folder


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)  # "1" is no number; what is not listed may stand there


class _Array(_Part):
    shape: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    dtype: Text
    sha256: Sha256


class _Index(_Part):
    rows: Annotated[int, Field(ge=1)]
    columns: Annotated[list[Text], Field(min_length=1)]
    sha256: Sha256


class _Manifest(_Part):
    format: int
    task: Text
    protocol: Text
    provenance: Literal["real", "sample"]
    settings: dict[str, Any]
    source: dict[str, Any]
    modalities: Annotated[dict[Name, _Array], Field(min_length=1)]
    index: _Index
    counts: dict[str, int]
    dropped: dict[str, str]
    warnings: list[str]
    made: dict[str, Any]


def mistake(manifest: Any) -> str:
    """Say what a manifest lacks or has of another type; nothing if it is one."""
    try:
        _Manifest.model_validate(manifest)
    except ValidationError as error:
        found = [(".".join(map(str, one["loc"])), one) for one in error.errors()]
        missing = [place for place, one in found if one["type"] == "missing"]
        place, one = found[0]
        told = f"{place} {one['input']!r:.60}: {one['msg']}" if place else one["msg"]
        return f"no {', '.join(missing)}" if missing else told
    return ""
