"""A run as ONNX: what it computes, what stands beside it, and what is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from rich.console import Console
from torch import nn

from experiments.exporting import compare
from experiments.exporting.command import Wanted
from experiments.exporting.onnx_file import write_onnx
from experiments.runs.folder import RunError
from models.contracts import Prediction
from tests.experiments.conftest import MakeRun
from tests.experiments.fakes import Rows

QUIET = Console(quiet=True)


@pytest.fixture
def trained(make_run: MakeRun) -> Path:
    run = make_run("fusion=msaf", "init=scratch", "epochs=1")
    run.complete()
    return run.folder.path


def session(path: Path) -> Any:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def wanted(run: Path, *others: str) -> Wanted:
    return Wanted.of([f"run={run}", "format=onnx", "trust=true", *others])


def test_the_file_scores_the_test_split_as_the_run_did(trained: Path, tmp_path: Path) -> None:
    """Beside what training stored, in one batch of a size that nothing was traced with."""
    path = wanted(trained, f"out={tmp_path / 'deep' / 'model.onnx'}").export(QUIET)
    rows = Rows(["audio", "action_units"], range(48, 72))  # the test split of the fake data
    samples = [rows[i] for i in range(len(rows))]
    batch = {k: np.stack([s[k].numpy() for s in samples]) for k in ("audio", "action_units")}
    scores = session(path).run(["scores"], batch)[0]
    stored = np.load(trained / "predictions.npz")
    by_id = dict(zip(stored["ids"].tolist(), stored["scores_last_epoch"], strict=True))
    expected = [by_id[f"clip{int(sample['id'])}"] for sample in samples]
    assert np.allclose(scores, expected, atol=1e-4)
    assert [value.shape for value in session(path).get_inputs()] == [
        ["batch", 13, 40], ["batch", 35],
    ]  # fmt: skip
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["file"] == "model.onnx" and card["run"]["rule"] == "last_epoch"
    assert card["run"]["provenance"] == "sample"
    assert card["inputs"]["audio"] == {"shape": ["batch", 13, 40], "type": "float32"}
    assert card["output"]["scores"] == ["batch", 8] and card["classes"] is None
    assert card["measured"]["bytes"] == path.stat().st_size
    assert set(card["measured"]["milliseconds"]) == {"torch", "onnxruntime"}
    assert sorted(file.name for file in path.parent.iterdir()) == ["model.json", "model.onnx"]


def test_what_is_refused(trained: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.onnx"
    there.write_text("mine")
    (tmp_path / "card.json").write_text("mine")
    for others, message in (
        (["format=tflite"], "format=tflite: no such format; there is onnx"),
        ([f"out={tmp_path}"], "expected a file, found a folder"),
        ([f"out={there}"], "there.onnx: expected nothing there, found a file"),
        ([f"out={tmp_path / 'card.onnx'}"], "card.json: expected nothing there, found a file"),
        ([f"out={tmp_path / 'model'}"], "expected a name that ends in .onnx"),
        ([f"out={there}/model.onnx"], "expected a folder, found the file"),
        (["rule=best"], "rule=best: .* has weights of paper_rule, last_epoch"),
        (["trust=maybe"], "trust=maybe: choose true or false"),
        (["ruin=1"], r"ruin: no such key, did you mean run\? there are run, format, out, rule"),
    ):
        with pytest.raises(ValueError, match=message):
            wanted(trained, *others).export(QUIET)
    with pytest.raises(RunError, match="run=<run folder> is missing"):
        Wanted.of(["format=onnx"])
    assert there.read_text() == "mine"


def test_runs_that_cannot_be_opened(trained: Path, tmp_path: Path) -> None:
    out = f"out={tmp_path / 'model.onnx'}"
    before = tmp_path / "before"
    shutil.copytree(trained, before)
    metrics = json.loads((before / "metrics.json").read_text())
    del metrics["shapes"]
    (before / "metrics.json").write_text(json.dumps(metrics | {"manifest": "1" * 64}))
    with pytest.raises(RunError, match=r"expected the shapes of .* older version, and nowhere: an"):
        wanted(before, out).export(QUIET)
    (trained / "checkpoints" / "last_epoch.pt").unlink()
    with pytest.raises(
        RunError, match=r"last_epoch.pt: expected .* found no such file; train the run"
    ):
        wanted(trained, out).export(QUIET)
    (trained / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"holds no complete run \(no metrics.json\)"):
        wanted(trained, out).export(QUIET)
    assert not (tmp_path / "model.onnx").exists()


def test_a_file_that_computes_something_else_is_not_kept(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = compare.OnnxRuntime.scores
    monkeypatch.setattr(compare.OnnxRuntime, "scores", lambda *a: honest(*a) + 2e-3)
    with pytest.raises(RunError, match=r"to 0.0001 in onnxruntime, found a difference of"):
        wanted(trained, f"out={tmp_path / 'out' / 'model.onnx'}").export(QUIET)
    assert list((tmp_path / "out").iterdir()) == []


class Toy(nn.Module):
    """A 3D convolution without bias, summed over space, and scaled by how long the sound is."""

    def __init__(self, *, fixed: bool = False) -> None:
        super().__init__()
        self.layer = nn.Conv3d(2, 3, 1, bias=False)
        self.fixed = fixed

    def forward(self, batch: dict[str, torch.Tensor]) -> Prediction:
        scores = self.layer(batch["video"]).sum((2, 3, 4)) * batch["length"].unsqueeze(1)
        if self.fixed:
            scores = scores + torch.arange(len(scores)).unsqueeze(1)
        return Prediction(scores, {})


def toy_batch(size: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(size)
    video = torch.randn(size, 2, 2, 3, 3, generator=generator)
    length = torch.arange(1, size + 1)
    return {"video": video, "length": length, "unused_length": length.clone()}


def test_convolutions_lengths_and_what_is_not_used(tmp_path: Path) -> None:
    network, path = Toy().eval(), tmp_path / "toy.onnx"
    assert write_onnx(network, toy_batch(3), path) == ["video", "length"]
    assert network.layer.bias is None
    batch = {name: x.numpy() for name, x in toy_batch(4).items()}
    weights = network.layer.weight.detach().numpy()[:, :, 0, 0, 0]
    expected = np.einsum("kc,bcthw,b->bk", weights, batch["video"], batch["length"])
    fed = {name: batch[name] for name in ("video", "length")}
    assert np.allclose(session(path).run(["scores"], fed)[0], expected, atol=1e-4)
    onnx.checker.check_model(str(path), full_check=True)
    ranks = [numpy_helper.to_array(x).ndim for x in onnx.load(path).graph.initializer]
    assert max(ranks) == 5


def test_a_network_that_fixes_the_batch_is_told_how_not_to(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"its forward fixes the size of the batch; read it as x.sh"):
        write_onnx(Toy(fixed=True).eval(), toy_batch(3), tmp_path / "toy.onnx")
    assert not list(tmp_path.iterdir())
