"""What the module must survive: compilation, export, reduced precision, copies and checkpoints."""

import copy
import io
import pickle

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from msaf import MSAF, UniformGate, record_attention
from msaf.blocks import BlockGate
from msaf.segments import segment_means

SETTINGS = {
    "plain": {},
    "dropout and lambda": {"block_dropout": 0.2, "lowest_attention": 0.5},
    "segments": {"segments": 4, "block_dropout": 0.2},
    "left over": {"block_channels": 6, "segments": 5},
}


def make(name: str, kind: type[BlockGate] = MSAF) -> BlockGate:
    return kind([16, 8], **({"block_channels": 4} | SETTINGS[name]))


def features(batch: int = 3) -> list[Tensor]:
    return [torch.randn(batch, 16, 12, 2), torch.randn(batch, 8, 13)]


def close(left: list[Tensor], right: list[Tensor], tolerance: float = 1e-5) -> bool:
    return all((a - b).abs().max() < tolerance for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("kind", [MSAF, UniformGate])
def test_compiles_without_a_graph_break(name: str, kind: type[BlockGate]) -> None:
    module = make(name, kind)
    x = features()
    torch._dynamo.reset()  # each case counts its recompilations by itself
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    module.eval()
    assert close(compiled(x), module(x))
    module.train()
    outputs = compiled([t.requires_grad_() for t in x])
    sum(out.sum() for out in outputs).backward()
    assert all(torch.isfinite(t.grad).all() for t in x)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_compiled_by_inductor(name: str) -> None:
    module = make(name).eval()
    x = features()
    assert close(torch.compile(module, fullgraph=True)(x), module(x))


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("kind", [MSAF, UniformGate])
def test_exports_with_a_free_batch_size(name: str, kind: type[BlockGate]) -> None:
    module = make(name, kind).eval()
    batch = torch.export.Dim("batch", min=1, max=64)
    shapes = {"features": [{0: batch}, {0: batch}]}
    exported = torch.export.export(module, (features(),), dynamic_shapes=shapes).module()
    for size in (3, 1, 7):
        x = features(size)
        assert close(exported(x), module(x))


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bf16_autocast(name: str, dtype: torch.dtype) -> None:
    module = make(name).train()
    module.dropout.eval()
    x = features(8)
    module.norm.momentum = 0.0
    exact = module(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = module([t.to(dtype) for t in x])
    assert all(out.dtype == dtype for out in outputs)
    assert close([out.float() for out in outputs], exact, 0.1)
    assert torch.stack([out.float().abs().mean() for out in outputs]).min() > 0.01


def test_bf16_means_and_attention_keep_their_precision() -> None:
    x = torch.full((1, 2, 40_000), 1.0, dtype=torch.bfloat16)
    assert torch.equal(segment_means(x, 1), torch.ones(1, 2))  # a bf16 sum would stop at 256
    assert torch.allclose(segment_means(x, 7), torch.ones(1, 7, 2))
    module = MSAF([1024, 32], block_channels=16)
    with torch.autocast("cpu", dtype=torch.bfloat16), record_attention(module) as maps:
        module([torch.randn(4, 1024, 9).bfloat16(), torch.randn(4, 32).bfloat16()])
    assert maps[""][0].dtype == torch.float32
    assert (maps[""][0].sum(1) - 1).abs().max() < 1e-5


def test_a_module_in_bf16_and_features_of_two_types() -> None:
    module = make("segments").bfloat16()
    outputs = module([features()[0].bfloat16(), features()[1].bfloat16()])
    assert {out.dtype for out in outputs} == {torch.bfloat16}
    mixed = make("plain")([features()[0].bfloat16(), features()[1]])
    assert [out.dtype for out in mixed] == [torch.bfloat16, torch.float32]


@pytest.mark.parametrize(
    ("segments", "join", "highlight"),
    [(1, (2, 8), (32, 2)), (3, (3, 2, 8), (3, 32, 2))],
)
def test_state_dict_keys_and_shapes(
    segments: int, join: tuple[int, ...], highlight: tuple[int, ...]
) -> None:
    state = MSAF([16, 9], block_channels=8, segments=segments).state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == {
        "join.weight": join,
        "join.bias": join[:-1],
        "norm.weight": (2 * segments,),
        "norm.bias": (2 * segments,),
        "norm.running_mean": (2 * segments,),
        "norm.running_var": (2 * segments,),
        "norm.num_batches_tracked": (),
        "highlight.weight": highlight,
        "highlight.bias": highlight[:-1],
    }


@pytest.mark.parametrize("name", SETTINGS)
def test_copies_and_checkpoints(name: str) -> None:
    module = make(name).eval()
    x = features()
    wanted = module(x)
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    loaded = make(name).eval()
    loaded.load_state_dict(torch.load(file, weights_only=True))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), loaded):
        assert close(other(x), wanted, 1e-12)


def test_it_counts_its_work() -> None:
    with torch.device("meta"):
        module = MSAF([64, 64], block_channels="auto").eval()
        x = [torch.randn(4, 64, 3, 128, 128), torch.randn(4, 64, 3, 128, 128)]
    with FlopCounterMode(display=False) as counter:
        module(x)
    assert counter.get_total_flops() == 2 * 4 * (32 * 8 + 8 * 128)  # figure 5's 10.4K has norm too


def test_repr_says_what_it_is() -> None:
    text = repr(MSAF([832, 128], block_channels=64, lowest_attention=0.5, block_dropout=0.2))
    for part in ("(832, 128)", "block_channels=64", "(13, 2)", "lowest_attention=0.5", "p=0.2"):
        assert part in text
