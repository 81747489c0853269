"""Action recognition as it is configured: parameters, taps, Tables 4 and 5, both protocols."""

from typing import Any

import hydra
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf
from omegaconf.errors import InterpolationResolutionError
from torch import nn

from experiments.runs.complexity import paper_size_parameters
from experiments.runs.compose import build
from experiments.runs.identity import settings
from experiments.runs.overrides import Overrides
from experiments.tables.table import load_table
from models.tasks import Classification
from msaf import MSAF
from tests.models.fusions.helpers import CONFIGS, compose, count
from tests.models.fusions.test_table4 import jobs

HCN, I3D, RESNET = 1_062_652, 12_348_764, 46_265_468
SIZES = {
    "fusion=none modalities=[skeleton]": HCN,
    "fusion=none modalities=[video]": I3D,
    "fusion=none modalities=[video] rgb=inflated_resnet50": RESNET,
    "fusion=sum": I3D + HCN,
    "fusion=average": I3D + HCN,
    "fusion=uniform": I3D + HCN,
    "fusion=msaf": 13_547_400,
    "fusion=msaf rgb=inflated_resnet50": 47_533_928,
    "fusion=msaf protocol=released": 13_547_400,
    "fusion=mmtm rgb=inflated_resnet50": RESNET + HCN + 410_560 + 1_640_320 + 6_557_440,
    "fusion=mmtm rgb=inflated_resnet50 fusion.mid.width_factor=1": (
        RESNET + HCN + 205_600 + 820_800 + 3_280_000
    ),
    "fusion=mmtm": I3D + HCN + 923_040 + 1_185_376 + 2_361_600,
}


def network(words: str, data: str = "full") -> Any:
    with torch.device("meta"):
        return build(compose("task=ntu", f"data={data}", "data.root=x", *words.split()).network)


def described(words: str) -> list[tuple[Any, ...]]:
    """Channels, blocks of each modality, block size, lambda and BlockDropout of every point."""
    points: list[Any] = [point.fusion for point in network(words).points]
    return [
        (
            *(p.in_channels, p.blocks_per_modality, p.block_channels),
            *(p.lowest_attention, p.dropout.p, count(p)),
        )
        for p in points
    ]


@pytest.mark.parametrize("words", SIZES)
def test_parameters(words: str) -> None:
    assert count(network(words)) == SIZES[words]


@pytest.mark.parametrize("protocol", ["paper", "released"])
def test_msaf_on_i3d(protocol: str) -> None:
    """Section 4.3: 17 blocks of 64 channels and 6 of 256, lambda 0.5, no BlockDropout."""
    assert described(f"fusion=msaf protocol={protocol}") == [
        ((832, 128, 128), (13, 2, 2), 64, 0.5, 0.0, 19_568),
        ((1024, 512), (4, 2), 256, 0.5, 0.0, 116_416),
    ]


def test_msaf_on_the_resnet() -> None:
    assert described("fusion=msaf rgb=inflated_resnet50") == [
        ((1024, 128, 128), (16, 2, 2), 64, 0.5, 0.0, 22_832),
        ((2048, 512), (8, 2), 256, 0.5, 0.0, 182_976),
    ]


class Shapes(nn.Module):
    """Writes down the shapes that a fusion point exchanges."""

    takes_masks = False

    seen: list[list[tuple[int, ...]]] = []  # noqa: RUF012

    def __init__(self, in_channels: list[int]) -> None:
        super().__init__()

    def forward(self, features: list[torch.Tensor]) -> list[torch.Tensor]:
        Shapes.seen.append([tuple(x.shape[1:]) for x in features])
        return features


@pytest.mark.parametrize(
    ("rgb", "points", "shapes"),
    [
        (
            "i3d protocol=released",
            "early",
            [[(832, 8, 14, 14), (128, 8, 8), (128, 8, 8)]],
        ),
        (
            "inflated_resnet50 protocol=released",
            "early",
            [[(512, 8, 28, 28), (128, 8, 8), (128, 8, 8)]],
        ),
        (
            "i3d",
            "early,intermediate,late",
            [
                [(832, 8, 14, 14), (256, 8, 8)],
                [(832, 4, 7, 7), (128, 4, 4), (128, 4, 4)],
                [(1024, 4, 7, 7), (512,)],
            ],
        ),
        (
            "i3d",
            "mmtm1,mmtm2,mmtm3",
            [
                [(832, 8, 14, 14), (128, 4, 4)],
                [(832, 4, 7, 7), (256, 2, 2)],
                [(1024, 4, 7, 7), (512,)],
            ],
        ),
        (
            "inflated_resnet50",
            "mmtm1,mmtm2,mmtm3",
            [
                [(512, 8, 28, 28), (128, 4, 4)],
                [(1024, 8, 14, 14), (256, 2, 2)],
                [(2048, 8, 7, 7), (512,)],
            ],
        ),
    ],
)
def test_what_is_exchanged_at_the_papers_size(rgb: str, points: str, shapes: Any) -> None:
    words = ["task=ntu", "fusion=mmtm", *f"rgb={rgb}".split(), f"points=[{points}]", "data=full"]
    cfg = compose(*words, "data.root=x")
    Shapes.seen = []
    with torch.device("meta"):
        net = build(cfg.network, points=with_module(cfg.network.points, Shapes))
        batch = {name: torch.empty(2, *cfg.task.shapes[name]) for name in cfg.modalities}
        prediction = net(batch)
    assert Shapes.seen == shapes
    assert prediction.scores.shape == (2, 60)


