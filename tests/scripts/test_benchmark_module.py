"""The benchmark compares like with like, and its arithmetic is right."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from msaf import MSAF
from scripts import benchmark
from scripts.benchmarks import module as command
from scripts.benchmarks import timing
from scripts.benchmarks.plain import ListedBlocks, Plain, ReshapedBlocks
from scripts.benchmarks.registry import ModuleOptions

SMALL = command.Case("NTU 1", ((8, 2, 3), (4,)), 4, reduction=2)
SEQUENCE = command.Case("MOSEI", ((8, 10), (4, 10)), 4, reduction=2, segments=5)


@pytest.mark.parametrize("formulation", [ReshapedBlocks, ListedBlocks])
@pytest.mark.parametrize("lowest", [0.0, 0.5])
def test_the_plain_formulations_are_msaf(formulation: type[Plain], lowest: float) -> None:
    torch.manual_seed(0)
    ours = MSAF([8, 12, 4], block_channels=4, lowest_attention=lowest).double()
    plain = formulation([8, 12, 4], 4, 4).double()
    plain.copy_weights(ours)
    plain.lowest_attention = lowest
    shapes = [(8, 2, 3, 2), (12, 5), (4,)]
    features = [torch.randn(3, *shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    for left, right in zip(ours(features), plain(features), strict=True):  # in training
        assert torch.allclose(left, right)
        wanted = torch.autograd.grad(left.square().sum(), features, retain_graph=True)
        got = torch.autograd.grad(right.square().sum(), features, retain_graph=True)
        assert all(torch.allclose(a, b) for a, b in zip(got, wanted, strict=True))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("case", [SMALL, SEQUENCE])
def test_measures_every_candidate_once_a_round(case: command.Case, training: bool) -> None:
    options = ModuleOptions(rounds=3)
    seconds = command.measure(case, MSAF, training, options)
    others = {"(a) reshaped", "(b) listed"} if case is SMALL else {"5 modules"}
    assert set(seconds) == {"ours", "floor"} | others
    assert all(len(times) == 3 and min(times) > 0 for times in seconds.values())


def test_refuses_to_compare_what_computes_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Plain, features: list[Tensor]) -> list[Tensor]:
        return [x * 0.5 for x in features]

    monkeypatch.setattr(ListedBlocks, "forward", wrong)
    options = ModuleOptions(rounds=1)
    with pytest.raises(AssertionError, match="not close"):
        command.measure(SMALL, MSAF, False, options)


def test_a_training_step_gives_all_gradients() -> None:
    ours = MSAF([8, 4], block_channels=4)
    step = command.step(ours, [torch.randn(4, 8, 3), torch.randn(4, 4)], training=True)
    gradients = step()
    assert isinstance(gradients, tuple)
    assert len(gradients) == 2 + len(list(ours.parameters()))
    assert ours.training
    command.step(ours, [torch.randn(4, 8, 3), torch.randn(4, 4)], training=False)
    assert not ours.training


def test_candidates_run_in_turn_and_in_both_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    # once each, whatever else the machine does meanwhile
    monkeypatch.setattr(timing, "time_undisturbed", lambda step: (step(), 1.0)[1])

    def note(name: str) -> Callable[[], object]:
        return lambda: calls.append(name)

    timing.time_in_turn({"a": note("a"), "b": note("b")}, rounds=4)
    rounds = ["".join(pair) for pair in zip(calls[::2], calls[1::2], strict=True)]
    assert len(rounds) == timing.WARM_UP + 4
    assert rounds[-4:].count("ab") == rounds[-4:].count("ba") == 2


def test_ratios_are_judged_round_by_round() -> None:
    assert timing.ratio([4.0, 9.0, 10.0], [2.0, 3.0, 1.0]) == 3.0
    assert timing.milliseconds([0.001, 0.5, 0.002]) == 2.0


def test_prints_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(command, "CASES", (SMALL, replace(SMALL, name="NTU 2"), SEQUENCE))
    monkeypatch.setattr(command, "keep_freed_memory", lambda: False)
    threads = torch.get_num_threads()
    try:
        benchmark.main(["module", "threads=[1]", "rounds=2", "cases=[NTU 1,MOSEI]"])
    finally:
        torch.set_num_threads(threads)
    out = capsys.readouterr().out
    for text in ("threads: 1", "NTU 1", "MOSEI", "(a) reshaped", "5 modules", "floor", "not"):
        assert text in out
    assert "NTU 2" not in out


@pytest.mark.parametrize("target", ["msaf.MSAG", "nowhere.MSAF", "msaf", ""])
def test_what_is_no_class_is_named(target: str) -> None:
    with pytest.raises(ValueError, match=f"target={target}: expected a class as msaf.MSAF is, "):
        benchmark.main(["module", f"target={target}"])


@pytest.mark.slow
def test_the_compiled_module_can_be_measured() -> None:
    options = ModuleOptions(rounds=1, compile=True)
    assert "compiled" in command.measure(SMALL, MSAF, True, options)
