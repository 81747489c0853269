"""What is read from padded sequences, against the real steps cut out one sample at a time."""

from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from models.baselines.sequences import PADDED_IN_FRONT, Steps, read_steps
from tests.models.baselines.toy import FEATURES, batch, pieces


@pytest.mark.parametrize("name", list(FEATURES))
def test_mean_last_and_moved_steps_see_the_real_steps_alone(name: str) -> None:
    data = batch()
    steps, real = read_steps(data, name), pieces(data, name)
    start, end, back = steps.at_start(), steps.at_end(), steps.reversed()
    scaled = steps.standardised()
    for i, x in enumerate(real):
        n = len(x)
        torch.testing.assert_close(steps.mean()[i], x.mean(0))
        assert torch.equal(steps.last()[i], x[-1])
        assert torch.equal(start.values[i, :n], x) and not start.values[i, n:].any()
        assert torch.equal(end.values[i, 9 - n :], x) and not end.values[i, : 9 - n].any()
        assert torch.equal(back.values[i, :n], x.flip(0)) and not back.values[i, n:].any()
        assert start.real[i].tolist() == [True] * n + [False] * (9 - n)
        assert end.real[i].tolist() == [False] * (9 - n) + [True] * n
        deviation = x.numpy().std(0)
        expected = (x.numpy() - x.numpy().mean(0)) / (deviation + 1e-6)
        if n > 1:
            found = scaled.values[i][steps.real[i]].numpy()
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert steps.lengths().tolist() == [len(x) for x in real]


def test_the_padded_sides_are_those_of_the_task_s_branches() -> None:
    task = OmegaConf.load(Path(__file__).parents[3] / "configs" / "task" / "mosei.yaml").task
    sides = {name: branch.padding for name, branch in task.branches.items()}
    assert sides == {name: "left" if front else "right" for name, front in PADDED_IN_FRONT.items()}


def test_without_lengths_every_step_is_real() -> None:
    x = torch.randn(2, 3, 4)
    steps = read_steps({"audio": x}, "audio")
    torch.testing.assert_close(steps.mean(), x.mean(2))
    assert torch.equal(steps.last(), x[:, :, -1])


def test_a_sequence_without_steps_is_zero_and_has_finite_slopes() -> None:
    x = torch.randn(2, 5, 3, requires_grad=True)
    real = torch.tensor([[False] * 5, [True, False, False, False, False]])
    steps = Steps(x, real)
    assert not steps.mean()[0].any()
    scaled = steps.standardised().values
    assert not scaled.any()  # one step alone does not move either
    (scaled.square().sum() + steps.at_end().values.sum() + steps.mean().sum()).backward()
    assert x.grad is not None and x.grad.isfinite().all()