def with_module(points: Any, module: type[nn.Module]) -> list[dict[str, Any]]:
    return [{**OmegaConf.to_container(point), "fusion": module} for point in points]


def test_any_stage_can_be_tapped() -> None:
    assert described("fusion=msaf points=[early]") == [EARLY]
    mine = "+task.points.mine={stages:{video:Mixed_4c,skeleton:conv3}} points=[mine]"
    assert described(f"fusion=msaf {mine}")[0][:3] == ((512, 64, 64), (16, 2, 2), 32)


def test_the_configuration_can_be_written_and_read() -> None:
    cfg = compose("task=ntu", "fusion=msaf", "data=full", "data.root=x", "points=[early,late]")
    written = OmegaConf.create(OmegaConf.to_yaml(cfg, resolve=True))
    assert [point.stages.video for point in written.network.points] == ["Mixed_4f", "Mixed_5c"]
    assert settings(written) == settings(cfg)
    OmegaConf.resolve(cfg)
    assert cfg.network == written.network


def test_a_point_that_there_is_not() -> None:
    with pytest.raises(InterpolationResolutionError, match="latest: no such choice; there are ear"):
        network("fusion=msaf points=[latest]")


def test_the_rows_of_table_4() -> None:
    """The paper's "126, 512" is read as 128, 512: 832 channels are 6.5 blocks, the last padded."""
    found = [described(" ".join(overrides)) for overrides in jobs("4_ntu")]
    assert [[point[2:5] for point in points] for points in found] == [
        [(32, 0.0, 0.0), (128, 0.0, 0.0)],
        [(64, 0.0, 0.0), (256, 0.0, 0.0)],
        [(128, 0.0, 0.0), (512, 0.0, 0.0)],
        [(64, 0.25, 0.0), (256, 0.25, 0.0)],
        [(64, 0.5, 0.0), (256, 0.5, 0.0)],
        [(64, 0.5, 0.2), (256, 0.5, 0.2)],
    ]
    assert [point[1] for point in found[2]] == [(7, 1, 1), (2, 1)]


EARLY = ((832, 256), (7, 2), 128, 0.5, 0.0, 42_208)
INTERMEDIATE = ((832, 128, 128), (13, 2, 2), 64, 0.5, 0.0, 19_568)
LATE = ((1024, 512), (4, 2), 256, 0.5, 0.0, 116_416)
TABLE_5 = [
    [EARLY],
    [INTERMEDIATE],
    [LATE],
    [EARLY, INTERMEDIATE],
    [EARLY, LATE],
    [INTERMEDIATE, LATE],
    [EARLY, INTERMEDIATE, LATE],
]


def test_the_rows_of_table_5() -> None:
    assert [described(" ".join(overrides)) for overrides in jobs("5")] == TABLE_5


def test_the_early_point_under_the_released_protocol() -> None:
    """The authors' branch `ntu_ablation`: each person a modality, blocks of 64, no BlockDropout.

    A module of N blocks has 64 * 16 + 3 * 16 + N * (16 * 64 + 64) parameters: 1,072 + 1,088 N.
    """
    released = "fusion=msaf protocol=released points=[early]"
    assert described(released) == [((832, 128, 128), (13, 2, 2), 64, 0.5, 0.0, 19_568)]
    resnet = ((512, 128, 128), (8, 2, 2), 64, 0.5, 0.0, 1_072 + 12 * 1_088)
    assert described(f"{released} rgb=inflated_resnet50") == [resnet]
    (rest,) = described(f"{released} protocol.ntu_early=channels")
    assert rest == EARLY


@pytest.mark.parametrize("rgb", ["i3d", "inflated_resnet50"])
def test_conv5_reads_what_the_early_point_leaves(rgb: str) -> None:
    words = f"fusion=msaf protocol=released points=[early] rgb={rgb}"
    net = build(compose("task=ntu", "data.root=x", *words.split()).network).eval()
    seen: list[torch.Tensor] = []
    net.branches["skeleton"].stages["conv5"].register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0])
    )
    net.points[0].fusion.register_forward_hook(
        lambda module, inputs, fused: [torch.full_like(x, n) for n, x in enumerate(fused)]
    )
    skeleton = torch.randn(1, *net.branches["skeleton"].input_shape)
    with torch.no_grad():
        net({"video": torch.randn(1, 3, 8, 32, 32), "skeleton": skeleton})
    assert [float(x.unique()) for x in seen] == [1, 2]  # each person, behind the video


