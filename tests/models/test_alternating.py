"""The released way of training: a pass and an optimizer for each branch, followed by hand."""

import copy
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import MultiStepLR
from torch.utils.data import DataLoader

from models import StagedNetwork
from models.contracts import Prediction
from models.fusions import ConcatHead, MeanLogits
from models.tasks import Alternating, Classification
from tests.models.fakes import OneTap, TwoTaps, points

BRANCHES = ("one", "two")


class Scale(nn.Module):
    """Learns one factor a tensor."""

    takes_masks = False

    def __init__(self, in_channels: Sequence[int]) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.linspace(0.5, 1.5, len(in_channels)))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return [x * factor for x, factor in zip(features, self.factors, strict=True)]


def network(**settings: Any) -> StagedNetwork:
    torch.manual_seed(0)
    return StagedNetwork.build(
        {"one": OneTap, "two": TwoTaps},
        **{
            "outputs": 3,
            "readout": MeanLogits,
            "points": points(Scale, {"one": "a", "two": "p"}),
        }
        | settings,
    )


def samples() -> list[dict[str, Any]]:
    torch.manual_seed(1)
    return [
        {"one": torch.randn(2, 7), "two": torch.randn(2, 3), "label": i % 3, "id": i}
        for i in range(8)
    ]


def train(net: StagedNetwork, epochs: int) -> Classification:
    rule = Alternating(
        optimizer=partial(torch.optim.Adam, lr=0.1, weight_decay=0.01),
        scheduler=partial(MultiStepLR, milestones=[1], gamma=0.1),
    )
    task = Classification(net, training=rule, splits=["test"])
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    loader: Any = DataLoader(samples(), batch_size=4)
    trainer.fit(task, loader, loader)
    return task


def by_hand(net: StagedNetwork, epochs: int) -> None:
    """Two optimizers, both with the module in it, each with moments of its own."""
    optimizers = {
        name: torch.optim.Adam(
            [*net.branches[name].parameters(), *net.points.parameters()], lr=0.1, weight_decay=0.01
        )
        for name in BRANCHES
    }
    for epoch in range(epochs):
        for optimizer in optimizers.values():
            optimizer.param_groups[0]["lr"] = 0.1 if epoch == 0 else 0.01
        for batch in DataLoader(samples(), batch_size=4):  # type: ignore[arg-type]
            for name in BRANCHES:
                net.zero_grad()
                F.cross_entropy(net(batch).parts[name], batch["label"]).backward()
                optimizers[name].step()


def test_each_pass_steps_one_branch_and_the_module() -> None:
    trained, expected = network(), network()
    task = train(trained, epochs=2)
    by_hand(expected, epochs=2)
    for name, value in expected.state_dict().items():
        torch.testing.assert_close(trained.state_dict()[name], value, msg=name)
    start = network().state_dict()
    assert not any(torch.equal(value, start[name]) for name, value in trained.state_dict().items())
    assert {"one_loss", "two_loss", "accuracy"} <= task.train_metrics.keys()


def test_the_second_branch_is_not_stepped_by_the_first_ones_loss() -> None:
    """The module carries gradients of one's loss into two; only two's own optimizer moves it."""
    net = network()
    before = copy.deepcopy(net)
    batch = next(iter(DataLoader(samples(), batch_size=4)))  # type: ignore[arg-type]
    rule = Alternating(optimizer=partial(torch.optim.SGD, lr=0.0))
    rates = [group["optimizer"] for group in rule.configure(net)]
    rates[0].param_groups[0]["lr"] = 1.0

    class Stub:
        network = net

        def optimizers(self) -> Any:
            return rates

        def losses(self, prediction: Prediction, batch: Any) -> dict[str, Tensor]:
            return net.loss(prediction, batch, Classification.criterion)

        def manual_backward(self, loss: Tensor) -> None:
            loss.backward()

        def record(self, *_: Any) -> None: ...

    rule.step(Stub(), batch)  # type: ignore[arg-type]
    same = {
        name: all(
            torch.equal(a, b)
            for a, b in zip(part.parameters(), before.parts()[name].parameters(), strict=True)
        )
        for name, part in net.parts().items()
    }
    assert same == {"one": False, "two": True, "fusion": False, "readout": True}


def test_a_readout_without_logits_of_each_branch_is_refused() -> None:
    net = network(readout=partial(ConcatHead, hidden=4))
    with pytest.raises(ValueError, match=r"one branch by its own logits.*models\.tasks\.Joint"):
        train(net, epochs=1)


def test_a_network_without_branches_of_its_own_is_refused() -> None:
    rule = Alternating(optimizer=torch.optim.Adam)
    with pytest.raises(ValueError, match=r"branch by branch: Linear is no BranchedNetwork.*Joint"):
        rule.configure(nn.Linear(2, 2))
