"""From raw recordings to batches: file formats, preparation, sample data, Lightning datamodules.

The datamodules are imported on first use, so that `prepare` and its worker processes, which need no
torch, start at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datamodules.mosei import MOSEI as MOSEI
    from datamodules.ntu import NTU as NTU
    from datamodules.ravdess import RAVDESS as RAVDESS

_HOMES = {"MOSEI": "datamodules.mosei", "NTU": "datamodules.ntu", "RAVDESS": "datamodules.ravdess"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(_HOMES[name]), name)
