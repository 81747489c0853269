"""From raw recordings to batches: file formats, preparation, sample data, datamodules.

The datamodules are imported on first use, so that `prepare` and its worker processes, which need no
torch, start at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datamodules.mosei.datamodule import MOSEI as MOSEI
    from datamodules.ntu.datamodule import NTU as NTU
    from datamodules.ravdess.datamodule import RAVDESS as RAVDESS
    from datamodules.utd_mhad.datamodule import UtdMhad as UtdMhad

_HOMES = {  # class -> folder
    "MOSEI": "mosei", "NTU": "ntu", "RAVDESS": "ravdess", "UtdMhad": "utd_mhad",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"datamodules.{_HOMES[name]}.datamodule"), name)
