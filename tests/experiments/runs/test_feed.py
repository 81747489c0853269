"""What Lightning asks for reaches a datamodule that knows nothing of it, and changes nothing."""

from typing import Any

import pytorch_lightning as pl

from experiments.runs.feed import lightning_data
from tests.experiments.conftest import MakeRun
from tests.experiments.fakes import TinyData


class Plain:
    """A `TinyData` behind a class of no parent, which notes what it is asked for."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        self.data, self.asked = TinyData(*args, **settings), []  # type: ignore[var-annotated]

    def __getattr__(self, name: str) -> Any:
        if name in ("data", "asked"):  # not yet there, as in a copy
            raise AttributeError(name)
        self.asked.append(name)
        return getattr(self.data, name)


SMALL = ("fusion=none", "modalities=[action_units]", "epochs=2")


def test_a_run_on_any_datamodule_gives_what_it_gives_on_lightning_s(make_run: MakeRun) -> None:
    plain = make_run(
        *SMALL, "datamodule._target_=tests.experiments.runs.test_feed.Plain", results="plain"
    )
    lightning = make_run(*SMALL)
    assert plain.complete().metrics()["reported"] == lightning.complete().metrics()["reported"]
    asked = {"prepare_data", "setup", "train_dataloader", "val_dataloader"}
    assert {*asked, "on_after_batch_transfer"} <= set(plain.data.asked)  # type: ignore[attr-defined]


def test_a_lightning_datamodule_is_taken_as_it_is() -> None:
    data = TinyData("nowhere", modalities=["audio"], batch_size=8, seed=1)
    assert lightning_data(data) is data
    other = lightning_data(Plain("nowhere", modalities=["audio"], batch_size=8, seed=1))  # type: ignore[arg-type]
    assert isinstance(other, pl.LightningDataModule)