def test_the_recipe_of_mmtm() -> None:
    """Equal footing under the paper's protocol; its authors' under the released one."""

    def recipe(*words: str) -> tuple[int, int, float, list[int]]:
        cfg = compose("task=ntu", "fusion=mmtm", "data.root=x", *words)
        scheduler = cfg.training.scheduler
        rate = cfg.training.optimizer.lr
        return cfg.epochs, cfg.batch_size, rate, list(scheduler.milestones)

    assert recipe("data=full") == (20, 4, 1e-3, [5])
    assert recipe("data=full", "protocol=released") == (70, 20, 1e-4, [5, 20])
    assert recipe("protocol=released") == (12, 16, 1e-4, [8])
    decays = compose("task=ntu", "fusion=mmtm", "data=full", "data.root=x", "protocol=released")
    assert decays.training.optimizer.weight_decay == 1e-4
    assert decays.training._target_ == "models.tasks.Alternating"


def test_the_rows_of_table_3() -> None:
    """Every row is run but those of which too little is published, and they say so."""
    table = load_table(CONFIGS, "3")
    quoted = {row.name for row in table.rows if not row.overrides}
    assert quoted == {"SGM-Net", "PoseMap"}
    assert all(row.note.startswith("quoted: ") for row in table.rows if row.name in quoted)
    printed = {row.name: row.paper["accuracy"] for row in table.rows if row.paper}
    assert list(printed.values()) == [
        *(83.91, 85.63, 85.24, 89.10, 89.36, 90.04),
        *(90.11, 91.71, 91.99, 90.63, 92.24),
    ]
    resnet = {row.name for row in table.rows if "rgb=inflated_resnet50" in row.overrides}
    named = {row.name for row in table.rows if "Inf. ResNet50" in row.name}
    assert resnet == named
    compared = {row.name: table.reference_of(row) for row in table.rows}
    assert {name for name, of in compared.items() if of == "MSAF (Inf. ResNet50)"} == resnet
    assert {of for name, of in compared.items() if name not in resnet} == {"MSAF (I3D)"}
    for network in ([], ["rgb=inflated_resnet50"]):
        controls = [row.overrides for row in table.rows if row.ours]
        assert [c for c in controls if list(c[1:]) == network] == [
            (f"fusion={name}", *network) for name in ("average", "sum", "uniform")
        ]


def test_the_two_ways_of_training() -> None:
    words = ["task=ntu", "data=full", "data.root=x"]
    paper, released = (compose(*words, f"protocol={p}").training for p in ("paper", "released"))
    for cfg, rule, rate in ((paper, "Joint", 1e-3), (released, "Alternating", 1e-4)):
        assert cfg._target_ == f"models.tasks.{rule}"
        configured = build(cfg).configure(network("fusion=msaf", data="sample"))
        for optimizer in configured if isinstance(configured, tuple) else [configured]:
            (group,) = optimizer["optimizer"].param_groups
            assert (group["initial_lr"], group["weight_decay"]) == (rate, 1e-4)
            rates = []
            for _ in range(7):
                rates.append(optimizer["optimizer"].param_groups[0]["lr"])
                optimizer["optimizer"].step()
                optimizer["lr_scheduler"]["scheduler"].step()
            assert rates == pytest.approx([rate] * 5 + [rate / 10] * 2)


def test_the_released_slip_is_part_of_the_resnet_alone() -> None:
    """The gated features of its first module are not used; I3D's are."""

    def unchanged(words: str) -> list[str | None]:
        return [point.unchanged for point in network(words).points]

    assert unchanged("fusion=msaf rgb=inflated_resnet50") == [None, None]
    assert unchanged("fusion=msaf rgb=inflated_resnet50 protocol=released") == ["video", None]
    assert unchanged("fusion=mmtm rgb=inflated_resnet50 protocol=released") == ["video"] * 2 + [
        None
    ]
    assert unchanged("fusion=msaf protocol=released") == [None, None]


def test_runs_differ_by_what_they_use_alone() -> None:
    """A skeleton run is the same beside either video network; a fusion run names its points."""

    def known(*words: str) -> dict[str, Any]:
        return settings(compose("task=ntu", "data=full", "data.root=x", *words))

    alone = ["fusion=none", "modalities=[skeleton]"]
    plain = known(*alone)
    assert plain == known(*alone, "points=[intermediate]", "rgb=inflated_resnet50")
    assert plain["network"]["branches"].keys() == {"skeleton"}
    (point,) = known("points=[late]")["network"]["points"]
    assert point["stages"] == {"video": "Mixed_5c", "skeleton": "fc7"}


