"""Layers and pooled maps in plain loops over numpy arrays, to hold the fusions by attention to."""

import math
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

Array = np.ndarray


def array(x: Tensor | nn.Parameter) -> Array:
    return x.detach().numpy().astype(np.float64)


def linear(layer: nn.Module, x: Array) -> Array:
    """One vector through a linear layer."""
    assert isinstance(layer, nn.Linear)
    out = np.array([sum(w * v for w, v in zip(row, x, strict=True)) for row in array(layer.weight)])
    return out if layer.bias is None else out + array(layer.bias)


def norm(layer: nn.Module, x: Array) -> Array:
    """One vector through a layer norm."""
    assert isinstance(layer, nn.LayerNorm)
    mean = sum(x) / len(x)
    spread = math.sqrt(sum((v - mean) ** 2 for v in x) / len(x) + layer.eps)
    return (x - mean) / spread * array(layer.weight) + array(layer.bias)


def attention(layer: nn.Module, queries: list[Array], keys: list[Array]) -> list[Array]:
    """Multi-head attention of each query to all keys, which are the values too."""
    assert isinstance(layer, nn.MultiheadAttention) and layer.in_proj_weight is not None
    weights, biases = array(layer.in_proj_weight), array(layer.in_proj_bias)
    width, head = layer.embed_dim, layer.head_dim
    parts = [slice(0, width), slice(width, 2 * width), slice(2 * width, None)]
    (wq, wk, wv), (bq, bk, bv) = ([a[part] for part in parts] for a in (weights, biases))
    found = []
    for query in queries:
        q, joined = wq @ query + bq, []
        for start in range(0, width, head):
            own = slice(start, start + head)
            scores = [
                math.exp(float(q[own] @ (wk @ key + bk)[own]) / math.sqrt(head)) for key in keys
            ]
            values = [(wv @ key + bv)[own] for key in keys]
            total = sum(scores)
            joined += list(sum(s / total * v for s, v in zip(scores, values, strict=True)))
        found.append(linear(layer.out_proj, np.array(joined)))
    return found


def gelu(x: Array) -> Array:
    return np.array([v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in x])


def cell(place: tuple[int, ...], sizes: tuple[int, ...], grid: list[int]) -> tuple[int, ...]:
    """The cell of a position: floor(i g / s) along each axis."""
    return tuple(i * g // s for i, s, g in zip(place, sizes, grid, strict=True))


def tokens(x: Array, grid: list[int]) -> tuple[list[Array], dict[tuple[int, ...], int]]:
    """The means of a map's cells, one map `(C, *)`, and the token of each position."""
    sizes = x.shape[1:]
    cells = list(product(*map(range, grid)))
    place_of = {
        place: cells.index(cell(place, sizes, grid)) for place in product(*map(range, sizes))
    }
    found = []
    for number in range(len(cells)):
        inside = [x[(slice(None), *place)] for place, at in place_of.items() if at == number]
        found.append(sum(inside) / len(inside))
    return found, place_of


def shake(module: nn.Module) -> None:
    """Give every parameter a random value, so that nothing is zero or one by chance."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 2)
