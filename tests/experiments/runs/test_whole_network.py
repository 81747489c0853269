"""A fusion that is a whole network of its own, in place of branches that are fused."""

from collections.abc import Mapping, Sequence

import pytest
import torch
from torch import Tensor, nn

from experiments.runs.complexity import paper_size_flops, paper_size_parameters
from experiments.runs.compose import compose
from experiments.runs.folder import RunError
from experiments.runs.overrides import Overrides
from models.contracts import Criterion
from models.fusions import Prediction
from tests.experiments.conftest import MakeRun

WHOLE = [
    "fusion=sum",
    "+fusion.network={_target_: tests.experiments.runs.test_whole_network.Outsider,"
    " shapes: ${task.shapes}, modalities: ${modalities}, hidden: 4}",
    "task.shapes.audio=[13,40]",
]


class Outsider(nn.Module):
    """All inputs side by side, one hidden layer; it has no branches."""

    def __init__(
        self, *, shapes: Mapping[str, Sequence[int]], modalities: Sequence[str], hidden: int
    ) -> None:
        super().__init__()
        self.modalities = tuple(modalities)
        inputs = sum(torch.Size(shapes[name]).numel() for name in modalities)
        self.encoder, self.head = nn.Linear(inputs, hidden), nn.Linear(hidden, 8)

    def forward(self, batch: Mapping[str, Tensor]) -> Prediction:
        x = torch.cat([batch[name].flatten(1) for name in self.modalities], 1)
        return Prediction(self.head(self.encoder(x).relu()), {})

    def loss(
        self, prediction: Prediction, batch: Mapping[str, Tensor], criterion: Criterion
    ) -> dict[str, Tensor]:
        error = criterion(prediction.scores, batch["label"])
        return {"total": 2 * error, "error": error}

    def parts(self) -> dict[str, nn.Module]:
        return {"encoder": self.encoder, "head": self.head}


def test_it_trains_to_a_complete_folder_without_unimodal_runs(make_run: MakeRun) -> None:
    run = make_run(*WHOLE, "init=scratch")
    assert not run.sources
    run.complete()
    metrics = run.folder.metrics()
    inputs = 13 * 40 + 35
    assert metrics["parameters"] == {
        "total": 5 * 8 + (inputs + 1) * 4,
        "encoder": (inputs + 1) * 4,
        "head": 5 * 8,
    }
    assert metrics["flops"] == {"total": 2 * 4 * (inputs + 8), "encoder": 8 * inputs, "head": 64}


def test_the_paper_size_is_counted_without_heads_of_its_own(make_run: MakeRun) -> None:
    overrides = Overrides([*WHOLE, "modalities=[audio,action_units]"])
    inputs = 13 * 212 + 35  # the size of the sample data is left out
    counts = paper_size_parameters(overrides)
    assert counts["with_heads"] == counts["total"] == 5 * 8 + (inputs + 1) * 4
    assert paper_size_flops(overrides)["encoder"] == 8 * inputs


def test_its_settings_are_part_of_what_the_run_is(make_run: MakeRun) -> None:
    run = make_run(*WHOLE, "init=scratch")
    wider = make_run(*WHOLE, "init=scratch", "fusion.network.hidden=5")
    assert run.hash != wider.hash
    assert run.hash == make_run(*WHOLE, "init=scratch", "staged.outputs=9").hash


def test_it_has_nothing_to_start_from(make_run: MakeRun) -> None:
    with pytest.raises(RunError, match=r"fusion=sum is a network of its own.*init=scratch"):
        make_run(*WHOLE, "init=unimodal")


def test_a_fusion_made_for_another_task_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(RunError, match="fusion=sum is made for task=elsewhere, found"):
        make_run(*WHOLE, "init=scratch", "+fusion.tasks=[elsewhere]")


def test_what_every_config_says_of_the_network_is_the_staged_one(make_run: MakeRun) -> None:
    cfg = compose(Overrides(["data.root=nowhere"]))
    assert cfg.network == cfg.staged
    assert cfg.network._target_ == "models.StagedNetwork.build"
