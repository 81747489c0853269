"""The paper's equations as they are printed: a loop over segments, modalities and blocks.

Written without a look at the module's own code paths: explicit zero padding, one matrix product
per block taken from slices of the weights, means and variances by hand.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from msaf import MSAF

Build = Callable[..., MSAF]
DrawnMask = Callable[[MSAF], list[Tensor]]


def cut(x: Tensor, segments: int) -> list[Tensor]:
    """Section 3.2: floor(S / q) steps each; what is left joins the last segment."""
    if segments == 1:
        return [x]
    length = x.shape[2] // segments
    ends = [length * (s + 1) for s in range(segments - 1)] + [x.shape[2]]
    return [x[:, :, length * s : end] for s, end in enumerate(ends)]


def weights_of(module: MSAF, s: int) -> tuple:
    width = module.block_channels // module.reduction
    rows = slice(s * width, (s + 1) * width)
    norm = [
        t[rows]
        for t in (
            module.norm.running_mean,
            module.norm.running_var,
            module.norm.weight,
            module.norm.bias,
        )
    ]
    linears = [
        module.join.weight,
        module.join.bias,
        module.highlight.weight,
        module.highlight.bias,
    ]
    if module.segments > 1:
        linears = [t[s] for t in linears]
    return (*linears, norm)


def normalise(z: Tensor, norm: list[Tensor], *, batch_statistics: bool, eps: float) -> Tensor:
    mean, variance, scale, shift = norm
    if batch_statistics:
        mean = z.mean(0)
        variance = ((z - mean) ** 2).mean(0)
    return (z - mean) / (variance + eps).sqrt() * scale + shift


def split(x: Tensor, size: int) -> list[Tensor]:
    count = -(-x.shape[1] // size)
    lacking = count * size - x.shape[1]
    padded = torch.cat([x, x.new_zeros(x.shape[0], lacking, *x.shape[2:])], dim=1)
    return [padded[:, i * size : (i + 1) * size] for i in range(count)]


def spread(gate: Tensor, like: Tensor) -> Tensor:
    return gate.reshape(*gate.shape, *[1] * (like.ndim - gate.ndim))


def naive_segment(
    module: MSAF, weights: tuple, features: list[Tensor], mask: list[Tensor] | None
) -> tuple[list[Tensor], Tensor]:
    """Equations 1 to 6 and section 3.1; ``mask`` is a list of (B,) zeros and ones per block."""
    join_weight, join_bias, highlight_weight, highlight_bias, norm = weights
    size, p = module.block_channels, module.dropout.p
    modalities = [split(x, size) for x in features]
    batch = features[0].shape[0]
    blocks = [block for modality in modalities for block in modality]
    keep = [torch.ones(batch, 1, dtype=torch.float64)] * len(blocks) if mask is None else mask
    scale = 1.0 if mask is None else 1 / (1 - p)
    released = module.dropout.form == "released"

    joined = [
        block * spread(m * (scale if released else 1.0), block)
        for block, m in zip(blocks, keep, strict=True)
    ]
    descriptor = torch.zeros(batch, size, dtype=torch.float64)
    start = 0
    for modality in modalities:
        total = sum(joined[start : start + len(modality)])  # S_m
        start += len(modality)
        places = total.reshape(batch, size, -1)
        descriptor = descriptor + places.sum(2) / places.shape[2]  # equation 1
    z = descriptor @ join_weight.T + join_bias  # equation 2
    use_batch = module.training and batch > 1
    z = normalise(z, norm, batch_statistics=use_batch, eps=module.norm.eps).clamp(min=0)
    logits = [
        z @ highlight_weight[i * size : (i + 1) * size].T
        + highlight_bias[i * size : (i + 1) * size]
        for i in range(len(blocks))
    ]  # equation 3
    denominator = sum(u.exp() for u in logits)
    attention = [u.exp() / denominator for u in logits]  # equation 4
    low = module.lowest_attention
    highlighted = []
    for i, block in enumerate(blocks):
        gate = low + (1 - low) * attention[i]
        source = joined[i] if released else block
        highlighted.append(source * spread(gate * keep[i] * scale, block))  # equation 5
    merged, start = [], 0
    for x, modality in zip(features, modalities, strict=True):
        parts = highlighted[start : start + len(modality)]
        start += len(modality)
        merged.append(torch.cat(parts, dim=1)[:, : x.shape[1]])  # equation 6
    return merged, torch.stack(attention, 1)


def naive_msaf(
    module: MSAF, features: list[Tensor], mask: Tensor | None = None
) -> tuple[list[Tensor], Tensor]:
    """The outputs, and the attention (B, q, N, C); ``mask`` is (B or 1, q, N)."""
    pieces = [cut(x, module.segments) for x in features]
    outputs, attentions = [], []
    for s in range(module.segments):
        now = None
        if mask is not None:
            batch = features[0].shape[0]
            now = [mask[:, s, i].expand(batch)[:, None] for i in range(mask.shape[2])]
        merged, attention = naive_segment(
            module, weights_of(module, s), [piece[s] for piece in pieces], now
        )
        outputs.append(merged)
        attentions.append(attention)
    if module.segments == 1:
        return outputs[0], attentions[0][:, None]
    joined = [torch.cat(parts, dim=2) for parts in zip(*outputs, strict=True)]
    return joined, torch.stack(attentions, 1)