@pytest.mark.parametrize("rgb", ["i3d", "inflated_resnet50"])
def test_the_small_networks_are_the_same_ones(rgb: str) -> None:
    small, full = (network(f"fusion=msaf rgb={rgb}", data) for data in ("sample", "full"))
    assert [type(branch) for branch in small.branches.values()] == [
        type(branch) for branch in full.branches.values()
    ]
    assert list(small.branches["video"].stages) == list(full.branches["video"].stages)
    assert count(small.branches["video"]) < count(full.branches["video"]) / 10
    assert len(small.points) == len(full.points) == 2


NEWER = ["squeeze_excitation", "gmu", "crossmodal", "bottleneck"]


@pytest.mark.parametrize("fusion", ["msaf", "mmtm", "centralnet", "mfas", *NEWER])
def test_a_step_in_mixed_precision(fusion: str) -> None:
    torch.manual_seed(0)
    cfg = compose("task=ntu", f"fusion={fusion}", "data.root=x", "task.branches.video.width=8")
    net = build(cfg.network).train()
    batch = {
        "video": torch.randn(2, 3, 8, 32, 32),
        "skeleton": torch.randn(2, *net.branches["skeleton"].input_shape),
        "label": torch.tensor([3, 59]),
    }
    # oneDNN's bfloat16 kernel reads memory that it has not written (docs/deviations.md).
    with torch.backends.mkldnn.flags(enabled=False):
        with torch.autocast("cpu", torch.bfloat16):
            prediction = net(batch)
            loss = net.loss(prediction, batch, Classification.criterion)["total"]
        loss.backward()
    gradients = [p.grad for p in net.parameters() if p.grad is not None]
    assert gradients and all(torch.isfinite(g).all() for g in gradients)
    assert all(g.dtype == torch.float32 for g in gradients)


def test_single_networks_have_recipes_of_their_own_on_the_whole_data_set() -> None:
    """A public HCN's and the authors' I3D's; the fusion has the paper's, the sample the task's."""

    def recipe(*words: str) -> tuple[int, int, type, float, list[float]]:
        cfg = compose("task=ntu", "data=full", "data.root=x", *words)
        chosen = build(cfg.training).configure(torch.nn.Linear(2, 2))
        optimizer, schedule = chosen["optimizer"], chosen.get("lr_scheduler")
        rates = []
        for _ in range(6):
            rates += [optimizer.param_groups[0]["lr"]]
            optimizer.step()
            if schedule is not None:
                schedule["scheduler"].step()
        decay = optimizer.defaults["weight_decay"]
        return cfg.epochs, cfg.batch_size, type(optimizer), decay, rates

    alone = ["fusion=none", "modalities=[skeleton]"]
    *rest, rates = recipe(*alone)
    assert rest == [400, 64, torch.optim.Adam, 1e-4]
    assert rates == pytest.approx([1e-3 * 0.99**epoch for epoch in range(6)])
    for rgb in ("i3d", "inflated_resnet50"):
        *rest, rates = recipe("fusion=none", "modalities=[video]", f"rgb={rgb}")
        assert rest == [20, 4, torch.optim.SGD, 0]
        assert rates == [0.01] * 6
    *rest, rates = recipe("fusion=msaf")
    assert rest == [20, 4, torch.optim.Adam, 1e-4]
    assert rates == pytest.approx([1e-3] * 5 + [1e-4])
    assert recipe(*alone, "data=sample", "training.optimizer.lr=3e-4")[:2] == (12, 16)
    assert recipe(*alone, "epochs=9", "training.optimizer.lr=3e-4")[0] == 9


def test_published_weights_are_named_for_each_video_network() -> None:
    words = ["task=ntu", "pretrained.i3d=a.pt", "pretrained.inflated_resnet50=b.pt"]
    assert compose(*words).task.published == {"video": "a.pt"}
    assert compose(*words, "rgb=inflated_resnet50").task.published == {"video": "b.pt"}
    assert compose(words[0], words[1], "rgb=inflated_resnet50").task.published == {"video": None}


def test_a_point_of_ones_own_is_counted_at_the_papers_size() -> None:
    words = ["task=ntu", "fusion=msaf", "points=[mine]"]
    words += ["+task.points.mine={stages: {video: Mixed_4c, skeleton: conv3}}"]
    words += ["task.branches.video.width=8", "task.shapes.video=[3,8,32,32]"]
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        total = paper_size_parameters(Overrides(words))["total"]
    module = MSAF([512, 64, 64], block_channels="auto", lowest_attention=0.5)
    assert total == I3D + HCN + count(module)
