"""The benchmark of the fusions counts and measures what it says."""

import hydra
import pytest
import torch
from torch import Tensor, nn

from experiments.runs.overrides import Overrides
from scripts import benchmark
from scripts.benchmarks import fusions as command

OVERRIDES = ["modalities=[audio,action_units]"]  # maps of 32x208 and 128, then of 64x26 and 128


class Swish(nn.Module):
    """Keeps its input, which is given, and the sigmoid, once for two operations."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> list[Tensor]:
        return [x * (x * self.scale).sigmoid()]


def test_memory_is_results_and_what_backward_needs() -> None:
    x = torch.randn(5, 7, requires_grad=True)
    assert command.added_memory(Swish(), (x,)) == 2 * 5 * 7 * 4  # the result and the sigmoid
    assert command.added_memory(nn.Identity(), ([x],)) == 0


def test_counts_what_a_fusion_adds_and_every_input_gets_its_gradient() -> None:
    with hydra.initialize_config_dir(str(command.CONFIGS), version_base="1.3"):
        mmtm = command.Measured(Overrides([*OVERRIDES, "fusion=mmtm"]), 3)
        concat = command.Measured(Overrides([*OVERRIDES, "fusion=concat"]), 3)
    # MMTM with d channels and d / 2 hidden ones: d^2 + 3 d / 2 parameters, 2 d^2 FLOPs
    assert mmtm.parameters == 160**2 + 240 + 192**2 + 288
    assert mmtm.flops == 2 * (160**2 + 192**2)
    maps, ends, _ = mmtm.inputs
    shapes = [[tuple(x.shape) for x in point] for point in maps]
    assert shapes == [[(3, 32, 208), (3, 128)], [(3, 64, 26), (3, 128)]]
    assert {name: tuple(end.logits.shape) for name, end in ends.items()} == {
        "audio": (3, 8),
        "action_units": (3, 8),
    }
    gradients = mmtm.step(training=True)()
    assert isinstance(gradients, tuple)
    assert len(gradients) == 4 + 2 + 2 * 4  # maps, logits, weights and biases
    assert all(bool(gradient.any()) for gradient in gradients)

    size = 64 * 26 + 128  # concat reads the features alone
    assert concat.parameters == size * 256 + 256 + 256 * 8 + 8
    assert concat.flops == 2 * (size * 256 + 256 * 8)
    assert concat.inputs[0] == []


def test_prints_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "keep_freed_memory", lambda: False)
    threads = torch.get_num_threads()
    try:
        options = ["threads=1", "rounds=2", "batch=2", "fusions=[sum,multiplicative]"]
        benchmark.main(["fusions", *OVERRIDES, *options])
    finally:
        torch.set_num_threads(threads)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    table = {row[0]: row[1:] for row in rows if row and row[0] in ("msaf", "sum", "multiplicative")}
    assert list(table) == ["msaf", "sum", "multiplicative"]
    assert table["sum"][:3] == ["0", "0.0", "0.00"]
    assert table["msaf"][4] == table["msaf"][6] == "1.00"


@pytest.mark.parametrize(
    "override, instead", [("fusion=mmtm", r"fusions=\["), ("batch_size=8", "batch=")]
)
def test_refuses_what_it_would_ignore(override: str, instead: str) -> None:
    with pytest.raises(ValueError, match=f"{override}: expected {instead}"):
        benchmark.main(["fusions", override])
