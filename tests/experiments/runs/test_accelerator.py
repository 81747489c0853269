"""What a machine cannot train with is refused before anything is written."""

import pytest
import torch
from omegaconf import OmegaConf

from experiments.runs.accelerator import check_precision
from experiments.runs.folder import RunError
from tests.experiments.conftest import MakeRun


def test_less_than_single_precision_is_refused_on_a_cpu_before_anything_is_written(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = ["fusion=none", "modalities=[audio]", "epochs=1", "trainer.accelerator=cpu"]
    run = make_run(*overrides, "trainer.precision=bf16-mixed")
    with pytest.raises(RunError, match="bf16-mixed needs a GPU"):
        run.complete()
    assert not (run.folder.path / "config.yaml").exists()
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    check_precision(OmegaConf.create({"accelerator": "auto", "precision": "bf16-mixed"}))
    check_precision(OmegaConf.create({"accelerator": "cpu", "precision": "64-true"}))
