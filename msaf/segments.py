"""The sequence cut into segments (section 3.2), without a loop over them.

Shapes: B batch, C channels, q segments, S the first spatial axis, ``*`` the further ones. A segment
is floor(S / q) long; what is left over joins the last one. Without segments the q axis is absent.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def linear(segments: int, in_features: int, out_features: int) -> nn.Module:
    """A linear layer, or one for each of several segments."""
    if segments == 1:
        return nn.Linear(in_features, out_features)
    return SegmentLinear(segments, in_features, out_features)


class SegmentLinear(nn.Module):
    """One linear layer per segment in one batched product; initialised as ``nn.Linear`` is."""

    def __init__(self, segments: int, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(segments, out_features, in_features))
        self.bias = nn.Parameter(torch.empty(segments, out_features))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = 1 / math.sqrt(self.weight.shape[2])
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, q, in)`` to ``(B, q, out)``."""
        weight = self.weight.transpose(1, 2)  # (q, in, out)
        return torch.baddbmm(self.bias.unsqueeze(1), x.transpose(0, 1), weight).transpose(0, 1)

    def extra_repr(self) -> str:
        segments, out_features, in_features = self.weight.shape
        return f"{in_features}, {out_features}, segments={segments}"


class SegmentNorm(nn.BatchNorm1d):
    """Batch norm with statistics of its own for each feature of each segment.

    A training batch of one sample has no variance; it is normalised with the running statistics
    and leaves them as they are.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(B, features)`` or ``(B, q, features)``."""
        if x.ndim == 3:
            return self.forward(x.flatten(1)).view_as(x)
        if self.training and x.shape[0] > 1:
            return super().forward(x)
        moments = self.running_mean, self.running_var
        return F.batch_norm(x, *moments, self.weight, self.bias, eps=self.eps)


def segment_means(x: Tensor, segments: int, mask: Tensor | None = None) -> Tensor:
    """Average ``(B, C, *)`` to ``(B, C)``, or ``(B, C, S, *)`` over each segment to ``(B, q, C)``.

    With a ``mask``, ``(B, S)``, over the steps where it is true; 0 where there are none. The
    result has single precision at least. It is a sum, divided later, because the gradient of a
    mean would be written out over the whole map.
    """
    dtype = torch.promote_types(x.dtype, torch.float32)
    if mask is not None:
        return _masked_means(x.to(dtype), segments, mask)
    if segments > 1:
        return _sequence_means(x, segments, dtype)
    if x.ndim == 2:
        return x.to(dtype)
    return x.sum(tuple(range(2, x.ndim)), dtype=dtype) / x.shape[2:].numel()


def _sequence_means(x: Tensor, segments: int, dtype: torch.dtype) -> Tensor:
    length, rest = divmod(x.shape[2], segments)
    whole = x[:, :, : segments * length].unflatten(2, (segments, length))  # (B, C, q, S // q, *)
    whole = whole.transpose(1, 2)  # before the sum, so that its result is contiguous in C
    total = whole.sum(tuple(range(3, whole.ndim)), dtype=dtype)  # (B, q, C)
    further = x.shape[3:].numel()
    if not rest:
        return total / (length * further)
    left = x[:, :, segments * length :].sum(tuple(range(2, x.ndim)), dtype=dtype)  # (B, C)
    total = torch.cat([total[:, :-1], total[:, -1:] + left.unsqueeze(1)], dim=1)
    lengths = total.new_full((segments, 1), length * further)
    lengths[-1] += rest * further
    return total / lengths


def _masked_means(x: Tensor, segments: int, mask: Tensor) -> Tensor:
    steps = x.shape[2]
    segment = torch.arange(steps, device=x.device).div(steps // segments, rounding_mode="floor")
    own = segment.clamp(max=segments - 1) == torch.arange(segments, device=x.device).unsqueeze(1)
    chosen = (own & mask.unsqueeze(1)).to(x.dtype)  # (B, q, S)
    weights = chosen / chosen.sum(-1, keepdim=True).clamp(min=1)
    means = weights @ x.flatten(3).mean(3).transpose(1, 2) if x.ndim > 3 else weights @ x.mT
    return means if segments > 1 else means.squeeze(1)  # (B, [q], C)


def apply_gate(x: Tensor, gate: Tensor) -> Tensor:
    """Multiply ``(B, C, *)`` by its gate ``(B, C)``, or its segments by theirs, ``(B, q, C)``."""
    gate = gate.to(x.dtype)
    if gate.ndim == 2:
        return x * gate.view(*gate.shape, *[1] * (x.ndim - 2))
    # Written out per step, the gate is read along with the map whichever axis is innermost in it.
    length, rest = divmod(x.shape[2], gate.shape[1])
    steps = gate.repeat_interleave(length, dim=1).transpose(1, 2)  # (B, C, S - rest)
    if rest:
        steps = torch.cat([steps, steps[..., -1:].expand(-1, -1, rest)], dim=2)
    return x * steps.view(*steps.shape, *[1] * (x.ndim - 3))
